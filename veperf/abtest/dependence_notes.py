"""Notes on pairs that depend on each other: in time, and between the benchmarks of a pair."""

import math
from collections.abc import Sequence

import numpy as np

from veperf.core.ab_records import ABChange, ABRun
from veperf.core.text import format_number
from veperf.stats.pair_dependence import CommonMode, common_mode, variance_inflation

_LEAST_PAIRS = 6
# From here on it is worth a note, if it is beyond chance.
_NOTABLE_CORRELATION = 0.1
_BEYOND_CHANCE = 3.0


def describe_dependence(run: ABRun) -> str:
    """Return how much pairs and benchmarks depend on each other, as a fact of the comparison."""
    parts = []
    if run.autocorrelation > 0:
        parts.append(f"autocorrelation of pairs {format_number(run.autocorrelation, 2)}")
    shared = _common_mode(run.changes)
    if math.isfinite(shared.correlation):
        parts.append(
            f"rank correlation of benchmarks in a pair {shared.correlation:.2f} "
            f"(by chance ±{shared.by_chance:.2f})"
        )
    return ", ".join(parts) or "unknown, from so few pairs"


def dependence_notes(run: ABRun) -> list[str]:
    """Return a sentence on each kind of dependence that a reader must know of."""
    notes = []
    if run.autocorrelation > 0:
        pairs = max((len(change.pairs) for change in run.changes), default=0)
        worth = pairs / variance_inflation(pairs, run.autocorrelation)
        notes.append(
            f"Successive pairs are alike (autocorrelation {format_number(run.autocorrelation, 2)}),"
            f" as where a disturbance outlasts a pair. The tests allow for it: {pairs} pairs count "
            f"for {format_number(worth, 2)}."
        )
    shared = _common_mode(run.changes)
    notable = max(_NOTABLE_CORRELATION, _BEYOND_CHANCE * shared.by_chance)
    if shared.correlation > notable:
        notes.append(
            f"The benchmarks of a pair move together (rank correlation {shared.correlation:.2f}). "
            "Each verdict holds by itself, but where chance misleads one, it misleads several."
        )
    return notes


def _common_mode(changes: Sequence[ABChange]) -> CommonMode:
    values = [
        np.array([(pair.base, pair.new) for pair in change.pairs])
        for change in changes
        if len(change.pairs) >= _LEAST_PAIRS
    ]
    return common_mode([np.log(x[:, 1] / x[:, 0]) for x in values if (x > 0).all()])
