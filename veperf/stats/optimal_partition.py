"""The piecewise constant fit of the least penalised sum of squares, of many series at once.

Optimal partitioning (Jackson et al., IEEE Signal Processing Letters 12, 2005): with F(t) the least
cost of the first t values, F(t) = min over s <= t - m of F(s) + C(s, t) + penalty, where C is the
sum of squares about the mean and m the shortest segment. A last step s is given up once, whatever
level is to come, a later one that may already be used is as good: after value r, s is the better of
both only for levels in an interval (Maidstone, Hocking, Rigaill, Fearnhead, Statistics and
Computing 27, 2017, functional pruning), so that s is out where the intervals of the r have nothing
in common. That leaves some tens of steps where nothing changes, where PELT keeps all.

Series are rows of matrices: a step in Python then costs as much for a hundred as for one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_AT_ONCE = 64
"""Series whose tables are in memory at once."""
_PRUNE_EVERY = 48
"""Values after which steps that are out are removed from the tables."""
_COMPARE_EVERY = 4
"""Values after which steps are compared with the newest."""


def optimal_steps(
    series: Sequence[Floats], penalties: Sequence[float], min_size: int
) -> list[list[int]]:
    """Return the first indices of new levels of the best fit to each of ``series``, ascending.

    Args:
        series: finite values, each of a shape (n,) of its own.
        penalties: cost of a step in each, in its squared unit, above zero.
        min_size: the shortest segment; a series shorter than two of these has no step.
    """
    steps: list[list[int]] = [[] for _ in series]
    order = sorted(range(len(series)), key=lambda i: series[i].size)
    for first in range(0, len(order), _AT_ONCE):
        batch = order[first : first + _AT_ONCE]
        rows = [series[i] - series[i].mean() if series[i].size else series[i] for i in batch]
        last_step = _last_steps(rows, np.array([penalties[i] for i in batch]), min_size)
        for row, i in enumerate(batch):
            at = int(last_step[series[i].size, row])
            while at > 0:
                steps[i].append(at)
                at = int(last_step[at, row])
            steps[i].reverse()
    return steps


def _last_steps(rows: Sequence[Floats], penalties: Floats, min_size: int) -> Floats:
    """Return the last step of the best fit to the first t values, shape (n + 1, rows).

    ``rows`` have mean zero, so that sums stay small; zeros follow the shorter ones.
    """
    n = max(row.size for row in rows)
    sums = np.zeros((n + 1, len(rows)))
    for place, row in enumerate(rows):
        sums[1 : row.size + 1, place] = np.cumsum(row)
        sums[row.size + 1 :, place] = sums[row.size, place]
    # F(t) and the penalty of the next step, less the sum of squares of all values so far, which no
    # choice of steps changes.
    costs = np.zeros_like(sums)
    last = np.zeros_like(sums)
    steps = _OpenSteps(len(rows))
    steps.add(0, sums[0], costs[0])
    offsets = np.arange(len(rows))
    for t in range(min_size, n + 1):
        if (s := t - min_size) >= min_size:
            steps.add(s, sums[s], costs[s])
        places, length, rise, total = steps.costs(t, sums[t])
        best = total.argmin(axis=1) + offsets * total.shape[1]
        last[t] = places.ravel().take(best)
        costs[t] = total.ravel().take(best) + penalties
        if t % _COMPARE_EVERY == 0:
            steps.narrow(rise / length, (costs[t, :, None] - total) / length)
        if t % _PRUNE_EVERY == 0:
            steps.mark(sums, last, penalties)
        elif t % _PRUNE_EVERY == min_size:
            steps.drop()
    return last


class _OpenSteps:
    """The steps of each series that may be the last one of a best fit still, as a table."""

    def __init__(self, rows: int) -> None:
        self._fields = _no_steps(rows)
        self._count = 0
        self._is_out = np.zeros((rows, 0), dtype=np.bool_)

    def add(self, place: int, sums: Floats, costs: Floats) -> None:
        """Add a step at ``place`` to each series, with sums and costs up to it, shape (rows,)."""
        if self._count == self._fields.shape[2]:
            more = _no_steps(self._fields.shape[1])
            self._fields = np.concatenate([self._fields, more], axis=2)
        place_field, sum_field, cost_field = self._fields[:3, :, self._count]
        place_field[:], sum_field[:], cost_field[:] = place, sums, costs
        self._count += 1

    def costs(self, t: int, sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the steps' places, the length and sum of the segment from there to ``t``, costs.

        All of shape (rows, steps); the cost of a step that is out is infinite.
        """
        place, start, cost = self._fields[:3, :, : self._count]
        length = t - place
        rise = sums[:, None] - start
        return place, length, rise, cost - rise * rise / length

    def narrow(self, center: Floats, gap: Floats) -> None:
        """Note for which levels steps are better than the newest: ``center`` +- root of ``gap``."""
        low, high = self._fields[3:, :, : self._count]
        radius = np.sqrt(np.maximum(gap, 0.0))
        np.maximum(low, np.where(gap < 0, np.inf, center - radius), out=low)
        np.minimum(high, center + radius, out=high)

    def mark(self, sums: Floats, last: Floats, penalties: Floats) -> None:
        """Mark the steps that are out as soon as the newest may be used.

        Also those that are better than all newer ones only for levels for which the step before
        them is better.
        """
        place, _, _, low, high = self._fields[:, :, : self._count]
        row = np.arange(place.shape[0])[:, None]
        at = place.astype(np.int64)
        before = last[at, row].astype(np.int64)
        length = np.maximum(at - before, 1)
        center = (sums[at, row] - sums[before, row]) / length
        radius = np.where(at > 0, np.sqrt(penalties[:, None] / length), -np.inf)
        self._is_out = (low > high) | (low >= center - radius) & (high <= center + radius)

    def drop(self) -> None:
        """Remove the marked steps."""
        rows, marked = self._is_out.shape
        is_out = np.zeros((rows, self._count), dtype=np.bool_)
        is_out[:, :marked] = self._is_out
        order = np.argsort(is_out, axis=1, kind="stable")
        fields = np.take_along_axis(self._fields[:, :, : self._count], order[None], axis=2)
        fields = np.where(np.take_along_axis(is_out, order, axis=1), _NO_STEP, fields)
        self._count = int(self._count - is_out.sum(axis=1).min())
        self._fields[:, :, : self._count] = fields[:, :, : self._count]
        self._fields[:, :, self._count :] = _NO_STEP
        self._is_out = is_out[:, :0]


_NO_STEP = np.array([0.0, 0.0, np.inf, -np.inf, np.inf])[:, None, None]
"""Place, sum and cost of a step that is none, and the ends of the levels for which it is best."""


def _no_steps(rows: int) -> Floats:
    return np.tile(_NO_STEP, (1, rows, 4 * _PRUNE_EVERY))
