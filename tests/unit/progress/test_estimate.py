"""How long a run still takes."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.runs import one_pass, timed_run
from veperf.core.case import MEMORY_METRICS
from veperf.core.run import CaseResult, Run
from veperf.progress.estimate import TimeEstimate

NAMES = [f"s/{letter}" for letter in "abcdef"]


class Clock:
    """Goes by what is added to it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _run(passes: int = 6) -> Run:
    run = timed_run({name: [1.0] * passes for name in NAMES})
    return replace(run, passes=())


def _measure(
    run: Run, seconds: dict[str, float], estimate: TimeEstimate, clock: Clock
) -> list[tuple[float, float | None]]:
    """Each moment at which a case is done, and the estimate at that moment."""
    dice, seen = Random(1), []
    for index in range(run.config.passes):
        clock.now += 2.0  # a process starts
        for case in dice.sample(run.cases, len(run.cases)):
            estimate.started(index)
            clock.now += seconds[case.id]
            estimate.finished(index, case, CaseResult(case.id))
            seen.append((clock.now, estimate.seconds_left()))
    return seen


@given(st.lists(st.floats(0.01, 60), min_size=6, max_size=6))
def test_from_the_second_pass_on_the_estimate_is_right(lengths):
    """Where every pass takes the same time, nothing is left to guess once one is through."""
    run, clock = _run(), Clock()
    estimate = TimeEstimate(run, clock=clock)
    seen = _measure(run, dict(zip(NAMES, lengths, strict=True)), estimate, clock)

    end = seen[-1][0]
    assert estimate.total == estimate.done == len(seen) == 36
    assert all(left == pytest.approx(end - now, abs=1e-6) for now, left in seen[6:])


def test_earlier_runs_tell_from_the_start():
    """With what the cases took before, the first estimate is right but for the first start."""
    run, clock = _run(), Clock()
    seconds = {name: float(n + 1) for n, name in enumerate(NAMES)}
    estimate = TimeEstimate(run, {(name, False): s for name, s in seconds.items()}, clock)
    before = estimate.seconds_left()
    seen = _measure(run, seconds, estimate, clock)

    assert seen[-1][0] == pytest.approx(before, rel=0.2)


def test_nothing_is_said_while_little_is_known():
    """One case of six says nothing about the others."""
    run, clock = _run(), Clock()
    seen = _measure(run, dict.fromkeys(NAMES, 1.0), TimeEstimate(run, clock=clock), clock)

    assert None is TimeEstimate(run).seconds_left()
    assert [None] * 4 == [left for _, left in seen[:4]]
    assert None is not seen[4][1]


def test_a_machine_that_gets_slower_is_noticed_within_a_pass():
    """Twice as slow from the third pass on: right within 20 % from the fourth on."""
    run, clock, seen = _run(), Clock(), []
    estimate = TimeEstimate(run, clock=clock)
    for index in range(run.config.passes):
        for case in run.cases:
            estimate.started(index)
            clock.now += 1.0 if index < 2 else 2.0
            estimate.finished(index, case, CaseResult(case.id))
            seen.append((clock.now, estimate.seconds_left()))

    end = seen[-1][0]
    assert all(left == pytest.approx(end - now, rel=0.2) for now, left in seen[3 * 6 - 1 : -1])


def test_what_is_done_already_is_not_counted():
    """A run that goes on has only its missing passes ahead."""
    whole = timed_run({name: [1.0] * 6 for name in NAMES})
    half = replace(whole, passes=whole.passes[:4])

    assert 12 == TimeEstimate(half).total
    assert 0 == TimeEstimate(whole).seconds_left()


@pytest.mark.parametrize("knows", [False, True])
def test_passes_that_measure_memory_two_at_a_time_take_half_as_long(knows: bool):
    """The time of a case is its own, not that since the other pass's last one."""
    run, clock = _run(), Clock()
    cases = tuple(replace(case, metrics=MEMORY_METRICS) for case in run.cases)
    config = replace(run.config, passes=4, memory_passes=4)
    earlier = {(case.id, True): 2.0 for case in cases} if knows else {}
    run = replace(run, cases=cases, config=config)
    estimate = TimeEstimate(run, earlier, clock, memory_at_once=2)
    seen = [(clock.now, estimate.seconds_left())]
    for pair in [(0, 1), (2, 3)]:
        for case in cases:
            for index in pair:  # the second one begins a second later
                estimate.started(index)
                clock.now += 1.0
            estimate.finished(pair[0], case, CaseResult(case.id))
            clock.now += 1.0
            estimate.finished(pair[1], case, CaseResult(case.id))
            seen.append((clock.now, estimate.seconds_left()))

    end = seen[-1][0]
    known = seen if knows else seen[len(cases) :]
    assert all(left == pytest.approx(end - now, rel=0.35, abs=2.5) for now, left in known)


def test_no_more_is_left_than_the_budget():
    """What it is too short for is left out, so that it takes no time."""
    run, clock = _run(), Clock()
    run = replace(run, config=replace(run.config, time_budget_s=30.0))
    earlier = {(name, False): 10.0 for name in NAMES}
    estimate = TimeEstimate(run, earlier, clock)

    assert 30 == estimate.seconds_left()
    clock.now = 25
    assert 5 == estimate.seconds_left()
    clock.now = 31
    assert 0 == estimate.seconds_left()
    used = replace(run, passes=(replace(one_pass([]), seconds=20.0),))
    assert 10 == TimeEstimate(used, earlier, clock).seconds_left()
