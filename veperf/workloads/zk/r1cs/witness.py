"""Compute a witness: from a circuit's inputs to the value of every wire."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import index

from veperf.workloads.zk.field import R
from veperf.workloads.zk.integers import integer
from veperf.workloads.zk.r1cs.rows import Row, evaluate

Compute = Callable[..., Sequence[int]]
"""Takes the values of its inputs, integers in [0, r), and returns those of its outputs."""


@dataclass(frozen=True, slots=True)
class Step:
    """Some wires, and how they follow from others."""

    wires: tuple[int, ...]
    inputs: tuple[Row, ...]
    compute: Compute


@dataclass(frozen=True, slots=True)
class Program:
    """All the steps, each after those that it needs."""

    wire_count: int
    inputs: Mapping[str, int]
    """The wire of each input, by its name."""
    steps: tuple[Step, ...]

    def solve(self, inputs: Mapping[str, int]) -> list[int]:
        """The values of all wires; whether they satisfy the constraints is not checked here.

        Raises:
            ValueError: an input is missing, unknown, or not a field element.
        """
        if inputs.keys() != self.inputs.keys():
            wrong = sorted(inputs.keys() ^ self.inputs.keys())
            raise ValueError(f"missing or unknown inputs: {', '.join(wrong)}")
        values = [integer(1)] * self.wire_count
        for name, number in inputs.items():
            value = index(number)
            if not 0 <= value < R:
                raise ValueError(f"input {name} is not a field element: {value}")
            values[self.inputs[name]] = integer(value)
        for step in self.steps:
            arguments = [evaluate(side, values) for side in step.inputs]
            results = step.compute(*arguments)
            for wire, result in zip(step.wires, results, strict=True):
                values[wire] = integer(result) % R
        return values
