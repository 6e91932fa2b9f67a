"""Write a circuit: name its signals, constrain them, say how the prover computes them."""

from collections.abc import Callable, Sequence

from veperf.workloads.zk.r1cs.linear import CONSTANT_WIRE, Linear, linear
from veperf.workloads.zk.r1cs.rows import Constraint, row
from veperf.workloads.zk.r1cs.system import R1cs
from veperf.workloads.zk.r1cs.witness import Compute, Program, Step


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
