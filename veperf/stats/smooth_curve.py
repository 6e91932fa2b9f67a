"""Smooth curves without an edge, and the evidence that a series has steps that no such curve has.

A curve is a Gaussian process on Legendre polynomials P_k, k >= 1, of the index: coefficients of the
orthonormal P_k are independent normal, of variance spread * k^(-2 q) times that of the noise. Such
a prior has one free size, so that lines, bends and waves need no list of shapes. With q = 2 the
curve may have kinks, with q = 1.5 sharper bends; q and the spread take the values of the highest
marginal likelihood (Rasmussen, Williams, Gaussian Processes for Machine Learning, 2006, chapters 2
and 5), which weighs the fit against the freedom that it takes. Flat stretches with a straight slope
between them, which polynomials follow badly, are an explicit second family.

Steps are compared with that by twice the difference of log likelihoods, as in a Bayes factor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DEGREE = 24
_DECAYS = (1.5, 2.0)
_SPREADS = 4.0 ** np.arange(17)
# Steps on a curve may fit a kink of it: they take so much more evidence than steps between levels.
_CURVED_COST = 3.0
# Ramps begin and end at multiples of a twelfth of the window, and are a quarter of it or longer.
_RAMP_GRID = 12
_RAMP_LENGTH = 3
# Cost of a ramp's height and of both its ends, in twice the log likelihood.
_RAMP_COST = 11.0


@dataclass(frozen=True, slots=True, eq=False)
class StepComparison:
    """Steps at given places against a curve without an edge."""

    evidence: float
    """Twice the log likelihood ratio in favour of steps."""
    curve: Floats
    """Curve beside the steps, shape (n,), mean zero; all zeros where levels alone fit best."""


@dataclass(frozen=True, slots=True)
class CurveFit:
    """Smooth curve against a constant level."""

    evidence: float
    """Twice the log likelihood ratio in favour of the curve; zero where there is none."""
    change: float
    """Curve's last value less its first."""
    deviation: float
    """Standard deviation of ``change``, given the curve's spread."""


def compare_steps(
    y: Floats, steps: Sequence[int], variance: float, known: Sequence[int] = ()
) -> StepComparison:
    """Return the evidence for ``steps`` in ``y``, of shape (n,), with noise of ``variance``.

    ``steps`` and ``known`` are the first indices of new levels, each above 0 and below n; those
    of ``known`` there are in either case. The height of each has a flat prior: what a step costs
    is for the caller to say.
    """
    basis, variances = _prior(y.size)
    centred = y - y.mean()
    part = basis.T @ centred
    plain = _log_likelihood(part, variances, variance)
    shapes = _step_shapes(y.size, [*known, *steps])
    beside = shapes[:, : len(known)]
    smooth = plain + _explained(centred, beside, basis, variances)[0] / variance
    explained, heights = _explained(centred, shapes, basis, variances)
    stepped = plain + explained / variance
    stepped[1:] -= _CURVED_COST
    best = int(np.argmax(stepped))
    ramp = smooth[0] + _explained_by_ramp(centred, beside) / variance - _RAMP_COST
    share = 1 - 1 / variances[best]
    return StepComparison(
        evidence=float(stepped[best] - max(smooth.max(), ramp)),
        curve=basis @ (share * (part - basis.T @ (shapes @ heights[best]))),
    )


def _step_shapes(n: int, steps: Sequence[int]) -> Floats:
    """Return steps of height 1, mean zero, shape (n, steps)."""
    shapes = (np.arange(n)[:, None] >= np.asarray(steps, dtype=np.int64)).astype(np.float64)
    centred: Floats = shapes - shapes.mean(axis=0)
    return centred


def _explained(
    centred: Floats, shapes: Floats, basis: Floats, variances: Floats
) -> tuple[Floats, Floats]:
    """Return the sum of squares that ``shapes`` explain beside each prior's curve, and heights.

    Generalised least squares, in the basis and outside of it, where there is noise alone.
    """
    part, shape_part = basis.T @ centred, basis.T @ shapes
    normal = np.einsum("jd,dk,dl->jkl", 1 / variances, shape_part, shape_part)
    normal += shapes.T @ shapes - shape_part.T @ shape_part
    moment = (part / variances) @ shape_part + (shapes.T @ centred - shape_part.T @ part)
    heights: Floats = np.linalg.solve(normal, moment[:, :, None])[:, :, 0]
    explained: Floats = (moment * heights).sum(axis=1)
    return explained, heights


def _explained_by_ramp(centred: Floats, beside: Floats) -> float:
    """Return the sum of squares that the best ramp explains beyond the shapes ``beside`` it."""
    ramps = _ramps(centred.size)
    projection = np.linalg.solve(beside.T @ beside, beside.T)
    remainder = 1 - ((beside.T @ ramps) * (projection @ ramps)).sum(axis=0)
    moment = ramps.T @ (centred - beside @ (projection @ centred))
    # A ramp that the steps already explain has nothing left.
    return float(np.max(np.where(remainder > 1e-6, moment**2 / np.maximum(remainder, 1e-6), 0.0)))


def fit_curve(y: Floats, variance: float) -> CurveFit:
    """Return the curve in ``y``, of shape (n,), with noise of ``variance``."""
    basis, variances = _prior(y.size)
    part = basis.T @ (y - y.mean())
    likelihoods = _log_likelihood(part, variances, variance)
    best = int(np.argmax(likelihoods))
    share, ends = 1 - 1 / variances[best], basis[-1] - basis[0]
    return CurveFit(
        evidence=float(likelihoods[best] - likelihoods[0]),
        change=float(ends @ (share * part)),
        deviation=float(np.sqrt(variance * (ends**2) @ share)),
    )


def _log_likelihood(part: Floats, variances: Floats, variance: float) -> Floats:
    """Return twice the log likelihood of each prior, less what is the same for all."""
    likelihood: Floats = -(part**2 / (variances * variance) + np.log(variances)).sum(axis=1)
    return likelihood


@lru_cache(maxsize=128)
def _prior(n: int) -> tuple[Floats, Floats]:
    """Return the polynomials, shape (n, degree), and variances, shape (priors, degree).

    Variances are those of coefficients, noise included, relative to the noise; the first prior is
    noise alone.
    """
    degree = min(_DEGREE, max(1, n // 2))
    x = np.linspace(-1, 1, n)
    basis = np.full((n, degree + 1), 1 / math.sqrt(n))
    for power in range(1, degree + 1):
        polynomial = x * basis[:, power - 1]
        for _ in range(2):  # the second time takes out what rounding left
            polynomial -= basis[:, :power] @ (basis[:, :power].T @ polynomial)
        basis[:, power] = polynomial / math.sqrt(polynomial @ polynomial)
    k = np.arange(1, degree + 1, dtype=np.float64)
    curves = [1 + _SPREADS[:, None] * k ** (-2 * decay) for decay in _DECAYS]
    return basis[:, 1:], np.concatenate([np.ones((1, degree)), *curves])


@lru_cache(maxsize=128)
def _ramps(n: int) -> Floats:
    """Return ramps from one level to another, mean zero and of length 1, shape (n, ramps)."""
    t = np.linspace(0, _RAMP_GRID, n)
    ramps = np.stack(
        [
            np.clip((t - start) / (end - start), 0, 1)
            for start in range(_RAMP_GRID)
            for end in range(start + _RAMP_LENGTH, _RAMP_GRID + 1)
        ],
        axis=1,
    )
    ramps -= ramps.mean(axis=0)
    unit: Floats = ramps / np.linalg.norm(ramps, axis=0)
    return unit
