"""A search over several processes, of simulated systems whose capacity is known."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.runs import one_pass, whole_run
from tests.support.simulated import MS, Clock, Server, simulate
from veperf.core.case import Case, Level, Metric
from veperf.core.errors import MeasureError
from veperf.core.load import CpuContention, LoadPlan, LoadSoFar, Search, Trial
from veperf.core.registry import LoadTask
from veperf.core.run import CaseResult, Run
from veperf.core.sustained_rate import sustained_rate
from veperf.core.target import Target, TargetSet
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.loadtest import sustained
from veperf.loadtest.backlog import Backlog, drain_backlog
from veperf.loadtest.case import measure_load
from veperf.loadtest.generator import ProgressCallback, keep_going
from veperf.loadtest.result import LoadResult
from veperf.loadtest.schedule import Schedule
from veperf.verdicts.targets import judge_targets

ID = "loads/most"
LIMITS = Search(100, 250, 0.1, start=100, highest=2_000)
QUICK = LoadPlan(by_trials=False, backlog_s=2, confirm_s=4, warmup_s=0.5)
BY_TRIALS = LoadPlan(backlog_s=2, confirm_s=4, warmup_s=0.5, trial_s=1.5)
STARVED = CpuContention(10, 2, ran_s=5, waited_s=5, others_s=15, stolen_s=0)
PROCESSES = 6


class Machine:
    """A machine on which nothing takes time; ``service_ns`` of its system by number of process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service_ns: Callable[[int], int] = lambda _: 2 * MS
        self.starved: frozenset[int] = frozenset()
        self.process = 0
        self.limits = LIMITS
        # Of 500 a second, 400 is tried, whatever share is the best on real machines.
        monkeypatch.setattr(sustained, "BACKLOG_MARGIN", 0.8)
        monkeypatch.setattr(sustained, "run_open_loop", self._load)
        monkeypatch.setattr(sustained, "drain_backlog", self._drain)

    def task(self, limits: Search | None = None) -> LoadTask:
        """The load, which is simulated whatever its system."""
        return LoadTask(lambda _: pytest.fail("it is simulated"), limits or self.limits)

    def run(self, plan: LoadPlan = QUICK, processes: int = PROCESSES) -> Run:
        """The processes of a search, as the passes of a run make them."""
        task = self.task()
        trials: tuple[Trial, ...] = ()
        results: list[CaseResult] = []
        for self.process in range(processes):
            if sustained_rate(trials) is None:
                results.append(measure_load(ID, task, plan, self.process, earlier=trials))
                trials += results[-1].trials
        return run_of(results)

    @property
    def _contention(self) -> CpuContention | None:
        return STARVED if self.process in self.starved else None

    def _server(self, clock: Clock) -> Server:
        return Server(clock, self.service_ns(self.process))

    def _load(
        self,
        system: object,
        schedule: Schedule,
        *,
        drain_s: float,
        on_progress: ProgressCallback,
        is_stopped: Callable[[], bool],
    ) -> LoadResult:
        return simulate(
            self._server, schedule, on_progress=on_progress, contention=self._contention
        )

    def _drain(
        self, system: object, items: int, seconds: float, *, is_stopped: Callable[[], bool]
    ) -> Backlog:
        clock = Clock()
        return drain_backlog(
            lambda _: self._server(clock),
            items,
            seconds,
            clock=clock,
            cpu_clock=clock.cpu,
            watch=lambda: lambda: self._contention,
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def run_of(results: Sequence[CaseResult]) -> Run:
    metrics = Metric("throughput", "1/s", "higher"), Metric("capacity", "1/s", "higher")
    case = Case(
        ID, ID, "loads", Level.LOAD, "", metrics=metrics, targets={"throughput": "loads/most"}
    )
    return whole_run([case], [one_pass([r], index) for index, r in enumerate(results)])


def verdict_on(run: Run, limit: float) -> TargetVerdict:
    target = Target("loads/most", limit, "1/s", "higher", "rate")
    (verdict,) = judge_targets(run, TargetSet("1", "tests", 10, 20, (target,)))
    return verdict


def results_of(run: Run) -> list[CaseResult]:
    return [result for pass_ in run.passes for result in pass_.results]


@pytest.mark.slow
@given(service_us=st.integers(500, 20_000), items=st.integers(200, 100_000))
@settings(max_examples=8, deadline=None)
def test_a_backlog_is_drained_at_the_server_s_rate(service_us: int, items: int) -> None:
    """Whatever the rate, and however few items there are, to the size of a step."""
    clock = Clock()
    backlog = drain_backlog(
        lambda _: Server(clock, service_us * 1_000),
        items,
        2.0,
        clock=clock,
        cpu_clock=clock.cpu,
        watch=lambda: lambda: None,
    )

    assert backlog.capacity == pytest.approx(1e6 / service_us if backlog.committed else 0, rel=0.01)
    assert 0 == backlog.errors


def test_two_processes_that_hold_decide(machine: Machine) -> None:
    """500 a second at most: 400 is tried, holds twice, and meets a target of 400 at once."""
    run = machine.run()
    verdict = verdict_on(run, 400)

    assert [["backlog", "confirmation"]] * 2 == [
        [trial.kind for trial in result.trials] for result in results_of(run)
    ]
    assert [None, pytest.approx(400, rel=0.01)] == [
        result.figures.get("throughput") for result in results_of(run)
    ]
    assert [500, 500] == pytest.approx([r.figures["capacity"] for r in results_of(run)], rel=0.01)
    assert (TargetStatus.PASS, 2) == (verdict.status, verdict.processes)
    assert verdict.reason.endswith("held in 2 of 2")


@pytest.mark.parametrize(("published", "backlogs"), [(40, 1), (400, 1), (490, 2)])
def test_a_second_backlog_is_drained_where_it_could_tell_a_miss_from_a_slow_estimate(
    machine: Machine, published: float, backlogs: int
) -> None:
    """Of a capacity of 500, 400 is tried: no miss of a target of 40 or 400, but one of 490."""
    machine.limits = replace(LIMITS, published=(published,))
    run = machine.run()

    kinds = [trial.kind for result in results_of(run) for trial in result.trials]
    assert (backlogs, 2) == (kinds.count("backlog"), kinds.count("confirmation"))
    expected = TargetStatus.NOT_MEASURED if backlogs > 1 else TargetStatus.PASS
    assert expected is verdict_on(run, published).status


@pytest.mark.slow
def test_one_process_that_misses_has_a_third_decide(machine: Machine) -> None:
    """It was slower for once: two of three hold."""
    machine.service_ns = lambda process: (3 if process == 1 else 2) * MS
    run = machine.run()

    assert 3 == len(run.passes)
    assert results_of(run)[2].figures["throughput"] == pytest.approx(400, rel=0.01)
    assert verdict_on(run, 400).reason.endswith("held in 2 of 3")
    assert ["confirmation"] == [trial.kind for trial in results_of(run)[2].trials]
    missed = results_of(run)[1].trials[-1]
    assert ("confirmation", False, "serve") == (missed.kind, missed.met, missed.gave_out)
    assert missed.seconds < QUICK.confirm_s, "a queue without end is not waited for"


@pytest.mark.parametrize(
    "limits", [Search(3, 250, 0.1, 100, 2_000), Search(100, 3, 0.1, 100, 2_000)]
)
def test_a_load_ends_once_its_miss_is_certain(machine: Machine, limits: Search) -> None:
    """400 of 500 a second leave a queue: over 3 ms in far more than 5 % of the load, so it ends."""
    result = measure_load(ID, machine.task(limits), QUICK, 1)

    first = next(trial for trial in result.trials if trial.kind == "confirmation")
    assert (False, "serve") == (first.met, first.gave_out)
    assert first.seconds < QUICK.confirm_s


def test_a_rate_that_is_clearly_too_much_is_lowered_at_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same process confirms the rate that it achieved, less a margin."""
    monkeypatch.setattr(sustained, "BACKLOG_MARGIN", 1.3)
    run = machine.run()
    first = results_of(run)[0].trials

    assert ["backlog", "trial", "confirmation"] == [trial.kind for trial in first]
    assert [True, False, True] == [trial.met for trial in first]
    assert 2 == len(run.passes)
    assert verdict_on(run, 400).value == pytest.approx(450, rel=0.02)


@pytest.mark.parametrize(
    ("published", "tried"), [(410, 410), (470, 470), (480, 400), (390, 400), (100, 400)]
)
def test_a_published_rate_near_the_estimate_is_tried(
    machine: Machine, published: float, tried: float
) -> None:
    """Of a capacity of 500: up to 95 % of it, in the place of 80 %."""
    limits = replace(LIMITS, published=(50, published))
    trials = measure_load(ID, machine.task(limits), QUICK, 1).trials

    assert tried == pytest.approx(trials[1].rate, rel=0.01)


@pytest.mark.slow
def test_trials_lead_to_the_same_rate(machine: Machine) -> None:
    """A search in the first process only; the others confirm what it found."""
    run = machine.run(BY_TRIALS)

    assert {"trial", "backlog", "confirmation"} == {t.kind for t in results_of(run)[0].trials}
    assert ["backlog", "confirmation"] == [trial.kind for trial in results_of(run)[1].trials]
    assert verdict_on(run, 400).value == pytest.approx(480, rel=0.07)


@pytest.mark.slow
def test_a_single_process_decides_for_itself_and_answers_no_target(machine: Machine) -> None:
    """As `veperf load` does: shown, but the word of one process."""
    run = machine.run(LoadPlan(passes=1, confirm_s=4, warmup_s=0.5, trial_s=1.5))

    (result,) = results_of(run)
    assert 2 == sum(trial.kind == "confirmation" for trial in result.trials)
    assert result.figures["throughput"] == pytest.approx(480, rel=0.07)
    assert TargetStatus.NOT_MEASURED is verdict_on(run, 400).status


@pytest.mark.slow
@pytest.mark.parametrize(
    ("starved", "processes"), [({0}, 3), ({1, 2}, 4), ({0, 2, 3}, 5), ({0, 1, 2, 3, 4}, 6)]
)
def test_a_process_on_a_busy_machine_counts_neither_way(
    machine: Machine, starved: set[int], processes: int
) -> None:
    """Its load is made again in another one, as long as there are some left."""
    machine.starved = frozenset(starved)
    run = machine.run()
    verdict = verdict_on(run, 10_000)

    assert processes == len(run.passes)
    is_decided = processes - len(starved) >= 2
    assert (TargetStatus.FAIL if is_decided else TargetStatus.NOT_MEASURED) is verdict.status
    assert is_decided == (verdict.over is not None)
    assert is_decided or "the machine was too busy" in verdict.reason


def test_a_load_that_the_search_ends_was_not_stopped_by_hand(machine: Machine) -> None:
    """Neither where it misses nor where the machine was too busy to tell."""
    machine.service_ns = lambda process: (5 if process else 2) * MS
    machine.starved = frozenset({2})
    run = machine.run()

    (void,) = results_of(run)[2].trials
    assert void.void
    assert void.seconds < QUICK.confirm_s, "it was ended"
    assert {None} == {result.stopped_after_s for result in results_of(run)}


@pytest.mark.slow
def test_a_rate_that_no_two_processes_agree_on_is_not_measured(machine: Machine) -> None:
    """A system that is ever slower: each rate is given up, and there is no answer."""
    machine.service_ns = lambda process: (2 + process) * MS
    verdict = verdict_on(machine.run(), 400)

    assert TargetStatus.NOT_MEASURED is verdict.status
    assert "no rate is confirmed" in verdict.reason


@pytest.mark.parametrize(
    ("later", "status"), [(5, TargetStatus.FAIL), (2, TargetStatus.NOT_MEASURED)]
)
def test_a_slow_estimate_is_no_miss_where_backlogs_are_drained_faster(
    machine: Machine, later: int, status: TargetStatus
) -> None:
    """160 a second held, but 500 may have: nothing above it was tried."""
    machine.service_ns = lambda process: (later if process else 5) * MS
    verdict = verdict_on(machine.run(), 400)

    assert status is verdict.status
    assert verdict.value == pytest.approx(160, rel=0.01)


@pytest.mark.slow
def test_a_system_that_commits_nothing_sustains_nothing(machine: Machine) -> None:
    """That is a miss, by every process."""
    machine.service_ns = lambda _: 100_000 * MS
    verdict = verdict_on(machine.run(), 10)

    assert (TargetStatus.FAIL, 0) == (verdict.status, verdict.value)


@pytest.mark.slow
def test_a_search_that_is_stopped_says_so(machine: Machine) -> None:
    """It is no miss."""
    task = machine.task()
    for plan in (QUICK, BY_TRIALS):
        with pytest.raises(MeasureError, match="ended before it found a rate"):
            measure_load(ID, task, plan, 1, on_progress=lambda _: False)
    assert keep_going(LoadSoFar(1, 1, None, None, 0, 0))


@pytest.mark.parametrize(
    ("so_far", "expected"),
    [
        (LoadSoFar(4.0, 11, 400, 500, 0, 0), True),
        (LoadSoFar(3.9, 11, 400, 500, 0, 0), False),
        (LoadSoFar(4.0, 11, 490, 500, 0, 0), False),
        (LoadSoFar(4.0, 11, 400, 99, 0, 0), False),
        (LoadSoFar(4.0, 11, 0, None, 0, 0), True),
        (LoadSoFar(4.0, 11, None, None, 0, 0), False),
    ],
)
def test_only_a_queue_that_grows_ends_a_load(so_far: LoadSoFar, expected: bool) -> None:
    """After 3 s: late by the limit, and short of what is offered. At 500 a second."""
    is_overloaded = partial(sustained.is_overloaded, rate=500, warmup_s=1, search=LIMITS)

    assert expected == is_overloaded(so_far)
