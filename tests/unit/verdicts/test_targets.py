"""Published targets are judged by the rules, to the bound, in their unit."""

import math
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.support.runs import CRASH, case, one_pass, timed_run, whole_run
from veperf.core.case import Better, Metric
from veperf.core.errors import COULD_NOT_MEASURE, UnknownTargetError, UsageError
from veperf.core.gate import Answer
from veperf.core.run import CaseResult, Failure, HotLine, Sample
from veperf.core.target import Successor, Target, TargetSet
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.verdicts.targets import judge_targets
from veperf.verdicts.verdict import run_verdict


def target(
    limit: float = 1000.0, unit: str = "ns", better: Better = "lower", id: str = "demo/a"
) -> Target:
    return Target(id, limit, unit, better, "Works.")


def published(*targets: Target) -> TargetSet:
    return TargetSet("1.0.0", "PERF-001", 10, 20, targets)


def judged(times_ns: Sequence[float | Failure], wanted: Target) -> TargetVerdict:
    run = timed_run({"demo/a": times_ns}, targets={"demo/a": wanted.id})
    (actual,) = judge_targets(run, published(wanted))
    return actual


@pytest.mark.parametrize(
    ("time_ns", "status"),
    [
        (400, "pass"),
        (1000, "pass"),
        (1100, "pass"),
        (1101, "warn"),
        (1200, "warn"),
        (1201, "fail"),
        (3400, "fail"),
    ],
)
def test_the_bounds_belong_to_the_milder_side(time_ns: float, status: str) -> None:
    """Pass to +10 %, warn to +20 %, fail beyond."""
    actual = judged([time_ns] * 6, target())

    assert status == actual.status
    assert math.isclose(time_ns / 1000 - 1, actual.over or 0.0, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("value", "status"), [(64.0, "pass"), (64.07, "fail"), (70.0, "fail"), (100.0, "fail")]
)
def test_an_exact_figure_over_its_limit_is_over_it(value: float, status: str) -> None:
    """There is no noise to allow for."""
    figure = Metric("held", "KiB", exact=True)
    results = [CaseResult("demo/a", figures={"held": value})] * 3
    measured = case("demo/a", {"held": "demo/a"}, metrics=(figure,))
    run = whole_run([measured], [one_pass([result]) for result in results])

    (actual,) = judge_targets(run, published(target(64.0, "KiB")))

    assert status == actual.status


@pytest.mark.parametrize(
    ("rate", "status"),
    [(9000, "pass"), (4500, "pass"), (4400, "warn"), (4000, "warn"), (3990, "fail")],
)
def test_rates_must_not_fall_short(rate: float, status: str) -> None:
    """A target of 5,000 tx/s answered by time: the same percents, below the limit."""
    actual = judged([1e9 / rate] * 6, target(5000, "tx/s", "higher"))

    assert status == actual.status
    assert math.isclose(rate, actual.value or 0.0, rel_tol=1e-5)


@pytest.mark.parametrize("limit", [0.3, 3, 7, 30, 1e4, 12.345])
@pytest.mark.parametrize(("percent", "status"), [(10, "pass"), (20, "warn")])
@pytest.mark.parametrize("better", ["lower", "higher"])
def test_rounding_does_not_decide(limit: float, percent: int, status: str, better: Better) -> None:
    """Exactly 10 or 20 % beyond any limit is still the milder verdict."""
    value = limit * (100 + percent) / 100 if better == "lower" else limit * (100 - percent) / 100
    figure = Metric("figure", "ms", better)
    run = whole_run(
        [case("demo/a", {"figure": "demo/a"}, (figure,))],
        [one_pass([CaseResult("demo/a", figures={"figure": value})])] * 3,
    )

    (actual,) = judge_targets(run, published(target(limit, "ms", better)))

    assert status == actual.status


def test_the_value_is_the_median_in_the_targets_unit() -> None:
    """Milliseconds for nanoseconds, with the interval and the coverage that it really has."""
    actual = judged([3e6, 1e6, 2e6, 5e6, 4e6, 6e6], target(10, "ms"))

    assert (3.5, 1.0, 6.0, 0.96875, 6) == (
        actual.value,
        actual.low,
        actual.high,
        actual.confidence,
        actual.processes,
    )


@pytest.mark.parametrize(
    ("times", "noisy"),
    [([900, 950, 1300, 1310, 1320, 1400], True), ([1290, 1295, 1300, 1310, 1320, 1400], False)],
)
def test_a_miss_inside_the_noise_is_said_to_be(times: list[float], noisy: bool) -> None:
    """An interval that includes the limit makes the miss doubtful, and the reason says so."""
    actual = judged(times, target())

    assert actual.status is TargetStatus.FAIL
    assert noisy == ("noise" in actual.reason)


@pytest.mark.parametrize(("wall_ns", "status"), [(1_050, "pass"), (1_300, "warn"), (9_000, "warn")])
def test_the_typical_wall_time_warns_and_never_fails(wall_ns: int, status: str) -> None:
    """The CPU time meets the target; the median of all wall times may warn."""
    clean, usual = Sample(990, 980, 0), Sample(wall_ns, 980, 3)
    result = CaseResult("demo/a", samples=(clean, usual, usual))
    run = whole_run([case("demo/a", {"time": "demo/a"})], [one_pass([result])] * 6)

    (actual,) = judge_targets(run, published(target()))

    assert status == actual.status
    assert 980 == actual.value


@pytest.mark.parametrize(("time_ns", "is_told"), [(900, False), (3_400, True)])
def test_a_miss_names_the_hottest_line(time_ns: float, is_told: bool) -> None:
    """Of the last process that sampled it; a target that is met needs none."""
    run = timed_run({"demo/a": [time_ns] * 3}, targets={"demo/a": "demo/a"})
    hot = HotLine("demo.work:7", "loop", 0.6)
    *first, last = run.passes
    sampled = replace(last, results=tuple(replace(r, hot_line=hot) for r in last.results))
    (actual,) = judge_targets(replace(run, passes=(*first, sampled)), published(target()))

    words = "hottest line demo.work:7 (loop, 60\u202f% of the CPU time)"
    assert is_told == (words in actual.reason)


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ([1.0] * 2, "not measured"),
        ([1.0] * 3, "pass"),
        ([1.0, CRASH, 1.0, 1.0], "pass"),
        ([1.0, CRASH, CRASH, 1.0], "not measured"),
        ([CRASH] * 6, "error"),
        ([0.0] * 6, "error"),
        ([1.0, 1.0, 1.0, 0.0], "error"),
    ],
)
def test_too_little_never_passes(times: list[float | Failure], status: str) -> None:
    """Fewer than three processes, failures throughout and times of nothing don't meet a target."""
    assert status == judged(times, target()).status


def test_a_figure_that_is_no_number_is_an_error() -> None:
    """NaN in one process is enough."""
    figure = Metric("figure", "ns")
    results = [CaseResult("demo/a", figures={"figure": f}) for f in (1.0, 1.0, 1.0, math.nan)]
    run = whole_run(
        [case("demo/a", {"figure": "demo/a"}, (figure,))], [one_pass([r]) for r in results]
    )

    (actual,) = judge_targets(run, published(target()))

    assert (TargetStatus.ERROR, None) == (actual.status, actual.value)


def test_targets_of_measured_suites_are_all_named() -> None:
    """One without a benchmark is not measured; suites that were not run are left out."""
    run = timed_run({"demo/a": [1.0] * 3, "demo/b": [1.0] * 3}, targets={"demo/a": "demo/a"})
    expected = [target(id=i) for i in ("other/x", "demo/a", "demo/z")]

    actual = judge_targets(run, published(*expected), known_misses=["demo/z"])

    assert [("demo/a", "pass", False), ("demo/z", "not measured", True)] == [
        (f.target.id, f.status, f.known_miss) for f in actual
    ]


def test_another_suites_target_is_judged_where_a_case_answers_it() -> None:
    """A transaction benchmark may answer a memory target."""
    run = timed_run({"demo/a": [1.0] * 3}, targets={"demo/a": "memory/a"})

    assert ["memory/a"] == [
        f.target.id for f in judge_targets(run, published(target(id="memory/a")))
    ]


def test_a_target_that_is_gone_is_never_a_pass() -> None:
    """An old run is judged by the targets that are left, and the others are named."""
    run = timed_run({"demo/a": [1.0] * 3, "demo/b": [1.0] * 3}, targets={"demo/a": "demo/a"})
    (answered, other) = run.cases
    run = replace(run, cases=(answered, replace(other, targets={"time": "demo/gone"})))

    verdict = run_verdict(run, replace(published(target()), file="perf/targets.json"))

    (gone,) = [item for item in verdict.decision.items if item.target == "demo/gone"]
    assert (Answer.NOT_MEASURED, "demo/b") == (gone.answer, gone.case)
    assert "perf/targets.json" in gone.reason
    assert COULD_NOT_MEASURE == verdict.decision.exit_code
    assert ["demo/a"] == [judged.target.id for judged in verdict.targets]


def test_unknown_known_misses_are_errors() -> None:
    """A miss of a target that nobody published excuses nothing."""
    with pytest.raises(UnknownTargetError, match="demo/gone"):
        judge_targets(
            timed_run({"demo/a": [1.0] * 3}), published(target()), known_misses=["demo/gone"]
        )


def test_a_figure_in_the_wrong_unit_is_refused() -> None:
    """Bytes can't answer a target in milliseconds, nor can a metric that no case declares."""
    size = Metric("size", "B")
    run = whole_run([case("demo/a", {"size": "demo/a"}, (size,))], [])
    run_with_value = whole_run(run.cases, [one_pass([CaseResult("demo/a", figures={"size": 1.0})])])
    with pytest.raises(UsageError, match="B"):
        judge_targets(run_with_value, published(target(unit="ms")))

    undeclared = whole_run([case("demo/a", {"size": "demo/a"})], [])
    with pytest.raises(UsageError, match="size"):
        judge_targets(undeclared, published(target()))


@pytest.mark.parametrize(
    ("today_ns", "over", "told"),
    [
        (800.0, -0.2, "By VirtEngine's protocols of 12345678: 1 of 1 limits met"),
        (6600.0, 5.6, "demo/a is missed: 6.60 µs by demo/b (a later one), 6.6 times its limit"),
    ],
)
def test_a_successor_is_shown_beside_the_answer(today_ns: float, over: float, told: str) -> None:
    """It is measured and told, and decides nothing."""
    later = Successor("demo/b", "a later one", "1234567890")
    wanted = replace(target(1.0, "us"), protocol="an early one", successor=later)
    run = timed_run({"demo/a": [500.0] * 6, "demo/b": [today_ns] * 6}, targets={"demo/a": "demo/a"})
    verdict = run_verdict(run, published(wanted))
    (actual,) = verdict.targets

    assert (TargetStatus.PASS, 0.5) == (actual.status, actual.value)
    assert (today_ns / 1000, over) == pytest.approx((actual.successor_value, actual.successor_over))
    assert told in " ".join(verdict.notes).replace("\u202f", " ")


def test_a_successor_that_was_not_measured_is_nothing() -> None:
    """Neither a figure nor a note."""
    wanted = replace(target(), successor=Successor("demo/b", "a later one", "1234567890"))

    assert judged([500.0] * 6, wanted).successor_value is None
