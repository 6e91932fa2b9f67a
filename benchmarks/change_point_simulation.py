"""Steps and drifts that are seen in simulated series: shapes without a step, and with one.

    python -m benchmarks.change_point_simulation [series] [seed]

Each series has 60, 90 or 120 values with independent normal noise of 1, 1.5 or 2 % (where a row
names no other) and a shape. Printed: the share of series with a change point and the share that
drifts; then, for planted steps, the share that is seen within 5 places, and the number of others.
"""

import math
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from veperf.stats.change_points import change_points
from veperf.stats.drift import find_drift

LENGTHS = (60, 90, 120)
NOISES = (0.01, 0.015, 0.02)
SIZES = (0.03, 0.05, 0.1)
PLACES = 5

Floats = NDArray[np.float64]
Shape = Callable[[Floats, np.random.Generator], Floats]


def _drift(size: float, course: Callable[[Floats], Floats] = np.positive) -> Shape:
    return lambda t, _: math.log1p(size) * course(t)


def _season(periods: float, height: float) -> Shape:
    return lambda t, dice: height * np.sin(2 * np.pi * (periods * t + dice.random()))


def _correlated(correlation: float, deviation: float) -> Shape:
    shock = deviation * math.sqrt(1 - correlation**2)

    def shape(t: Floats, dice: np.random.Generator) -> Floats:
        shocks = dice.normal(0, shock, t.size + 200)
        return np.asarray(signal.lfilter([1], [1, -correlation], shocks)[200:], dtype=np.float64)

    return shape


SHAPES: dict[str, Shape] = {
    "constant": lambda t, _: 0 * t,
    **{f"line, {size:.0%}": _drift(size) for size in (0.02, 0.05, 0.1, 0.2)},
    "levels off, 10 %": _drift(0.1, lambda t: -np.expm1(-4 * t) / -math.expm1(-4)),
    "levels off soon, 10 %": _drift(0.1, lambda t: -np.expm1(-8 * t)),
    "speeds up, 10 %": _drift(0.1, np.square),
    "first half, 10 %": _drift(0.1, lambda t: np.minimum(1, 2 * t)),
    "middle third, 10 %": _drift(0.1, lambda t: np.clip(3 * t - 1, 0, 1)),
    **{
        f"{periods} seasons, {height:.0%} up and down": _season(periods, height)
        for periods in (4, 2, 1)
        for height in (0.05, 0.02)
    },
}
NOISE_ALONE: dict[str, Shape] = {
    "autocorrelation .5, 2 %": _correlated(0.5, 0.02),
    "autocorrelation .9, 5 %": _correlated(0.9, 0.05),
    "random walk, 1 %": lambda t, dice: np.cumsum(dice.normal(0, 0.01, t.size)),
}


def shares(shape: Shape, noisy: bool, series: int, seed: int) -> tuple[float, float]:
    """Return the shares of series of ``shape`` with a change point, and that drift."""
    dice = np.random.default_rng(seed)
    stepped = drifting = 0
    for _ in range(series):
        t = np.linspace(0, 1, int(dice.choice(LENGTHS)))
        y = shape(t, dice) + (dice.normal(0, dice.choice(NOISES), t.size) if noisy else 0)
        points = change_points(np.exp(y))
        stepped += bool(points)
        drifting += find_drift(np.exp(y), points[-1].index if points else 0) is not None
    return stepped / series, drifting / series


def recall(size: float, drift: float, series: int, seed: int) -> tuple[float, int]:
    """Return the share of steps of ``size`` that is seen, and the number of others."""
    dice = np.random.default_rng(seed)
    seen = others = 0
    for _ in range(series):
        t = np.linspace(0, 1, int(dice.choice(LENGTHS)))
        at = int(dice.integers(15, t.size - 14))
        y = dice.normal(0, dice.choice(NOISES), t.size) + math.log1p(drift) * t
        y[at:] += math.log1p(size) * dice.choice([-1, 1])
        points = change_points(np.exp(y))
        hit = any(abs(point.index - at) <= PLACES for point in points)
        seen += hit
        others += len(points) - hit
    return seen / series, others


def main() -> None:
    """Print both tables."""
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"{'no step':34}{'stepped':>9}{'drifts':>9}")
    for name, shape in (SHAPES | NOISE_ALONE).items():
        stepped, drifting = shares(shape, name in SHAPES, series, seed)
        print(f"{name:34}{stepped:9.1%}{drifting:9.1%}", flush=True)
    print(f"\n{'a step':34}{'seen':>9}{'others':>9}")
    for drift in (0.0, 0.05, 0.1):
        for size in SIZES:
            seen, others = recall(size, drift, series, seed)
            print(f"{f'{size:.0%}, drift {drift:.0%}':34}{seen:9.1%}{others:9}", flush=True)


if __name__ == "__main__":
    main()
