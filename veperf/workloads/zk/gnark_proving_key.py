"""gnark's proving keys of Groth16 over BN254, compressed or raw, with which proofs are made here.

The domain: its size (u64), 1 / size, root, 1 / root, generator and 1 / generator of the field, and
from gnark 0.12 on a byte for precomputed roots. Then alpha, beta and delta in G1, the points of a,
b, t and c in G1, each list after its length (u32), beta and delta in G2, the points of b in G2; the
number of wires and of those without a point in a and in b (u64 each), a byte for each wire that is
1 where it has none in a, and likewise for b; the number of commitment keys (u32).

The points of t are x^i t(x) / delta for all coefficients of the quotient, i with its bits reversed.
gamma and the public points are in the verifying key alone, and the constraints in neither.

Source: gnark, backend/groth16/bn254/marshal.go and setup.go; gnark-crypto, ecc/bn254/fr/fft.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.curve.g1 import G1, G1Point, g1_negate
from veperf.workloads.zk.curve.g2 import G2
from veperf.workloads.zk.gnark import GnarkReader, is_same_multiple
from veperf.workloads.zk.groth16.keys import KeyForm, ProvingKey, VerifyingKey
from veperf.workloads.zk.groth16.prove import WrongKeyError
from veperf.workloads.zk.groth16.setup import domain_size
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.ntt import TWO_ADICITY, cached_domain
from veperf.workloads.zk.pairing import is_product_one, miller_loop, prepare_g2
from veperf.workloads.zk.r1cs.system import R1cs

_SIZE_BYTES = 8
_FIELD_BYTES = 32
_WEIGHT_BITS = 128
_Point = TypeVar("_Point")


def proving_key_from_gnark(data: bytes, verifying_key: VerifyingKey, r1cs: R1cs) -> ProvingKey:
    """Read the key in a file that gnark's ``ProvingKey.WriteTo`` or ``WriteRawTo`` wrote.

    The file doesn't say which circuit it is for, so that a prover verifies each proof that it makes
    with the key.

    Args:
        data: The file's bytes, of any version of gnark; not ``WriteDump``'s.
        verifying_key: The key that belongs to it.
        r1cs: Its circuit, its wires in gnark's order: the constant, public, secret, internal ones.

    Raises:
        DataError: it is for circuits with Pedersen commitments.
        WrongKeyError: it is for another circuit, or ``verifying_key`` belongs to another key.
        CorruptFileError: it is cut off or too long, has an invalid point, or contradicts itself.
    """
    try:
        return _read(data, verifying_key, r1cs, has_precomputed=True)
    except CorruptFileError as error:
        try:
            return _read(data, verifying_key, r1cs, has_precomputed=False)
        except CorruptFileError:
            raise error from None


def _read(
    data: bytes, verifying_key: VerifyingKey, r1cs: R1cs, *, has_precomputed: bool
) -> ProvingKey:
    reader = GnarkReader(data)
    size = _read_domain(reader, has_precomputed=has_precomputed)
    alpha, beta_g1, delta_g1 = reader.g1(), reader.g1(), reader.g1()
    a = _points(reader, reader.g1, "points of a")
    b_g1 = _points(reader, reader.g1, "points of b in G1")
    powers = _points(reader, reader.g1_or_infinity, "points of t")
    c = _points(reader, reader.g1_or_infinity, "points of c")
    beta, delta = reader.g2(), reader.g2()
    b_g2 = _points(reader, reader.g2, "points of b in G2")
    wires, without_a, without_b = (reader.number(_SIZE_BYTES) for _ in range(3))
    if 2 * wires > reader.left:
        raise CorruptFileError(f"{wires} wires are more than the file has")
    has_no_a, has_no_b = _flags(reader, wires), _flags(reader, wires)
    if reader.count("commitment keys"):
        raise DataError("a key for a circuit with Pedersen commitments, which are not read")
    reader.end()
    if (sum(has_no_a), sum(has_no_b)) != (without_a, without_b):
        raise CorruptFileError("the wires without a point are not as many as the file says")
    if (len(a), len(b_g1), len(b_g2)) != (wires - without_a, wires - without_b, wires - without_b):
        raise CorruptFileError("there are not as many points of a and b as wires that have one")
    if len(powers) != size - 1:
        raise CorruptFileError(f"{len(powers)} points of t for a domain of {size}")
    for name, g1, g2 in (("beta", beta_g1, beta), ("delta", delta_g1, delta)):
        if not is_same_multiple(g1, g2):
            raise CorruptFileError(f"{name} in G1 is not {name} in G2")
    if not _are_same_multiples(b_g1, b_g2):
        raise CorruptFileError("the points of b differ between G1 and G2")
    if (alpha, beta, delta) != (verifying_key.alpha, verifying_key.beta, verifying_key.delta):
        raise WrongKeyError("the verifying key belongs to another proving key")
    public = verifying_key.public_count
    if (wires, public) != (r1cs.wire_count, r1cs.public_count) or len(c) != wires - public - 1:
        raise WrongKeyError(
            f"the proving key is for a circuit of {wires} wires, {public} of them public"
        )
    if domain_size(r1cs, KeyForm.GNARK) != size:
        raise WrongKeyError("the proving key is for a circuit with more or fewer constraints")
    return ProvingKey(
        verifying_key=verifying_key,
        circuit_digest=r1cs.digest(),
        domain_size=size,
        beta_g1=beta_g1,
        delta_g1=delta_g1,
        a=_spread(a, has_no_a),
        b_g1=_spread(b_g1, has_no_b),
        b_g2=_spread(b_g2, has_no_b),
        c=(None,) * (public + 1) + tuple(c),
        products=_in_order(powers),
        form=KeyForm.GNARK,
        is_checked=False,
    )


def _read_domain(reader: GnarkReader, *, has_precomputed: bool) -> int:
    """Read the domain, which is determined by its size, and return that."""
    size = reader.number(_SIZE_BYTES)
    if size & (size - 1) or not 1 <= size <= 1 << TWO_ADICITY:
        raise CorruptFileError(f"a domain of {size} points")
    elements = [reader.number(_FIELD_BYTES) for _ in range(5)]
    if size * _FIELD_BYTES > reader.left + _FIELD_BYTES:
        raise CorruptFileError(f"a domain of {size} points is more than the file has")
    if elements[1] != cached_domain(size).root:
        raise CorruptFileError(f"the root of the domain is none of {size} points of BN254's")
    if has_precomputed and reader.number(1) > 1:
        raise CorruptFileError("the mark of precomputed roots is neither 0 nor 1")
    return size


def _points(reader: GnarkReader, read: Callable[[], _Point], what: str) -> list[_Point]:
    return [read() for _ in range(reader.count(what))]


def _flags(reader: GnarkReader, count: int) -> bytes:
    flags = reader.take(count)
    if flags.strip(b"\0\1"):
        raise CorruptFileError("a wire's mark is neither 0 nor 1")
    return flags


def _spread(points: Sequence[_Point], is_missing: bytes) -> tuple[_Point | None, ...]:
    """Return an entry a wire, None where it has no point."""
    finite = iter(points)
    return tuple(None if missing else next(finite) for missing in is_missing)


def _in_order(powers: Sequence[G1Point]) -> tuple[G1Point, ...]:
    """Return the points by the power of x, and None for the last, which no quotient has."""
    bits = (len(powers)).bit_length()
    every = [*powers, None]
    return tuple(every[int(f"{i:0{bits}b}"[::-1], 2)] if bits else None for i in range(len(every)))


def _are_same_multiples(g1: Sequence[G1Point], g2: Sequence[object]) -> bool:
    """Return whether the points are the same multiples of both generators, by random sums."""
    weights = [1 + secrets.randbelow((1 << _WEIGHT_BITS) - 1) for _ in g1]
    left, right = msm(g1, weights), msm(g2, weights)
    if left is None or right is None:
        return left is None and right is None
    pairs = [(left, prepare_g2(G2)), (g1_negate(G1), prepare_g2(right))]
    return is_product_one(miller_loop(pairs))
