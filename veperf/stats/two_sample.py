"""Two independent samples: is the new one worse?"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.case import Better
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus
from veperf.core.words import change_interval, effect, p_value, percent, plural
from veperf.stats.hodges_lehmann import ratio
from veperf.stats.mann_whitney import mann_whitney, smallest_u_p_value

ALPHA = 0.05
MIN_EFFECT = 0.01
MARGIN = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Independent:
    """What two samples say about each other. Ratios over 1 are worse, whatever the direction."""

    status: ChangeStatus
    ratio: float = math.nan
    """Hodges-Lehmann shift on the logarithms; NaN where a value is zero or no number."""
    low: float = math.nan
    high: float = math.nan
    confidence: float = math.nan
    """The coverage that ``low`` to ``high`` really has."""
    p_slower: float = math.nan
    """Of "at most worse by the smallest effect that counts"; NaN where nothing was tested."""
    p_faster: float = math.nan
    """Of "at most better by the smallest effect that counts"."""
    p_equivalent: float = math.nan
    """Of "worse by the margin or more"."""
    n_base: int
    n_new: int
    reason: str


def independent(
    base: ArrayLike,
    new: ArrayLike,
    *,
    better: Better = "lower",
    min_effect: float = MIN_EFFECT,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> Independent:
    """Compare ``new`` with ``base``: values of shape (n,), one a process, of any positive unit.

    Three one-sided Mann-Whitney tests, each at ``alpha``, on values scaled by the bound tested;
    the first that rejects decides:

    - ``slower``: "ratio <= 1 + min_effect" is rejected
    - ``faster``: "ratio >= 1 / (1 + min_effect)" is rejected
    - ``ok``: "ratio >= 1 + margin" is rejected
    - ``inconclusive``: none is

    ``not enough samples`` where a two-sided test of samples of these sizes can't reach ``alpha``
    whatever the values (with 4 a side its smallest p is 0.029, with 3 it is 0.1), ``error`` where
    a value is NaN or infinite. Zeros (counts) are ranked like other values but have no ratio,
    except that zeros throughout are equal constants. Negative values have no ratio to test.

    Raises:
        UsageError: a setting is out of its range, or the values are not a plain list of numbers.
    """
    _check(better, min_effect, margin, alpha)
    a, b = _sample(base), _sample(new)
    obstacle = _obstacle(a, b)
    if obstacle is not None:
        status, reason = obstacle
        return Independent(status=status, n_base=a.size, n_new=b.size, reason=reason)
    if not a.any() and not b.any():
        a, b = np.ones_like(a), np.ones_like(b)

    # A loss of rate is a gain of its inverse: with the sides swapped, more is worse for both.
    before, after = (a, b) if better == "lower" else (b, a)
    p_slower = mann_whitney(before * (1 + min_effect), after).p_less
    p_faster = mann_whitney(before, after * (1 + min_effect)).p_greater
    p_equivalent = mann_whitney(before * (1 + margin), after).p_greater
    status = decide(p_slower, p_faster, p_equivalent, alpha)
    if 2 * smallest_u_p_value(a.size, b.size) > alpha:
        status = ChangeStatus.NOT_ENOUGH
    found = Independent(
        status=status,
        p_slower=p_slower,
        p_faster=p_faster,
        p_equivalent=p_equivalent,
        n_base=a.size,
        n_new=b.size,
        reason="",
    )
    if min(a.min(), b.min()) > 0:
        size = ratio(before, after, confidence=1 - alpha)
        found = replace(
            found, ratio=size.value, low=size.low, high=size.high, confidence=size.confidence
        )
    return replace(found, reason=_reason(found, margin, alpha))


def decide(p_slower: float, p_faster: float, p_equivalent: float, alpha: float) -> ChangeStatus:
    """The first of the three tests that rejects."""
    if p_slower <= alpha:
        return ChangeStatus.SLOWER
    if p_faster <= alpha:
        return ChangeStatus.FASTER
    return ChangeStatus.OK if p_equivalent <= alpha else ChangeStatus.INCONCLUSIVE


def evidence(found: Independent, p: float, *, worse: str, better: str) -> str:
    """Effect, interval, p and n in words; ``p`` is that of the deciding test, NaN for none."""
    facts = [f"{found.n_base} against {plural(found.n_new, 'process', 'processes')}"]
    if not math.isnan(p):
        facts.insert(0, p_value(p))
    if math.isnan(found.ratio):
        return f"no ratio, as values are zero ({', '.join(facts)})"
    facts.insert(0, change_interval(found.low, found.high, found.confidence))
    return f"{effect(found.ratio, worse, better)} ({', '.join(facts)})"


def _reason(found: Independent, margin: float, alpha: float) -> str:
    match found.status:
        case ChangeStatus.NOT_ENOUGH:
            sizes = f"{found.n_base} against {plural(found.n_new, 'process', 'processes')}"
            return f"{sizes} can't show any difference at {alpha:g}: measure more"
        case ChangeStatus.SLOWER:
            before, p = "", found.p_slower
        case ChangeStatus.FASTER:
            before, p = "", found.p_faster
        case ChangeStatus.OK:
            before, p = f"less than {percent(margin)} slower: ", found.p_equivalent
        case _:
            before, p = "can't be told from noise: ", found.p_slower
    return before + evidence(found, p, worse="slower", better="faster")


def _check(better: Better, min_effect: float, margin: float, alpha: float) -> None:
    if better not in ("lower", "higher"):
        raise UsageError(f"better is 'lower' or 'higher', not {better!r}")
    if not 0 <= min_effect <= margin < math.inf:
        raise UsageError(f"0 <= min_effect <= margin must hold, not {min_effect} and {margin}")
    if not 0 < alpha < 1:
        raise UsageError(f"alpha lies between 0 and 1, not {alpha}")


def _sample(values: ArrayLike) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"a sample is a list of numbers ({error})") from error
    if array.ndim != 1:
        raise UsageError(f"a sample has one dimension, not {array.ndim}")
    return array


def _obstacle(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[ChangeStatus, str] | None:
    """Why the two can't be tested at all, if so."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return ChangeStatus.ERROR, "a value is no number: it can't be judged"
    if a.size == 0 or b.size == 0:
        return ChangeStatus.NOT_ENOUGH, f"no values on the {'new' if a.size else 'base'} side"
    if min(a.min(), b.min()) < 0:
        return ChangeStatus.INCONCLUSIVE, "values below zero have no ratio that could be judged"
    return None


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values, of the shape (m,) of ``p`` and in its order.

    With p_(1) <= ... <= p_(m):  adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j))
    (Holm, Scandinavian Journal of Statistics 6, 1979). Rejecting where that is at most alpha
    keeps the chance of any false rejection at alpha, however the tests depend on each other.

    NaN stands for a test that was not made: it stays NaN and does not count in m.

    Raises:
        UsageError: a p-value lies outside 0 to 1.
    """
    given = np.asarray(p, dtype=np.float64)
    made = ~np.isnan(given)
    values = given[made]
    if np.any((values < 0) | (values > 1)):
        raise UsageError("a p-value lies between 0 and 1")
    order = np.argsort(values, kind="stable")
    left = np.arange(values.size, 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(left * values[order]))
    adjusted = np.full(given.shape, np.nan)
    adjusted[np.flatnonzero(made)[order]] = stepped
    return adjusted
