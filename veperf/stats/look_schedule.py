"""When a growing number of pairs is looked at, and how much error each look may use up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import index

from veperf.core.errors import UsageError
from veperf.stats.alpha_spending import levels, power_family
from veperf.stats.wilcoxon import has_exact_t

LOOKS = (6, 8, 11, 14, 19, 24, 34, 48)
# Late: with few pairs there is no answer "slower" to be had, and it is rarely urgent.
_RHO_CHANGE = 2.0
# Early: most benchmarks have not changed, and should cost little.
_RHO_OK = 1 / 3


@dataclass(frozen=True, slots=True)
class Plan:
    """Ascending numbers of pairs, and the shares of alpha used up by each of them, in all."""

    looks: tuple[int, ...]
    change: tuple[float, ...]
    """For ``slower``, and again for ``faster``."""
    ok: tuple[float, ...]

    def levels_change(self, alpha: float) -> tuple[float, ...]:
        """What p may be at most at each look, for all of them together to keep to ``alpha``."""
        return levels(self.looks, tuple(alpha * share for share in self.change))

    def levels_ok(self, alpha: float) -> tuple[float, ...]:
        """The same for equivalence."""
        return levels(self.looks, tuple(alpha * share for share in self.ok))

    def ending_at(self, pairs: int) -> "Plan":
        """The plan where a look at ``pairs`` turns out to be the last: it may use all there is."""
        done = sum(n < pairs for n in self.looks)
        return Plan(
            (*self.looks[:done], pairs),
            (*self.change[:done], self.change[-1]),
            (*self.ok[:done], self.ok[-1]),
        )


def plan(looks: Sequence[int] = LOOKS, spending: Sequence[float] | None = None) -> Plan:
    """Look at each of the numbers of pairs ``looks``.

    ``spending`` is the share of alpha that each look may use up for ``slower`` and for
    ``faster``; by default the shares used up in all grow with the square of the pairs.

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
    if not has_exact_t(counts[-1]):
        raise UsageError(f"there is no exact test of as many as {counts[-1]} pairs")
    change = power_family(counts, _RHO_CHANGE) if spending is None else _total(spending, counts)
    return Plan(counts, change, power_family(counts, _RHO_OK))


def looks_up_to(most: int, looks: Sequence[int] = LOOKS) -> tuple[int, ...]:
    """``looks`` for at most so many pairs: cut short, or gone on with by factors of about √2.

    Raises:
        UsageError: ``most`` is below the first look.
    """
    if not looks or not most >= looks[0]:
        raise UsageError(f"the most pairs can't be {most}, with looks at {tuple(looks)}")
    kept = [n for n in looks if n < most]
    while len(kept) >= len(looks) and kept[-1] < 0.67 * most:
        kept.append(round(kept[-1] * math.sqrt(2)))
    return (*kept, most)


def _total(spending: Sequence[float], looks: tuple[int, ...]) -> tuple[float, ...]:
    # Shares that are decimal may add up to a last bit more than 1.
    if len(spending) != len(looks) or not all(s >= 0 for s in spending):
        raise UsageError(f"spending is a share for each of {len(looks)} looks, not {spending}")
    if not 0 < sum(spending) <= 1 + 1e-9:
        raise UsageError(f"spending adds up to 1 at most, not {sum(spending):g}")
    return tuple(min(1.0, share) for share in accumulate(spending))
