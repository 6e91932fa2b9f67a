"""Streams of paired values to try decision rules on: recorded ones from a file, or simulated.

A file holds JSON lines, one for each benchmark of each trial::

    {"trial": 3, "benchmark": "transaction/hash", "effect": 0.05, "a": [1.2, ...], "b": [1.3, ...]}

``a`` and ``b`` are the per-process values of old and new code in the order of measurement, [i] of
both being a pair, lower being better. ``effect`` is the share by which b is known to be slower:
0, the default, where both sides ran the same code. ``trial`` tells which benchmarks were measured
together as one suite; by default each line is a trial of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

# Of the log ratio of a pair, from a quiet to a noisy benchmark.
PAIR_NOISE = (0.01, 0.05)
OUTLIERS = 0.1
DRIFT = 0.05


class Stream(msgspec.Struct, frozen=True):
    """The values of one benchmark in one trial."""

    benchmark: str
    a: tuple[float, ...]
    b: tuple[float, ...]
    effect: float = 0.0
    trial: int | str = ""


def read_streams(path: Path) -> list[Stream]:
    """The streams of a file of JSON lines."""
    lines = [line for line in path.read_bytes().splitlines() if line.strip()]
    streams = [msgspec.json.decode(line, type=Stream) for line in lines]
    return [
        msgspec.structs.replace(s, trial=i) if s.trial == "" else s for i, s in enumerate(streams)
    ]


def simulated(
    trials: int, benchmarks: int, pairs: int, effect: float, chance: np.random.Generator
) -> Iterator[Stream]:
    """A busy machine: a level that drifts for both sides alike, pair noise of 1 to 5 %, outliers.

    One value in ten is up to some 20 % late, which only ever adds time.
    """
    for trial in range(trials):
        for number, spread in enumerate(np.linspace(*PAIR_NOISE, benchmarks)):
            drift = np.cumsum(chance.normal(0, DRIFT / np.sqrt(pairs), pairs))
            noise = chance.normal(0, spread / np.sqrt(2), (2, pairs))
            late = (chance.random((2, pairs)) < OUTLIERS) * chance.exponential(0.1, (2, pairs))
            a, b = 1e6 * np.exp(drift + noise + late)
            yield Stream(
                benchmark=f"simulated/{number}",
                a=tuple(a.tolist()),
                b=tuple((b * (1 + effect)).tolist()),
                effect=effect,
                trial=trial,
            )
