"""Write a circuit: name its signals, constrain them, say how the prover computes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import index

from veperf.workloads.zk.field import R
from veperf.workloads.zk.integers import integer
from veperf.workloads.zk.r1cs.linear import (
    CONSTANT_WIRE,
    Constraint,
    Linear,
    Row,
    evaluate,
    linear,
    row,
)
from veperf.workloads.zk.r1cs.system import R1cs

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


class Builder:
    """A circuit in the making.

    Public signals are declared before all others, so that wires come in their final order. What
    :meth:`hint` computes binds nobody: a dishonest prover puts there what he likes. Only
    constraints bind.
    """

    def __init__(self) -> None:
        self._names = ["1"]
        self._inputs: dict[str, int] = {}
        self._public_count = 0
        self._constraints: list[Constraint] = []
        self._reasons: list[str] = []
        self._steps: list[Step] = []

    def public(self, name: str) -> Linear:
        """A public input.

        Raises:
            ValueError: the name is taken, or a signal that is not public came before.
        """
        if len(self._names) > self._public_count + 1:
            raise ValueError(f"public signal {name} is declared after a private one")
        self._public_count += 1
        return self._input(name)

    def private(self, name: str) -> Linear:
        """A private input.

        Raises:
            ValueError: the name is taken.
        """
        return self._input(name)

    def hint(
        self, names: Sequence[str], compute: Compute, inputs: Sequence[Linear]
    ) -> list[Linear]:
        """New signals, one for each name, whose values ``compute`` gives for those of ``inputs``.

        It is called with integers in [0, r) and returns as many as there are names.
        """
        signals = [self._signal(name) for name in names]
        wires = tuple(wire for signal in signals for wire in signal.terms)
        self._steps.append(Step(wires, tuple(row(i.terms.items()) for i in inputs), compute))
        return signals

    def product(self, name: str, a: Linear, b: Linear) -> Linear:
        """A new signal that is constrained to be a * b."""
        (signal,) = self.hint([name], lambda x, y: (x * y,), [a, b])
        self.constrain(a, b, signal, name)
        return signal

    def constrain(self, a: Linear | int, b: Linear | int, c: Linear | int, what: str) -> None:
        """Demand that a * b = c; ``what`` is what a message calls it."""
        rows = (row(linear(side).terms.items()) for side in (a, b, c))
        self._constraints.append(Constraint(*rows))
        self._reasons.append(what)

    def assert_equal(self, a: Linear | int, b: Linear | int, what: str) -> None:
        """Demand that a = b."""
        self.constrain(linear(a) - b, 1, 0, what)

    def build(self) -> tuple[R1cs, Program]:
        """The constraints, and how to compute a witness from the inputs.

        Raises:
            ValueError: a signal is in no constraint, so that anything could stand there.
        """
        used = {CONSTANT_WIRE}
        for constraint in self._constraints:
            used.update(wire for side in constraint for wire, _ in side)
        free = [name for wire, name in enumerate(self._names) if wire not in used]
        if free:
            raise ValueError(f"no constraint binds {', '.join(free)}")
        system = R1cs(
            len(self._names),
            self._public_count,
            tuple(self._constraints),
            tuple(self._names),
            tuple(self._reasons),
        )
        return system, Program(len(self._names), dict(self._inputs), tuple(self._steps))

    def _input(self, name: str) -> Linear:
        if name in self._inputs:
            raise ValueError(f"there are two inputs named {name}")
        self._inputs[name] = len(self._names)
        return self._signal(name)

    def _signal(self, name: str) -> Linear:
        self._names.append(name)
        return Linear({len(self._names) - 1: 1})


Define = Callable[[Builder], None]
"""What writes a circuit into a builder."""
