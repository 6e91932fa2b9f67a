"""Shapes of growth that goes on, and of growth that has ended, compared by how well they fit."""

import math

import numpy as np
from numpy.typing import ArrayLike

from veperf.stats.monotonic_trend import Floats

_GRID = 0.05
"""Distance of onsets, as a share of the run."""
_END_GRID = 0.025
_LAST_ONSET, _LAST_END = 0.9, 0.975
_TIME_CONSTANTS = (0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.32, 0.4)
_POWERS = (0.3, 0.5)
_PERIODS = (0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5)
_MOST_STEPS = 4
_AFTER_ONSET = 2
"""Values that come after an onset at least."""

RAMP = "it may have reached its end: what has filled up looks like that"
LEVELS_OFF = "it levels off"
WAVE = "a slow wave fits as well as a line: a run of several of its periods would tell"


def find_onset(x: Floats, y: Floats) -> tuple[float, float]:
    """Return the onset from which on a line fits ``y`` best, level before, and its residual.

    ``x`` are places in the run from 0 to 1, ascending, ``y`` sizes; both of shape (n,).
    """
    onsets = _onsets(x)
    residuals = _residuals(y, np.maximum(0.0, x - onsets[:, None]))
    best = int(residuals.argmin())
    return float(onsets[best]), float(residuals[best])


def rival_evidence(x: Floats, y: Floats) -> dict[str, float]:
    """Return by how much growth that goes on fits better than shapes of growth that has ended.

    It is the difference of their BIC: negative where the other shape fits better. Growth that goes
    on is a level with a line from the best onset; the other shapes, named in words, are up to four
    steps, curves that level off, ramps that have reached their end, and waves of up to 2.5 runs.
    """
    onset, residual = find_onset(x, y)
    n, onset_cost = y.size, int(onset > _onsets(x)[0])
    # What rounding leaves of a perfect fit.
    exact = n * 1e-18 * float(y.max()) ** 2 or 1.0

    def gain(other: float, parameters: float) -> float:
        ratio = (max(other, 0.0) + exact) / (max(residual, 0.0) + exact)
        return n * math.log(ratio) + (parameters - 1 - onset_cost) * math.log(n)

    curves = np.exp(-x / np.array(_TIME_CONSTANTS)[:, None])
    powers = x ** np.array(_POWERS)[:, None]
    logarithm = np.log(np.maximum(x, 1e-9))[None, :]
    evidence = {
        _steps_in_words(count): gain(step_residual, 2 * count)
        for count, step_residual in enumerate(step_residuals(y, _MOST_STEPS), 1)
    }
    evidence[LEVELS_OFF] = min(
        gain(float(_residuals(y, curves).min()), 2),
        gain(float(_residuals(y, powers).min()), 1.5),
        gain(float(_residuals(y, logarithm).min()), 1),
    )
    evidence[RAMP] = gain(float(_residuals(y, _ramps(x)).min()), 3)
    evidence[WAVE] = gain(_wave_residual(x, y), 3)
    return evidence


def step_residuals(y: Floats, most: int) -> list[float]:
    """Return the residual sums of squares of levels with the best step, two steps, to ``most``."""
    centred = y - y.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(c)]) for c in (centred, centred**2))
    index = np.arange(y.size + 1)
    length = index[None, :] - index[:, None]
    within = squares[None, :] - squares[:, None]
    within -= (sums[None, :] - sums[:, None]) ** 2 / np.maximum(length, 1)
    # Residual of one level for the values from the row's index up to the column's.
    level = np.where(length > 0, np.maximum(within, 0.0), np.inf)
    best, residuals = level[0], []
    for _ in range(most):
        best = np.min(best[:, None] + level, axis=0)
        residuals.append(float(best[-1]))
    return residuals


def _steps_in_words(count: int) -> str:
    words = ("a single step fits", "two steps fit", "three steps fit", "four steps fit")
    return f"{words[count - 1]} as well as a line"


def _onsets(x: Floats) -> Floats:
    """Return the onsets that are tried: the first value, and a grid while values come after."""
    grid = np.arange(_GRID, _LAST_ONSET + _GRID / 2, _GRID)
    later = grid[(grid > x[0]) & (grid < x[-_AFTER_ONSET])]
    return np.concatenate([x[:1], later])


def _ramps(x: Floats) -> Floats:
    """Return columns that rise from an onset to an end, and are level before and after."""
    ends = np.arange(2 * _GRID, _LAST_END + _END_GRID / 2, _END_GRID)
    start, end = (grid.ravel() for grid in np.meshgrid(_onsets(x), ends))
    some = (end > start + _GRID * 0.8) & (end < x[-1])
    if not some.any():
        return np.zeros((1, x.size))
    return np.clip(x, start[some, None], end[some, None])


def _residuals(y: Floats, columns: Floats) -> Floats:
    """Return the residual sum of squares of a level with each row of ``columns``, (k, n)."""
    # Sizes are large and alike: centred, they lose no digits in the squares.
    centred, rows = y - y.mean(), columns - columns.mean(axis=1, keepdims=True)
    power = (rows**2).sum(axis=1)
    # A row that is level explains nothing.
    explained = (rows @ centred) ** 2 / np.where(power > 0, power, np.inf)
    return _as_floats(centred @ centred - explained)


def _wave_residual(x: Floats, y: Floats) -> float:
    phase = 2 * np.pi * x / np.array(_PERIODS)[:, None]
    sine, cosine = (c - c.mean(axis=1, keepdims=True) for c in (np.sin(phase), np.cos(phase)))
    centred = y - y.mean()
    ss, cc, sc = ((a * b).sum(axis=1) for a, b in ((sine, sine), (cosine, cosine), (sine, cosine)))
    s, c = sine @ centred, cosine @ centred
    explained = (s**2 * cc - 2 * s * c * sc + c**2 * ss) / (ss * cc - sc**2)
    return float(centred @ centred - explained.max())


def _as_floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
