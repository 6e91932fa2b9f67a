"""Within a time budget the cheap benchmarks are decided, and the dear ones say why they are not."""

import dataclasses
import random
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.ab_pairs import CASE, broken, timed
from veperf.abtest.budget_planner import BudgetPlanner, Forecast, Position
from veperf.abtest.loop import LoopResult, run_pairs
from veperf.abtest.pair import PairResult
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABChange
from veperf.core.case import Case
from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import schedule_looks
from veperf.stats.paired import PairRule

LOOKS = schedule_looks()
UNCOMPARED = {ChangeStatus.NOT_ENOUGH, ChangeStatus.NOT_MEASURED}


@dataclass
class Machine:
    """Pairs whose cases take the time that ``costs`` says, on a clock of its own."""

    costs: dict[str, float]
    start_s: float = 0.0
    new_ns: float = 100.0
    now_s: float = 0.0
    pairs: list[list[str]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        self.pairs.append([])
        self.now_s += self.start_s
        order = random.Random(index).sample(cases, len(cases)) if index else cases
        for case in order:
            self.now_s += self.costs[case.id]
            self.pairs[-1].append(case.id)
            result = timed(100.0, self.new_ns)
            yield PairResult(case, result.a, result.b, self.costs[case.id])


class Notes(ComparisonProgress):
    """Progress that keeps the plans."""

    def __init__(self) -> None:
        self.plans: list[str] = []

    def planned(self, plan: Sequence[str]) -> None:
        self.plans += plan


def compared(
    machine: Machine, budget_s: float | None, notes: ComparisonProgress | None = None
) -> tuple[LoopResult, dict[str, ABChange]]:
    comparisons = [
        SequentialComparison(replace(CASE, id=id), PairRule(comparisons=len(machine.costs)), LOOKS)
        for id in machine.costs
    ]
    result = run_pairs(
        machine,
        comparisons,
        notes or ComparisonProgress(),
        budget_s,
        looks=LOOKS,
        clock=machine.clock,
    )
    return result, {c.case.id: c.change for c in comparisons if c.change is not None}


def decided(changes: dict[str, ABChange]) -> set[str]:
    return {case for case, change in changes.items() if change.status not in UNCOMPARED}


def test_the_cheap_are_decided_where_one_pair_of_all_takes_the_budget() -> None:
    """Eleven of 1 s and five of 18 s in 110 s: all eleven are decided, the others say why not."""
    costs = {f"cheap{i}": 1.0 for i in range(11)} | {f"dear{i}": 18.0 for i in range(5)}

    result, actual = compared(Machine(costs), 110.0)

    assert "time" == result.stopped
    assert {case for case in costs if case.startswith("cheap")} == decided(actual)
    assert all(ChangeStatus.OK is actual[f"cheap{i}"].status for i in range(11))
    assert actual["dear0"].reason.startswith("not compared: would take about 90")


def test_a_single_benchmark_too_dear_ends_after_its_first_pair() -> None:
    """Six pairs of 20 s are more than 60 s: no more of them are made, and the reason says so."""
    machine = Machine({"dear": 20.0})

    result, actual = compared(machine, 60.0)

    assert ("time", 1) == (result.stopped, len(machine.pairs))
    assert ChangeStatus.NOT_ENOUGH is actual["dear"].status
    expected = "not compared: would take about 100 s, and 40 s of the time budget were left"
    assert expected == actual["dear"].reason.replace("\u202f", " ")


def test_what_was_never_measured_says_so() -> None:
    """The first pair took it all; or what was left is too little to try."""
    _, actual = compared(Machine({"dear": 20.0, "other": 20.0}), 15.0)
    _, short = compared(Machine({"first": 10.0, "second": 10.0}), 65.0)

    assert ChangeStatus.NOT_MEASURED is actual["other"].status
    assert "not compared: the time budget ended before its first pair" == actual["other"].reason
    assert short["second"].reason.startswith("not compared: its time is unknown, and 5")


def test_the_first_pair_stops_where_the_next_would_cost_what_is_sure() -> None:
    """Looking at one more of 10 s would leave the first, which fits just so, without its pairs."""
    machine = Machine({"first": 10.0, "second": 10.0})

    _, actual = compared(machine, 65.0)

    assert 1 == len(machine.pairs[0])
    assert set(machine.pairs[0]) == decided(actual)


def test_time_that_is_up_gives_those_past_a_look_their_last_one() -> None:
    """Tenfold slowdowns, which 6 pairs prove at a last look only; one of two gets 8 in time."""
    machine = Machine({"work": 10.0, "other": 10.0}, new_ns=1000.0)

    result, actual = compared(machine, 145.0)

    assert "time" == result.stopped
    assert {ChangeStatus.SLOWER} == {change.status for change in actual.values()}
    assert [6, 8] == sorted(len(change.pairs) for change in actual.values())


def test_without_a_budget_all_go_on_and_the_forecast_is_shown() -> None:
    """Pairs of 3 s: 5 more for the first decisions, 47 at most."""
    notes = Notes()

    result, actual = compared(Machine({"a": 1.0, "b": 1.0}, start_s=1.0), None, notes)

    assert "" == result.stopped
    assert {"a", "b"} == decided(actual)
    expected = "about 15 s to the first decisions, 27 s to most, 2 min at most"
    assert [expected] == [line.replace("\u202f", " ") for line in notes.plans]


def test_who_is_left_out_is_told_once() -> None:
    """With what it would take; the forecast is of those that go on."""
    notes = Notes()

    compared(Machine({"cheap": 1.0, "dear": 30.0}), 100.0, notes)

    forecast, *left_out = notes.plans
    assert "about 5 s to the first" in forecast.replace("\u202f", " ")
    assert 1 == len(left_out)
    assert left_out[0].startswith("dear is left out: would take about 2")  # minutes


def test_starting_the_processes_is_a_cost_of_the_pair() -> None:
    """Two cases of 1 s do not fit 6 times into 40 s where each pair starts with 5 s, one does."""
    now = [0.0]
    planner = BudgetPlanner(40.0, 6, clock=lambda: now[0])
    planner.pair_started()
    now[0] = 6.0
    planner.measured("a", 1.0)
    now[0] = 8.0
    planner.measured("b", 2.0)

    actual = planner.choose([Position("a", 1, 6), Position("b", 1, 6)])

    assert ["a"] == actual


def test_a_forecast_never_exceeds_the_budget() -> None:
    """What is left is all there is."""
    now = [0.0]
    planner = BudgetPlanner(20.0, 6, clock=lambda: now[0])
    planner.pair_started()
    now[0] = 1.0
    planner.measured("a", 1.0)

    assert Forecast(5.0, 9.0, 19.0) == planner.forecast(["a"], 1, 48)


def best_count(costs: Iterable[float], start_s: float, budget_s: float) -> int:
    """The most cases whose first six pairs fit, after a first pair of all."""
    ordered = sorted(costs)
    left = budget_s - start_s - sum(ordered)
    fits = [n for n in range(1, len(ordered) + 1) if 5 * (start_s + sum(ordered[:n])) <= left]
    return max(fits, default=0)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=12),
    st.floats(0, 3),
    st.floats(1, 1000),
)
def test_any_plan_keeps_the_budget_and_the_cheapest(
    costs: list[float], start_s: float, budget_s: float
) -> None:
    """Over by one case at most; a status for each; none dearer than one left out is compared; and
    as many as possible, where the first pair could measure all."""
    machine = Machine({f"case{i}": cost for i, cost in enumerate(costs)}, start_s=start_s)

    _, actual = compared(machine, budget_s)

    assert machine.now_s <= budget_s + start_s + max(costs)
    assert set(machine.costs) == set(actual)
    known = set(machine.pairs[0])
    dearest = max((machine.costs[case] for case in decided(actual)), default=0.0)
    assert all(machine.costs[case] >= dearest for case in known - decided(actual))
    if known == set(actual) and machine.now_s < budget_s:
        assert len(decided(actual)) >= best_count(costs, start_s, budget_s)


@pytest.mark.parametrize("budget_s", [None, 1e6])
def test_plenty_of_time_is_no_plan(budget_s: float | None) -> None:
    """All go on together."""
    machine = Machine({"a": 1.0, "b": 5.0, "c": 60.0})

    result, actual = compared(machine, budget_s)

    assert "" == result.stopped
    assert {6} == {len(change.pairs) for change in actual.values()}
    assert [["a", "b", "c"]] * 6 == [sorted(pair) for pair in machine.pairs]


def test_a_hand_that_stops_decides_nothing_and_a_failure_costs_one() -> None:
    """Ctrl-C in the third pair; one benchmark failed in the second."""

    class Interrupted(Machine):
        def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
            if index == 2:
                raise KeyboardInterrupt
            for result in super().measure(index, cases):
                bad = index == 1 and result.case.id == "bad"
                yield dataclasses.replace(broken(), case=result.case) if bad else result

    machine = Interrupted({"good": 1.0, "bad": 1.0})

    result, actual = compared(machine, 100.0)

    assert ("hand", 2) == (result.stopped, len(result.rounds))
    assert ChangeStatus.INCONCLUSIVE is actual["good"].status
    assert ChangeStatus.ERROR is actual["bad"].status
