"""When each item that is not finished yet was to arrive."""

from collections.abc import Iterator

import numpy as np

from veperf.errors import MeasureError
from veperf.measure.load.schedule import CHUNK, Nanoseconds

_SETTLED = -1


class Outstanding:
    """Scheduled arrivals by tag, in chunks that are let go once all their items are settled.

    Memory follows the items in flight, not those there ever were.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, Nanoseconds] = {}
        self._left: dict[int, int] = {}
        self._added = 0

    def add(self, times: Nanoseconds) -> None:
        """The next chunk of arrivals: ``CHUNK`` of them unless it is the last."""
        self._chunks[self._added] = times.copy()
        self._left[self._added] = times.size
        self._added += 1

    def settle(self, tags: Nanoseconds) -> Nanoseconds:
        """When the items ``tags`` were to arrive, in ns, shape (n,); they are outstanding no more.

        Raises:
            MeasureError: one of them is not outstanding, or comes twice.
        """
        scheduled = np.empty_like(tags)
        numbers = tags // CHUNK
        for number in np.unique(numbers).tolist():
            here = numbers == number
            scheduled[here] = self._settle_in(number, tags[here] - number * CHUNK)
        return scheduled

    def left(self) -> Iterator[Nanoseconds]:
        """When the items that are outstanding were to arrive."""
        for times in self._chunks.values():
            yield times[times != _SETTLED]

    def _settle_in(self, number: int, places: Nanoseconds) -> Nanoseconds:
        times = self._chunks.get(number)
        if times is None or places.max() >= times.size:
            raise _unknown(number * CHUNK + int(places.max()))
        found = times[places]
        times[places] = _SETTLED
        left = int(np.count_nonzero(times != _SETTLED))
        if self._left[number] - left != places.size:
            raise _unknown(number * CHUNK + int(places[0]))
        self._left[number] = left
        if not left:
            del self._chunks[number], self._left[number]
        return found


def _unknown(tag: int) -> MeasureError:
    return MeasureError(f"the system finished items twice, or never offered ones: near item {tag}")
