"""Providers as columns of numpy arrays: a row each without gaps, grown by doubling."""

from collections.abc import Hashable, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
Objects = NDArray[np.object_]

_FIRST_ROWS = 16


class LabelKind(Enum):
    """The kinds of labels of a provider."""

    CURRENCY = "currency"
    OFFERING = "offering"
    REGION = "region"
    GPU_TYPE = "GPU type"
    ATTRIBUTE = "attribute"


class ProviderColumns:
    """Columns that matching and pricing read and a table writes; rows from ``size`` are unused."""

    def __init__(self) -> None:
        self.size = 0
        self.ids: Objects = np.empty(_FIRST_ROWS, dtype=object)
        self.active = np.zeros(_FIRST_ROWS, dtype=bool)
        self.held: Ints = np.zeros((4, _FIRST_ROWS), dtype=np.int64)
        """Reserved by bids: cores, GB of memory, GB of storage, GPUs."""
        self.free: Ints = np.zeros((4, _FIRST_ROWS), dtype=np.int64)
        """For sale and not reserved; negative if a provider has shrunk since."""
        self.rates: Objects = np.empty((6, _FIRST_ROWS), dtype=object)
        """Python integers, in the order of ``Rates``: 64 bits don't hold every price."""
        self.labels: dict[LabelKind, Numbers] = {
            kind: np.zeros((1, _FIRST_ROWS), dtype=np.int32) for kind in LabelKind
        }
        """Label numbers of each row by kind, in as many slots as any provider has at most."""

    def append(self) -> int:
        """Add a row and return its number; the caller sets its columns."""
        if self.size == len(self.ids):
            self._double()
        row = self.size
        self.size += 1
        self.held[:, row] = 0
        return row

    def set_labels(self, kind: LabelKind, row: int, numbers: Sequence[int]) -> None:
        """Set a row's labels of one kind."""
        slots = self.labels[kind]
        missing = len(numbers) - len(slots)
        if missing > 0:
            slots = np.vstack([slots, np.zeros((missing, slots.shape[1]), dtype=np.int32)])
            self.labels[kind] = slots
        slots[:, row] = 0
        slots[: len(numbers), row] = numbers

    def remove(self, row: int) -> None:
        """Remove ``row``; the last row moves there."""
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


NO_LABEL = 0
"""Number that no name has."""


class InternTable:
    """Numbers for names, with reference counts: a number is valid while it is held."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._references = [0]
        self._unused: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, name: Hashable) -> int:
        """Return the number of ``name``; ``NO_LABEL`` if it is not held."""
        return self._numbers.get(name, NO_LABEL)

    def hold(self, name: Hashable) -> int:
        """Hold ``name`` and return its number, which is valid until every hold is dropped."""
        number = self._numbers.get(name)
        if number is None:
            if self._unused:
                number = self._unused.pop()
            else:
                number = len(self._references)
                self._references.append(0)
            self._numbers[name] = number
        self._references[number] += 1
        return number

    def drop(self, name: Hashable) -> None:
        """Drop one hold of ``name``."""
        number = self._numbers[name]
        self._references[number] -= 1
        if not self._references[number]:
            del self._numbers[name]
            self._unused.append(number)
