"""A prover that was saved proves on; a file that was damaged or forged is no prover."""

from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.zk.groth16.files import (
    load_prover,
    prover_from_bytes,
    prover_to_bytes,
    proving_key_to_bytes,
    save_prover,
)
from veperf.workloads.zk.groth16.prove import Prover, WrongKeyError
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.r1cs.builder import Builder

pytestmark = pytest.mark.usefixtures("core")

HEAD = 28


def circuit(summand):
    builder = Builder()
    y, x = builder.public("y"), builder.private("x")
    builder.assert_equal(builder.product("xx", x, x) + summand * x, y, "the equation")
    return builder.build()


SYSTEM, PROGRAM = circuit(1)
PROVER = Prover(SYSTEM, setup(SYSTEM, Random(3).randrange))
WITNESS = PROGRAM.compute_witness({"y": 12, "x": 3})
DATA = prover_to_bytes(PROVER)


def sealed(content):
    """``content`` with a right checksum, as a forger would write it."""
    return bytes(content) + sha256(content).digest()


def test_a_saved_prover_proves_on(tmp_path: Path) -> None:
    """With the same key and the same tables; nothing else is left in the folder."""
    path = tmp_path / "prover"
    for _ in range(2):
        save_prover(PROVER, path)
    loaded = load_prover(path, SYSTEM, allow_test_keys=True)

    assert [path] == list(tmp_path.iterdir())
    assert PROVER.key == loaded.key
    assert DATA == path.read_bytes() == prover_to_bytes(loaded)
    assert verify(PROVER.key.verifying_key, [12], loaded.prove(WITNESS))
    assert PROVER.prove(WITNESS, Random(1).randrange) == loaded.prove(WITNESS, Random(1).randrange)


def test_a_trusted_prover_is_the_one_that_was_written() -> None:
    """Same key, tables and proofs, and no proof is verified; damage is noticed nevertheless."""
    loaded = prover_from_bytes(DATA, SYSTEM, is_trusted=True)
    loaded.prepare()

    assert PROVER.key == loaded.key
    assert DATA == prover_to_bytes(loaded)
    assert PROVER.prove(WITNESS, Random(1).randrange) == loaded.prove(WITNESS, Random(1).randrange)
    kinds = [{type(c) for point in p.key.a if point for c in point} for p in (PROVER, loaded)]
    assert kinds[0] == kinds[1]
    assert PROVER._must_verify is loaded._must_verify is False
    for place in range(0, len(DATA), 997):
        with pytest.raises(DataError):
            prover_from_bytes(DATA[:place] + b"?" + DATA[place:], SYSTEM, is_trusted=True)


def test_a_prover_is_for_its_circuit(tmp_path: Path) -> None:
    """A file for another one is refused; where there is none it is said so."""
    other, _ = circuit(2)
    with pytest.raises(WrongKeyError):
        prover_from_bytes(DATA, other, allow_test_keys=True)
    with pytest.raises(FileNotFoundError):
        load_prover(tmp_path / "prover", SYSTEM)
    with pytest.raises(StorageError):
        save_prover(PROVER, tmp_path / "none" / "prover")


def test_a_file_that_was_damaged() -> None:
    """Cut off anywhere, continued, or with any byte changed."""
    for end in [*range(HEAD + 40), *range(HEAD + 40, len(DATA), 997), len(DATA) - 1]:
        with pytest.raises(DataError):
            prover_from_bytes(DATA[:end], SYSTEM, allow_test_keys=True)
    for place in [*range(HEAD), *range(HEAD, len(DATA), 997), len(DATA) - 1]:
        changed = bytearray(DATA)
        changed[place] ^= 1
        with pytest.raises(DataError):
            prover_from_bytes(bytes(changed), SYSTEM, allow_test_keys=True)
    with pytest.raises(DataError):
        prover_from_bytes(DATA + b"\0", SYSTEM, allow_test_keys=True)
    for other in (b"", b"VEG16PR\0", b"{}", proving_key_to_bytes(PROVER.key)):
        with pytest.raises(CorruptFileError):
            prover_from_bytes(other, SYSTEM)


def test_a_later_version_is_named() -> None:
    """The reason is the version, not a checksum."""
    with pytest.raises(NewerFormatError):
        prover_from_bytes(DATA[:8] + (3).to_bytes(4, "big") + DATA[12:], SYSTEM)


@pytest.mark.parametrize("size", [0, 1, 0xFFFFFFFF])
@pytest.mark.parametrize("field", range(4))
def test_sizes_that_contradict_the_file(field: int, size: int) -> None:
    """Behind a right checksum; billions of bytes take no memory."""
    content = bytearray(DATA[:-32])
    content[12 + 4 * field : 16 + 4 * field] = size.to_bytes(4, "big")
    with pytest.raises(CorruptFileError):
        prover_from_bytes(sealed(content), SYSTEM, allow_test_keys=True)


def test_forged_tables_are_refused_or_noticed() -> None:
    """Coordinates off the curve are refused; wrong points on it make no proof."""
    key_bytes = len(proving_key_to_bytes(PROVER.key))
    tables = PROVER.tables
    first, last = HEAD + key_bytes, len(DATA) - 32
    for start in (first, last - 64):
        changed = bytearray(DATA[:-32])
        changed[start : start + 32] = bytes(32)
        with pytest.raises(CorruptFileError):
            prover_from_bytes(sealed(changed), SYSTEM, allow_test_keys=True)

    # The points themselves, which are checked, and then one of them in place of every multiple.
    count = sum(point is not None for point in tables.a.points)
    forged = bytearray(DATA[:-32])
    for place in range(first + 64 * count, first + len(tables.a.to_bytes()), 64):
        forged[place : place + 64] = forged[first : first + 64]
    loaded = prover_from_bytes(sealed(forged), SYSTEM, allow_test_keys=True)
    with pytest.raises(CorruptFileError, match="tables"):
        loaded.prove(WITNESS)
