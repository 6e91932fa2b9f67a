"""snarkjs's .zkey files: a proving key, its circuit's matrices a and b, and who contributed.

Sections: 1 protocol (u32); 2 header: P and R, each with its size, wires, public wires, size of the
domain (u32 each), alpha and beta in G1, beta and gamma in G2, delta in G1 and G2; 3 IC; 4 the
terms of a and b: matrix, row and wire (u32 each) and the factor times 2^512 modulo R; 5 a, 6 b in
G1, 7 b in G2, one point a wire; 8 c, one a private wire; 9 one point for each of the coset's; 10
contributions. The matrix c is not in it: a proof takes a . w times b . w in its place.

A section of our own marks test keys, and others pass over it.

Source: iden3, snarkjs; tests compare with files that snarkjs wrote.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from struct import Struct

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.curve.g1 import G1, G1Point
from veperf.workloads.zk.curve.g2 import G2Point
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.groth16.keys import (
    AffineG1,
    AffineG2,
    KeyForm,
    ProvingKey,
    VerifyingKey,
)
from veperf.workloads.zk.groth16.prove import WrongKeyError
from veperf.workloads.zk.msm.group import G1_GROUP, G2_GROUP, Group, Point
from veperf.workloads.zk.r1cs.linear import Constraint, Row, canonical_row
from veperf.workloads.zk.r1cs.system import Evaluation, R1cs
from veperf.workloads.zk.snarkjs.contributions import (
    HASH_BYTES,
    Contribution,
    contributions_to_bytes,
    is_known_to_all,
    read_contributions,
)
from veperf.workloads.zk.snarkjs.points import (
    MONTGOMERY,
    montgomery_bytes,
    points_from_montgomery,
    points_to_montgomery,
)
from veperf.workloads.zk.snarkjs.sections import (
    FIELD_BYTES,
    PRIME,
    SectionReader,
    prime_header,
    read_sections,
    write_sections,
)

_MAGIC = b"zkey"
_VERSION = 1
_GROTH16 = 1
_PROTOCOLS = {2: "PLONK", 10: "fflonk"}
(_PROTOCOL, _HEADER, _IC, _TERMS, _A, _B_G1, _B_G2, _C, _PRODUCTS, _CONTRIBUTIONS) = range(1, 11)
_MARK = 0x76_65_70_66
_MARK_TEXT = b"test key: made from a known seed"
_TEST_HASH = blake2b(_MARK_TEXT).digest()
"""The circuit's hash of such keys: snarkjs drops sections that it doesn't know, but not this."""
_NAMES = {
    _PROTOCOL: "protocol",
    _HEADER: "header",
    _IC: "IC",
    _TERMS: "terms of a and b",
    _A: "points of a",
    _B_G1: "points of b in G1",
    _B_G2: "points of b in G2",
    _C: "points of c",
    _PRODUCTS: "points of h",
    _CONTRIBUTIONS: "contributions",
    _MARK: "mark of a test key",
}
_COUNT = Struct("<I")
_COUNTS = Struct("<III")
_TERM = Struct("<III")
_TERM_BYTES = _TERM.size + FIELD_BYTES
_FACTOR = MONTGOMERY * MONTGOMERY % R
_PER_FACTOR = invert(_FACTOR, R)


@dataclass(frozen=True, slots=True)
class Zkey:
    """The content of a .zkey file."""

    key: ProvingKey
    circuit: "ZkeyCircuit"
    circuit_hash: bytes
    """Hash of the key as it was before anybody contributed; of keys of no ceremony, zeros or a
    mark of test keys.
    """
    contributions: tuple[Contribution, ...]

    @property
    def is_of_ceremony(self) -> bool:
        """True if it was made from powers of tau, so that anybody can contribute."""
        return any(self.circuit_hash) and self.circuit_hash != _TEST_HASH

    @property
    def lacks_contribution(self) -> bool:
        """True where everybody knows delta: it is 1, or nothing but beacons contributed."""
        return _lacks_contribution(self.key.delta_g1, self.circuit_hash, self.contributions)

    def for_circuit(self, r1cs: R1cs) -> ProvingKey:
        """Return the key for proofs of ``r1cs``.

        Raises:
            WrongKeyError: the key is for another circuit.
        """
        rows, own_rows = (
            [(constraint.a, constraint.b) for constraint in system.constraints]
            for system in (r1cs, self.circuit)
        )
        counts = r1cs.wire_count, r1cs.public_count
        if counts != (self.circuit.wire_count, self.circuit.public_count) or rows != own_rows:
            raise WrongKeyError("the .zkey file is for another circuit")
        return replace(self.key, circuit_digest=r1cs.digest())


class ZkeyCircuit(R1cs):
    """The constraints of a .zkey file, whose sides c are unknown: whatever a and b make of it."""

    def check(self, witness: Sequence[int]) -> Evaluation:
        """Return the sides of every constraint; a proof of a wrong witness does not verify.

        Raises:
            ValueError: as :meth:`evaluate`.
        """
        sides = self.evaluate(witness)
        return Evaluation(sides.a, sides.b, [a * b % R for a, b in zip(*sides[:2], strict=True)])


def zkey_of(key: ProvingKey, r1cs: R1cs) -> Zkey:
    """Return ``key``, in snarkjs's form, as a .zkey file without contributions.

    Raises:
        WrongKeyError: the key is for another circuit, or in another form.
    """
    if key.form is not KeyForm.SNARKJS or key.circuit_digest != r1cs.digest():
        raise WrongKeyError("the key is for another circuit, or can't be written as .zkey file")
    circuit = _circuit(r1cs.wire_count, r1cs.public_count, ((c.a, c.b) for c in r1cs.constraints))
    key = replace(key, circuit_digest=circuit.digest())
    return Zkey(key, circuit, _TEST_HASH if key.verifying_key.is_test else bytes(HASH_BYTES), ())


def _circuit(wires: int, public: int, rows: Iterable[tuple[Row, Row]]) -> ZkeyCircuit:
    return ZkeyCircuit(wires, public, tuple(Constraint(a, b, ()) for a, b in rows))


def read_zkey(data: bytes, *, allow_test_keys: bool = False) -> Zkey:
    """Read a .zkey file; every point is checked, and proofs by its key are verified.

    Raises:
        DataError: a file of another protocol or curve; it says which.
        TestKeyError: made from a known seed, or nobody contributed to it yet.
        CorruptFileError: the file contradicts itself or its format, or has an invalid point.
        NewerFormatError: another version of the format.
    """
    sections = read_sections(data, _MAGIC, _VERSION, _NAMES)
    _require(sections, [_PROTOCOL])
    (protocol,) = sections[_PROTOCOL].take(_COUNT)
    if protocol in _PROTOCOLS:
        raise DataError(f"a {_PROTOCOLS[protocol]} key; only Groth16 on bn128 is read")
    if protocol != _GROTH16:
        raise sections[_PROTOCOL].corrupt(f"protocol {protocol} is unknown")
    sections[_PROTOCOL].end()
    _require(sections, range(_HEADER, _CONTRIBUTIONS + 1))
    header = sections[_HEADER]
    header.take_prime(P)
    header.take_prime(R)
    wires, public, size = header.take(_COUNTS)
    if public >= wires:
        raise header.corrupt(f"{public} public wires, {wires} wires")
    if size < 2 or size & (size - 1):
        raise header.corrupt(f"a domain of {size} points, which is no power of two")
    alpha, beta_g1 = _points(header, G1_GROUP, 2)
    beta, gamma = _points(header, G2_GROUP, 2)
    (delta_g1,) = _points(header, G1_GROUP, 1)
    (delta,) = _points(header, G2_GROUP, 1)
    header.end()
    counts = {_IC: public + 1, _A: wires, _B_G1: wires, _B_G2: wires}
    counts |= {_C: wires - public - 1, _PRODUCTS: size}
    points = {}
    for section, count in counts.items():
        reader, group = sections[section], G2_GROUP if section == _B_G2 else G1_GROUP
        if reader.left != count * montgomery_bytes(group):
            raise reader.corrupt(f"{reader.left} bytes for {count} points")
        points[section] = _points(reader, group, count, allow_infinity=section != _IC)
    circuit = _read_circuit(sections[_TERMS], wires, public, size)
    circuit_hash, contributions = read_contributions(sections[_CONTRIBUTIONS])
    verifying_key = VerifyingKey(
        alpha, beta, gamma, delta, tuple(points[_IC]),
        is_test=_MARK in sections
        or circuit_hash == _TEST_HASH
        or _lacks_contribution(delta_g1, circuit_hash, contributions),
    )  # fmt: skip
    verifying_key.require_secret(allow_test_keys=allow_test_keys)
    if [point is None for point in points[_B_G1]] != [point is None for point in points[_B_G2]]:
        raise CorruptFileError("zkey file: the points of b differ between G1 and G2")
    key = ProvingKey(
        verifying_key=verifying_key,
        circuit_digest=circuit.digest(),
        domain_size=size,
        beta_g1=beta_g1,
        delta_g1=delta_g1,
        a=tuple(points[_A]),
        b_g1=tuple(points[_B_G1]),
        b_g2=tuple(points[_B_G2]),
        c=(None,) * (public + 1) + tuple(points[_C]),
        products=tuple(points[_PRODUCTS]),
        form=KeyForm.SNARKJS,
        is_checked=False,
    )
    return Zkey(key, circuit, circuit_hash, contributions)


def write_zkey(zkey: Zkey) -> bytes:
    """Return a .zkey file, which snarkjs reads, too."""
    key, public = zkey.key, zkey.circuit.public_count
    verifying = key.verifying_key
    counts = _COUNTS.pack(zkey.circuit.wire_count, public, key.domain_size)
    header = [
        prime_header(P), PRIME, counts,
        _g1(verifying.alpha, key.beta_g1), _g2(verifying.beta, verifying.gamma),
        _g1(key.delta_g1), _g2(verifying.delta),
    ]  # fmt: skip
    sections = {
        _PROTOCOL: _COUNT.pack(_GROTH16),
        _HEADER: b"".join(header),
        _IC: _g1(*verifying.ic),
        _TERMS: _terms_to_bytes(zkey.circuit),
        _A: _g1(*key.a),
        _B_G1: _g1(*key.b_g1),
        _B_G2: _g2(*key.b_g2),
        _C: _g1(*key.c[public + 1 :]),
        _PRODUCTS: _g1(*key.products),
        _CONTRIBUTIONS: contributions_to_bytes(zkey.circuit_hash, zkey.contributions),
    }
    if verifying.is_test and not zkey.lacks_contribution:
        sections[_MARK] = _MARK_TEXT
    return write_sections(_MAGIC, _VERSION, sections)


def _lacks_contribution(
    delta: Point, circuit_hash: bytes, contributions: Sequence[Contribution]
) -> bool:
    # Of keys of no ceremony, delta was the secret of whoever made them.
    return bool(delta == G1) or (any(circuit_hash) and is_known_to_all(contributions))


def _require(sections: dict[int, SectionReader], required: Iterable[int]) -> None:
    for section in required:
        if section not in sections:
            raise CorruptFileError(f"zkey file: there is no section {_NAMES[section]!r}")


def _points(
    reader: SectionReader, group: Group, count: int, *, allow_infinity: bool = False
) -> list[Point]:
    data = reader.take_bytes(count * montgomery_bytes(group))
    return points_from_montgomery(group, data, reader.what, allow_infinity=allow_infinity)


def _g1(*points: AffineG1 | G1Point) -> bytes:
    return points_to_montgomery(G1_GROUP, points)


def _g2(*points: AffineG2 | G2Point) -> bytes:
    return points_to_montgomery(G2_GROUP, points)


def _read_circuit(reader: SectionReader, wires: int, public: int, size: int) -> ZkeyCircuit:
    (count,) = reader.take(_COUNT)
    if reader.left != count * _TERM_BYTES:
        raise reader.corrupt(f"{reader.left} bytes for {count} terms")
    matrices: tuple[dict[int, list[tuple[int, int]]], ...] = ({}, {})
    for _ in range(count):
        matrix, row, wire = reader.take(_TERM)
        value = reader.take_element()
        if matrix > 1 or row >= size or wire >= wires:
            raise reader.corrupt(f"a term of matrix {matrix}, row {row}, wire {wire}")
        matrices[matrix].setdefault(row, []).append((wire, integer(value) * _PER_FACTOR % R))
    a, b = ({row: canonical_row(terms) for row, terms in matrix.items()} for matrix in matrices)
    # After the constraints, each public wire has a row of its own.
    constraints = max(a, default=0) - public
    own = [a.get(constraints + wire) for wire in range(public + 1)]
    if own != [((wire, 1),) for wire in range(public + 1)]:
        raise reader.corrupt("the last rows are not those of the constant and the public wires")
    if max(b, default=-1) >= constraints:
        raise reader.corrupt("b has a row after the last constraint")
    return _circuit(wires, public, ((a.get(row, ()), b.get(row, ())) for row in range(constraints)))


def _terms_to_bytes(circuit: ZkeyCircuit) -> bytes:
    terms = [
        (matrix, row, wire, factor)
        for row, constraint in enumerate(circuit.constraints)
        for matrix, side in enumerate(constraint[:2])
        for wire, factor in side
    ]
    last = len(circuit.constraints)
    terms += [(0, last + wire, wire, 1) for wire in range(circuit.public_count + 1)]
    parts = [_COUNT.pack(len(terms))]
    for matrix, row, wire, factor in terms:
        value = int(factor * _FACTOR % R).to_bytes(FIELD_BYTES, "little")
        parts += [_TERM.pack(matrix, row, wire), value]
    return b"".join(parts)
