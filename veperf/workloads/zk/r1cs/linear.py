"""Linear combinations of wires, with the operators that mathematics has for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import NamedTuple

from veperf.workloads.zk.field import R
from veperf.workloads.zk.integers import integer

CONSTANT_WIRE = 0


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Coefficients, in (0, r), by wire. Wire 0 is the constant 1.

    ``==`` is identity: whether two combinations are equal is for a constraint to say.
    """

    terms: Mapping[int, int]

    def __add__(self, other: "Linear | int") -> "Linear":
        return weighted_sum([(1, self), (1, linear(other))])

    __radd__ = __add__

    def __sub__(self, other: "Linear | int") -> "Linear":
        return weighted_sum([(1, self), (-1, linear(other))])

    def __rsub__(self, other: int) -> "Linear":
        return weighted_sum([(1, linear(other)), (-1, self)])

    def __neg__(self) -> "Linear":
        return weighted_sum([(-1, self)])

    def __mul__(self, factor: int) -> "Linear":
        """This combination times a constant; a product of two needs ``Builder.product``."""
        return weighted_sum([(index(factor), self)])

    __rmul__ = __mul__


def linear(value: Linear | int) -> Linear:
    """``value`` itself, or a constant as a combination."""
    if isinstance(value, Linear):
        return value
    number = index(value) % R
    return Linear({CONSTANT_WIRE: number} if number else {})


def weighted_sum(parts: Iterable[tuple[int, Linear]]) -> Linear:
    """The sum of all combinations, each times its factor."""
    total: dict[int, int] = {}
    for weight, part in parts:
        for wire, factor in part.terms.items():
            total[wire] = total.get(wire, 0) + weight * factor
    return Linear({wire: value % R for wire, value in total.items() if value % R})


Row = tuple[tuple[int, int], ...]
"""A linear combination: wires in ascending order, each with its coefficient in (0, r)."""


class Constraint(NamedTuple):
    """(a . w) * (b . w) = c . w."""

    a: Row
    b: Row
    c: Row


def row(terms: Iterable[tuple[int, int]]) -> Row:
    """A row in its one form: ascending, each wire once, no zeros."""
    total: dict[int, int] = {}
    for wire, factor in terms:
        total[wire] = (total.get(wire, 0) + factor) % R
    return tuple((wire, integer(total[wire])) for wire in sorted(total) if total[wire])


def is_row(side: Row, wire_count: int) -> bool:
    """Whether ``side`` has that form, on wires below ``wire_count``."""
    last = -1
    for wire, factor in side:
        if not (last < wire < wire_count and 0 < factor < R):
            return False
        last = wire
    return True


def evaluate(side: Row, values: Sequence[int]) -> int:
    """The value of a row, in [0, r), where the wires have ``values``."""
    return sum([factor * values[wire] for wire, factor in side], integer(0)) % R
