"""Schedule of the looks at a growing number of pairs, and the error that each look may spend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import index

from veperf.core.errors import UsageError
from veperf.stats.alpha_spending import look_levels, power_family
from veperf.stats.wilcoxon import has_exact_signed_rank

LOOKS = (6, 8, 11, 14, 19, 24, 34, 48)
# Spent late: few pairs can't prove "slower" among many benchmarks, and it is rarely urgent.
_RHO_CHANGE = 2.0
# Spent early: most benchmarks have not changed, and should cost little.
_RHO_OK = 1 / 3


@dataclass(frozen=True, slots=True)
class LookSchedule:
    """Ascending numbers of pairs, and the cumulative share of alpha spent by each of them."""

    looks: tuple[int, ...]
    change: tuple[float, ...]
    """Share spent on ``slower``, and again on ``faster``."""
    ok: tuple[float, ...]

    def levels_change(self, alpha: float) -> tuple[float, ...]:
        """Return the level of each look for a change; together they keep to ``alpha``."""
        return look_levels(self.looks, tuple(alpha * share for share in self.change))

    def levels_ok(self, alpha: float) -> tuple[float, ...]:
        """Return the level of each look for ``ok``; together they keep to ``alpha``."""
        return look_levels(self.looks, tuple(alpha * share for share in self.ok))

    def ending_at(self, pairs: int) -> "LookSchedule":
        """Return the schedule whose last look is at ``pairs`` and may spend all that is left."""
        done = sum(n < pairs for n in self.looks)
        return LookSchedule(
            (*self.looks[:done], pairs),
            (*self.change[:done], self.change[-1]),
            (*self.ok[:done], self.ok[-1]),
        )


def schedule_looks(
    looks: Sequence[int] = LOOKS, spending: Sequence[float] | None = None
) -> LookSchedule:
    """Return the schedule with ``looks`` at these numbers of pairs.

    ``spending`` is the share of alpha that each look may spend on ``slower`` and on ``faster``; by
    default the cumulative share grows with the square of the pairs.

    Raises:
        UsageError: ``looks`` are no whole numbers that ascend from 1 to at most 200, or
            ``spending`` has another length than they, a negative share, or more than 1 in all.
    """
    # `index` refuses 6.5, which int would cut.
    try:
        counts = tuple(index(n) for n in looks)
    except TypeError as error:
        raise UsageError(f"looks are whole numbers of pairs ({error})") from error
    if not counts or counts[0] < 1 or any(m >= n for m, n in pairwise(counts)):
        raise UsageError(f"looks ascend from 1 or more, unlike {counts}")
    if not has_exact_signed_rank(counts[-1]):
        raise UsageError(f"there is no exact test of as many as {counts[-1]} pairs")
    change = power_family(counts, _RHO_CHANGE) if spending is None else _total(spending, counts)
    return LookSchedule(counts, change, power_family(counts, _RHO_OK))


def looks_up_to(max_pairs: int, looks: Sequence[int] = LOOKS) -> tuple[int, ...]:
    """Return ``looks`` up to ``max_pairs`` pairs: cut short, or extended by factors of about √2.

    Raises:
        UsageError: ``max_pairs`` is below the first look.
    """
    if not looks or not max_pairs >= looks[0]:
        raise UsageError(f"max_pairs can't be {max_pairs}, with looks at {tuple(looks)}")
    earlier = [n for n in looks if n < max_pairs]
    while len(earlier) >= len(looks) and earlier[-1] < 0.67 * max_pairs:
        earlier.append(round(earlier[-1] * math.sqrt(2)))
    return (*earlier, max_pairs)


def _total(spending: Sequence[float], looks: tuple[int, ...]) -> tuple[float, ...]:
    # Decimal shares may add up to slightly more than 1.
    if len(spending) != len(looks) or not all(s >= 0 for s in spending):
        raise UsageError(f"spending is a share for each of {len(looks)} looks, not {spending}")
    if not 0 < sum(spending) <= 1 + 1e-9:
        raise UsageError(f"spending adds up to at most 1, not {sum(spending):g}")
    return tuple(min(1.0, share) for share in accumulate(spending))
