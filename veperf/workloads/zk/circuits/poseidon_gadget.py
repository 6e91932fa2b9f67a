"""Poseidon as constraints: three for each S-box, none for what is linear between them."""

from collections.abc import Sequence

from veperf.workloads.zk.poseidon.permutation import MAX_INPUTS, trace
from veperf.workloads.zk.poseidon.schedule import Affine, schedule
from veperf.workloads.zk.r1cs import Builder, Linear, weighted_sum
from veperf.workloads.zk.r1cs.linear import linear

_POWERS = ("x2", "x4", "x5")


def poseidon(builder: Builder, inputs: Sequence[Linear], name: str) -> Linear:
    """The hash of 1 to 16 values: the first element of the permuted (0, inputs).

    Raises:
        ValueError: too few or too many inputs.
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {len(inputs)}")
    boxes = _Boxes(builder, inputs, name)
    maps = schedule(len(inputs) + 1)
    values = [
        value + int(constant)
        for value, constant in zip((linear(0), *inputs), maps.entry, strict=True)
    ]
    for full in maps.first:
        values = _apply(full, [boxes.next(value) for value in values])
    values = [boxes.next(value) for value in values]
    for block in maps.middle:
        elements = _apply(block.entry, values)
        outputs: list[Linear] = []
        for k, element in enumerate(elements):
            # Each box has its share in every element after its own.
            shares = [(block.feedback[j][k - j - 1], output) for j, output in enumerate(outputs)]
            whole = weighted_sum([(1, element), *shares])
            if k < len(block.feedback):
                outputs.append(boxes.next(whole))
            else:
                elements[k] = whole
        values = elements[len(block.feedback) :]
    for full in maps.last:
        values = _apply(full, [boxes.next(value) for value in values])
    return values[0]


class _Boxes:
    """The S-boxes of one hash: all their signals at once, then box after box its constraints."""

    def __init__(self, builder: Builder, inputs: Sequence[Linear], name: str) -> None:
        maps = schedule(len(inputs) + 1)
        full_rounds = len(maps.first) + 1 + len(maps.last)
        partial_rounds = sum(len(block.feedback) for block in maps.middle)
        count = full_rounds * (len(inputs) + 1) + partial_rounds
        names = [f"{name}.box{i}.{power}" for i in range(count) for power in _POWERS]
        self._signals = iter(builder.hint(names, lambda *values: trace((0, *values)), inputs))
        self._builder = builder
        self._name = name

    def next(self, x: Linear) -> Linear:
        """x^5, bound to be that."""
        x2, x4, x5 = next(self._signals), next(self._signals), next(self._signals)
        self._builder.constrain(x, x, x2, f"{self._name}: x * x")
        self._builder.constrain(x2, x2, x4, f"{self._name}: x2 * x2")
        # x4 is not in the b of any constraint: wires that are cost the prover points of G2.
        self._builder.constrain(x4, x, x5, f"{self._name}: x4 * x")
        return x5


def _apply(affine: Affine, values: Sequence[Linear]) -> list[Linear]:
    rows = zip(*affine.columns, strict=True)
    return [
        weighted_sum(zip(row, values, strict=True)) + int(constant)
        for row, constant in zip(rows, affine.constants, strict=True)
    ]
