"""Error rate of the leak rule on simulated heaps: shapes without a leak, and with one.

    python -m benchmarks.leak_simulation [seed]

Each heap has 40 to 1,000 samples, noise of 0 to 0.5 %, and a shape drawn anew, which adds to a
level of 1; with a leak, 300 samples and a straight line more. Printed: the share that is suspected.
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from veperf.profiling.memory.leak_rule import LeakStatus, judge_leak

HEAPS = 300
SAMPLES = (40, 60, 120, 300, 1_000)
NOISES = (0.0, 0.0005, 0.002, 0.005)
LEAKS = (0.02, 0.05, 0.1, 0.2)

Floats = NDArray[np.float64]
Shape = Callable[[Floats, np.random.Generator], Floats]


def _warm_up(shortest: float, longest: float) -> Shape:
    def shape(t: Floats, dice: np.random.Generator) -> Floats:
        size: float = dice.uniform(0.05, 1)
        return size * (1 - np.exp(-t / dice.uniform(shortest, longest)))

    return shape


def _waves(shortest: float, longest: float) -> Shape:
    def shape(t: Floats, dice: np.random.Generator) -> Floats:
        phase = t / dice.uniform(shortest, longest) + dice.uniform()
        return dice.uniform(0.05, 0.5) * (1 + np.sin(2 * np.pi * phase)) / 2

    return shape


def _collections(shortest: float, longest: float) -> Shape:
    def shape(t: Floats, dice: np.random.Generator) -> Floats:
        phase = t / dice.uniform(shortest, longest) + dice.uniform()
        return dice.uniform(0.1, 1) * (phase % 1)

    return shape


def _step(t: Floats, dice: np.random.Generator) -> Floats:
    return dice.uniform(0.02, 0.6) * (t > dice.uniform(0.05, 0.97)).astype(np.float64)


def _spikes(t: Floats, dice: np.random.Generator) -> Floats:
    return (dice.random(t.size) < dice.uniform(0.01, 0.3)) * dice.exponential(0.5, t.size)


SHAPES: dict[str, Shape] = {
    "constant": lambda t, _: 0 * t,
    "warm-up, to 12 % of the run": _warm_up(0.02, 0.12),
    "warm-up, to 30 % of the run": _warm_up(0.12, 0.3),
    "one step": _step,
    "spikes": _spikes,
    "waves, to 10 % of the run": _waves(0.02, 0.1),
    "waves, to 80 % of the run": _waves(0.1, 0.8),
    "collections, to 12 % of the run": _collections(0.01, 0.12),
    "collections, to 60 % of the run": _collections(0.12, 0.6),
}


def suspected(shape: Shape, leak: float, dice: np.random.Generator) -> float:
    """Return the share of heaps of ``shape`` that are suspected."""
    count = 0
    for _ in range(HEAPS):
        samples = 300 if leak else int(dice.choice(SAMPLES))
        t = np.linspace(0, 1, samples)
        noise = dice.normal(0, dice.choice(NOISES), samples)
        heap = 1e8 * np.maximum(1 + shape(t, dice) + leak * t + noise, 0)
        count += judge_leak(t * 600, heap).status is LeakStatus.SUSPECTED
    return count / HEAPS


def main() -> None:
    """Print the table."""
    dice = np.random.default_rng(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    print(f"{'':34}{'no leak':>9}" + "".join(f"{leak:9.0%}" for leak in LEAKS))
    for name, shape in SHAPES.items():
        shares = [suspected(shape, leak, dice) for leak in (0.0, *LEAKS)]
        print(f"{name:34}" + "".join(f"{share:9.1%}" for share in shares))


if __name__ == "__main__":
    main()
