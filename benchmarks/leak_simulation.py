"""Detection and false alarms of the leak rule on simulated heaps, by shape and number of samples.

    python -m benchmarks.leak_simulation [seed [heaps [samples ...]]]

Each heap is a level of 1 with noise of 0 to 0.5 % and a shape drawn anew; times are shares of the
run. A leak of 10 % adds growth of 0.1 over the run: as a line, from an onset on, or in steps.
Printed, as Markdown: the percentage that is suspected / that is clean. The others are inconclusive.
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

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


def _ramp(t: Floats, dice: np.random.Generator) -> Floats:
    return dice.uniform(0.05, 1) * np.minimum(t / dice.uniform(0.02, 0.2), 1)


def _overshoot(t: Floats, dice: np.random.Generator) -> Floats:
    """A quick rise that is given back in part, with a time constant of 2 to 12 %."""
    top, level, over = dice.uniform(0.01, 0.06), dice.uniform(0.05, 0.6), dice.uniform(0.05, 0.5)
    settling = level + over * np.exp(-np.maximum(t - top, 0) / dice.uniform(0.02, 0.12))
    return np.minimum(t / top, 1) * settling


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


def _steps(fewest: int, most: int) -> Shape:
    def shape(t: Floats, dice: np.random.Generator) -> Floats:
        count = int(dice.integers(fewest, most + 1))
        at, size = dice.uniform(0.05, 0.97, count), dice.uniform(0.02, 0.6, count)
        height: Floats = (t[:, None] > at).astype(np.float64) @ size
        return height

    return shape


def _spikes(t: Floats, dice: np.random.Generator) -> Floats:
    return (dice.random(t.size) < dice.uniform(0.01, 0.3)) * dice.exponential(0.5, t.size)


def _heavy_tails(t: Floats, dice: np.random.Generator) -> Floats:
    tails: Floats = 0.002 * np.abs(dice.standard_t(2, t.size))
    return tails


def _cache(t: Floats, dice: np.random.Generator) -> Floats:
    start, length = dice.uniform(0, 0.3), dice.uniform(0.05, 0.45)
    return dice.uniform(0.05, 1) * np.clip((t - start) / length, 0, 1)


def _late_cache(t: Floats, dice: np.random.Generator) -> Floats:
    start, full = dice.uniform(0, 0.3), dice.uniform(0.75, 0.95)
    return dice.uniform(0.05, 1) * np.clip((t - start) / (full - start), 0, 1)


def _decelerating(t: Floats, dice: np.random.Generator) -> Floats:
    return dice.uniform(0.05, 0.5) * t**0.3


def _logarithm(t: Floats, dice: np.random.Generator) -> Floats:
    speed = dice.uniform(10, 100)
    level: Floats = dice.uniform(0.05, 0.5) * np.log1p(speed * t) / np.log1p(speed)
    return level


def _wander(kept: float, samples: int, dice: np.random.Generator) -> Floats:
    """Return a level of variance 1 that keeps a share of itself from sample to sample."""
    shocks = dice.normal(0, np.sqrt(1 - kept**2), samples)
    shocks[0] = dice.normal()
    level: Floats = lfilter([1.0], [1.0, -kept], shocks)
    return level


def _wandering(t: Floats, dice: np.random.Generator) -> Floats:
    return dice.uniform(0.005, 0.03) * _wander(0.97, t.size, dice)


def _random_walk(t: Floats, dice: np.random.Generator) -> Floats:
    return 0.03 * np.cumsum(dice.normal(0, 1 / np.sqrt(t.size), t.size))


def _fragmentation(t: Floats, dice: np.random.Generator) -> Floats:
    """A warm-up with a level that wanders, and returns within 2 to 10 % of the run."""
    level = _wander(np.exp(-1 / (t.size * dice.uniform(0.02, 0.1))), t.size, dice)
    return _warm_up(0.02, 0.12)(t, dice) / 2 + dice.uniform(0.002, 0.02) * level


def _line(t: Floats, _: np.random.Generator) -> Floats:
    return t


def _late(onset: float) -> Shape:
    def growth(t: Floats, _: np.random.Generator) -> Floats:
        return np.maximum(0, t - onset) / (1 - onset)

    return growth


def _late_anywhere(t: Floats, dice: np.random.Generator) -> Floats:
    return _late(dice.uniform(0.3, 0.85))(t, dice)


def _events(fewest: int, most: int, last: float = 1.0) -> Shape:
    def growth(t: Floats, dice: np.random.Generator) -> Floats:
        events = dice.uniform(0, last, dice.integers(fewest, most + 1))
        leaked: Floats = (t[:, None] >= events).mean(axis=1)
        return leaked

    return growth


def _last_tenth(t: Floats, dice: np.random.Generator) -> Floats:
    return _late(dice.uniform(0.9, 0.97))(t, dice)


def _slower(t: Floats, dice: np.random.Generator) -> Floats:
    return t ** dice.uniform(0.5, 0.7)


def _faster(t: Floats, dice: np.random.Generator) -> Floats:
    return t ** dice.uniform(1.5, 5)


def _on_and_off(t: Floats, dice: np.random.Generator) -> Floats:
    """A line that pauses, and goes on until the end."""
    start = dice.uniform(0.05, 0.3)
    stop = start + dice.uniform(0.05, 0.25)
    again = dice.uniform(max(stop + 0.1, 0.5), 0.9)
    growth = np.clip(t, start, stop) + np.maximum(t, again)
    grown: Floats = (growth - growth[0]) / (growth[-1] - growth[0])
    return grown


def _stretches(t: Floats, dice: np.random.Generator) -> Floats:
    """Lines of 2 to 15 % of the run, anywhere."""
    length = dice.uniform(0.02, 0.15, dice.integers(2, 5))
    start = dice.uniform(0, 1 - length)
    grown: Floats = np.clip((t[:, None] - start) / length, 0, 1).mean(axis=1)
    return grown


def _last_moments(t: Floats, dice: np.random.Generator) -> Floats:
    return _late(dice.uniform(0.85, 0.9))(t, dice)


def _stairs(t: Floats, dice: np.random.Generator) -> Floats:
    steps = int(dice.integers(4, 13))
    return np.floor(t * steps * (1 - 1e-9) + dice.uniform()) / steps


LEAK_FREE: dict[str, Shape] = {
    "constant": _flat,
    "warm-up, time constant to 12 %": _warm_up(0.02, 0.12),
    "warm-up, time constant to 30 %": _warm_up(0.12, 0.3),
    "warm-up, a ramp to 20 %": _ramp,
    "overshoot that settles": _overshoot,
    "cache, full by 75 % at the latest": _cache,
    "cache, full at 75 to 95 %": _late_cache,
    "growth as t^0.3": _decelerating,
    "growth as a logarithm": _logarithm,
    "one step": _steps(1, 1),
    "two steps": _steps(2, 2),
    "3 or 4 steps": _steps(3, 4),
    "spikes": _spikes,
    "heavy tails": _heavy_tails,
    "waves, to 10 %": _waves(0.02, 0.1),
    "waves, to 80 %": _waves(0.1, 0.8),
    "waves, 1 to 2.5 runs long": _waves(1, 2.5),
    "sawtooth (collections), to 12 %": _collections(0.01, 0.12),
    "sawtooth, to 60 %": _collections(0.12, 0.6),
    "fragmentation": _fragmentation,
    "autoregression, 0.97 a sample": _wandering,
    "random walk of 3 %": _random_walk,
    "sawtooth, 60 to 90 %": _collections(0.6, 0.9),
}
_SPORADIC = _events(5, 30)
LEAKS: dict[str, tuple[Shape, Shape]] = {
    "line": (_line, _flat),
    "late, from 60 %": (_late(0.6), _flat),
    "late, from 70 %": (_late(0.7), _flat),
    "late, from 80 %": (_late(0.8), _flat),
    "late, from 30 to 85 %": (_late_anywhere, _flat),
    "late, from 85 to 90 %": (_last_moments, _flat),
    "late, from 90 to 97 %": (_last_tenth, _flat),
    "slower and slower, to t^0.5": (_slower, _flat),
    "faster and faster, to t^5": (_faster, _flat),
    "a line with a pause": (_on_and_off, _flat),
    "2 to 4 stretches": (_stretches, _flat),
    "sporadic, 5 to 30 times": (_SPORADIC, _flat),
    "2 events": (_events(2, 2), _flat),
    "3 events": (_events(3, 3), _flat),
    "3 events, all before 35 %": (_events(3, 3, 0.35), _flat),
    "3 to 5 events, all before 35 %": (_events(3, 5, 0.35), _flat),
    "stepwise, 4 to 12 steps": (_stairs, _flat),
    "2 events after a ramp to 20 %": (_events(2, 2), _ramp),
    "3 to 5 events after a ramp to 20 %": (_events(3, 5), _ramp),
    "3 to 5, before 60 %, after a ramp": (_events(3, 5, 0.6), _ramp),
    "2 events after a warm-up to 12 %": (_events(2, 2), _warm_up(0.02, 0.12)),
    "3 to 5 after a warm-up to 12 %": (_events(3, 5), _warm_up(0.02, 0.12)),
    "line after an overshoot": (_line, _overshoot),
    "line under heavy tails": (_line, _heavy_tails),
    "line under spikes": (_line, _spikes),
    "late under spikes": (_late_anywhere, _spikes),
    "from 85 to 90 %, under spikes": (_last_moments, _spikes),
    "sporadic under spikes": (_SPORADIC, _spikes),
    "line after a warm-up to 12 %": (_line, _warm_up(0.02, 0.12)),
    "late after a warm-up to 12 %": (_late_anywhere, _warm_up(0.02, 0.12)),
    "sporadic after a warm-up to 12 %": (_SPORADIC, _warm_up(0.02, 0.12)),
    "line after a warm-up to 30 %": (_line, _warm_up(0.12, 0.3)),
    "late after a warm-up to 30 %": (_late_anywhere, _warm_up(0.12, 0.3)),
    "sporadic after a warm-up to 30 %": (_SPORADIC, _warm_up(0.12, 0.3)),
    "line beside a cache": (_line, _cache),
    "late beside a cache": (_late_anywhere, _cache),
    "sporadic beside a cache": (_SPORADIC, _cache),
    "line under waves to 10 %": (_line, _waves(0.02, 0.1)),
    "late under waves to 10 %": (_late_anywhere, _waves(0.02, 0.1)),
    "line under waves to 80 %": (_line, _waves(0.1, 0.8)),
    "line under a sawtooth to 12 %": (_line, _collections(0.01, 0.12)),
    "late under a sawtooth to 12 %": (_late_anywhere, _collections(0.01, 0.12)),
    "from 85 to 90 %, sawtooth to 12 %": (_last_moments, _collections(0.01, 0.12)),
    "from 90 to 97 %, sawtooth to 12 %": (_last_tenth, _collections(0.01, 0.12)),
    "sporadic under a sawtooth to 12 %": (_SPORADIC, _collections(0.01, 0.12)),
    "line under a sawtooth to 60 %": (_line, _collections(0.12, 0.6)),
    "line with fragmentation": (_line, _fragmentation),
    "late with fragmentation": (_late_anywhere, _fragmentation),
    "from 85 to 90 %, fragmentation": (_last_moments, _fragmentation),
    "line on autoregression": (_line, _wandering),
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
    numbers = [int(word) for word in sys.argv[1:]]
    seed, heaps = (*numbers[:2], *(1, HEAPS)[len(numbers) :])
    counts = tuple(numbers[2:]) or SAMPLES
    without = {name: (shape, _flat, 0.0) for name, shape in LEAK_FREE.items()}
    leaking = {name: (shape, growth, LEAK) for name, (growth, shape) in LEAKS.items()}
    for title, heap_shapes in (("no leak", without), (f"leak of {LEAK:.0%}", leaking)):
        print(f"| {title} | " + " | ".join(f"{samples:,}" for samples in counts) + " |")
        print("|---|" + "---|" * len(counts))
        for row, (name, (shape, growth, leak)) in enumerate(heap_shapes.items()):
            cells = []
            for samples in counts:
                # The same heaps, whichever numbers of samples are asked for.
                dice = np.random.default_rng((seed, leak > 0, row, samples))
                suspected, clean = judged(shape, growth, leak, samples, dice, heaps)
                cells.append(f"{100 * suspected:.3g} / {100 * clean:.3g}")
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        print()


if __name__ == "__main__":
    main()
