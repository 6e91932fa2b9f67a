"""False and true warnings of the guardrails on simulated pairs, as tables in Markdown.

    python -m benchmarks.guardrail_simulation [suites] [seed]

A suite has 45 benchmarks, judged as ``veperf ab`` does; 50 suites of each kind of noise when not
given. A pair has 20 samples of about 2 ms on each side. CPU times vary between processes and
between samples, with some samples much longer; the scheduler takes the CPU away now and then,
which adds to wall time alone. Set-up takes 20 ms, with a tail. Printed: the share of suites of
unchanged code with any warning, the pairs that it took with and without guardrails, and how often
planted changes of a benchmark were warned of.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veperf.abtest.guardrails import guardrail_warnings
from veperf.abtest.pair import PairResult
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABChange
from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Sample
from veperf.core.text import format_percent
from veperf.report.tables.table import Cell, Table, columns, markdown_table
from veperf.stats.look_schedule import LOOKS, schedule_looks
from veperf.stats.paired import PairRule

SUITES = 50
BENCHMARKS = 45
PLANTED = 50
SAMPLES = 20
LOOPS = 5
SAMPLE_NS = 2_000_000

Floats = NDArray[np.float64]
CASE = Case("simulated/work", "simulated/work", "simulated", Level.MICRO, "Work.")


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Noise of a machine; shares of a sample's time."""

    between: float
    """Spread between processes."""
    within: float
    """Spread between the samples of a process."""
    outliers: float
    """Share of the samples that take longer, half as long again on average."""
    interruptions: float
    """Times that the scheduler takes the CPU away in a sample, for 3 ms on average."""
    bursts: float = 0.0
    """Change of the noise from pair to pair, as the machine gets busier and calms down."""
    modes: float = 0.0
    """Slowdown of three processes of ten, as by an unlucky memory layout."""


NOISES = {
    "calm": Disturbance(0.01, 0.01, 0.01, 0.02),
    "busy": Disturbance(0.02, 0.03, 0.05, 0.5),
    "very busy": Disturbance(0.05, 0.08, 0.1, 3.0),
    "in bursts": Disturbance(0.02, 0.03, 0.05, 0.5, bursts=0.25),
    "two modes": Disturbance(0.01, 0.01, 0.01, 0.02, modes=0.04),
}

Plant = Callable[[np.random.Generator, Floats], tuple[Floats, Floats, float]]
"""Takes CPU times; returns them changed, waits in each sample, and set-up time added in ns."""


def _unchanged(_: np.random.Generator, cpu: Floats) -> tuple[Floats, Floats, float]:
    return cpu, np.zeros(SAMPLES), 0.0


def _slow_calls(dice: np.random.Generator, cpu: Floats) -> tuple[Floats, Floats, float]:
    slow = dice.binomial(LOOPS, 0.02, SAMPLES)
    return cpu * (1 + 9 * slow / LOOPS), np.zeros(SAMPLES), 0.0


def _waits(dice: np.random.Generator, cpu: Floats) -> tuple[Floats, Floats, float]:
    return cpu, (dice.random(SAMPLES) < 0.25).astype(np.float64), 0.0


def _slow_setup(_: np.random.Generator, cpu: Floats) -> tuple[Floats, Floats, float]:
    return cpu, np.zeros(SAMPLES), 10e6


PLANTS: dict[str, Plant] = {
    "every 50th call ten times as long": _slow_calls,
    "a quarter of the samples waits 2 ms": _waits,
    "set-up of 20 ms takes 10 ms more": _slow_setup,
}


def simulated_pairs(
    dice: np.random.Generator, noise: Disturbance, plant: Plant
) -> Iterator[PairResult]:
    """Yield pairs whose new side has what ``plant`` plants."""
    busy = 1.0
    while True:
        busy = min(6.0, max(0.2, busy * float(np.exp(dice.normal(0, noise.bursts)))))
        base = _side(dice, noise, busy, _unchanged)
        yield PairResult(CASE, base, _side(dice, noise, busy, plant))


def _side(dice: np.random.Generator, noise: Disturbance, busy: float, plant: Plant) -> CaseResult:
    level = dice.normal(0, noise.between * busy) + noise.modes * (dice.random() < 0.3)
    spread = dice.normal(0, noise.within * busy, SAMPLES)
    long = (dice.random(SAMPLES) < noise.outliers) * dice.exponential(0.5 * busy, SAMPLES)
    cpu, waits, setup_ns = plant(dice, SAMPLE_NS * np.exp(level + spread) * (1 + long))
    switches = dice.poisson(noise.interruptions * busy, SAMPLES)
    away = dice.gamma(switches, 3e6)  # a sum of exponential times, 0 of none
    wall = cpu * (1 + dice.exponential(0.003, SAMPLES)) + away + 2e6 * waits
    setup_ns += 20e6 * float(np.exp(dice.normal(0, 0.1 * busy)) * (1 + 0.2 * dice.pareto(3)))
    samples = tuple(
        Sample(round(w), round(c), int(s), int(v))
        for w, c, s, v in zip(wall, cpu, switches, waits, strict=True)
    )
    return CaseResult(CASE.id, loops=LOOPS, samples=samples, figures={"setup": setup_ns})


def simulated_change(
    dice: np.random.Generator, noise: Disturbance, plant: Plant, benchmarks: int = BENCHMARKS
) -> ABChange:
    """Compare one of so many ``benchmarks`` until it is decided."""
    comparison = SequentialComparison(CASE, PairRule(comparisons=benchmarks), schedule_looks())
    pairs = simulated_pairs(dice, noise, plant)
    while (change := comparison.add(next(pairs))) is None:
        pass
    return change


def _pairs_of_time(change: ABChange) -> int:
    """Return the pairs that the time alone would have taken, from its looks."""
    for look in change.path:
        p_change = min(look.p_slower or 0.0, look.p_faster or 0.0)
        is_ok = (look.p_equivalent or 0.0) <= look.alpha_ok and p_change > 0.05
        if p_change <= look.alpha_change or is_ok:
            return look.pairs
    return LOOKS[-1]


def main() -> None:
    """Print both tables."""
    suites, seed = (*map(int, sys.argv[1:]), *(SUITES, 1)[len(sys.argv) - 1 :])[:2]
    dice = np.random.default_rng(seed)
    unchanged, planted = [], []
    for name, noise in NOISES.items():
        changes = [
            [simulated_change(dice, noise, _unchanged) for _ in range(BENCHMARKS)]
            for _ in range(suites)
        ]
        every = [change for suite in changes for change in suite]
        false = sum(any(map(guardrail_warnings, suite)) for suite in changes)
        pairs = np.mean([len(change.pairs) for change in every])
        of_time = np.mean([_pairs_of_time(change) for change in every])
        unchanged.append((name, f"{false} of {suites}", f"{of_time:.1f}", f"{pairs:.1f}"))
        cells = [name]
        for plant in PLANTS.values():
            tries = [simulated_change(dice, noise, plant) for _ in range(PLANTED)]
            seen = np.mean([bool(guardrail_warnings(c)) or c.status == "slower" for c in tries])
            cells.append(f"{format_percent(float(seen))}")
        planted.append(tuple(cells))
        print(*unchanged[-1], *cells[1:], sep="\t", file=sys.stderr, flush=True)
    heads = ("Noise", "Suites with a warning", "Pairs of the time alone", "Pairs")
    print(_table(heads, unchanged), _table(("Noise", *PLANTS), planted), sep="\n\n")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown_table(Table("", columns(*heads), tuple(tuple(map(Cell, r)) for r in rows)))


if __name__ == "__main__":
    main()
