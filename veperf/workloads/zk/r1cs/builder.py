"""Circuit builder: declares signals, constrains them, and defines how the prover computes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import index

from veperf.workloads.zk.bigint import integer
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.linear import (
    CONSTANT_WIRE,
    Constraint,
    LinearCombination,
    Row,
    as_combination,
    canonical_row,
    evaluate_row,
)
from veperf.workloads.zk.r1cs.system import R1cs

Compute = Callable[..., Sequence[int]]
"""A function from the values of its inputs, integers in [0, r), to those of its outputs."""


@dataclass(frozen=True, slots=True)
class WitnessStep:
    """A step of the witness computation: some wires, computed from others."""

    wires: tuple[int, ...]
    inputs: tuple[Row, ...]
    compute: Compute


@dataclass(frozen=True, slots=True)
class WitnessProgram:
    """All steps of the witness computation, each after the steps that it depends on."""

    wire_count: int
    inputs: Mapping[str, int]
    """The wire of each input, by its name."""
    steps: tuple[WitnessStep, ...]

    def compute_witness(self, inputs: Mapping[str, int]) -> list[int]:
        """Return the values of all wires, without checking the constraints.

        Raises:
            ValueError: an input is missing, unknown, or not a field element.
        """
        if inputs.keys() != self.inputs.keys():
            names = sorted(inputs.keys() ^ self.inputs.keys())
            raise ValueError(f"missing or unknown inputs: {', '.join(names)}")
        values = [integer(1)] * self.wire_count
        for name, number in inputs.items():
            value = index(number)
            if not 0 <= value < R:
                raise ValueError(f"input {name} is not a field element")
            values[self.inputs[name]] = integer(value)
        for step in self.steps:
            arguments = [evaluate_row(side, values) for side in step.inputs]
            results = step.compute(*arguments)
            for wire, result in zip(step.wires, results, strict=True):
                values[wire] = integer(result) % R
        return values


class Builder:
    """A circuit under construction.

    Public signals are declared before all others, so that wires come in their final order. Values
    from :meth:`hint` are not binding: a dishonest prover can choose others. Only constraints bind.
    """

    def __init__(self) -> None:
        self._names = ["1"]
        self._inputs: dict[str, int] = {}
        self._public_count = 0
        self._constraints: list[Constraint] = []
        self._reasons: list[str] = []
        self._steps: list[WitnessStep] = []

    def public(self, name: str) -> LinearCombination:
        """Declare a public input.

        Raises:
            ValueError: the name is taken, or a private signal came before.
        """
        if len(self._names) > self._public_count + 1:
            raise ValueError(f"public signal {name} is declared after a private one")
        self._public_count += 1
        return self._input(name)

    def private(self, name: str) -> LinearCombination:
        """Declare a private input.

        Raises:
            ValueError: the name is taken.
        """
        return self._input(name)

    def hint(
        self, names: Sequence[str], compute: Compute, inputs: Sequence[LinearCombination]
    ) -> list[LinearCombination]:
        """Declare a signal for each name, with values that ``compute`` gives for ``inputs``.

        ``compute`` is called with integers in [0, r) and returns as many as there are names.
        """
        signals = [self._signal(name) for name in names]
        wires = tuple(wire for signal in signals for wire in signal.terms)
        self._steps.append(
            WitnessStep(wires, tuple(canonical_row(i.terms.items()) for i in inputs), compute)
        )
        return signals

    def product(self, name: str, a: LinearCombination, b: LinearCombination) -> LinearCombination:
        """Return a new signal that is constrained to be a * b."""
        (signal,) = self.hint([name], lambda x, y: (x * y,), [a, b])
        self.constrain(a, b, signal, name)
        return signal

    def constrain(
        self,
        a: LinearCombination | int,
        b: LinearCombination | int,
        c: LinearCombination | int,
        what: str,
    ) -> None:
        """Constrain a * b = c; messages call the constraint ``what``."""
        rows = (canonical_row(as_combination(side).terms.items()) for side in (a, b, c))
        self._constraints.append(Constraint(*rows))
        self._reasons.append(what)

    def assert_equal(
        self, a: LinearCombination | int, b: LinearCombination | int, what: str
    ) -> None:
        """Constrain a = b."""
        self.constrain(as_combination(a) - b, 1, 0, what)

    def build(self) -> tuple[R1cs, WitnessProgram]:
        """Return the constraints, and the program that computes a witness from the inputs.

        Raises:
            ValueError: a signal is in no constraint, so that it could have any value.
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
        return system, WitnessProgram(len(self._names), dict(self._inputs), tuple(self._steps))

    def _input(self, name: str) -> LinearCombination:
        if name in self._inputs:
            raise ValueError(f"there are two inputs named {name}")
        self._inputs[name] = len(self._names)
        return self._signal(name)

    def _signal(self, name: str) -> LinearCombination:
        self._names.append(name)
        return LinearCombination({len(self._names) - 1: 1})


CircuitDefinition = Callable[[Builder], None]
"""A function that defines a circuit in a builder."""
