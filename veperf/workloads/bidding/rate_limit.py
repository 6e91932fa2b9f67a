"""A rate limiter for bids, with a limit for any minute and one for any hour."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
_NEVER = -1


class RateLimiter:
    """Sliding windows over a minute and an hour; safe to use from several threads.

    A bid counts until it is exactly as old as the window is long, as in VirtEngine's limiter, and
    a denied bid does not count. A window of n bids is full exactly when the n-th last of them still
    counts: so only the last n times are stored, as a ring, and no list is searched.

    A clock that goes back is treated as standing still until it has caught up with the last bid: no
    real window ever has more bids in it than allowed.
    """

    def __init__(
        self,
        per_minute: int | None,
        per_hour: int | None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Make a limiter that has counted no bids.

        Args:
            per_minute: bids in any minute; 0 for none at all, None for any number.
            per_hour: bids in any hour; 0 for none at all, None for any number.
            clock: nanoseconds since any fixed time.

        Raises:
            ValueError: a limit is negative.
        """
        if min(per_minute or 0, per_hour or 0) < 0:
            raise ValueError(f"limits of {per_minute} and {per_hour} bids; give 0 or more")
        self._clock = clock
        # A window without a limit stores nothing, and never has this length.
        self._per_minute = _NEVER if per_minute is None else per_minute
        self._per_hour = _NEVER if per_hour is None else per_hour
        self._minute: deque[int] = deque(maxlen=per_minute or 0)
        self._hour: deque[int] = deque(maxlen=per_hour or 0)
        self._lock = threading.Lock()

    def allow(self) -> bool:
        """Return if a bid may be placed now; if so it counts as placed."""
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

    @property
    def latest_ns(self) -> int | None:
        """Time of the last bid that counted, by the clock; None where none is known."""
        known = self._minute or self._hour
        return known[-1] if known else None

    def ages_ns(self, without: Iterable[int] = ()) -> list[int]:
        """Return the ages of the bids that still count, the oldest first.

        Bids at the times ``without``, as ``latest_ns`` or ``restore`` returned them, are left out.
        """
        with self._lock:
            now = self._clock()
            moments = list(self._moments())
        for moment in without:
            with suppress(ValueError):
                moments.remove(moment)
        ages = [max(0, now - moment) for moment in moments]
        return [age for age in ages if age < HOUR_NS]

    def restore(self, ages_ns: Iterable[int]) -> list[int]:
        """Count bids, too, that another limiter allowed, by their ages in ns; return their times.

        An age below 0 counts as 0: a clock has gone back meanwhile.
        """
        with self._lock:
            now = self._clock()
            restored = [now - max(0, age) for age in ages_ns]
            moments = sorted([*self._moments(), *restored])
            for window in (self._minute, self._hour):
                window.clear()
                window.extend(moments)
        return restored

    def forget(self, moment_ns: int) -> None:
        """Count a bid at the time ``moment_ns`` no more, if it still counts."""
        with self._lock:
            for window in (self._minute, self._hour):
                with suppress(ValueError):
                    window.remove(moment_ns)

    def _moments(self) -> deque[int]:
        """The times of bids: both windows end with the same ones, and the longer has more."""
        return max(self._minute, self._hour, key=len)
