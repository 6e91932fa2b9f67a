"""Providers as columns of numpy arrays: a row each, no gaps, grown by doubling."""

from collections.abc import Hashable, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
Objects = NDArray[np.object_]

_FIRST_ROWS = 16


class Kind(Enum):
    """What a label says of a provider."""

    CURRENCY = "currency"
    OFFERING = "offering"
    REGION = "region"
    GPU_TYPE = "GPU type"
    ATTRIBUTE = "attribute"


class Columns:
    """What matching and pricing read; only a table writes. Rows from ``size`` on mean nothing."""

    def __init__(self) -> None:
        self.size = 0
        self.ids: Objects = np.empty(_FIRST_ROWS, dtype=object)
        self.active = np.zeros(_FIRST_ROWS, dtype=bool)
        self.held: Ints = np.zeros((4, _FIRST_ROWS), dtype=np.int64)
        """Taken by bids: cores, GB of memory, GB of storage, GPUs."""
        self.free: Ints = np.zeros((4, _FIRST_ROWS), dtype=np.int64)
        """For sale and not taken; negative where a provider has shrunk meanwhile."""
        self.rates: Objects = np.empty((6, _FIRST_ROWS), dtype=object)
        """Python integers, in the order of ``Rates``: no 64 bits hold every price."""
        self.labels: dict[Kind, Numbers] = {
            kind: np.zeros((1, _FIRST_ROWS), dtype=np.int32) for kind in Kind
        }
        """A row's numbers of each kind, in as many slots as the provider with most of them has."""

    def append(self) -> int:
        """The number of a new row, whose columns are to be set."""
        if self.size == len(self.ids):
            self._double()
        row = self.size
        self.size += 1
        self.held[:, row] = 0
        return row

    def set_labels(self, kind: Kind, row: int, numbers: Sequence[int]) -> None:
        """Set a row's labels of one kind."""
        slots = self.labels[kind]
        missing = len(numbers) - len(slots)
        if missing > 0:
            slots = np.vstack([slots, np.zeros((missing, slots.shape[1]), dtype=np.int32)])
            self.labels[kind] = slots
        slots[:, row] = 0
        slots[: len(numbers), row] = numbers

    def remove(self, row: int) -> None:
        """Take ``row`` out; the last row takes its number."""
        last = self.size - 1
        for column in self._all():
            column[..., row] = column[..., last]
        self.ids[last] = None
        self.rates[:, last] = None
        self.size = last

    def _double(self) -> None:
        self.ids = _doubled(self.ids)
        self.active = _doubled(self.active)
        self.held = _doubled(self.held)
        self.free = _doubled(self.free)
        self.rates = _doubled(self.rates)
        self.labels = {kind: _doubled(slots) for kind, slots in self.labels.items()}

    def _all(self) -> list[NDArray[np.generic]]:
        return [self.ids, self.active, self.held, self.free, self.rates, *self.labels.values()]


def _doubled(column: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([column, np.zeros_like(column)], axis=-1)


NONE = 0
"""No name has this number."""


class Labels:
    """Names with a number each, for as long as somebody holds it."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._holders = [0]
        self._unused: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, name: Hashable) -> int:
        """The number of ``name``; ``NONE`` where nobody holds it."""
        return self._numbers.get(name, NONE)

    def hold(self, name: Hashable) -> int:
        """The number of ``name``, which is kept until it is dropped as often as it was held."""
        number = self._numbers.get(name)
        if number is None:
            if self._unused:
                number = self._unused.pop()
            else:
                number = len(self._holders)
                self._holders.append(0)
            self._numbers[name] = number
        self._holders[number] += 1
        return number

    def drop(self, name: Hashable) -> None:
        """Give up one hold of ``name``."""
        number = self._numbers[name]
        self._holders[number] -= 1
        if not self._holders[number]:
            del self._numbers[name]
            self._unused.append(number)
