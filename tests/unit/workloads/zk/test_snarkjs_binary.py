"""circom's .r1cs and snarkjs's .wtns files, against what circom itself wrote."""

from pathlib import Path
from struct import pack, pack_into, unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.snarkjs_sections import section
from veperf.core.errors import CorruptFileError, DataError, NewerFormatError
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.r1cs.linear import Constraint, canonical_row
from veperf.workloads.zk.r1cs.system import R1cs, UnsatisfiedError
from veperf.workloads.zk.snarkjs.circom_files import read_r1cs, read_wtns, write_r1cs, write_wtns
from veperf.workloads.zk.snarkjs.json_files import public_from_json

CIRCOM = Path(__file__).parents[3] / "vectors" / "zk" / "circom"
R1CS = (CIRCOM / "fixture.r1cs").read_bytes()
WTNS = (CIRCOM / "fixture.wtns").read_bytes()
READERS = [(R1CS, read_r1cs), (WTNS, read_wtns)]
both = pytest.mark.parametrize(("data", "read"), READERS, ids=["r1cs", "wtns"])
ORDER = int(R)


def test_circuit_of_circom_is_proved_here():
    """Its constraints hold for its witness; set up and proved here, its public inputs verify."""
    system, witness = read_r1cs(R1CS), read_wtns(WTNS)
    public = public_from_json((CIRCOM / "public.json").read_bytes())
    system.check(witness)
    key = setup(system)

    assert (17, 3) == (system.wire_count, system.public_count)
    assert public == witness[1:4]
    assert verify(key.verifying_key, public, Prover(system, key).prove(witness))
    with pytest.raises(UnsatisfiedError):
        system.check([*witness[:-1], (witness[-1] + 1) % ORDER])


def test_inputs_that_the_optimiser_left_out():
    """circom counts a private input that has no wire any more; the circuit is proved anyway."""
    system = read_r1cs((CIRCOM / "linear.r1cs").read_bytes())
    witness = read_wtns((CIRCOM / "linear.wtns").read_bytes())
    system.check(witness)
    key = setup(system)

    assert (4, 3) == (system.wire_count, system.public_count)
    assert verify(key.verifying_key, witness[1:], Prover(system, key).prove(witness))


# The example of the format's document (iden3/r1csfile, doc/r1cs_bin_format.md), for this prime.
SPECIFIED: tuple[tuple[list[tuple[int, int]], ...], ...] = (
    ([(5, 3), (6, 8)], [(0, 2), (2, 20), (3, 12)], [(0, 5), (2, 7)]),
    ([(1, 4), (4, 8), (5, 3)], [(3, 44), (6, 6)], []),
    ([(6, 4)], [(0, 6), (2, 11), (3, 5)], [(6, 600)]),
)


def test_the_example_of_the_specification():
    """7 wires, an output, 2 public and 3 private inputs, 1,000 labels, 3 constraints."""
    prime = ORDER.to_bytes(32, "little")
    header = pack("<I", 32) + prime + pack("<IIIIQI", 7, 1, 2, 3, 1_000, 3)
    rows = b"".join(
        pack("<I", len(side)) + b"".join(pack("<I", w) + f.to_bytes(32, "little") for w, f in side)
        for sides in SPECIFIED
        for side in sides
    )
    labels = pack("<7Q", 0, 3, 10, 11, 12, 15, 324)
    parts = [(1, header), (2, rows), (3, labels)]
    sections = b"".join(pack("<IQ", kind, len(part)) + part for kind, part in parts)

    assert (64, 0x288, 56) == tuple(len(part) for _, part in parts)
    system = read_r1cs(b"r1cs" + pack("<II", 1, 3) + sections)
    assert (7, 3) == (system.wire_count, system.public_count)
    assert SPECIFIED == tuple(tuple(map(list, sides)) for sides in system.constraints)


terms = st.lists(st.tuples(st.integers(0, 4), st.integers(0, ORDER - 1)), max_size=5)
systems = st.builds(
    lambda rows: R1cs(
        5, 2, tuple(Constraint(*(canonical_row(side) for side in sides)) for sides in rows)
    ),
    st.lists(st.tuples(terms, terms, terms), max_size=4),
)


@given(systems)
def test_systems_come_back(system):
    """A written file is read back."""

    assert system == read_r1cs(write_r1cs(system))


@given(st.lists(st.integers(0, ORDER - 1)).map(lambda values: [1, *values]))
def test_witnesses_come_back(witness):
    """A written file is read back."""

    assert witness == read_wtns(write_wtns(witness))


def test_witness_is_written_as_circom_does():
    """Byte for byte."""

    assert write_wtns(read_wtns(WTNS)) == WTNS


@both
def test_cut_off_anywhere_it_is_refused(data, read):
    """No beginning is taken for a whole file, nor one with more at its end."""
    for end in range(len(data)):
        with pytest.raises(DataError):
            read(data[:end])
    with pytest.raises(CorruptFileError):
        read(data + b"\0")


@both
@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_changed_byte_is_no_crash(data, read, position, value):
    """A file with one byte changed is read or refused with the one error."""
    changed = bytearray(data)
    changed[position % len(data)] = value
    try:
        read(bytes(changed))
    except DataError:
        return


@both
@given(content=st.binary(max_size=200))
def test_any_bytes_are_no_crash(data, read, content):
    """Random content behind a right beginning is refused."""
    for start in (0, 4, 8, 12):
        with pytest.raises(DataError):
            read(data[:start] + content)


@both
def test_other_versions_are_named(data, read):
    """The reason is the version."""
    with pytest.raises(NewerFormatError):
        read(data[:4] + pack("<I", 9) + data[8:])


@both
def test_other_fields_are_named(data, read):
    """Another prime, and another size of elements, are unsupported, not corrupt."""
    start, _ = section(data, 1)
    for offset, layout, value in ((start, "<I", 8), (start + 4, "<Q", 7)):
        changed = bytearray(data)
        pack_into(layout, changed, offset, value)
        with pytest.raises(DataError, match="another field"):
            read(bytes(changed))


@pytest.mark.parametrize(
    ("offset", "value"),
    [(36, 18), (36, 0xFFFFFFFF), (40, 17), (44, 0xFFFFFFFF), (60, 0), (60, 13), (60, 0xFFFFFFFF)],
)
def test_counts_that_contradict_the_file(offset, value):
    """More wires, inputs or constraints than the file has, up to billions."""
    start, _ = section(R1CS, 1)
    changed = bytearray(R1CS)
    pack_into("<I", changed, start + offset, value)
    with pytest.raises(CorruptFileError):
        read_r1cs(bytes(changed))


@pytest.mark.parametrize("value", [0, 10_000, 0xFFFFFFFF])
def test_terms_that_contradict_the_file(value):
    """A row that claims more terms than there are bytes."""
    start, _ = section(R1CS, 2)
    changed = bytearray(R1CS)
    pack_into("<I", changed, start, value)
    with pytest.raises(CorruptFileError):
        read_r1cs(bytes(changed))


def test_elements_are_below_the_prime():
    """A coefficient of r, a value of r."""
    start, _ = section(R1CS, 2)
    system = bytearray(R1CS)
    system[start + 8 : start + 40] = ORDER.to_bytes(32, "little")
    witness = bytearray(WTNS)
    witness[-32:] = ORDER.to_bytes(32, "little")
    for data, read in ((system, read_r1cs), (witness, read_wtns)):
        with pytest.raises(CorruptFileError, match="below the prime"):
            read(bytes(data))


def test_witness_begins_with_one():
    """The constant is the first value, so there is at least one."""
    start, _ = section(WTNS, 2)
    with pytest.raises(CorruptFileError):
        read_wtns(WTNS[:start] + pack("<B", 2) + WTNS[start + 1 :])
    with pytest.raises(CorruptFileError):
        read_wtns(write_wtns([]))


@pytest.mark.parametrize("kind", [4, 5])
def test_custom_gates_are_refused(kind):
    """They are not constraints; left out they would make the circuit accept anything."""
    count = unpack_from("<I", R1CS, 8)[0] + 1
    body = R1CS[:8] + pack("<I", count) + R1CS[12:]
    with pytest.raises(DataError, match="custom gates"):
        read_r1cs(body + pack("<IQI", kind, 4, 1))

    assert read_r1cs(R1CS) == read_r1cs(body + pack("<IQI", kind, 4, 0))


@both
def test_sections_once_each(data, read):
    """A section twice or not at all is refused; an unknown one is passed over."""
    count = unpack_from("<I", data, 8)[0]
    more = data[:8] + pack("<I", count + 1) + data[12:]
    start, size = section(data, 1)

    assert read(data) == read(more + pack("<IQ", 99, 3) + b"abc")
    with pytest.raises(CorruptFileError):
        read(more + data[start - 12 : start + size])
    with pytest.raises(CorruptFileError):
        read(data[: start - 12] + pack("<I", 77) + data[start - 8 :])
