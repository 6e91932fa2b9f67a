"""A comparison says where its pairs, or its benchmarks, depend on each other."""

import numpy as np
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest.comparison_report import comparison_text
from veperf.abtest.dependence_notes import dependence_notes, describe_dependence
from veperf.core.ab_records import ABPair, ABRun
from veperf.core.gate import GateDecision, Outcome
from veperf.core.verdict import ChangeStatus


def measured(shared: float, pairs: int = 12, benchmarks: int = 8) -> ABRun:
    """Benchmarks of which this share of the noise is that of all."""
    chance = np.random.default_rng(3)
    common = chance.normal(0, 1, pairs)
    changes = []
    for i in range(benchmarks):
        noise = np.sqrt(shared) * common + np.sqrt(1 - shared) * chance.normal(0, 1, pairs)
        values = tuple(ABPair(100.0, 100.0 * x) for x in np.exp(0.02 * noise).tolist())
        changes.append(replace(change(f"mine/{i}", ChangeStatus.OK), pairs=values))
    return ab_run(*changes)


def test_independent_pairs_need_no_note() -> None:
    """The figures are there for who looks."""
    run = measured(0.0)

    assert [] == dependence_notes(run)
    assert "rank correlation of benchmarks in a pair" in describe_dependence(run)
    assert "autocorrelation" not in describe_dependence(run)


def test_autocorrelated_pairs_are_told_with_what_they_are_worth() -> None:
    """12 pairs at 0.5 are worth 12 / 2.67."""
    run = replace(measured(0.0), autocorrelation=0.5)

    (note,) = dependence_notes(run)

    assert "autocorrelation 0.5" in note
    assert "12 pairs count for 4.5" in note
    assert note in comparison_text(run, GateDecision(Outcome.PASS, 0, "fine"))
    assert describe_dependence(run).startswith("autocorrelation of pairs 0.5")


def test_benchmarks_that_move_together_are_told() -> None:
    """Half of the noise is that of all."""
    (note,) = dependence_notes(measured(0.5))

    assert "move together (rank correlation 0." in note


def test_a_single_benchmark_tells_nothing() -> None:
    """Nor do values that have no ratio, or too few pairs."""
    run = measured(0.0, benchmarks=1)
    zero = ab_run(*(replace(c, pairs=(ABPair(0.0, 1.0),) * 8) for c in measured(0.5).changes))

    for unknown in (run, zero, measured(0.5, pairs=3), ab_run()):
        assert "unknown, from so few pairs" == describe_dependence(unknown)
        assert [] == dependence_notes(unknown)
