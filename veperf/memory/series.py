"""A series of figures over time that never takes more room than it is given."""


class Thinned:
    """Keeps times and values; where they become too many, the lower one of each pair stays.

    The troughs, by which a leak is judged, are kept that way. ``capacity`` is even.
    """

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._points: list[tuple[float, float]] = []
        self._each = 1
        self._skipped = 0

    def add(self, time: float, value: float) -> None:
        """Take a value in."""
        if self._skipped and value >= self._points[-1][1]:
            pass
        elif self._skipped:
            self._points[-1] = time, value
        else:
            if len(self._points) == self._capacity:
                pairs = zip(self._points[::2], self._points[1::2], strict=True)
                self._points = [min(pair, key=lambda point: point[1]) for pair in pairs]
                self._each *= 2
            self._points.append((time, value))
        self._skipped = (self._skipped + 1) % self._each

    def points(self) -> tuple[tuple[float, float], ...]:
        """Times and values that are kept, in order."""
        return tuple(self._points)
