"""A circuit with a name: what is proven, before and after it is compiled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from veperf.workloads.zk.groth16.keys import Proof, VerifyingKey
from veperf.workloads.zk.groth16.verify import verify as verify_inputs
from veperf.workloads.zk.r1cs import Builder, Define, R1cs
from veperf.workloads.zk.r1cs.builder import Program


@dataclass(frozen=True, slots=True)
class Compiled:
    """The constraints of a circuit and the way to its witness."""

    name: str
    r1cs: R1cs
    program: Program

    def witness(self, inputs: Mapping[str, int]) -> list[int]:
        """The value of every wire.

        Raises:
            UnsatisfiedError: what the inputs say is not so; the message says why.
            ValueError: an input is missing, unknown, or not a field element.
        """
        values = self.program.solve(inputs)
        self.r1cs.check(values)
        return values


@dataclass(frozen=True, slots=True)
class Circuit:
    """A statement as constraints."""

    name: str
    define: Define

    def compile(self) -> Compiled:
        """The constraints, always the same ones."""
        builder = Builder()
        self.define(builder)
        return Compiled(self.name, *builder.build())


class Statement(Protocol):
    """What a verifier wants proven, in his own terms."""

    def public_inputs(self) -> Sequence[int]:
        """The same for the circuit, in the order in which it declares its public signals.

        Raises:
            ValueError: the statement makes no sense.
        """


def verify(key: VerifyingKey, statement: Statement, proof: Proof) -> bool:
    """Whether ``proof`` shows that ``statement`` holds.

    ``key`` must be that of the statement's circuit. The public inputs come from the statement, not
    from the prover, so that a proof of something else can't pass for this one.
    """
    return verify_inputs(key, statement.public_inputs(), proof)
