"""Errors and power of the sequential comparison in pairs, on simulated and recorded streams.

    python -m benchmarks.paired_power [--suites N] [--benchmarks N] [--seed N] [AB_JSON ...]

A suite of benchmarks is compared by the product's own rule, with the autocorrelation of its pairs
estimated from all of them at each look. Each cell is the mean of so many suites, in all of whose
benchmarks the change is the same. Recorded streams are those of comparisons in which nothing
changed (ab.json in the archive): each benchmark's log ratios, around their median, begin at a
random pair and go around, with the sides swapped at random; as recorded, and with the process
values of the first 8 samples of each side.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from veperf.core.ab_records import ABChange, ABRun
from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import LOOKS, schedule_looks
from veperf.stats.pair_dependence import (
    common_mode,
    pooled_autocorrelation,
    variance_inflation,
    widen_p,
)
from veperf.stats.paired import PairRule, decide_status
from veperf.stats.process_values import process_value
from veperf.stats.sequential import HINT_P
from veperf.stats.wilcoxon import signed_rank_distribution

Floats = NDArray[np.float64]
Suite = Callable[[np.random.Generator, int], Floats]
"""Returns log ratios of a number of benchmarks where nothing changed, shape (benchmarks, 48)."""

PAIRS = LOOKS[-1]
DEVIATION = 0.02
"""Robust standard deviation of a log ratio, in the kinds that are scaled to it."""
EFFECTS = (0.02, 0.03, 0.05, 0.1)
AUTOCORRELATIONS = (0.0, 0.1, 0.3, 0.5)
_SCHEDULE = schedule_looks()
_FEW_SAMPLES = 8
_MAD = 1.4826


def normal(dice: np.random.Generator, benchmarks: int) -> Floats:
    """Return normal noise."""
    return dice.normal(0, DEVIATION, (benchmarks, PAIRS))


def scaled(factor: float, kind: Suite = normal) -> Suite:
    """Return ``kind`` with so many times its deviation."""
    return lambda dice, benchmarks: factor * kind(dice, benchmarks)


def heavy_tails(dice: np.random.Generator, benchmarks: int) -> Floats:
    """Return noise by Student's t with 2 degrees of freedom."""
    return DEVIATION / 1.21 * dice.standard_t(2, (benchmarks, PAIRS))


def two_modes(dice: np.random.Generator, benchmarks: int) -> Floats:
    """Return noise of 1 %, each side 4 % slower in three processes of ten."""
    slow = dice.random((2, benchmarks, PAIRS)) < 0.3
    noise: Floats = dice.normal(0, 0.01, (benchmarks, PAIRS)) + 0.04 * slow[1] - 0.04 * slow[0]
    return noise


def bursts(dice: np.random.Generator, benchmarks: int) -> Floats:
    """Return noise that grows and shrinks as the machine gets busier and calms down, for all."""
    busy = np.exp(np.cumsum(dice.normal(0, 0.25, PAIRS)))
    noise: Floats = normal(dice, benchmarks) * np.minimum(busy / np.median(busy), 6)
    return noise


def correlated(dice: np.random.Generator, benchmarks: int) -> Floats:
    """Return noise of which a share of 20 % is the same for all benchmarks of a pair."""
    shared = normal(dice, 1)
    noise: Floats = math.sqrt(0.2) * shared + math.sqrt(0.8) * normal(dice, benchmarks)
    return noise


def autoregressive(r: float, kind: Suite = normal) -> Suite:
    """Return noise whose pairs are an AR(1) process with coefficient ``r``."""

    def suite(dice: np.random.Generator, benchmarks: int) -> Floats:
        noise = kind(dice, benchmarks)
        noise[:, 1:] *= math.sqrt(1 - r * r)
        for pair in range(1, PAIRS):
            noise[:, pair] += r * noise[:, pair - 1]
        return noise

    return suite


def from_samples(samples: int) -> Suite:
    """Return noise of process values of so many samples on each side.

    Each sample is disturbed by an exponential 8 %, and the processes of a pair differ by 1.2 %.
    """

    def suite(dice: np.random.Generator, benchmarks: int) -> Floats:
        disturbed = np.exp(dice.exponential(0.08, (2, benchmarks, PAIRS, samples)))
        lowest = np.sort(disturbed, axis=-1)[..., : max(2, samples // 4)]
        values = lowest.mean(axis=-1)  # as process_value, which takes one process at a time
        noise: Floats = np.log(values[1] / values[0]) + dice.normal(0, 0.012, (benchmarks, PAIRS))
        return noise

    return suite


KINDS: dict[str, Suite] = {
    "normal, 1.5 %": scaled(0.75),
    "normal, 2 %": normal,
    "normal, 2.5 %": scaled(1.25),
    "heavy tails (t, 2 degrees of freedom)": heavy_tails,
    "two modes": two_modes,
    "bursts": bursts,
    "20 % common to all benchmarks": correlated,
    "8 samples a process": from_samples(8),
    "20 samples a process": from_samples(20),
}


def recorded_suites(paths: list[Path]) -> Iterator[tuple[str, Suite]]:
    """Yield the streams of comparisons in which nothing changed, by the name of their noise."""
    runs = [msgspec.json.decode(path.read_bytes(), type=ABRun) for path in paths]
    changes = [change for run in runs for change in run.changes if change.pairs]
    if not changes:
        return
    for name, limit in (("recorded", None), (f"recorded, first {_FEW_SAMPLES} samples", 8)):
        by_case: dict[str, list[Floats]] = {}
        for change in changes:
            ratios = _recorded_ratios(change, limit)
            by_case.setdefault(change.case, []).append(ratios - np.median(ratios))
        yield name, _replayed([np.concatenate(parts) for parts in by_case.values()])


def _recorded_ratios(change: ABChange, samples: int | None) -> Floats:
    if samples is None:
        return np.log([pair.new / pair.base for pair in change.pairs])
    values = [
        [process_value(side[:samples]) for side in (pair.base_samples, pair.new_samples)]
        for pair in change.pairs
    ]
    return np.diff(np.log(values), axis=1)[:, 0]


def _replayed(streams: list[Floats]) -> Suite:
    def suite(dice: np.random.Generator, benchmarks: int) -> Floats:
        start, around = dice.integers(PAIRS), np.arange(PAIRS)
        drawn = [streams[i] for i in dice.integers(len(streams), size=benchmarks)]
        rows = [dice.choice([-1, 1]) * x[(start + around) % x.size] for x in drawn]
        return np.array(rows)

    return suite


@dataclass(frozen=True)
class Score:
    """Outcomes of many suites, all of whose benchmarks changed by the same."""

    slower: float
    """Share of benchmarks called slower."""
    alarms: float
    """Share of suites in which a benchmark is called slower or faster."""
    ok: float
    """Share of benchmarks called ok."""
    pairs: float
    """Pairs of a benchmark, on average."""


def compare_suite(
    log_ratios: Floats, rule: PairRule, *, is_widened: bool = True
) -> tuple[list[ChangeStatus], list[int]]:
    """Return status and pairs of each benchmark of a suite, of shape (benchmarks, 48).

    The rule of ``SequentialTest``, for all benchmarks at once and without ties: a hundred times as
    fast, and the same (see tests/unit/stats/test_pair_dependence.py).
    """
    benchmarks = len(log_ratios)
    statuses = [ChangeStatus.INCONCLUSIVE] * benchmarks
    pairs = [0] * benchmarks
    undecided = list(range(benchmarks))
    levels = zip(
        LOOKS,
        _SCHEDULE.levels_change(rule.alpha / rule.comparisons),
        _SCHEDULE.levels_ok(rule.alpha),
        strict=True,
    )
    smallest, margin = math.log1p(rule.min_effect), math.log1p(rule.margin)
    for look, alpha_change, alpha_ok in levels:
        for i in undecided:
            pairs[i] = look
        so_far = [x[:n] for x, n in zip(log_ratios, pairs, strict=True)]
        correlation = pooled_autocorrelation(so_far) if is_widened else 0.0
        inflation = variance_inflation(look, correlation)
        d = log_ratios[undecided, :look]
        p_values = np.stack([_p_greater(x) for x in (d - smallest, -d - smallest, margin - d)])
        going_on = []
        for i, p in zip(undecided, p_values.T.tolist(), strict=True):
            slower, faster, equivalent = (widen_p(each, inflation) for each in p)
            status = decide_status(
                slower, faster, equivalent, alpha_change=alpha_change, alpha_ok=alpha_ok
            )
            hint = status is ChangeStatus.OK and min(slower, faster) <= HINT_P
            if look < PAIRS and (hint or status is ChangeStatus.INCONCLUSIVE):
                going_on.append(i)
            else:
                statuses[i] = status
        undecided = going_on
        if not undecided:
            break
    return statuses, pairs


def _p_greater(differences: Floats) -> Floats:
    """Return the exact p of "no greater than zero" of each row of untied ``differences``."""
    ranks = np.abs(differences).argsort(axis=1).argsort(axis=1) + 1
    t_plus = (ranks * (differences > 0)).sum(axis=1)
    tail = np.cumsum(signed_rank_distribution(differences.shape[1])[::-1])[::-1]
    p_values: Floats = np.minimum(1.0, tail[t_plus])
    return p_values


def score(
    kind: Suite,
    effect: float,
    *,
    suites: int,
    benchmarks: int,
    seed: int,
    is_widened: bool = True,
) -> Score:
    """Return the score of ``suites`` suites whose benchmarks all changed by ``effect``."""
    dice, rule = np.random.default_rng(seed), PairRule(comparisons=benchmarks)
    results = [
        compare_suite(kind(dice, benchmarks) + math.log1p(effect), rule, is_widened=is_widened)
        for _ in range(suites)
    ]
    statuses = np.array([suite for suite, _ in results])
    is_slower = statuses == ChangeStatus.SLOWER
    return Score(
        slower=float(is_slower.mean()),
        alarms=float((is_slower | (statuses == ChangeStatus.FASTER)).any(axis=1).mean()),
        ok=float((statuses == ChangeStatus.OK).mean()),
        pairs=float(np.mean([pairs for _, pairs in results])),
    )


def _power_table(kinds: dict[str, Suite], suites: int, benchmarks: int, seed: int) -> Iterator[str]:
    powers = [f"+{effect:.0%} found" for effect in EFFECTS]
    columns = ["noise", "pairs, unchanged", "alarms, unchanged", "alarms at +1%", "ok at +3%"]
    yield _line([*columns, *powers])
    yield _line(["---"] * (len(columns) + len(powers)))
    for name, kind in kinds.items():
        same, least, *changed = (
            score(kind, effect, suites=suites, benchmarks=benchmarks, seed=seed)
            for effect in (0.0, 0.01, *EFFECTS)
        )
        errors = (same.alarms, least.alarms, changed[EFFECTS.index(0.03)].ok)
        yield _line(
            [name, f"{same.pairs:.1f}", *map(_share, (*errors, *(s.slower for s in changed)))]
        )


def _dependence_table(suites: int, benchmarks: int, seed: int) -> Iterator[str]:
    columns = ["alarms at +1%", "ok at +3%", "pairs, unchanged", "+3% found", "+5% found"]
    yield _line(["autocorrelation", "widened", *columns])
    yield _line(["---"] * (2 + len(columns)))
    for kind_name, kind in (("normal", normal), ("heavy tails", heavy_tails)):
        for r in AUTOCORRELATIONS:
            for is_widened in (False, True):
                least, margin, same, five = (
                    score(
                        autoregressive(r, kind),
                        effect,
                        suites=suites,
                        benchmarks=benchmarks,
                        seed=seed,
                        is_widened=is_widened,
                    )
                    for effect in (0.01, 0.03, 0.0, 0.05)
                )
                errors, power = (least.alarms, margin.ok), (margin.slower, five.slower)
                row = [f"{r:g}, {kind_name}", "yes" if is_widened else "no"]
                row += [*map(_share, errors), f"{same.pairs:.1f}", *map(_share, power)]
                yield _line(row)


def _share(value: float) -> str:
    return f"{value:.1%}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suites", type=int, default=300)
    parser.add_argument("--benchmarks", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("recorded", nargs="*", type=Path, metavar="AB_JSON")
    settings = parser.parse_args()
    size = (settings.suites, settings.benchmarks, settings.seed)
    recorded = dict(recorded_suites(settings.recorded))
    for name, kind in {**KINDS, **recorded}.items():
        noise = [kind(np.random.default_rng(seed), settings.benchmarks) for seed in range(50)]
        spread = _MAD * float(np.median(np.abs(noise)))
        shared = float(np.mean([common_mode(list(suite)).correlation for suite in noise]))
        print(f"{name}: robust deviation {spread:.1%}, correlation of benchmarks {shared:.2f}")
    for line in _power_table({**KINDS, **recorded}, *size):
        print(line, flush=True)
    for line in _dependence_table(*size):
        print(line, flush=True)


if __name__ == "__main__":
    main()
