"""Groth16 prover: from a witness to a proof of three points.

With random r and s, w_i the witness and h the quotient (u v - w) / t,

    A = alpha + sum of w_i u_i(x) + r delta
    B = beta + sum of w_i v_i(x) + s delta
    C = (sum over private i of w_i (beta u_i(x) + alpha v_i(x) + w_i(x)) + h(x) t(x)) / delta
        + s A + r B - r s delta.

Source: Groth 2016, section 3.2. r and s make the proof reveal nothing but its statement.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.bigint import integer
from veperf.workloads.zk.curve.g1 import G1Point, g1_add, g1_multiply
from veperf.workloads.zk.curve.g2 import G2Point
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import Proof, ProvingKey, require_g1, require_g2
from veperf.workloads.zk.groth16.setup import Draw, domain_size, quotient_scalars
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.msm.fixed_base import FixedBase
from veperf.workloads.zk.r1cs.system import R1cs


@dataclass(frozen=True, slots=True)
class ProverTables:
    """Tables of multiples for the sums of a proof; made when they are worth it, unless loaded."""

    a: FixedBase
    """For A, over u_i(x), alpha and delta."""
    b: FixedBase
    """For B, over v_i(x), beta and delta, in G2."""
    c: FixedBase
    """For C, over the points of ``ProvingKey.c``, ``products``, v_i(x) and beta."""


def prover_tables(key: ProvingKey) -> ProverTables:
    """Return the tables of ``key``, not made yet."""
    a, b, c = _table_points(key)
    return ProverTables(FixedBase(a), FixedBase(b), FixedBase(c))


def prover_tables_from_bytes(
    key: ProvingKey, a: bytes, b: bytes, c: bytes, *, are_trusted: bool = False
) -> ProverTables:
    """Read the tables of ``key`` from the bytes of ``FixedBase.to_bytes``.

    Raises:
        CorruptFileError: one belongs to other points, or has an invalid point and is not trusted.
    """
    a_points, b_points, c_points = _table_points(key)
    return ProverTables(
        FixedBase.from_bytes(a_points, a, is_trusted=are_trusted),
        FixedBase.from_bytes(b_points, b, is_trusted=are_trusted),
        FixedBase.from_bytes(c_points, c, is_trusted=are_trusted),
    )


def _table_points(key: ProvingKey) -> tuple[list[G1Point], list[G2Point], list[G1Point]]:
    """Return the points of each table, in the order of the scalars in ``Prover``'s sums."""
    verifying = key.verifying_key
    return (
        [*key.a, verifying.alpha, key.delta_g1],
        [*key.b_g2, verifying.beta, verifying.delta],
        [*key.c, *key.products, *key.b_g1, key.beta_g1],
    )


class WrongKeyError(ValueError):
    """The proving key belongs to another constraint system."""


class Prover:
    """A circuit and its key; the first proof (compiled: the second) makes tables for what follows.

    :meth:`prove` makes a proof; the other methods are its steps. ``groth16.files`` stores key and
    tables on disk.
    """

    def __init__(
        self,
        r1cs: R1cs,
        key: ProvingKey,
        loaded_tables: ProverTables | None = None,
        *,
        are_trusted: bool = False,
    ) -> None:
        """Create a prover for ``r1cs``.

        Args:
            r1cs: The circuit.
            key: Its proving key. With one from a file each proof is verified, too.
            loaded_tables: The key's tables, from a file. With wrong tables a proof would be wrong
                and could leak the witness, so each proof is verified before it is returned, unless
                the tables are trusted.
            are_trusted: The tables are as good as if they had been made here.

        Raises:
            WrongKeyError: ``key`` belongs to another circuit.
        """
        size = domain_size(r1cs, key.form)
        if key.domain_size != size or key.circuit_digest != r1cs.digest():
            raise WrongKeyError("the proving key is for another circuit")
        self._r1cs = r1cs
        self.key = key
        self.tables = loaded_tables or prover_tables(key)
        has_own_tables = loaded_tables is None or are_trusted
        self._must_verify = not (key.is_checked and has_own_tables)

    def prove(self, witness: Sequence[int], draw: Draw = secrets.randbelow) -> Proof:
        """Return a proof of the public inputs in ``witness``.

        Args:
            witness: The values of all wires, the constant 1 first.
            draw: Source of r and s; known ones would reveal the witness.

        Raises:
            UnsatisfiedError: the witness breaks a constraint.
            CorruptFileError: the key or the loaded tables are wrong, or from another circuit.
            ValueError: it is not a witness of this circuit.
        """
        products = self.products(witness)
        r, s = integer(draw(R)), integer(draw(R))
        a = self.sum_a(witness, r)
        b = self.sum_b(witness, s)
        c = self.sum_c(witness, products, a, r, s)
        if self._must_verify:
            return self._verified_proof(witness, a, b, c)
        return Proof(require_g1(a), require_g2(b), require_g1(c))

    def _verified_proof(self, witness: Sequence[int], a: G1Point, b: G2Point, c: G1Point) -> Proof:
        public = witness[1 : self._r1cs.public_count + 1]
        if a is not None and b is not None and c is not None:
            proof = Proof(a, b, c)
            if verify(self.key.verifying_key, public, proof):
                return proof
        raise CorruptFileError(
            "no valid proof: the file of the key or of its tables is wrong, or from another circuit"
        )

    def prepare(self) -> None:
        """Make now the tables that the first proof would make."""
        for table in (self.tables.a, self.tables.b, self.tables.c):
            table.prepare()

    def products(self, witness: Sequence[int]) -> list[int]:
        """Return the scalars that stand for the quotient.

        Raises:
            UnsatisfiedError: the witness breaks a constraint.
            ValueError: it is not a witness of this circuit.
        """
        sides = self._r1cs.check(witness)
        return quotient_scalars(self._r1cs, sides, witness, self.key.form)

    def sum_a(self, witness: Sequence[int], r: int) -> G1Point:
        """Return A."""
        point: G1Point = self.tables.a.msm([*witness, 1, r])
        return point

    def sum_b(self, witness: Sequence[int], s: int) -> G2Point:
        """Return B."""
        point: G2Point = self.tables.b.msm([*witness, 1, s])
        return point

    def sum_c(
        self, witness: Sequence[int], products: Sequence[int], a: G1Point, r: int, s: int
    ) -> G1Point:
        """Return C; r B - r s delta = r (beta + sum of w_i v_i(x)) is part of the table's sum."""
        scaled = [r * value % R for value in witness]
        return g1_add(g1_multiply(a, s), self.tables.c.msm([*witness, *products, *scaled, r]))
