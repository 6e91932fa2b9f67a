"""snarkjs's .zkey files: those that it wrote, and damaged ones."""

from pathlib import Path
from random import Random
from struct import pack, pack_into

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.snarkjs_sections import section
from veperf.core.errors import CorruptFileError, DataError, NewerFormatError
from veperf.workloads.zk.field import P
from veperf.workloads.zk.groth16.keys import KeyForm, TestKeyError
from veperf.workloads.zk.groth16.prove import Prover, WrongKeyError
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.system import UnsatisfiedError
from veperf.workloads.zk.snarkjs.circom_files import read_r1cs, read_wtns
from veperf.workloads.zk.snarkjs.sections import read_sections, write_sections
from veperf.workloads.zk.snarkjs.zkey import read_zkey, write_zkey, zkey_of

VECTORS = Path(__file__).parents[3] / "vectors" / "zk"
FINAL = (VECTORS / "snarkjs" / "final.zkey").read_bytes()
FIRST = (VECTORS / "snarkjs" / "first.zkey").read_bytes()
SYSTEM = read_r1cs((VECTORS / "circom" / "fixture.r1cs").read_bytes())
WITNESS = read_wtns((VECTORS / "circom" / "fixture.wtns").read_bytes())
PUBLIC = WITNESS[1:4]


def test_snarkjs_s_file_is_written_as_it_was():
    """Every section, byte for byte, contributions and beacon among them."""
    zkey = read_zkey(FINAL)

    assert FINAL == write_zkey(zkey)
    assert ["one", "last"] == [contribution.name for contribution in zkey.contributions]
    beacon = zkey.contributions[1].beacon
    assert beacon is not None
    assert 10 == beacon.exponent


@pytest.mark.usefixtures("core")
def test_proofs_by_snarkjs_s_key():
    """With its own matrices, and with the circuit's constraints; both verify."""
    zkey = read_zkey(FINAL)
    key = zkey.key.verifying_key

    assert verify(key, PUBLIC, Prover(zkey.circuit, zkey.key).prove(WITNESS))
    assert verify(key, PUBLIC, Prover(SYSTEM, zkey.for_circuit(SYSTEM)).prove(WITNESS))


def test_a_wrong_witness_has_no_proof():
    """Without the constraints it is noticed by the proof, with them by the constraint."""
    zkey, wrong = read_zkey(FINAL), [*WITNESS[:-1], WITNESS[-1] + 1]
    with pytest.raises(CorruptFileError, match="no valid proof"):
        Prover(zkey.circuit, zkey.key).prove(wrong)
    with pytest.raises(UnsatisfiedError):
        Prover(SYSTEM, zkey.for_circuit(SYSTEM)).prove(wrong)


def test_keys_without_secrets_are_refused():
    """Of a known seed, by its mark, and such as nobody contributed to; unless they are allowed."""
    seeded = zkey_of(setup(SYSTEM, Random(1).randrange, KeyForm.SNARKJS), SYSTEM)
    for data in (FIRST, write_zkey(seeded)):
        with pytest.raises(TestKeyError):
            read_zkey(data)
        assert read_zkey(data, allow_test_keys=True).key.verifying_key.is_test
    real = write_zkey(zkey_of(setup(SYSTEM, form=KeyForm.SNARKJS), SYSTEM))
    assert not read_zkey(real).key.verifying_key.is_test
    # As snarkjs leaves it: without sections that it doesn't know.
    sections = read_sections(write_zkey(seeded), b"zkey", 1, {})
    known = {n: bytes(part.view(0, part.left)) for n, part in sections.items() if n <= 10}
    with pytest.raises(TestKeyError):
        read_zkey(write_sections(b"zkey", 1, known))


def test_a_key_is_for_its_circuit():
    """Another one is refused, even with the same number of everything."""
    zkey = read_zkey(FINAL)
    builder = Builder()
    y, x = builder.public("y"), builder.private("x")
    builder.constrain(x, x, y, "a square")
    with pytest.raises(WrongKeyError):
        zkey.for_circuit(builder.build()[0])
    with pytest.raises(WrongKeyError):
        zkey_of(setup(SYSTEM), SYSTEM)  # in another form


@pytest.mark.parametrize(("protocol", "words"), [(2, "a PLONK key"), (10, "a fflonk key")])
def test_other_protocols_are_named(protocol, words):
    """They are not corrupt."""
    changed = bytearray(FINAL)
    pack_into("<I", changed, section(FINAL, 1)[0], protocol)
    with pytest.raises(DataError, match=f"{words}; only Groth16 on bn128") as caught:
        read_zkey(bytes(changed))
    assert not isinstance(caught.value, CorruptFileError)


def test_other_curves_are_named():
    """By the primes in the header, whose elements have another size."""
    start, size = section(FINAL, 2)
    prime = (  # of the coordinates of BLS12-381
        0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF << 192
    ) | 0x6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
    header = pack("<I", 48) + prime.to_bytes(48, "little") + FINAL[start + 36 : start + size]
    changed = FINAL[: start - 8] + pack("<Q", len(header)) + header + FINAL[start + size :]
    with pytest.raises(DataError, match="bls12-381") as caught:
        read_zkey(changed)
    assert not isinstance(caught.value, CorruptFileError)
    with pytest.raises(NewerFormatError):
        read_zkey(FINAL[:4] + pack("<I", 2) + FINAL[8:])


@pytest.mark.parametrize("number", [3, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("value", [1, int(P), (1 << 256) - 1])
def test_points_off_the_curve_are_refused(number, value):
    """In every section; numbers that are not canonical, too."""
    start, _ = section(FINAL, number)
    changed = bytearray(FINAL)
    changed[start : start + 32] = value.to_bytes(32, "little")
    with pytest.raises(CorruptFileError, match="point"):
        read_zkey(bytes(changed))


@pytest.mark.parametrize("number", range(1, 11))
def test_sections_of_another_size(number):
    """Shorter, or with one point too many: refused before anything is taken from it."""
    start, size = section(FINAL, number)
    for change in (-1, -size, 64):
        body = FINAL[start : start + size + min(change, 0)] + bytes(max(change, 0))
        changed = FINAL[: start - 8] + pack("<Q", len(body)) + body + FINAL[start + size :]
        with pytest.raises(DataError):
            read_zkey(changed)


def test_claimed_counts_take_no_memory():
    """Billions of wires, terms or contributions in a short file."""
    header, terms, contributions = (section(FINAL, number)[0] for number in (2, 4, 10))
    for place in (header + 72, header + 76, header + 80, terms, contributions + 64):
        for value in (0, 0x7FFFFFFF, 0xFFFFFFFF):
            changed = bytearray(FINAL)
            pack_into("<I", changed, place, value)
            with pytest.raises(DataError):
                read_zkey(bytes(changed))


def test_cut_off_anywhere():
    """No beginning is taken for a whole file, nor one with more at its end."""
    for end in [*range(0, 800, 7), *range(800, len(FINAL), 97), len(FINAL) - 1]:
        with pytest.raises(DataError):
            read_zkey(FINAL[:end])
    with pytest.raises(DataError):
        read_zkey(FINAL + b"\0")


@given(position=st.integers(0, len(FINAL) - 1), value=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_a_changed_byte_makes_no_wrong_proof(position, value):
    """A file with one byte changed is refused, or its proofs verify under its key."""
    changed = bytearray(FINAL)
    changed[position] = value
    try:
        zkey = read_zkey(bytes(changed))
        proof = Prover(zkey.circuit, zkey.key).prove(WITNESS)
    except (DataError, ValueError):
        return
    assert verify(zkey.key.verifying_key, PUBLIC, proof)
