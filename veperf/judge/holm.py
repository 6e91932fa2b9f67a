"""Holm's correction for testing several hypotheses at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.errors import UsageError


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
