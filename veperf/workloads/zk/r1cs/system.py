"""A rank-1 constraint system: the equations that a witness has to satisfy.

For each constraint, with w the values of the wires: (a . w) * (b . w) = c . w (mod r). Wire 0 is
the constant 1, then come the public wires, then the private ones, as in circom.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from operator import index
from typing import NamedTuple

from veperf.workloads.zk.bigint import integer
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.linear import Constraint, Row, evaluate_row, is_canonical_row

_MAX_TERMS = 8


def describe_violation(title: str, constraint: Constraint, name: Callable[[int], str]) -> str:
    """Describe a violated constraint by its equation, without the values, which may be private.

    Long combinations are cut to their first terms. ``name`` gives a wire's name.
    """
    a, b, c = (_format_row(side, name) for side in constraint)
    return f"{title} is broken: ({a}) * ({b}) = {c}"


def _format_row(side: Row, name: Callable[[int], str]) -> str:
    terms = []
    for wire, factor in side[:_MAX_TERMS]:
        number = _signed(factor)
        size = "" if abs(number) == 1 and wire else str(abs(number))
        word = f"{size} {name(wire)}".strip() if wire else size
        terms.append(f"{'-' if number < 0 else '+'} {word}")
    if len(side) > _MAX_TERMS:
        terms.append(f"+ {len(side) - _MAX_TERMS} more terms")
    return " ".join(terms).removeprefix("+ ") or "0"


def _signed(value: int) -> int:
    """Return the representative of a field element that is nearest to zero."""
    value = int(value)
    return value - R if value > R // 2 else value


class UnsatisfiedError(ValueError):
    """A witness breaks a constraint; the message names it and its wires.

    ``values`` has the values of these wires, by name, as integers nearest to zero: private ones are
    among them, so no message shows them, and they don't leave the process: a copy that was pickled
    has none.
    """

    def __init__(self, message: str, values: Mapping[str, int]) -> None:
        super().__init__(message)
        self.values = values

    def __reduce__(self) -> tuple[type, tuple[str, dict[str, int]]]:
        return type(self), (str(self), {})


class Evaluation(NamedTuple):
    """The three sides of every constraint for one witness, each value in [0, r)."""

    a: list[int]
    b: list[int]
    c: list[int]


@dataclass(frozen=True)
class R1cs:
    """A constraint system.

    Raises:
        ValueError: there are fewer wires than public ones, a side of a constraint is not a row of
            these wires, or there are more or fewer names than wires or constraints.
    """

    wire_count: int
    """The number of wires, the constant included."""
    public_count: int
    """The number of public wires, the constant excluded."""
    constraints: tuple[Constraint, ...]
    wire_names: tuple[str, ...] = field(default=(), compare=False)
    """Names for messages; empty if unknown."""
    constraint_names: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.public_count < self.wire_count:
            raise ValueError(f"{self.public_count} public wires of {self.wire_count} in all")
        if self.wire_names and len(self.wire_names) != self.wire_count:
            raise ValueError("the number of wire names is not the number of wires")
        if self.constraint_names and len(self.constraint_names) != len(self.constraints):
            raise ValueError("the number of constraint names is not the number of constraints")
        for i, constraint in enumerate(self.constraints):
            if not all(is_canonical_row(side, self.wire_count) for side in constraint):
                raise ValueError(f"constraint {i} has a wire or coefficient out of range")

    def evaluate(self, witness: Sequence[int]) -> Evaluation:
        """Return the sides of every constraint, satisfied or not.

        Raises:
            ValueError: the witness has another length, does not begin with 1, or holds a value
                that is not a field element.
        """
        values = self._values(witness)
        return Evaluation(
            [evaluate_row(a, values) for a, _, _ in self.constraints],
            [evaluate_row(b, values) for _, b, _ in self.constraints],
            [evaluate_row(c, values) for _, _, c in self.constraints],
        )

    def check(self, witness: Sequence[int]) -> Evaluation:
        """Return the sides of every constraint, each of them satisfied.

        Raises:
            UnsatisfiedError: the first constraint that is broken.
            ValueError: as :meth:`evaluate`.
        """
        sides = self.evaluate(witness)
        for i, (a, b, c) in enumerate(zip(*sides, strict=True)):
            if a * b % R != c:
                raise self._violation(i, witness)
        return sides

    def digest(self) -> bytes:
        """Return a 32-byte hash of the system without its names."""
        return self._digest

    @cached_property
    def _digest(self) -> bytes:
        digest = sha256(b"r1cs %d %d" % (self.wire_count, self.public_count))
        for constraint in self.constraints:
            for side in constraint:
                terms = b"".join(b"%d:%x," % (wire, int(factor)) for wire, factor in side)
                digest.update(terms + b";")
        return digest.digest()

    def _values(self, witness: Sequence[int]) -> list[int]:
        if len(witness) != self.wire_count:
            raise ValueError(f"{len(witness)} values for {self.wire_count} wires")
        if witness[0] != 1:
            raise ValueError("wire 0 is the constant 1")
        values = [integer(index(value)) for value in witness]
        if not 0 <= min(values) <= max(values) < R:
            raise ValueError("a value is not a field element")
        return values

    def _violation(self, number: int, witness: Sequence[int]) -> UnsatisfiedError:
        name = f" ({self.constraint_names[number]})" if self.constraint_names else ""
        constraint = self.constraints[number]
        message = describe_violation(f"constraint {number}{name}", constraint, self._name)
        wires = sorted({wire for side in constraint for wire, _ in side} - {0})
        return UnsatisfiedError(message, {self._name(w): _signed(witness[w]) for w in wires})

    def _name(self, wire: int) -> str:
        return self.wire_names[wire] if self.wire_names else f"w{wire}"
