"""Which cases a run's passes measure within a time budget, by a clock that costs no time."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.runs import MACHINE, case, one_pass, timed, whole_run
from veperf.core.case import LATENCY_METRICS, MEMORY_METRICS, TIME, Case, Level
from veperf.core.run import Run
from veperf.core.target import Target, TargetSet
from veperf.core.verdict import TargetStatus
from veperf.measure.pass_budget import PassBudget
from veperf.measure.run_profiles import configure
from veperf.verdicts.targets import judge_targets


@dataclass
class Machine:
    """Passes of a run, as ``Passes`` makes them; each takes a second to start."""

    costs: dict[str, float]
    now: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    def measure(self, run: Run, earlier: dict[str, float] | None = None) -> Run:
        budget = PassBudget(
            run, {(id, False): s for id, s in (earlier or {}).items()}, clock=lambda: self.now
        )
        for index in range(run.config.passes):
            began, results = self.now, []
            cases = [c for c in run.cases if run.config.is_measured(c, index)]
            if not (cases := budget.choose(index, cases)):
                continue
            self.now += 1.0
            for each in cases:
                if budget.allows(index, each):
                    self.now += self.costs[each.id]
                    self.counts[each.id] = self.counts.get(each.id, 0) + 1
                    result = timed(each.id, 1.0)
                    results.append(replace(result, seconds=self.costs[each.id]))
            pass_ = replace(one_pass(results, index), seconds=self.now - began)
            budget.add(pass_)
            run = replace(run, passes=(*run.passes, pass_))
        return budget.conclude(run)


def planned(cases: list[Case], budget_s: float, *, memory: bool = False) -> Run:
    run = replace(whole_run(cases, [], machine=MACHINE), passes=())
    config = configure("quick", seed=1, memory=memory, is_whole=True, time_budget_s=budget_s)
    return replace(run, config=config)


def targeted(id: str, metrics=(TIME,)) -> Case:
    return case(id, {metrics[0].name: id}, metrics)


@given(
    st.lists(st.floats(0.01, 5), min_size=1, max_size=12),
    st.floats(5, 200),
    st.randoms(use_true_random=False),
)
def test_the_budget_is_kept_and_targets_come_first(costs, budget_s, random):
    """With known durations: never over by more than a start; no spare time while one is short."""
    cases = [(targeted if random.random() < 0.5 else case)(f"s/{i}") for i in range(len(costs))]
    seconds = dict(zip([c.id for c in cases], costs, strict=True))
    machine = Machine(seconds)

    machine.measure(planned(cases, budget_s), seconds)

    enough = {id for id, n in machine.counts.items() if n >= 3}
    if enough:
        assert machine.now <= budget_s
    # As many as the time allows: the cheapest that is short would not have fitted, either.
    short = [seconds[c.id] for c in cases if c.targets and machine.counts.get(c.id, 0) < 3]
    others = [c.id for c in cases if not c.targets and machine.counts.get(c.id, 0)]
    spent = sum(3 * seconds[c.id] for c in cases if c.targets and c.id in enough)
    for cost in short:
        assert spent + 3 * cost + 3 * 1.5 > 0.95 * budget_s
    assert not (short and not enough and others) or budget_s < 3 * (1.5 + min(short)) / 0.95


def test_plenty_of_time_is_a_whole_run():
    """Six processes of each, of points of curves three, and no note but on the time."""
    point = replace(case("s/a"), id="s/a[n=2]", benchmark="s/a")
    machine = Machine({"s/a": 0.1, "s/a[n=2]": 0.1})

    run = machine.measure(planned([targeted("s/a"), point], 99))

    assert {"s/a": 6, "s/a[n=2]": 3} == machine.counts
    assert (6, 0, {}) == (run.config.passes, run.config.memory_passes, run.left_out)
    (note,) = run.notes
    assert "left out" not in note
    assert "fewer" not in note


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_a_first_pass_without_history_leaves_time_for_two_more(factor: float):
    """However much dearer cases are than expected, cheap ones with targets get 3 processes."""
    dear = [replace(targeted(f"s/{i}"), level=Level.INTEGRATION) for i in range(10)]
    cheap = [targeted(f"s/{i}") for i in range(10, 20)]
    machine = Machine({c.id: factor * (0.02 if c in cheap else 1.0) for c in (*dear, *cheap)})

    machine.measure(planned([*dear, *cheap], 20))

    assert machine.now <= 20 + factor
    assert all(machine.counts[c.id] >= 3 for c in cheap)


def test_targets_that_are_left_out_are_not_measured_and_named():
    """A whole suite too: what was asked for and has no answer is never a pass."""
    cheap = targeted("s/cheap")
    load = replace(targeted("t/load", LATENCY_METRICS), level=Level.LOAD)
    memory = targeted("m/peak", MEMORY_METRICS)
    machine = Machine({"s/cheap": 0.1, "t/load": 30.0, "m/peak": 9.0})

    run = machine.measure(
        planned([cheap, load, memory], 12, memory=True), {"s/cheap": 0.1, "t/load": 30.0}
    )

    assert {"t/load": ("t/load",)} == {id: t for id, t in run.left_out.items() if id != "m/peak"}
    assert ["s/cheap"] == [c.id for c in run.cases if c.id != "m/peak"]
    published = tuple(Target(id, 5, "ms", "lower", "") for id in ("s/cheap", "t/load"))
    targets = TargetSet("1", "", 10, 50, published)
    met, missing = judge_targets(replace(run, cases=(cheap,)), targets)
    assert (TargetStatus.PASS, "s/cheap") == (met.status, met.case)
    assert (TargetStatus.NOT_MEASURED, "t/load") == (missing.status, missing.case)
    assert "it was left out of this run" == missing.reason
    assert "left out, as the time is too short" in run.notes[0]


def test_memory_has_its_share_and_its_passes_their_numbers():
    """Its passes come last, and still do after timed ones that there was no time for."""
    both = case("s/a", {"time": "s/a", "memory_peak": "s/peak"}, (TIME, *MEMORY_METRICS))
    machine = Machine({"s/a": 1.0})

    run = machine.measure(planned([both], 16, memory=True), {"s/a": 1.0})

    assert 3 == run.config.memory_passes
    assert [*range(len(run.passes))] == [pass_.index for pass_ in run.passes]
    assert len(run.passes) == run.config.passes < 9


@pytest.mark.parametrize(
    ("budget_s", "words"),
    [(3, "2 processes of any case take longer"), (9, "2 processes of 1 of 1 case take about")],
)
def test_the_plan_says_how_many_processes_it_is_for(budget_s: float, words: str) -> None:
    """A short run has two; where nothing fits, nothing is said to be left out: it is tried."""
    config = configure("quick", seed=1, short=True, time_budget_s=budget_s)
    run = replace(planned([case("s/a")], budget_s), config=config)
    plan = PassBudget(run, {}).describe_plan()

    assert words in plan
    assert "left out," not in plan
