"""Linear combinations as a constraint system keeps them, and constraints of three of them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from veperf.workloads.zk.field import R
from veperf.workloads.zk.integers import integer

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
