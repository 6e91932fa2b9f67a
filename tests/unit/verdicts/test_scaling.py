"""Limits at sizes and rules of degradation, on Go's output and on veperf's own curves."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.support.runs import case, one_pass, timed, whole_run
from veperf.core.case import Case
from veperf.core.gate import Answer, Effect, GateItem
from veperf.core.objectives import DegradationRules, ScaleBaselines, ScaleLimit
from veperf.core.policy import GatePolicy
from veperf.core.run import Run
from veperf.core.target import Target
from veperf.formats.readers import read_runs
from veperf.verdicts.scaling import scaling_items, size_curves

_RULES = DegradationRules(2, 5, 10)
_PACKAGE = "github.com/virtengine/virtengine/tests/load/scale"


def _go(function: str, unit: str, costs: dict[int, float], values: int = 6) -> Run:
    """Output of go test, of sub-benchmarks of several sizes with 1 % of noise."""
    lines = [f"pkg: {_PACKAGE}"]
    for i in range(values):
        wobble = 1 + (i % 3 - 1) / 100
        lines += [
            f"Benchmark{function}/{unit}_{size}-4 \t 100 \t {cost * wobble:.2f} ns/op"
            for size, cost in costs.items()
        ]
    (imported,) = read_runs("\n".join([*lines, "PASS", ""]).encode(), "f")
    return imported.run


def _items(run: Run, *limits: ScaleLimit, per_item: bool = False) -> list[GateItem]:
    baselines = ScaleBaselines("f", limits, _RULES)
    counterparts = {"BenchmarkVotingPowerCalculation": "validator_set/power"}
    return list(scaling_items(run, baselines, GatePolicy(), counterparts, per_item=per_item))


@pytest.mark.parametrize(
    ("growth", "answer", "effect"),
    [
        (1.0, Answer.MET, Effect.PASS),
        (1.9, Answer.MET, Effect.PASS),
        (2.0, Answer.INCONCLUSIVE, Effect.INCONCLUSIVE),
        (2.2, Answer.MISSED, Effect.WARN),
        (4.5, Answer.MISSED, Effect.WARN),
        (6.0, Answer.MISSED, Effect.FAIL),
        (20.0, Answer.MISSED, Effect.FAIL),
    ],
)
def test_the_cost_at_ten_times_the_size(growth: float, answer: Answer, effect: Effect) -> None:
    """At most twice as much is acceptable, five times a warning, and then a failure."""
    costs = {1000: 100.0, 10_000: 100 * growth, 100_000: 100 * growth * min(growth, 1.5)}

    (item,) = _items(_go("ValidatorLookup", "validators", costs))

    assert (answer, effect) == (item.answer, item.effect)
    assert ("critical" in item.rule) == (growth > 10)


def test_the_cost_of_one_of_many() -> None:
    """Going through all of them costs ten times as much, and one of them as much as before."""
    run = _go("OpenOrderIteration", "orders", {1000: 1000.0, 10_000: 10_000.0})

    assert Effect.FAIL is _items(run)[0].effect
    assert "linear growth" in _items(run)[0].reason
    assert Effect.PASS is _items(run, per_item=True)[0].effect


def test_single_values_decide_nothing() -> None:
    """One value a size has no interval: not measured, which does not pass."""
    (item,) = _items(_go("ValidatorLookup", "validators", {1000: 1.0, 10_000: 1.0}, values=1))

    assert (Answer.NOT_MEASURED, Effect.ERROR) == (item.answer, item.effect)


def _limit(id: str, limit: float, unit: str, size: float | None) -> ScaleLimit:
    return ScaleLimit(Target(id, limit, unit, "lower", id), "validators", size)


@pytest.mark.parametrize(
    ("limit", "size", "answer"),
    [
        (1.0, 10_000, Answer.MET),
        (0.5, 10_000, Answer.MISSED),
        (1.0, 1_000, Answer.MET),
        (1.0, 1_000_000, Answer.NOT_MEASURED),
        (0.5, 1_000_000, Answer.MISSED),
    ],
)
def test_limits_hold_at_a_size(limit: float, size: float, answer: Answer) -> None:
    """A smaller size can miss a limit, and can't meet it."""
    run = _go("VotingPowerCalculation", "validators", {1000: 8e5, 10_000: 9e5})
    id = "validator_operations/voting_power_calc_max_ms"

    assert answer is _items(run, _limit(id, limit, "ms", size))[-1].answer


@pytest.mark.parametrize(("rate", "answer"), [(9e5, Answer.MET), (2e6, Answer.MISSED)])
def test_a_rate_is_the_size_over_the_time(rate: float, answer: Answer) -> None:
    """Where Go's own metric is not there: 10,000 orders in 10 ms are a million a second."""
    run = _go("OpenOrderIteration", "orders", {1000: 1e6, 10_000: 1e7, 100_000: 1e9})
    target = Target("marketplace_operations/order_iteration_rate", rate, "1/s", "higher", "rate")

    item = _items(run, ScaleLimit(target, "orders", 9_000))[-1]

    assert answer is item.answer
    assert "at 10,000 orders" in item.reason


def test_limits_that_no_benchmark_gives_are_shown_once() -> None:
    """They are a note; one whose benchmark is not in the run does not pass."""
    run = _go("ValidatorLookup", "validators", {1000: 1.0, 10_000: 1.0})
    absent = _limit("validator_operations/iteration_max_sec", 30, "s", 1000)
    others = [_limit(f"a/b{i}_ms", 1, "ms", 1000) for i in range(3)]

    items = _items(run, *others, absent)

    assert [Effect.PASS, Effect.ERROR, Effect.NOTE] == [item.effect for item in items]
    assert items[-1].reason.startswith("no benchmark gives 3 limits: a/b0_ms")


def _curve(sizes: Sequence[int]) -> list[Case]:
    base = case("validator_set/power")
    return [
        replace(base, id=f"{base.id}[validators={n}]", params={"validators": n, "threads": 2})
        for n in sizes
    ]


def test_own_curves() -> None:
    """Cases that differ by one parameter alone; a number of threads is no size."""
    cases = _curve([1000, 10_000])
    other = replace(cases[0], id="x[threads=4]", params={"validators": 1000, "threads": 4})
    times = {cases[0].id: 1000.0, cases[1].id: 1500.0, other.id: 500.0}
    run = whole_run(
        [*cases, other],
        [one_pass([timed(c, t * (1 + i / 100)) for c, t in times.items()], i) for i in range(4)],
    )

    (curve,) = size_curves(run)

    assert ("validator_set/power by validators", [1000, 10_000]) == (
        curve.name,
        [size for size, _ in curve.points],
    )
    limit = _limit("validator_operations/voting_power_calc_max_ms", 1, "ms", 10_000)
    assert [Answer.MET, Answer.MET] == [item.answer for item in _items(run, limit)]
