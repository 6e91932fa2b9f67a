"""Circuits, compiled circuits, and the statements that they prove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from veperf.workloads.zk.r1cs.builder import Builder, CircuitDefinition, WitnessProgram
from veperf.workloads.zk.r1cs.system import R1cs


@dataclass(frozen=True, slots=True)
class CompiledCircuit:
    """The constraints of a circuit, and the program that computes its witness."""

    name: str
    r1cs: R1cs
    program: WitnessProgram

    def statement_inputs(self, statement: "Statement") -> dict[str, int]:
        """Return the public inputs of ``statement`` by the names of their signals.

        Raises:
            ValueError: the statement makes no sense, or is for a circuit with more or fewer.
        """
        names = self.r1cs.wire_names[1 : self.r1cs.public_count + 1]
        return dict(zip(names, statement.public_inputs(), strict=True))

    def witness(self, inputs: Mapping[str, int]) -> list[int]:
        """Return the value of every wire.

        Raises:
            UnsatisfiedError: the inputs break a constraint; the message says which.
            ValueError: an input is missing, unknown, or not a field element.
        """
        values = self.program.compute_witness(inputs)
        self.r1cs.check(values)
        return values


@dataclass(frozen=True, slots=True)
class Circuit:
    """A kind of statement as constraints."""

    name: str
    define: CircuitDefinition

    def compile(self) -> CompiledCircuit:
        """Return the constraints, the same ones each time."""
        builder = Builder()
        self.define(builder)
        return CompiledCircuit(self.name, *builder.build())


class Statement(Protocol):
    """A claim to be proven, in the verifier's terms."""

    def public_inputs(self) -> Sequence[int]:
        """Return the statement's values in the order of the circuit's public signals.

        Raises:
            ValueError: the statement makes no sense.
        """
