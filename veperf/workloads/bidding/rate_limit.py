"""How many bids may be placed: so many in any minute, so many in any hour."""

import threading
import time
from collections import deque
from collections.abc import Callable

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS


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
        per_minute: int,
        per_hour: int,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """A limiter that has seen no bids.

        Args:
            per_minute: bids in any minute; 0 for none at all.
            per_hour: bids in any hour; 0 for none at all.
            clock: nanoseconds since any moment.

        Raises:
            ValueError: a limit is negative.
        """
        if per_minute < 0 or per_hour < 0:
            raise ValueError(f"limits of {per_minute} and {per_hour} bids; give 0 or more")
        self._per_minute = per_minute
        self._per_hour = per_hour
        self._clock = clock
        self._minute: deque[int] = deque(maxlen=per_minute)
        self._hour: deque[int] = deque(maxlen=per_hour)
        self._lock = threading.Lock()

    def allow(self) -> bool:
        """Whether a bid may be placed now; if so it counts as placed."""
        minute, hour = self._minute, self._hour
        with self._lock:
            now = self._clock()
            if minute and now < minute[-1]:
                now = minute[-1]
            if len(minute) == self._per_minute and (not minute or now - minute[0] < MINUTE_NS):
                return False
            if len(hour) == self._per_hour and (not hour or now - hour[0] < HOUR_NS):
                return False
            minute.append(now)
            hour.append(now)
            return True
