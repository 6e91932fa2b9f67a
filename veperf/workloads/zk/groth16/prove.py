"""Prove: from a witness to three points.

With random r and s, w_i the witness and h the quotient (u v - w) / t,

    A = alpha + sum of w_i u_i(x) + r delta
    B = beta + sum of w_i v_i(x) + s delta
    C = (sum over private i of w_i (beta u_i(x) + alpha v_i(x) + w_i(x)) + h(x) t(x)) / delta
        + s A + r B - r s delta.

Source: Groth 2016, section 3.2. r and s make the proof reveal nothing but its statement.
"""

import secrets
from collections.abc import Sequence

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.curve import G1Point, G2Point, g1_add, g1_multiply
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import Proof, ProvingKey, valid_g1, valid_g2
from veperf.workloads.zk.groth16.setup import Draw, domain_size, products_on_coset
from veperf.workloads.zk.groth16.tables import Tables, tables
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.integers import integer
from veperf.workloads.zk.r1cs import R1cs


class WrongKeyError(ValueError):
    """A proving key that is not for this constraint system."""


def prove(r1cs: R1cs, key: ProvingKey, witness: Sequence[int]) -> Proof:
    """One proof; for several with the same key a :class:`Prover` is faster.

    Raises:
        WrongKeyError: ``key`` is not for ``r1cs``.
        UnsatisfiedError: the witness breaks a constraint.
        ValueError: it is no witness of this circuit at all.
    """
    return Prover(r1cs, key).prove(witness)


class Prover:
    """A circuit and its key; the first proof makes tables for all that follow.

    :meth:`prove` is all there is to it; the other methods are its steps. ``proverfile`` keeps key
    and tables on disk.
    """

    def __init__(self, r1cs: R1cs, key: ProvingKey, loaded: Tables | None = None) -> None:
        """A prover for ``r1cs``.

        Args:
            r1cs: The circuit.
            key: Its key.
            loaded: The key's tables, from a file. With wrong ones a proof would be wrong and could
                tell of the witness, so each is verified before it is handed out.

        Raises:
            WrongKeyError: ``key`` is not for it.
        """
        if key.domain_size != domain_size(r1cs) or key.circuit_digest != r1cs.digest():
            raise WrongKeyError("the proving key is for another circuit")
        self._r1cs = r1cs
        self.key = key
        self.tables = loaded or tables(key)
        self._are_loaded = loaded is not None

    def prove(self, witness: Sequence[int], draw: Draw = secrets.randbelow) -> Proof:
        """A proof of the public inputs in ``witness``.

        Args:
            witness: The values of all wires, the constant 1 first.
            draw: Where r and s come from; known ones would give the witness away.

        Raises:
            UnsatisfiedError: the witness breaks a constraint.
            CorruptFileError: tables that were loaded are wrong.
            ValueError: it is no witness of this circuit at all.
        """
        products = self.products(witness)
        r, s = integer(draw(R)), integer(draw(R))
        a = self.sum_a(witness, r)
        b = self.sum_b(witness, s)
        c = self.sum_c(witness, products, a, r, s)
        if self._are_loaded:
            return self._verified(witness, a, b, c)
        return Proof(valid_g1(a), valid_g2(b), valid_g1(c))

    def _verified(self, witness: Sequence[int], a: G1Point, b: G2Point, c: G1Point) -> Proof:
        public = witness[1 : self._r1cs.public_count + 1]
        if a is not None and b is not None and c is not None:
            proof = Proof(a, b, c)
            if verify(self.key.verifying_key, public, proof):
                return proof
        raise CorruptFileError("the tables that were loaded are not those of the key; delete them")

    def products(self, witness: Sequence[int]) -> list[int]:
        """The values of u v on the coset, of which the quotient is made.

        Raises:
            UnsatisfiedError: the witness breaks a constraint.
            ValueError: it is no witness of this circuit at all.
        """
        return products_on_coset(self._r1cs, self._r1cs.check(witness), witness)

    def sum_a(self, witness: Sequence[int], r: int) -> G1Point:
        """A."""
        point: G1Point = self.tables.a.msm([*witness, 1, r])
        return point

    def sum_b(self, witness: Sequence[int], s: int) -> G2Point:
        """B."""
        point: G2Point = self.tables.b.msm([*witness, 1, s])
        return point

    def sum_c(
        self, witness: Sequence[int], products: Sequence[int], a: G1Point, r: int, s: int
    ) -> G1Point:
        """C, in which r B - r s delta = r (beta + sum of w_i v_i(x)) is part of the one sum."""
        scaled = [r * value % R for value in witness]
        return g1_add(g1_multiply(a, s), self.tables.c.msm([*witness, *products, *scaled, r]))
