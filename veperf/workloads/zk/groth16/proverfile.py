"""A prover on disk: its key and its tables, which take longer to make than the key.

Layout, all numbers big-endian:

    magic       8 bytes   "VEG16PR", then a zero
    version     u32       1
    sizes       u32 each  of the key and of the tables of A, B and C, in bytes
    key                   as in ``keyfile``
    tables                as ``FixedBase.to_bytes`` gives them
    checksum    32 bytes  SHA-256 of all before it: against accidents, not against forgers

Whoever can write the file can spoil proofs, but they are noticed: a prover verifies each proof that
it makes with tables from a file.

Versions:
1   the first. How wide the digits of tables are is part of it.
"""

import os
from hashlib import sha256
from pathlib import Path
from struct import Struct

from veperf.core.errors import CorruptFileError, NewerFormatError
from veperf.workloads.atomic_file import replace_file
from veperf.workloads.zk.groth16.keyfile import proving_key_from_bytes, proving_key_to_bytes
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.tables import tables_from_bytes
from veperf.workloads.zk.r1cs import R1cs

VERSION = 1
_MAGIC = b"VEG16PR\0"
_START = Struct(">8sI")
_SIZES = Struct(">IIII")
_HEAD_BYTES = _START.size + _SIZES.size
_CHECKSUM_BYTES = 32


def save_prover(prover: Prover, path: Path) -> None:
    """Write ``prover`` to ``path``, its tables made if they are not yet.

    Raises:
        StorageError: it can't be written; what was there before is untouched.
    """
    replace_file(path, prover_to_bytes(prover), path.with_name(f"{path.name}.{os.getpid()}.new"))


def load_prover(path: Path, r1cs: R1cs) -> Prover:
    """The prover for ``r1cs`` in the file ``path``.

    Raises:
        CorruptFileError: no prover's file, cut off, changed, or with a point that is none.
        NewerFormatError: written by a later version.
        WrongKeyError: it is for another circuit.
        OSError: it is not there or can't be read.
    """
    return prover_from_bytes(path.read_bytes(), r1cs)


def prover_to_bytes(prover: Prover) -> bytes:
    """``prover`` in the format above."""
    tables = prover.tables
    parts = [
        proving_key_to_bytes(prover.key),
        tables.a.to_bytes(),
        tables.b.to_bytes(),
        tables.c.to_bytes(),
    ]
    content = b"".join([_START.pack(_MAGIC, VERSION), _SIZES.pack(*map(len, parts)), *parts])
    return content + sha256(content).digest()


def prover_from_bytes(data: bytes, r1cs: R1cs) -> Prover:
    """The prover for ``r1cs`` in ``data``.

    Raises:
        CorruptFileError: no prover's file, cut off, changed, or with a point that is none.
        NewerFormatError: written by a later version.
        WrongKeyError: it is for another circuit.
    """
    key_bytes, *table_bytes = _parts(data)
    key = proving_key_from_bytes(key_bytes)
    return Prover(r1cs, key, tables_from_bytes(key, *table_bytes))


def _parts(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The key and the tables, not read yet."""
    if not data.startswith(_MAGIC):
        raise CorruptFileError("not the file of a prover")
    if len(data) < _HEAD_BYTES + _CHECKSUM_BYTES:
        raise CorruptFileError("a prover's file: cut off")
    version = _START.unpack_from(data)[1]
    if version != VERSION:
        raise NewerFormatError(f"a prover's file of version {version}, only {VERSION} is known")
    view = memoryview(data)
    if sha256(view[:-_CHECKSUM_BYTES]).digest() != data[-_CHECKSUM_BYTES:]:
        raise CorruptFileError("a prover's file: the checksum is wrong")
    sizes = _SIZES.unpack_from(data, _START.size)
    if _HEAD_BYTES + sum(sizes) + _CHECKSUM_BYTES != len(data):
        raise CorruptFileError("a prover's file: its sizes contradict its length")
    starts = [_HEAD_BYTES + sum(sizes[:i]) for i in range(len(sizes))]
    key, a, b, c = (data[start : start + size] for start, size in zip(starts, sizes, strict=True))
    return key, a, b, c
