"""What the scopes of a verification are like as a whole, whatever they show."""

from collections import Counter

from veperf.workloads.verification.scope import FULL_CONFIDENCE, DecryptedScope, Payload, ScopeType

_MANY_OF_A_TYPE = 5
_MANY_SCOPES = 50
_MANY_LINES = 64
_MUCH = 1 << 20  # bytes, or pixels
_LONG_S = 30 * 24 * 3_600


class Summary:
    """Counts and sums over scopes, so that their order doesn't matter."""

    def __init__(self) -> None:
        self._scopes: Counter[ScopeType] = Counter()
        self._bytes = 0
        self._pixels = 0
        self._lines = 0
        self._confidence = 0
        self._ages_s: tuple[int, int] | None = None

    def add(self, scope: DecryptedScope, payload: Payload) -> None:
        """Count ``scope`` and what its ``payload`` was taken apart into."""
        age_s = scope.metadata.age_s
        newest, oldest = self._ages_s or (age_s, age_s)
        self._ages_s = (min(newest, age_s), max(oldest, age_s))
        self._scopes[scope.scope_type] += 1
        self._bytes += len(scope.payload)
        self._pixels += len(payload.pixels)
        self._lines += len(payload.fields)
        self._confidence += sum(field.confidence for field in payload.fields)

    def values(self) -> list[float]:
        """The 16 features, each from 0 to 1.

        The share of the most that is usual for each type of scope and for all of them; bytes,
        pixels and lines as x / (x + much); the mean confidence of the lines; how fresh the newest
        and the oldest scope are, 1 at the time of verification and 1/2 after 30 days.
        """
        freshness = [_LONG_S / (_LONG_S + age_s) for age_s in self._ages_s or ()] or [0.0, 0.0]
        return [
            *(min(self._scopes[kind] / _MANY_OF_A_TYPE, 1.0) for kind in ScopeType),
            min(self._scopes.total() / _MANY_SCOPES, 1.0),
            self._bytes / (self._bytes + _MUCH),
            self._pixels / (self._pixels + _MUCH),
            self._lines / (self._lines + _MANY_LINES),
            self._confidence / (max(self._lines, 1) * FULL_CONFIDENCE),
            *freshness,
        ]
