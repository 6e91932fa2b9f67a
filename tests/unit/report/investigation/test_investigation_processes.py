"""Each process of a case, and what the machine did meanwhile."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.helpers import plausible_run, with_load
from tests.support.runs import MACHINE, timed_run
from veperf.core.run import CaseResult, Failure, Run, Sample
from veperf.report.investigation.processes import events, processes
from veperf.stats.process_values import series_of


def _series(run: Run, case: str, metric: str = "time"):
    return series_of(run)[case, metric]


def _events(run: Run, case: str = "a/b") -> list[tuple[tuple[int, ...], str]]:
    found = events(processes(run, _series(run, case)), run.machine)
    return [(one.processes, one.what) for one in found]


def test_values_are_those_that_the_judge_goes_by():
    """For every metric the values are the judge's own, in the same order."""
    run = with_load(plausible_run(failing={"transaction/encode": Failure("raised", "boom")}))

    for series in series_of(run).values():
        found = [one.value for one in processes(run, series) if one.counts]

        assert series.values.tolist() == found


def test_a_process_knows_how_long_it_waited_and_how_often_it_lost_its_cpu():
    """Half the wall time without a CPU is 0.5; three switches in two samples are 1.5 a sample."""
    run = timed_run({"a/b": [100.0]})
    result = CaseResult("a/b", samples=(Sample(1_000, 400, 1), Sample(1_000, 600, 2)))
    run = replace(run, passes=(replace(run.passes[0], results=(result,)),))

    (one,) = processes(run, _series(run, "a/b"))

    assert (0.5, 1.5, 2) == (one.waited_ratio, one.switches, one.samples)


def test_a_quiet_run_has_no_events():
    """Nothing is said where nothing happened, be it one process or many."""
    rng = np.random.default_rng(1)

    assert [] == _events(timed_run({"a/b": rng.normal(1_000, 5, size=12).tolist()}))
    assert [] == _events(timed_run({"a/b": [1_000.0]}))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"steal_ratio": 0.3}, "the hypervisor gave 30\u202f% of the CPU time to others"),
        ({"load_after": 9.0}, "the machine was busy: load 9.0 on 4\u202fcores"),
        ({"frequency_mhz": 2_000.0}, "the clock was 20\u202f% slower than in the other processes"),
        (
            {"yardstick_ns": 1.2e6},
            "the yardstick took 20\u202f% longer than in the other processes",
        ),
    ],
)
def test_what_happens_to_one_process_is_said_of_that_one(what, said):
    """A planted disturbance is found, in its process alone."""
    run = timed_run({"a/b": [1_000.0] * 6})
    passes = [replace(one, frequency_mhz=2_500.0) for one in run.passes]
    passes[2] = replace(passes[2], **what)

    assert [((2,), said)] == _events(replace(run, passes=tuple(passes), machine=MACHINE))


def test_an_odd_value_and_lost_time_are_seen():
    """A value a fifth above the others', and samples that waited for a CPU."""
    run = timed_run({"a/b": [1_000.0, 1_001.0, 1_200.0, 999.0, 1_000.0]})
    waited = CaseResult("a/b", loops=1_000, samples=(Sample(1_500_000, 1_000_000, 9),) * 4)
    passes = [*run.passes[:4], replace(run.passes[4], results=(waited,))]
    passes += [replace(one, index=one.index + 5) for one in run.passes[:2]]

    found = _events(replace(run, passes=tuple(passes)))

    assert [(2,), (4,)] == [where for where, _ in found]
    assert "its value is +20.0\u202f% from the median" == found[0][1]
    assert found[1][1].endswith("of its time it was not on a CPU")


def test_a_failed_process_is_an_event_and_has_no_value():
    """What failed is said, and does not count among the values."""
    run = timed_run({"a/b": [1_000.0, Failure("crashed", "killed by signal 11"), 1_001.0]})

    found = processes(run, _series(run, "a/b"))

    assert [True, False, True] == [one.counts for one in found]
    assert [((1,), "could not be measured: killed by signal 11")] == _events(run)


def test_what_happens_to_many_processes_is_said_once():
    """One line for all of them, with the worst of it."""
    run = timed_run({"a/b": [1_000.0] * 4})
    loads = (9.0, 1.0, 11.0, 10.0)
    passes = [replace(p, load_after=load) for p, load in zip(run.passes, loads, strict=True)]

    found = _events(replace(run, passes=tuple(passes)))

    assert [((0, 2, 3), "the machine was busy: load 11 on 4\u202fcores")] == found
