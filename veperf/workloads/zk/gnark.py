"""gnark's files of Groth16 over BN254: verifying keys and proofs, as VirtEngine ships them.

A point is x, big-endian, with the sign of y in its two highest bits, or x and y where these are 0;
of G2, c1 comes before c0. A key is alpha, beta in G1 and G2, gamma, delta in G1 and G2, the number
of public points and these; a proof is A, B, C. Keys and proofs of gnark 0.9 and later go on with
what Pedersen commitments within circuits need, which is read only where it is empty.

Source: gnark, backend/groth16/bn254/marshal.go, and gnark-crypto, ecc/bn254/marshal.go.
"""

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.bigint import integer
from veperf.workloads.zk.curve.g1 import G1, B, G1Point, g1_from_ints, g1_negate
from veperf.workloads.zk.curve.g2 import G2, TWIST_B, g2_from_ints
from veperf.workloads.zk.field import P, PointError, fp_square_root
from veperf.workloads.zk.groth16.keys import AffineG1, AffineG2, Proof, ProvingKey, VerifyingKey
from veperf.workloads.zk.pairing import is_product_one, miller_loop
from veperf.workloads.zk.tower import fp2

_UNCOMPRESSED, _INFINITY, _SMALLER, _LARGER = range(4)
"""The two highest bits of a point: which of y and -y is meant, as integers."""
_SIGN_SHIFT = 6
_X_MASK = (1 << _SIGN_SHIFT) - 1
_FIELD_BYTES = 32
_COUNT_BYTES = 4
_INFINITE_POINT = bytes([_INFINITY << _SIGN_SHIFT]) + bytes(_FIELD_BYTES - 1)


def verifying_key_from_gnark(data: bytes) -> VerifyingKey:
    """Read the key in a file that gnark's ``VerifyingKey.WriteTo`` or ``WriteRawTo`` wrote.

    Raises:
        DataError: it is for circuits with Pedersen commitments.
        CorruptFileError: it is cut off or too long, has a point that is invalid or infinity, or
            its points in G1 and G2 contradict each other.
    """
    reader = GnarkReader(data)
    alpha, beta_g1 = reader.g1(), reader.g1()
    beta, gamma = reader.g2(), reader.g2()
    delta_g1, delta = reader.g1(), reader.g2()
    public = tuple(reader.g1() for _ in range(reader.count("public points")))
    if reader.left and (reader.count("committed wires"), reader.count("commitment keys")) != (0, 0):
        raise DataError("a key for a circuit with Pedersen commitments, which are not read")
    reader.end()
    for name, g1, g2 in (("beta", beta_g1, beta), ("delta", delta_g1, delta)):
        if not is_same_multiple(g1, g2):
            raise CorruptFileError(f"{name} in G1 is not {name} in G2")
    try:
        return VerifyingKey(alpha, beta, gamma, delta, public)
    except ValueError as error:
        raise CorruptFileError(str(error)) from error


def verifying_key_to_gnark(key: ProvingKey) -> bytes:
    """Return the verifying key of ``key`` as ``WriteTo`` writes it."""
    verifying = key.verifying_key
    parts = (
        _g1_bytes(verifying.alpha),
        _g1_bytes(key.beta_g1),
        _g2_bytes(verifying.beta),
        _g2_bytes(verifying.gamma),
        _g1_bytes(key.delta_g1),
        _g2_bytes(verifying.delta),
        len(verifying.ic).to_bytes(_COUNT_BYTES, "big"),
        *map(_g1_bytes, verifying.ic),
        bytes(2 * _COUNT_BYTES),
    )
    return b"".join(parts)


def proof_from_gnark(data: bytes) -> Proof:
    """Read a proof that gnark's ``Proof.WriteTo`` or ``WriteRawTo`` wrote.

    Raises:
        DataError: it has Pedersen commitments.
        CorruptFileError: it is cut off or too long, or has a point that is invalid or infinity.
    """
    reader = GnarkReader(data)
    a, b, c = reader.g1(), reader.g2(), reader.g1()
    if reader.left:
        if reader.count("commitments"):
            raise DataError("a proof with Pedersen commitments, which are not read")
        reader.infinity()  # the proof of knowledge of no commitments
    reader.end()
    return Proof(a, b, c)


def proof_to_gnark(proof: Proof) -> bytes:
    """Return ``proof`` as ``WriteTo`` of gnark 0.9 and later writes it."""
    points = _g1_bytes(proof.a) + _g2_bytes(proof.b) + _g1_bytes(proof.c)
    return points + bytes(_COUNT_BYTES) + _INFINITE_POINT


class GnarkReader:
    """Reads points and counts in order; all of its methods raise CorruptFileError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self._data) - self._at

    def g1(self) -> AffineG1:
        """Read a point of G1 that is not infinity."""
        sign, x = self._sign_and_first()
        try:
            if sign == _UNCOMPRESSED:
                return g1_from_ints(x, self._element())
            y = fp_square_root((x * x * x + B) % P)
            if y is None:
                raise PointError("no point of the curve has this x")
            return g1_from_ints(x, y if _is_larger(y) == (sign == _LARGER) else -y % P)
        except (PointError, ArithmeticError) as error:
            raise self._corrupt(error) from error

    def g1_or_infinity(self) -> G1Point:
        """Read a point of G1."""
        for infinity in (_INFINITE_POINT, bytes(2 * _FIELD_BYTES)):
            if self._data[self._at : self._at + len(infinity)] == infinity:
                self._at += len(infinity)
                return None
        return self.g1()

    def g2(self) -> AffineG2:
        """Read a point of G2 that is not infinity."""
        sign, x1 = self._sign_and_first()
        x = (integer(self._element()), integer(x1))
        try:
            if sign == _UNCOMPRESSED:
                y1 = self._element()
                return g2_from_ints(x, (self._element(), y1))
            y = fp2.square_root(fp2.add(fp2.multiply(fp2.square(x), x), TWIST_B))
            is_larger = _is_larger(y[1] or y[0])
            return g2_from_ints(x, y if is_larger == (sign == _LARGER) else fp2.negate(y))
        except (PointError, ArithmeticError) as error:
            raise self._corrupt(error) from error

    def infinity(self) -> None:
        """Check that infinity is all that is left."""
        rest = self.take(self.left)
        if rest not in (_INFINITE_POINT, bytes(2 * _FIELD_BYTES)):
            raise CorruptFileError("what follows the proof is not infinity, with no commitments")

    def number(self, size: int) -> int:
        """Read an integer of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def count(self, what: str) -> int:
        """Read the number of points or elements to come."""
        number = self.number(_COUNT_BYTES)
        if number * _FIELD_BYTES > max(self.left, 0):
            raise CorruptFileError(f"{number} {what} are more than the file has")
        return number

    def end(self) -> None:
        """Check that nothing is left."""
        if self.left:
            raise CorruptFileError(f"{self.left} bytes follow the last point")

    def _sign_and_first(self) -> tuple[int, int]:
        data = self.take(_FIELD_BYTES)
        sign = data[0] >> _SIGN_SHIFT
        if sign == _INFINITY:
            raise CorruptFileError(f"the point before byte {self._at} is infinity")
        return sign, int.from_bytes(bytes([data[0] & _X_MASK]) + data[1:], "big")

    def _element(self) -> int:
        return int.from_bytes(self.take(_FIELD_BYTES), "big")

    def take(self, size: int) -> bytes:
        """Read ``size`` bytes."""
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise CorruptFileError(f"the file is cut off after {len(self._data)} bytes")
        self._at += size
        return taken

    def _corrupt(self, error: Exception) -> CorruptFileError:
        return CorruptFileError(f"the point before byte {self._at}: {error}")


def _is_larger(coordinate: int) -> bool:
    return coordinate > P // 2


def is_same_multiple(g1: AffineG1, g2: AffineG2) -> bool:
    """Return whether ``g1`` and ``g2`` are the same multiple of the generators."""
    return is_product_one(miller_loop([(g1, G2), (g1_negate(G1), g2)]))


def _g1_bytes(point: AffineG1) -> bytes:
    x, y = point
    return _with_sign(y, int(x).to_bytes(_FIELD_BYTES, "big"))


def _g2_bytes(point: AffineG2) -> bytes:
    (x0, x1), (y0, y1) = point
    coordinates = b"".join(int(c).to_bytes(_FIELD_BYTES, "big") for c in (x1, x0))
    return _with_sign(y1 or y0, coordinates)


def _with_sign(y: int, coordinates: bytes) -> bytes:
    sign = _LARGER if _is_larger(y) else _SMALLER
    return bytes([coordinates[0] | sign << _SIGN_SHIFT]) + coordinates[1:]
