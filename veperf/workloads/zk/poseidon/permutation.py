"""The Poseidon permutation and hash over the scalar field of BN254, as in circomlib."""

from collections.abc import Callable, Sequence
from operator import index

from veperf.workloads.zk.field import R
from veperf.workloads.zk.integers import integer, unpack
from veperf.workloads.zk.poseidon.parameters import MAX_WIDTH
from veperf.workloads.zk.poseidon.schedule import SLOT_BITS, schedule

MAX_INPUTS = MAX_WIDTH - 1
_SLOT_MASK = (integer(1) << SLOT_BITS) - 1


def poseidon(inputs: Sequence[int]) -> int:
    """The hash of 1 to 16 field elements: the first element of the permuted (0, inputs).

    Raises:
        ValueError: too few or too many inputs, or one that is not in [0, r).
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {len(inputs)}")
    values = [index(value) for value in inputs]
    for value in values:
        if not 0 <= value < R:
            raise ValueError(f"{value} is not a field element")
    return int(permute([0, *values])[0])


def permute(state: Sequence[int]) -> list[int]:
    """The permuted state, of 2 to 17 elements in [0, r)."""
    return _permute(state, _fifth_power)


def trace(state: Sequence[int]) -> list[int]:
    """x^2, x^4 and x^5 of every S-box that permutes ``state``, in their order."""
    powers: list[int] = []

    def box(x: int) -> int:
        x2 = x * x % R
        x4 = x2 * x2 % R
        x5 = x4 * x % R
        powers.extend((x2, x4, x5))
        return x5

    _permute(state, box)
    return powers


def _fifth_power(x: int) -> int:
    square = x * x % R
    return square * square * x % R


def _permute(state: Sequence[int], box: Callable[[int], int]) -> list[int]:
    maps = schedule(len(state))
    values = [integer(value) + c for value, c in zip(state, maps.entry, strict=True)]
    for full in maps.first:
        values = unpack(full.apply([box(value % R) for value in values]), SLOT_BITS)
    outputs = [box(value % R) for value in values]
    for block in maps.middle:
        packed = block.entry.apply(outputs)
        for share in block.packed_feedback:
            output = box((packed & _SLOT_MASK) % R)
            packed = (packed >> SLOT_BITS) + share * output
        outputs = values = [value % R for value in unpack(packed, SLOT_BITS)]
    for full in maps.last:
        values = unpack(full.apply([box(value % R) for value in values]), SLOT_BITS)
    return [value % R for value in values]
