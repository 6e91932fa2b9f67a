"""A broken constraint in words."""

from collections.abc import Callable, Sequence

from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.rows import Constraint, Row

_SHOWN_TERMS = 8


def explain(
    title: str,
    constraint: Constraint,
    witness: Sequence[int],
    sides: tuple[int, int, int],
    name: Callable[[int], str],
) -> str:
    """What a constraint demands, what ``sides`` it has, and the values of its wires.

    Of long combinations the first terms are shown. ``name`` gives a wire's name.
    """
    a, b, c = (_in_words(side, name) for side in constraint)
    wires = sorted({wire for side in constraint for wire, _ in side} - {0})
    values = [f"{name(wire)} = {_signed(witness[wire])}" for wire in wires[:_SHOWN_TERMS]]
    if len(wires) > _SHOWN_TERMS:
        values.append(f"and {len(wires) - _SHOWN_TERMS} more")
    left, right, product = (_signed(side) for side in sides)
    return (
        f"{title} is broken: ({a}) * ({b}) = {c}, but "
        f"{left} * {right} is not {product}; {', '.join(values)}"
    )


def _in_words(side: Row, name: Callable[[int], str]) -> str:
    terms = []
    for wire, factor in side[:_SHOWN_TERMS]:
        number = _signed(factor)
        size = "" if abs(number) == 1 and wire else str(abs(number))
        word = f"{size} {name(wire)}".strip() if wire else size
        terms.append(f"{'-' if number < 0 else '+'} {word}")
    if len(side) > _SHOWN_TERMS:
        terms.append(f"+ {len(side) - _SHOWN_TERMS} more terms")
    return " ".join(terms).removeprefix("+ ") or "0"


def _signed(value: int) -> int:
    """The representative of a field element that is nearest to zero."""
    value = int(value)
    return value - R if value > R // 2 else value
