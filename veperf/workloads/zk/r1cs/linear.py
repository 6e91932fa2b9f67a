"""Linear combinations of wires, with arithmetic operators, and the rows of a constraint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import NamedTuple

from veperf.workloads.zk.bigint import integer
from veperf.workloads.zk.field import R

CONSTANT_WIRE = 0


@dataclass(frozen=True, slots=True, eq=False)
class LinearCombination:
    """Coefficients, in (0, r), by wire. Wire 0 is the constant 1.

    ``==`` is identity: equality of two combinations takes a constraint.
    """

    terms: Mapping[int, int]

    def __add__(self, other: "LinearCombination | int") -> "LinearCombination":
        return weighted_sum([(1, self), (1, as_combination(other))])

    __radd__ = __add__

    def __sub__(self, other: "LinearCombination | int") -> "LinearCombination":
        return weighted_sum([(1, self), (-1, as_combination(other))])

    def __rsub__(self, other: int) -> "LinearCombination":
        return weighted_sum([(1, as_combination(other)), (-1, self)])

    def __neg__(self) -> "LinearCombination":
        return weighted_sum([(-1, self)])

    def __mul__(self, factor: int) -> "LinearCombination":
        """Multiply by a constant; a product of two combinations needs ``Builder.product``."""
        return weighted_sum([(index(factor), self)])

    __rmul__ = __mul__


def as_combination(value: LinearCombination | int) -> LinearCombination:
    """Return ``value`` itself, or a constant as a combination."""
    if isinstance(value, LinearCombination):
        return value
    number = index(value) % R
    return LinearCombination({CONSTANT_WIRE: number} if number else {})


def weighted_sum(parts: Iterable[tuple[int, LinearCombination]]) -> LinearCombination:
    """Return the sum of all combinations, each times its factor."""
    total: dict[int, int] = {}
    for weight, part in parts:
        for wire, factor in part.terms.items():
            total[wire] = total.get(wire, 0) + weight * factor
    return LinearCombination({wire: value % R for wire, value in total.items() if value % R})


Row = tuple[tuple[int, int], ...]
"""A linear combination: wires in ascending order, each with its coefficient in (0, r)."""


class Constraint(NamedTuple):
    """(a . w) * (b . w) = c . w."""

    a: Row
    b: Row
    c: Row


def canonical_row(terms: Iterable[tuple[int, int]]) -> Row:
    """Return a row in its canonical form: ascending, each wire once, no zeros."""
    total: dict[int, int] = {}
    for wire, factor in terms:
        total[wire] = (total.get(wire, 0) + factor) % R
    return tuple((wire, integer(total[wire])) for wire in sorted(total) if total[wire])


def is_canonical_row(side: Row, wire_count: int) -> bool:
    """Return whether ``side`` has the canonical form, on wires below ``wire_count``."""
    last = -1
    for wire, factor in side:
        if not (last < wire < wire_count and 0 < factor < R):
            return False
        last = wire
    return True


def evaluate_row(side: Row, values: Sequence[int]) -> int:
    """Return the value of a row, in [0, r), where the wires have ``values``."""
    return sum([factor * values[wire] for wire, factor in side], integer(0)) % R
