from functools import partial
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError
from veperf.workloads.zk.groth16.files import (
    proving_key_from_bytes,
    proving_key_to_bytes,
    verifying_key_from_bytes,
    verifying_key_to_bytes,
)
from veperf.workloads.zk.groth16.keys import TestKeyError
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.r1cs.builder import Builder

pytestmark = pytest.mark.usefixtures("core")


def make_circuit():
    builder = Builder()
    y, x = builder.public("y"), builder.private("x")
    builder.assert_equal(builder.product("xx", x, x) + x, y, "x squared plus x is y")
    return builder.build()


KEY = setup(make_circuit()[0], Random(2).randrange)
PROVING = proving_key_to_bytes(KEY)
VERIFYING = verifying_key_to_bytes(KEY.verifying_key)
# The key is from a known seed, which the file says.
READERS = [
    (data, partial(read, allow_test_keys=True))
    for data, read in ((PROVING, proving_key_from_bytes), (VERIFYING, verifying_key_from_bytes))
]
both = pytest.mark.parametrize(("data", "read"), READERS, ids=["proving", "verifying"])


def sealed(content):
    """``content`` with a right checksum, as a forger would send it."""
    return bytes(content) + sha256(content).digest()


def test_keys_come_back():
    """A written key is read back, point for point."""
    keys = [read(data) for data, read in READERS]

    assert [KEY, KEY.verifying_key] == keys


def test_keys_from_a_known_seed_are_refused():
    """By name, unless they are allowed; keys with secrets of the system's are read without."""
    for data, read in ((PROVING, proving_key_from_bytes), (VERIFYING, verifying_key_from_bytes)):
        with pytest.raises(TestKeyError, match="known seed"):
            read(data)
    real = setup(make_circuit()[0])

    assert not real.verifying_key.is_test
    assert real == proving_key_from_bytes(proving_key_to_bytes(real))


def test_no_proof_of_an_altered_key_is_handed_out():
    """Two points that changed places are valid ones, but a proof by them would not verify."""
    r1cs, program = make_circuit()
    witness = program.compute_witness({"y": 12, "x": 3})
    points = 64 * (1 + 2) + 128 * 3 + 64 * 2
    body = bytearray(PROVING[:-32])
    # The last two of a, for x and x squared.
    start = 64 + points + 64 * (len(KEY.a) - 2)
    first, second = body[start : start + 64], body[start + 64 : start + 128]
    body[start : start + 128] = second + first
    altered = proving_key_from_bytes(sealed(body), allow_test_keys=True)

    assert KEY.a[-2:] == altered.a[:-3:-1]
    with pytest.raises(CorruptFileError, match="no valid proof"):
        Prover(r1cs, altered).prove(witness)
    read = proving_key_from_bytes(PROVING, allow_test_keys=True)
    assert verify(read.verifying_key, [12], Prover(r1cs, read).prove(witness))


@both
def test_kinds_are_told_apart(data, read):
    """A key of the other kind, or no key at all."""
    for other in (b"", b"VEG16", b"{}", *(d for d, _ in READERS if d is not data)):
        with pytest.raises(CorruptFileError):
            read(other)


@both
def test_cut_off_anywhere(data, read):
    """No beginning of a file is taken for a file, nor one with more at its end."""
    for end in [*range(0, 120), len(data) - 1]:
        with pytest.raises(CorruptFileError):
            read(data[:end])
    with pytest.raises(CorruptFileError):
        read(data + b"\0")


@both
def test_every_byte_counts(data, read):
    """A single changed bit is noticed anywhere."""
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        with pytest.raises(DataError):
            read(bytes(changed))


@both
def test_forged_points_are_refused(data, read):
    """Behind a right checksum, each coordinate is still checked."""
    start = 20 if data is VERIFYING else 64
    content = data[:-32]
    for position in range(start, len(content), 32):
        for value in (1, 1 << 255):
            changed = bytearray(content)
            changed[position : position + 32] = value.to_bytes(32, "big")
            with pytest.raises(CorruptFileError):
                read(sealed(changed))


@both
def test_infinity_has_no_place_in_a_verifying_key(data, read):
    """Its points are what soundness stands on."""
    start = 20 if data is VERIFYING else 64
    changed = bytearray(data[:-32])
    changed[start : start + 64] = bytes(64)
    with pytest.raises(CorruptFileError):
        read(sealed(changed))


@both
@given(counts=st.lists(st.integers(0, (1 << 32) - 1), min_size=3, max_size=3))
def test_claimed_counts_take_no_memory(data, read, counts):
    """Counts of billions in a short file are refused by its length."""
    content = bytearray(data[:-32])
    fields = b"".join(count.to_bytes(4, "big") for count in counts)
    size = 12 if data is PROVING else 4
    if content[12 : 12 + size] == fields[:size]:
        return
    content[12 : 12 + size] = fields[:size]
    with pytest.raises(CorruptFileError):
        read(sealed(content))


@both
def test_later_versions_are_named(data, read):
    """The reason is the version, not a checksum."""
    changed = bytearray(data[:-32])
    changed[8:12] = (3).to_bytes(4, "big")
    with pytest.raises(NewerFormatError):
        read(sealed(changed))
