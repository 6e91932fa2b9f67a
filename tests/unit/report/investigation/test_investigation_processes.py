"""Each process of a case, and what the machine did meanwhile."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.helpers import plausible_run, with_load
from tests.support.runs import MACHINE, timed_run
from veperf.core.run import CaseResult, Failure, Run, Sample
from veperf.report.investigation.processes import find_anomalies, measuring_processes
from veperf.stats.process_values import series_of


def _series(run: Run, case: str, metric: str = "time"):
    return series_of(run)[case, metric]


def _events(run: Run, case: str = "a/b") -> list[tuple[tuple[int, ...], str]]:
    actual = find_anomalies(measuring_processes(run, _series(run, case)), run.machine)
    return [(anomaly.processes, anomaly.what) for anomaly in actual]


def test_values_are_those_that_the_judge_goes_by():
    """For every metric the values are the judge's own, in the same order."""
    run = with_load(plausible_run(failing={"transaction/encode": Failure("raised", "boom")}))

    for series in series_of(run).values():
        actual = [process.value for process in measuring_processes(run, series) if process.counts]

        assert series.values.tolist() == actual


def test_a_process_knows_how_long_it_waited_and_how_often_it_lost_its_cpu():
    """Half the wall time without a CPU is 0.5; three switches in two samples are 1.5 a sample."""
    run = timed_run({"a/b": [100.0]})
    result = CaseResult("a/b", samples=(Sample(1_000, 400, 1), Sample(1_000, 600, 2)))
    run = replace(run, passes=(replace(run.passes[0], results=(result,)),))

    (process,) = measuring_processes(run, _series(run, "a/b"))

    assert (0.5, 1.5, 2) == (process.waited_ratio, process.switches, process.samples)


def test_a_quiet_run_has_no_events():
    """Nothing is said where nothing happened, be it one process or many."""
    rng = np.random.default_rng(1)

    assert [] == _events(timed_run({"a/b": rng.normal(1_000, 5, size=12).tolist()}))
    assert [] == _events(timed_run({"a/b": [1_000.0]}))


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ({"steal_ratio": 0.3}, "the hypervisor gave 30\u202f% of the CPU time to others"),
        ({"load_after": 9.0}, "the machine was busy: load 9.0 on 4 cores"),
        ({"frequency_mhz": 2_000.0}, "the clock was 20\u202f% slower than in the other processes"),
        (
            {"yardstick_ns": 1.2e6},
            "the calibration run took 20\u202f% longer than in the other processes",
        ),
    ],
)
def test_what_happens_to_one_process_is_said_of_that_one(what, text):
    """A planted disturbance is found, in its process alone."""
    run = timed_run({"a/b": [1_000.0] * 6})
    passes = [replace(pass_, frequency_mhz=2_500.0) for pass_ in run.passes]
    passes[2] = replace(passes[2], **what)

    assert [((2,), text)] == _events(replace(run, passes=tuple(passes), machine=MACHINE))


def test_an_odd_value_and_lost_time_are_seen():
    """A value a fifth above the others', and samples that waited for a CPU."""
    run = timed_run({"a/b": [1_000.0, 1_001.0, 1_200.0, 999.0, 1_000.0]})
    waited = CaseResult("a/b", loops=1_000, samples=(Sample(1_500_000, 1_000_000, 9),) * 4)
    passes = [*run.passes[:4], replace(run.passes[4], results=(waited,))]
    passes += [replace(pass_, index=pass_.index + 5) for pass_ in run.passes[:2]]

    actual = _events(replace(run, passes=tuple(passes)))

    assert [(2,), (4,)] == [where for where, _ in actual]
    assert "its value is +20.0\u202f% from the median" == actual[0][1]
    assert actual[1][1].endswith("of its time was not spent on a CPU")


def test_a_failed_process_is_an_event_and_has_no_value():
    """What failed is said, and does not count among the values."""
    run = timed_run({"a/b": [1_000.0, Failure("crashed", "killed by signal 11"), 1_001.0]})

    actual = measuring_processes(run, _series(run, "a/b"))

    assert [True, False, True] == [process.counts for process in actual]
    assert [((1,), "could not be measured: killed by signal 11")] == _events(run)


def test_what_happens_to_many_processes_is_said_once():
    """One line for all of them, with the worst of it."""
    run = timed_run({"a/b": [1_000.0] * 4})
    loads = (9.0, 1.0, 11.0, 10.0)
    passes = [replace(p, load_after=load) for p, load in zip(run.passes, loads, strict=True)]

    actual = _events(replace(run, passes=tuple(passes)))

    assert [((0, 2, 3), "the machine was busy: load 11 on 4 cores")] == actual
