"""Detection and false alarms of the leak rule on simulated heaps, by shape and number of samples.

    python -m benchmarks.leak_simulation [seed [heaps]]

Each heap is a level of 1 with noise of 0 to 0.5 % and a shape drawn anew; times are shares of the
run. A leak of 10 % adds growth of 0.1 over the run: as a line, from an onset on, or in steps.
Printed, as Markdown: the percentage that is suspected / that is clean. The others are inconclusive.
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from veperf.profiling.memory.leak_rule import LeakStatus, judge_leak

HEAPS = 200
SAMPLES = (60, 100, 300, 1_000, 3_600)
NOISES = (0.0, 0.0005, 0.002, 0.005)
LEAK = 0.1

Floats = NDArray[np.float64]
Shape = Callable[[Floats, np.random.Generator], Floats]


def _flat(t: Floats, _: np.random.Generator) -> Floats:
    return 0 * t


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


def _two_steps(t: Floats, dice: np.random.Generator) -> Floats:
    return _step(t, dice) + _step(t, dice)


def _spikes(t: Floats, dice: np.random.Generator) -> Floats:
    return (dice.random(t.size) < dice.uniform(0.01, 0.3)) * dice.exponential(0.5, t.size)


def _cache(t: Floats, dice: np.random.Generator) -> Floats:
    start, length = dice.uniform(0, 0.3), dice.uniform(0.05, 0.45)
    return dice.uniform(0.05, 1) * np.clip((t - start) / length, 0, 1)


def _fragmentation(t: Floats, dice: np.random.Generator) -> Floats:
    """A warm-up with a level that wanders, and returns within 2 to 10 % of the run."""
    kept = np.exp(-1 / (t.size * dice.uniform(0.02, 0.1)))
    level = np.zeros(t.size)
    for i, shock in enumerate(dice.normal(0, np.sqrt(1 - kept**2), t.size - 1), start=1):
        level[i] = kept * level[i - 1] + shock
    return _warm_up(0.02, 0.12)(t, dice) / 2 + dice.uniform(0.002, 0.02) * level


def _line(t: Floats, _: np.random.Generator) -> Floats:
    return t


def _late(onset: float) -> Shape:
    def growth(t: Floats, _: np.random.Generator) -> Floats:
        return np.maximum(0, t - onset) / (1 - onset)

    return growth


def _late_anywhere(t: Floats, dice: np.random.Generator) -> Floats:
    return _late(dice.uniform(0.3, 0.85))(t, dice)


def _sporadic(t: Floats, dice: np.random.Generator) -> Floats:
    events = dice.uniform(0, 1, dice.integers(5, 31))
    leaked: Floats = (t[:, None] >= events).mean(axis=1)
    return leaked


def _stairs(t: Floats, dice: np.random.Generator) -> Floats:
    steps = int(dice.integers(4, 13))
    return np.floor(t * steps * (1 - 1e-9) + dice.uniform()) / steps


LEAK_FREE: dict[str, Shape] = {
    "constant": _flat,
    "warm-up, time constant to 12 %": _warm_up(0.02, 0.12),
    "warm-up, time constant to 30 %": _warm_up(0.12, 0.3),
    "cache that fills up, by 75 % at the latest": _cache,
    "one step": _step,
    "two steps": _two_steps,
    "spikes": _spikes,
    "waves, to 10 %": _waves(0.02, 0.1),
    "waves, to 80 %": _waves(0.1, 0.8),
    "sawtooth (collections), to 12 %": _collections(0.01, 0.12),
    "sawtooth, to 60 %": _collections(0.12, 0.6),
    "fragmentation": _fragmentation,
}
LEAKS: dict[str, tuple[Shape, Shape]] = {
    "line": (_line, _flat),
    "late, from 60 %": (_late(0.6), _flat),
    "late, from 70 %": (_late(0.7), _flat),
    "late, from 80 %": (_late(0.8), _flat),
    "late, from 30 to 85 %": (_late_anywhere, _flat),
    "sporadic, 5 to 30 times": (_sporadic, _flat),
    "stepwise, 4 to 12 steps": (_stairs, _flat),
    "line under spikes": (_line, _spikes),
    "late under spikes": (_late_anywhere, _spikes),
    "line after a warm-up to 12 %": (_line, _warm_up(0.02, 0.12)),
    "late after a warm-up to 12 %": (_late_anywhere, _warm_up(0.02, 0.12)),
    "line after a warm-up to 30 %": (_line, _warm_up(0.12, 0.3)),
    "line under waves to 10 %": (_line, _waves(0.02, 0.1)),
    "late under waves to 10 %": (_late_anywhere, _waves(0.02, 0.1)),
    "line under waves to 80 %": (_line, _waves(0.1, 0.8)),
    "line under a sawtooth to 12 %": (_line, _collections(0.01, 0.12)),
    "late under a sawtooth to 12 %": (_late_anywhere, _collections(0.01, 0.12)),
    "line under a sawtooth to 60 %": (_line, _collections(0.12, 0.6)),
}


def judged(
    shape: Shape, growth: Shape, leak: float, samples: int, dice: np.random.Generator, heaps: int
) -> tuple[float, float]:
    """Return the shares of ``heaps`` that are suspected, and that are clean."""
    count = dict.fromkeys(LeakStatus, 0)
    t = np.linspace(0, 1, samples)
    for _ in range(heaps):
        noise = dice.normal(0, dice.choice(NOISES), samples)
        heap = 1e8 * np.maximum(1 + shape(t, dice) + leak * growth(t, dice) + noise, 0)
        count[judge_leak(t * 600, heap).status] += 1
    return count[LeakStatus.SUSPECTED] / heaps, count[LeakStatus.CLEAN] / heaps


def main() -> None:
    """Print the tables."""
    seed, heaps = (*map(int, sys.argv[1:3]), *(1, HEAPS)[len(sys.argv) - 1 :])
    dice = np.random.default_rng(seed)
    without = {name: (shape, _flat, 0.0) for name, shape in LEAK_FREE.items()}
    leaking = {name: (shape, growth, LEAK) for name, (growth, shape) in LEAKS.items()}
    for title, heap_shapes in (("no leak", without), (f"leak of {LEAK:.0%}", leaking)):
        print(f"| {title} | " + " | ".join(f"{samples:,}" for samples in SAMPLES) + " |")
        print("|---|" + "---|" * len(SAMPLES))
        for name, (shape, growth, leak) in heap_shapes.items():
            cells = [judged(shape, growth, leak, n, dice, heaps) for n in SAMPLES]
            texts = [f"{100 * suspected:.3g} / {100 * clean:.3g}" for suspected, clean in cells]
            print(f"| {name} | " + " | ".join(texts) + " |", flush=True)
        print()


if __name__ == "__main__":
    main()
