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
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.r1cs.builder import Builder

pytestmark = pytest.mark.usefixtures("core")


def make_key():
    builder = Builder()
    y, x = builder.public("y"), builder.private("x")
    builder.assert_equal(builder.product("xx", x, x) + x, y, "x squared plus x is y")
    return setup(builder.build()[0], Random(2).randrange)


KEY = make_key()
PROVING = proving_key_to_bytes(KEY)
VERIFYING = verifying_key_to_bytes(KEY.verifying_key)
READERS = [(PROVING, proving_key_from_bytes), (VERIFYING, verifying_key_from_bytes)]
both = pytest.mark.parametrize(("data", "read"), READERS, ids=["proving", "verifying"])


def sealed(content):
    """``content`` with a right checksum, as a forger would send it."""
    return bytes(content) + sha256(content).digest()


def test_keys_come_back():
    """A written key is read back, point for point."""
    assert KEY == proving_key_from_bytes(PROVING)
    assert KEY.verifying_key == verifying_key_from_bytes(VERIFYING)


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
    start = 16 if data is VERIFYING else 56
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
    start = 16 if data is VERIFYING else 56
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
    changed[8:12] = (2).to_bytes(4, "big")
    with pytest.raises(NewerFormatError):
        read(sealed(changed))
