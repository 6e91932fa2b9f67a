"""How many bids may be placed: so many in any minute, so many in any hour."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
_NEVER = -1


class RateLimiter:
    """Sliding windows over a minute and an hour; safe to use from several threads.

    A bid counts until it is exactly as old as the window is long, as in VirtEngine's limiter, and
    one that was denied does not count. A window of n bids is full exactly where the n-th last of
    them still counts: so the last n moments are all that is kept, as a ring, and no list is gone
    through.

    A clock that goes back stands still here until it has caught up with the last bid: no real
    window ever has more bids in it than allowed.
    """

    def __init__(
        self,
        per_minute: int | None,
        per_hour: int | None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """A limiter that has seen no bids.

        Args:
            per_minute: bids in any minute; 0 for none at all, None for any number.
            per_hour: bids in any hour; 0 for none at all, None for any number.
            clock: nanoseconds since any moment.

        Raises:
            ValueError: a limit is negative.
        """
        if min(per_minute or 0, per_hour or 0) < 0:
            raise ValueError(f"limits of {per_minute} and {per_hour} bids; give 0 or more")
        self._clock = clock
        # A window without a limit keeps nothing, and is never as long as this.
        self._per_minute = _NEVER if per_minute is None else per_minute
        self._per_hour = _NEVER if per_hour is None else per_hour
        self._minute: deque[int] = deque(maxlen=per_minute or 0)
        self._hour: deque[int] = deque(maxlen=per_hour or 0)
        self._lock = threading.Lock()

    @property
    def has_limits(self) -> bool:
        """Whether it ever denies a bid."""
        return (self._per_minute, self._per_hour) != (_NEVER, _NEVER)

    def allow(self) -> bool:
        """Whether a bid may be placed now; if so it counts as placed."""
        minute, hour = self._minute, self._hour
        with self._lock:
            now = self._clock()
            known = minute or hour
            if known and now < known[-1]:
                now = known[-1]
            if len(minute) == self._per_minute and (not minute or now - minute[0] < MINUTE_NS):
                return False
            if len(hour) == self._per_hour and (not hour or now - hour[0] < HOUR_NS):
                return False
            minute.append(now)
            hour.append(now)
            return True

    def ages_ns(self) -> list[int]:
        """How long ago the bids were placed that still count, the oldest first."""
        with self._lock:
            now = self._clock()
            ages = [max(0, now - moment) for moment in self._moments()]
        return [age for age in ages if age < HOUR_NS]

    def restore(self, ages_ns: Iterable[int]) -> None:
        """Count bids, too, that another limiter allowed so many nanoseconds ago.

        An age below 0 counts as 0: a clock has gone back meanwhile.
        """
        with self._lock:
            now = self._clock()
            moments = sorted([*self._moments(), *(now - max(0, age) for age in ages_ns)])
            for window in (self._minute, self._hour):
                window.clear()
                window.extend(moments)

    def _moments(self) -> deque[int]:
        """When bids were placed: both windows end with the same, one goes back further."""
        return max(self._minute, self._hour, key=len)
