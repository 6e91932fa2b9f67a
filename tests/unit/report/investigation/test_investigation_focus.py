"""What is looked at first."""

import pytest

from tests.support.helpers import TARGETS, judged, plausible_baselines, plausible_run, with_load
from tests.support.runs import whole_run
from veperf.archive.baselines import load_targets
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.run import Failure, Run
from veperf.core.verdict import Verdict
from veperf.report.investigation.focus import focus_on, rank_focuses
from veperf.verdicts.verdict import run_verdict


def _bad_run() -> tuple[Run, Verdict]:
    run = with_load(
        plausible_run(
            slower={"transaction/decode": 1.4, "transaction/sign": 1.08},
            failing={"transaction/encode": Failure("raised", "boom", "trace")},
        )
    )
    return run, judged(run, plausible_baselines())


def test_failures_come_before_slowdowns_before_misses_before_doubts():
    """The order is that of how bad it is, and every metric of every case has its place once."""
    run, verdict = _bad_run()

    actual = rank_focuses(run, verdict)

    first = [(focus.case.id, focus.mark.word) for focus in actual[:4]]
    assert first == [
        ("transaction/encode", "not measured"),
        ("transaction/decode", "slower"),
        ("transaction/validation", "missed"),
        ("transaction/sign", "suspect"),
    ]
    assert sorted((focus.case.id, focus.metric) for focus in actual) == sorted(
        (case.id, metric.name) for case in run.cases for metric in case.metrics
    )


def test_where_nothing_is_wrong_the_least_steady_comes_first():
    """What nothing is said against is in the order of its spread, from largest to smallest."""
    run = plausible_run()
    calm = [focus for focus in rank_focuses(run, judged(run)) if focus.is_calm]

    spreads = [float(focus.why.split("differ by ")[1].split("\u202f")[0]) for focus in calm]

    assert sorted(spreads, reverse=True) == spreads


def test_a_benchmark_by_name_is_looked_at_by_what_is_wrong_with_it():
    """Without a name it is the worst; with one, its worst metric, or else the judged one."""
    run, verdict = _bad_run()

    assert "transaction/encode" == focus_on(run, verdict).case.id
    assert "slower" == focus_on(run, verdict, "transaction/decode").mark.word
    assert "latency_p95" == focus_on(run, verdict, "transaction/load").metric
    assert "lag_p99" == focus_on(run, verdict, "transaction/load", "lag_p99").metric


def test_what_does_not_exist_is_named_with_what_does():
    """An unknown benchmark, an unknown metric and a run without cases are errors that help."""
    run, verdict = _bad_run()

    with pytest.raises(UnknownBenchmarkError, match="did you mean transaction/decode"):
        focus_on(run, verdict, "transaction/decod")
    with pytest.raises(UsageError, match="there is time"):
        focus_on(run, verdict, "transaction/decode", "memory_peak")
    with pytest.raises(UsageError, match="no metric 'none'"):
        focus_on(run, verdict, "", "none")
    empty = whole_run([], [])
    with pytest.raises(UsageError, match="no benchmark"):
        focus_on(empty, judged(empty))


def test_a_known_miss_is_called_one():
    """What is announced to be missed is called that: a warning, no longer a miss."""
    run = plausible_run()
    missed = focus_on(run, judged(run))

    actual = rank_focuses(run, run_verdict(run, load_targets(TARGETS)))

    assert ("transaction/validation", "missed") == (missed.case.id, missed.mark.word)
    assert "known miss" == next(o for o in actual if o.case.id == missed.case.id).mark.word
