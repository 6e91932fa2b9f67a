"""Keys and provers as bytes, read back with every point checked.

All numbers are big-endian, and all files have the same frame:

    magic       8 bytes   "VEG16PK", "VEG16VK" or "VEG16PR", then a zero
    version     u32       2
    body
    checksum    32 bytes  SHA-256 of all before it: against accidents, not against forgers

The body of a key:

    counts      u32 each  proving key: wires, public wires, size of the domain, form; else public
                          wires; both: 1 for a test key, else 0
    digest      32 bytes  of the constraint system; proving key only
    points      64 bytes each of G1 (x, y), 128 each of G2 (x0, x1, y0, y1); zeros are infinity

A key has exactly the length that its counts give it, so reading takes no more memory than that.

The body of a prover, whose tables take longer to make than the key:

    sizes       u32 each  of the key and of the tables of A, B and C, in bytes
    key                   a proving key with its own frame
    tables                as ``FixedBase.to_bytes`` gives them

Somebody who can write the file of a prover can spoil proofs, but not unnoticed: a prover verifies
each proof that it makes with tables from a file.

Versions:
1   the first. The width of the digits of tables is part of the prover's format.
2   marks test keys, knows keys in others' form, and has snarkjs' coset.
"""

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import Any

from veperf.core.errors import CorruptFileError, NewerFormatError
from veperf.workloads.atomic_file import replace_file
from veperf.workloads.zk.bigint import integer
from veperf.workloads.zk.curve.g1 import G1Point, g1_from_ints
from veperf.workloads.zk.curve.g2 import G2Point, g2_from_ints
from veperf.workloads.zk.field import PointError
from veperf.workloads.zk.groth16.keys import KeyForm, ProvingKey, VerifyingKey
from veperf.workloads.zk.groth16.prove import Prover, prover_tables_from_bytes
from veperf.workloads.zk.msm.group import G1_GROUP, G2_GROUP, Group
from veperf.workloads.zk.msm.native import PointCheck, native_group
from veperf.workloads.zk.r1cs.system import R1cs

VERSION = 2
_PROVING = b"VEG16PK\0"
_VERIFYING = b"VEG16VK\0"
_PROVER = b"VEG16PR\0"
_TITLES = {_PROVING: "proving key", _VERIFYING: "verifying key", _PROVER: "prover file"}
_START = Struct(">8sI")
_PROVING_COUNTS = Struct(">IIIII")
_VERIFYING_COUNTS = Struct(">II")
_PROVER_SIZES = Struct(">IIII")
_DIGEST_BYTES = 32
_CHECKSUM_BYTES = 32
_COORDINATE_BYTES = 32
_G1_BYTES = 2 * _COORDINATE_BYTES
_G2_BYTES = 4 * _COORDINATE_BYTES


def _framed(magic: bytes, body: bytes) -> bytes:
    content = _START.pack(magic, VERSION) + body
    return content + sha256(content).digest()


def _checked_body(data: bytes, magic: bytes) -> memoryview:
    """Return the bytes between the version and the checksum."""
    title = _TITLES[magic]
    if data[: len(magic)] != magic:
        raise CorruptFileError(f"not a {title}")
    if len(data) < _START.size + _CHECKSUM_BYTES:
        raise CorruptFileError(f"{title}: cut off")
    version = _START.unpack_from(data)[1]
    if version != VERSION:
        raise NewerFormatError(
            f"{title}: version {version}, only {VERSION} is read; make it again from its circuit"
        )
    view = memoryview(data)
    if sha256(view[:-_CHECKSUM_BYTES]).digest() != data[-_CHECKSUM_BYTES:]:
        raise CorruptFileError(f"{title}: the checksum is wrong")
    return view[_START.size : -_CHECKSUM_BYTES]


def _unpack_start(body: memoryview, layout: Struct) -> tuple[int, ...]:
    if len(body) < layout.size:
        raise CorruptFileError("cut off after the version")
    return layout.unpack_from(body)


# ---------------------------------------------------------------- keys


def proving_key_to_bytes(key: ProvingKey) -> bytes:
    """Return ``key`` in the format above."""
    public, mark = key.verifying_key.public_count, key.verifying_key.is_test
    numbers = (len(key.a), public, key.domain_size, key.form.value, mark)
    counts = _PROVING_COUNTS.pack(*numbers) + key.circuit_digest
    points = [
        _verifying_points(key.verifying_key),
        _g1_bytes([key.beta_g1, key.delta_g1]),
        *(_g1_bytes(points) for points in (key.a, key.b_g1, key.c, key.products)),
        _g2_bytes(key.b_g2),
    ]
    return _framed(_PROVING, counts + b"".join(points))


def proving_key_from_bytes(
    data: bytes, *, is_trusted: bool = False, allow_test_keys: bool = False
) -> ProvingKey:
    """Read the proving key in ``data``; the points of wires are not checked if it is trusted.

    If it is not, a prover verifies each proof that it makes with the key.

    Raises:
        CorruptFileError: not a proving key, cut off, changed, or with an invalid point.
        NewerFormatError: written by another version.
        TestKeyError: a test key; a trusted one may be.
    """
    body = _checked_body(data, _PROVING)
    wires, public, domain_size, form, mark = _unpack_start(body, _PROVING_COUNTS)
    if form not in {known.value for known in KeyForm}:
        raise CorruptFileError(f"proving key: form {form} is unknown")
    digest = bytes(body[_PROVING_COUNTS.size :][:_DIGEST_BYTES])
    g1_count = 1 + (public + 1) + 2 + 3 * wires + domain_size
    g2_count = 3 + wires
    points = _Points(
        body[_PROVING_COUNTS.size + _DIGEST_BYTES :], g1_count, g2_count, are_trusted=is_trusted
    )
    verifying_key = points.verifying_key(public, mark)
    verifying_key.require_secret(allow_test_keys=allow_test_keys or is_trusted)
    beta_g1, delta_g1 = points.g1_list(2)
    a, b_g1, c = (points.g1_list(wires) for _ in range(3))
    products = points.g1_list(domain_size)
    b_g2 = points.g2_list(wires)
    if None in (beta_g1, delta_g1):
        raise CorruptFileError("proving key: beta or delta is infinity")
    if public >= wires:
        raise CorruptFileError("proving key: more public wires than wires")
    if [point is None for point in b_g1] != [point is None for point in b_g2]:
        raise CorruptFileError("proving key: the points of b differ between G1 and G2")
    return ProvingKey(
        verifying_key=verifying_key,
        circuit_digest=digest,
        domain_size=domain_size,
        beta_g1=beta_g1,
        delta_g1=delta_g1,
        a=tuple(a),
        b_g1=tuple(b_g1),
        b_g2=tuple(b_g2),
        c=tuple(c),
        products=tuple(products),
        form=KeyForm(form),
        is_checked=is_trusted,
    )


def verifying_key_to_bytes(key: VerifyingKey) -> bytes:
    """Return ``key`` in the format above."""
    counts = _VERIFYING_COUNTS.pack(key.public_count, key.is_test)
    return _framed(_VERIFYING, counts + _verifying_points(key))


def verifying_key_from_bytes(data: bytes, *, allow_test_keys: bool = False) -> VerifyingKey:
    """Read the verifying key in ``data``.

    Raises:
        CorruptFileError: not a verifying key, cut off, changed, or with an invalid point.
        NewerFormatError: written by another version.
        TestKeyError: a test key.
    """
    body = _checked_body(data, _VERIFYING)
    public, mark = _unpack_start(body, _VERIFYING_COUNTS)
    points = _Points(body[_VERIFYING_COUNTS.size :], 1 + (public + 1), 3)
    key = points.verifying_key(public, mark)
    key.require_secret(allow_test_keys=allow_test_keys)
    return key


def _verifying_points(key: VerifyingKey) -> bytes:
    return _g1_bytes([key.alpha, *key.ic]) + _g2_bytes([key.beta, key.gamma, key.delta])


def _g1_bytes(points: Iterable[G1Point]) -> bytes:
    return b"".join(_coordinates(point or (0, 0)) for point in points)


def _g2_bytes(points: Iterable[G2Point]) -> bytes:
    infinity = ((0, 0), (0, 0))
    return b"".join(_coordinates((*x, *y)) for x, y in (point or infinity for point in points))


def _coordinates(values: Iterable[int]) -> bytes:
    return b"".join(int(value).to_bytes(_COORDINATE_BYTES, "big") for value in values)


class _Points:
    """Reads one point after the other, and checks it unless it is trusted."""

    def __init__(
        self, data: memoryview, g1_count: int, g2_count: int, *, are_trusted: bool = False
    ) -> None:
        if len(data) != g1_count * _G1_BYTES + g2_count * _G2_BYTES:
            raise CorruptFileError(f"key: {len(data)} bytes of points contradict its counts")
        self._data = data
        self._position = 0
        self._are_trusted = are_trusted

    def verifying_key(self, public: int, mark: int) -> VerifyingKey:
        """Read alpha and the IC in G1; beta, gamma and delta in G2."""
        if mark > 1:
            raise CorruptFileError(f"key: {mark} in place of the mark of test keys")
        alpha, *ic = self.g1_list(public + 2)
        beta, gamma, delta = self.g2_list(3)
        try:
            return VerifyingKey(alpha, beta, gamma, delta, tuple(ic), is_test=bool(mark))
        except PointError as error:
            raise CorruptFileError(f"key: {error}") from error

    def g1_list(self, count: int) -> list[Any]:
        """Read ``count`` points of G1, None for infinity."""
        points = self._native_list(G1_GROUP, count)
        return [self._g1() for _ in range(count)] if points is None else points

    def g2_list(self, count: int) -> list[Any]:
        """Read ``count`` points of G2, None for infinity."""
        points = self._native_list(G2_GROUP, count)
        return [self._g2() for _ in range(count)] if points is None else points

    def _native_list(self, group: Group, count: int) -> list[Any] | None:
        """Read ``count`` points by the compiled kernels.

        None where they are not in use, or a point is invalid: one by one it is found and named.
        """
        native = native_group(group)
        if native is None:
            return None
        end = self._position + count * native.point_bytes
        data = self._data[self._position : end]
        check = PointCheck.TRUSTED if self._are_trusted else PointCheck.ON_CURVE
        try:
            packed = native.pack_bytes(data, check, is_big_endian=True)
        except ValueError:
            return None
        if not self._are_trusted and not native.are_in_subgroup(packed):
            return None
        self._position = end
        return native.points_from_bytes(native.kernels.unpack(packed))

    def _g1(self) -> G1Point:
        x, y = self._coordinates(2)
        if x == y == 0:
            return None
        if self._are_trusted:
            return integer(x), integer(y)
        try:
            return g1_from_ints(x, y)
        except PointError as error:
            raise self._corrupt(error) from error

    def _g2(self) -> G2Point:
        x0, x1, y0, y1 = self._coordinates(4)
        if x0 == x1 == y0 == y1 == 0:
            return None
        if self._are_trusted:
            return (integer(x0), integer(x1)), (integer(y0), integer(y1))
        try:
            return g2_from_ints((x0, x1), (y0, y1))
        except PointError as error:
            raise self._corrupt(error) from error

    def _coordinates(self, count: int) -> list[int]:
        start = self._position
        self._position += count * _COORDINATE_BYTES
        return [
            int.from_bytes(self._data[offset : offset + _COORDINATE_BYTES], "big")
            for offset in range(start, self._position, _COORDINATE_BYTES)
        ]

    def _corrupt(self, reason: Exception) -> CorruptFileError:
        return CorruptFileError(f"key: the point that ends at byte {self._position}: {reason}")


# ---------------------------------------------------------------- provers


def save_prover(prover: Prover, path: Path) -> None:
    """Write ``prover`` to ``path``; its tables are made if they are not yet.

    Raises:
        StorageError: it can't be written; the former file is untouched.
    """
    replace_file(path, prover_to_bytes(prover), path.with_name(f"{path.name}.{os.getpid()}.new"))


def load_prover(path: Path, r1cs: R1cs, *, allow_test_keys: bool = False) -> Prover:
    """Read the prover for ``r1cs`` in the file ``path``.

    Raises:
        CorruptFileError: not the file of a prover, cut off, changed, or with an invalid point.
        NewerFormatError: written by another version.
        TestKeyError: its key is a test key.
        WrongKeyError: it is for another circuit.
        OSError: it is not there or can't be read.
    """
    return prover_from_bytes(path.read_bytes(), r1cs, allow_test_keys=allow_test_keys)


def prover_to_bytes(prover: Prover) -> bytes:
    """Return ``prover`` in the format above."""
    tables = prover.tables
    parts = [
        proving_key_to_bytes(prover.key),
        tables.a.to_bytes(),
        tables.b.to_bytes(),
        tables.c.to_bytes(),
    ]
    return _framed(_PROVER, b"".join([_PROVER_SIZES.pack(*map(len, parts)), *parts]))


def prover_from_bytes(
    data: bytes, r1cs: R1cs, *, is_trusted: bool = False, allow_test_keys: bool = False
) -> Prover:
    """Read the prover for ``r1cs`` in ``data``.

    Args:
        data: The bytes of :func:`prover_to_bytes`.
        r1cs: The circuit.
        is_trusted: Nobody can have altered ``data``: neither its points nor the prover's proofs are
            checked, so that it works and costs what the prover did that was written.
        allow_test_keys: Its key may be a test key, as a trusted one may be.

    Raises:
        CorruptFileError: not the file of a prover, cut off, changed, or with an invalid point.
        NewerFormatError: written by another version.
        TestKeyError: its key is a test key.
        WrongKeyError: it is for another circuit.
    """
    body = _checked_body(data, _PROVER)
    sizes = _unpack_start(body, _PROVER_SIZES)
    start = _PROVER_SIZES.size
    if start + sum(sizes) != len(body):
        raise CorruptFileError("prover file: its sizes contradict its length")
    parts = []
    for size in sizes:
        parts.append(bytes(body[start : start + size]))
        start += size
    key_bytes, a, b, c = parts
    key = proving_key_from_bytes(key_bytes, is_trusted=is_trusted, allow_test_keys=allow_test_keys)
    tables = prover_tables_from_bytes(key, a, b, c, are_trusted=is_trusted)
    return Prover(r1cs, key, tables, are_trusted=is_trusted)
