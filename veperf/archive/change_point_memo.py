"""Change points of long trends, remembered beside the summary by the values they were found in.

::

    <archive>/.summary/change-points-<hash of the machine class>.json

An entry is named by the SHA-256 of the values, so none can be out of date; a file that is missing
or broken costs time alone.
"""

import contextlib
from collections.abc import Iterator, MutableMapping

from msgspec import Struct

from veperf.archive.files import checksum
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.core.errors import DataError, StorageError
from veperf.stats.change_points import ChangePoint

# Format history:
#   1  the first. Where the search of change points changes, so does this
#   2  candidates by optimal partitioning of our own
#   3  gaps between levels count as evidence
_FORMAT = 3
_UNUSED = 10_000
"""Entries that may be kept beside those that were used."""


class _File(Struct, frozen=True):
    points: dict[str, tuple[ChangePoint, ...]] = {}
    format: int = _FORMAT


class ChangePointMemo(MutableMapping[str, tuple[ChangePoint, ...]]):
    """The change points of one machine class's trends; read when they are first asked for."""

    def __init__(self, folder: Storage, machine: str) -> None:
        self._folder = folder
        self._name = f"change-points-{checksum(machine.encode())[:16]}.json"
        self._points: dict[str, tuple[ChangePoint, ...]] | None = None
        self._used: set[str] = set()
        self._is_changed = False

    def save(self) -> None:
        """Write what is new, where the archive can be written."""
        if not self._is_changed:
            return
        points = self._loaded
        if len(points) > len(self._used) + _UNUSED:
            points = {key: points[key] for key in self._used}
        with contextlib.suppress(StorageError):
            write_stored_json(self._folder, self._name, _File(dict(sorted(points.items()))))
            self._is_changed = False

    @property
    def _loaded(self) -> dict[str, tuple[ChangePoint, ...]]:
        if self._points is None:
            self._points = {}
            with contextlib.suppress(DataError):
                file = read_stored_json(self._folder, self._name, _File, newest_format=_FORMAT)
                if file.format == _FORMAT:
                    self._points = dict(file.points)
        return self._points

    def __getitem__(self, key: str) -> tuple[ChangePoint, ...]:
        points = self._loaded[key]
        self._used.add(key)
        return points

    def __setitem__(self, key: str, points: tuple[ChangePoint, ...]) -> None:
        self._loaded[key] = points
        self._used.add(key)
        self._is_changed = True

    def __delitem__(self, key: str) -> None:
        del self._loaded[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)
