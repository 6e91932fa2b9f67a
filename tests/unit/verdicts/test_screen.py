"""A recorded baseline screens: it finds what changed, and says what it can't know."""

import math

import msgspec
import numpy as np
import pytest

from tests.support.runs import CRASH, MACHINE, case, one_pass, timed_run, whole_run
from veperf.core.baseline import Baseline
from veperf.core.case import Metric
from veperf.core.errors import UsageError
from veperf.core.run import CaseResult, Failure, Run, Sample
from veperf.core.verdict import Change, ChangeStatus
from veperf.verdicts.baseline import baselines_of, make_baseline
from veperf.verdicts.screen import compare_runs, screen

LATER = "2026-11-25T10:00:00+00:00"


def around(middle: float, n: int = 12, spread: float = 0.004) -> list[float]:
    """``n`` times evenly about ``middle``, no two alike."""
    return [middle * (1 + spread * x) for x in np.linspace(-1, 1, n)]


def changes(base: Run, new: Run) -> dict[str, Change]:
    return {change.case: change for change in compare_runs(base, new)}


def test_a_run_against_itself_is_ok() -> None:
    """Nothing changed, and the screen can tell."""
    run = timed_run({"demo/a": around(100), "demo/b": around(2e6)})

    assert [ChangeStatus.OK] * 2 == [c.status for c in compare_runs(run, run)]


@pytest.mark.parametrize(
    ("factor", "drift", "status"),
    [
        (1.10, 1.00, "suspect"),
        (1.19, 1.00, "suspect"),
        (1.50, 1.00, "slower"),
        (1.50, 1.09, "slower"),
        (1.50, 1.15, "suspect"),
        (1.50, 0.85, "suspect"),
        (1.50, None, "suspect"),
        (0.80, 1.00, "faster"),
    ],
)
def test_only_what_is_beyond_doubt_is_slower(
    factor: float, drift: float | None, status: str
) -> None:
    """Suspect, unless all of the interval is beyond 20 % and the calibration run shows no drift."""
    base = timed_run({"demo/a": around(100), "demo/b": around(50)})
    new = timed_run(
        {"demo/a": around(100 * factor), "demo/b": around(50)},
        yardstick_ns=None if drift is None else 1e6 * drift,
    )
    actual = changes(base, new)

    assert (status, "ok") == (actual["demo/a"].status, actual["demo/b"].status)
    assert math.isclose(factor, actual["demo/a"].ratio or 0, rel_tol=1e-3)
    assert ("A/B" in actual["demo/a"].reason) == (status == "suspect")


def test_an_interval_that_reaches_back_is_suspect() -> None:
    """25 % slower, but perhaps 15 %: not beyond 20 % for sure."""
    base, new = timed_run({"demo/a": around(100)}), timed_run({"demo/a": around(125, spread=0.2)})
    actual = changes(base, new)["demo/a"]

    assert actual.status is ChangeStatus.SUSPECT
    assert (actual.low or 0) < 1.20 < (actual.ratio or 0)


def test_suspects_are_corrected_within_their_suite() -> None:
    """A p of 0.013 is suspect alone and beside other suites; among ten of its own it is noise."""
    item = {"demo/a": around(100, 6, 0.05)}
    others = {f"demo/{i}": around(50, 6) for i in range(9)}
    elsewhere = {f"other/{i}": around(50, 6) for i in range(9)}
    slow = {"demo/a": around(106, 6, 0.05)}

    def status(rest: dict[str, list[float]]) -> Change:
        return changes(timed_run(item | rest), timed_run(slow | rest))["demo/a"]

    alone, crowded, apart = status({}), status(others), status(elsewhere)
    assert alone.p is not None
    assert ("suspect", alone.p) == (alone.status, alone.p_adjusted)
    assert [("inconclusive", 10 * alone.p), ("suspect", 10 * alone.p)] == [
        (change.status, change.p_adjusted) for change in (crowded, apart)
    ]


def test_slower_is_corrected_over_the_whole_run() -> None:
    """Half as slow again for sure is slower among 40 comparisons, and suspect among 60."""
    slow = {"demo/a": around(150, 6)}

    def judged(comparisons: int) -> Change:
        rest = {f"suite{i % 5}/{i}": around(50, 6) for i in range(comparisons - 1)}
        return changes(timed_run({"demo/a": around(100, 6)} | rest), timed_run(slow | rest))[
            "demo/a"
        ]

    few, many = judged(40), judged(60)
    assert ("slower", "suspect") == (few.status, many.status)
    assert "among all 60 comparisons" in many.reason


@pytest.mark.slow
def test_a_quick_run_of_everything_flags_a_planted_slowdown() -> None:
    """Six processes against six, 113 cases in five suites: +30 % in one of them, noise in all."""
    dice = np.random.default_rng(17)
    names = [f"suite{i % 5}/{i}" for i in range(113)]
    flagged = false = 0
    for _ in range(10):
        base = timed_run({name: dice.lognormal(9, 0.02, 6).tolist() for name in names})
        times = {name: dice.lognormal(9, 0.02, 6) for name in names}
        times[names[50]] *= 1.3
        new = timed_run({name: values.tolist() for name, values in times.items()})
        statuses = {case: change.status for case, change in changes(base, new).items()}
        flagged += statuses.pop(names[50]) is ChangeStatus.SUSPECT
        false += ChangeStatus.SUSPECT in statuses.values()
        assert ChangeStatus.SLOWER not in statuses.values()

    assert 10 == flagged
    # Of 5 suites each with an error of at most 5 %; at the smallest effect that counts.
    assert false <= 2


def test_the_margin_of_the_screen_can_be_set() -> None:
    """4 % slower for sure is within 10 %, and says so; it is suspect where 1 % matters."""
    base, new = timed_run({"demo/a": around(100)}), timed_run({"demo/a": around(104)})

    (strict,) = compare_runs(base, new)
    (lax,) = compare_runs(base, new, margin=0.1, min_effect=0.05)

    assert (ChangeStatus.SUSPECT, 0.03) == (strict.status, strict.margin)
    assert (ChangeStatus.OK, 0.1) == (lax.status, lax.margin)
    assert "less than 10\u202f% slower" in lax.reason


def test_more_comparisons_than_the_samples_can_carry_are_said_to_be() -> None:
    """Six a side have p >= 1/924: among 60 comparisons no slowdown could show."""
    base = timed_run({f"demo/{i}": around(100, 6) for i in range(60)})
    slow = {f"demo/{i}": around(150 if i == 7 else 100, 6) for i in range(60)}

    actual = changes(base, timed_run(slow))

    assert (ChangeStatus.NOT_ENOUGH, ChangeStatus.OK) == (
        actual["demo/7"].status,
        actual["demo/8"].status,
    )


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ([CRASH] * 6, "error"),
        ([0.0] * 6, "error"),
        ([*around(100, 5), 0.0], "error"),
        ([CRASH] * 3 + [100.0] * 3, "not enough samples"),
        ([CRASH, *around(100, 11)], "ok"),
    ],
)
def test_failures_never_pass(times: list[float | Failure], status: str) -> None:
    """A case that crashed throughout, or whose clock stood still, is an error."""
    base = timed_run({"demo/a": around(100, 3 if status.startswith("not") else 12)})

    assert status == changes(base, timed_run({"demo/a": times}))["demo/a"].status


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ({"name": "box-8c"}, "box-8c"),
        ({"cpu_model": "Box 1"}, "Box 1"),
        ({"python": "3.12.1"}, "3.12"),
    ],
)
def test_another_machine_is_shown_and_not_judged(fact: dict[str, str], told: str) -> None:
    """Ten times slower on another CPU or Python is a ratio and no verdict."""
    base = timed_run({"demo/a": around(100)}, machine=msgspec.structs.replace(MACHINE, **fact))
    actual = changes(base, timed_run({"demo/a": around(1000)}))["demo/a"]

    assert (ChangeStatus.OTHER_MACHINE, None, None) == (actual.status, actual.p, actual.p_adjusted)
    assert math.isclose(10, actual.ratio or 0, rel_tol=1e-3)
    assert told in actual.reason


def test_another_core_is_shown_and_not_judged() -> None:
    """Compiled kernels and Python's own; a baseline from before there were two is compared."""
    native, python, before = (
        msgspec.structs.replace(MACHINE, versions=versions)
        for versions in ({"core": "native"}, {"core": "python"}, {})
    )
    new = timed_run({"demo/a": around(1000)}, machine=python)
    statuses = [
        changes(timed_run({"demo/a": around(1000)}, machine=machine), new)["demo/a"].status
        for machine in (native, python, before)
    ]

    assert [ChangeStatus.OTHER_MACHINE, ChangeStatus.OK, ChangeStatus.OK] == statuses


def test_a_patch_of_python_is_the_same_python() -> None:
    """3.11.9 compares with 3.11.7."""
    machine = msgspec.structs.replace(MACHINE, python="CPython 3.11.9")
    base = timed_run({"demo/a": around(100)}, machine=machine)

    assert ChangeStatus.OK is changes(base, timed_run({"demo/a": around(100)}))["demo/a"].status


def test_what_was_never_recorded_has_no_baseline() -> None:
    """Neither a new case, nor one that was recorded in a unit of something else."""
    base = timed_run({"demo/a": around(100)})
    new = timed_run({"demo/a": around(100), "demo/new": around(100)})
    (recorded,) = baselines_of(base)
    in_bytes = msgspec.structs.replace(
        recorded, series=tuple(msgspec.structs.replace(s, unit="B") for s in recorded.series)
    )

    assert ["ok", "no baseline"] == [c.status for c in screen(new, [recorded])]
    assert ["no baseline"] * 2 == [c.status for c in screen(new, [in_bytes])]
    assert ["no baseline"] * 2 == [c.status for c in screen(new, [])]


def test_the_latest_comparable_baseline_counts() -> None:
    """Before any other machine's, however new, and before older ones of this machine."""
    elsewhere = msgspec.structs.replace(MACHINE, name="box-8c")
    old, newest, foreign = (
        make_baseline(timed_run({"demo/a": around(t)}, created=day, machine=machine), "demo")
        for t, day, machine in (
            (50, "2026-01-01", MACHINE),
            (100, "2026-06-01", MACHINE),
            (10, "2026-12-01", elsewhere),
        )
    )
    run = timed_run({"demo/a": around(100)}, created=LATER)

    assert ["ok"] == [c.status for c in screen(run, [newest, foreign, old])]
    assert ["not comparable"] == [c.status for c in screen(run, [foreign])]


@pytest.mark.parametrize("cpus_ns", [(999_000, 500_000), (500_000, 999_000)])
def test_different_clocks_compare_by_wall_time(cpus_ns: tuple[int, int]) -> None:
    """CPU time on one side only is no comparison."""

    def run(cpu_ns: int) -> Run:
        walls = (1_000_000 + 10 * i for i in range(12))
        results = [CaseResult("demo/a", samples=(Sample(w, cpu_ns, 0),) * 2) for w in walls]
        return whole_run([case("demo/a")], [one_pass([r]) for r in results])

    (actual,) = compare_runs(run(cpus_ns[0]), run(cpus_ns[1]))

    assert ("wall", "ok") == (actual.clock, actual.status)


def test_figures_are_judged_in_their_good_direction() -> None:
    """A rate that falls by a third is worse by half; allocations may be zero throughout."""

    def run(rate: float, allocations: float) -> Run:
        metrics = (Metric("rate", "tx/s", "higher"), Metric("allocations", "objects"))
        results = [
            CaseResult("demo/a", figures={"rate": r, "allocations": allocations})
            for r in around(rate, 8)
        ]
        return whole_run([case("demo/a", metrics=metrics)], [one_pass([r]) for r in results])

    rate, allocations = compare_runs(run(300, 0), run(200, 0))

    assert ("slower", "ok") == (rate.status, allocations.status)
    assert math.isclose(1.5, rate.ratio or 0, rel_tol=1e-3)
    assert "worse" in rate.reason


def test_all_metrics_of_all_suites_are_one_family() -> None:
    """Three metrics of each of two cases: the smallest p counts six times, in any suites."""
    names = ("a", "b", "c")

    def run(slow: float, suites: tuple[str, str]) -> Run:
        metrics = tuple(Metric(name, "ns") for name in names)
        ids = [f"{suite}/{n}" for n, suite in enumerate(suites)]
        passes = [
            one_pass(
                [
                    CaseResult(id, figures=dict.fromkeys(names, x * slow ** (id == ids[0])))
                    for id in ids
                ]
            )
            for x in around(100, 6, 0.05)
        ]
        return whole_run([case(id, metrics=metrics) for id in ids], passes)

    for suites in (("demo", "demo"), ("demo", "other")):
        first = compare_runs(run(1.0, suites), run(1.08, suites))[0]
        assert first.p is not None
        assert 6 * first.p == pytest.approx(first.p_adjusted)


def test_a_baseline_survives_its_file() -> None:
    """What is judged after a round trip through JSON is what was judged before."""
    base, new = timed_run({"demo/a": around(100)}), timed_run({"demo/a": around(130)})
    (recorded,) = baselines_of(base)

    read = msgspec.json.decode(msgspec.json.encode(recorded), type=Baseline)

    assert recorded == read
    assert compare_runs(base, new) == screen(new, [read])


def test_values_that_are_no_numbers_are_not_recorded() -> None:
    """JSON has no NaN, and a baseline with one could never be compared with."""
    run = timed_run({"demo/a": [1.0, 0.0], "demo/b": [1.0, 1.0], "other/c": [1.0, 1.0]})

    assert ["demo/b"] == [s.case for s in make_baseline(run, "demo").series]
    assert ["demo", "other"] == [b.suite for b in baselines_of(run)]


def test_a_cpu_clock_that_stood_still_is_not_recorded() -> None:
    """Work that only waits may use no CPU time that its clock could see: wall time is kept."""
    waits = CaseResult("demo/a", samples=(Sample(1_000, 0, 0),) * 2)
    run = whole_run([case("demo/a")], [one_pass([waits])] * 6)
    (recorded,) = baselines_of(run)

    assert [("wall", (), (1_000.0,) * 6)] == [(s.clock, s.cpu, s.wall) for s in recorded.series]
    assert ["ok"] == [c.status for c in screen(run, [recorded])]


@pytest.mark.parametrize("suite", ["demo", "nobody"])
def test_an_empty_baseline_is_refused(suite: str) -> None:
    """A suite that failed throughout or was not run leaves nothing to compare with."""
    with pytest.raises(UsageError, match=suite):
        make_baseline(timed_run({"demo/a": [CRASH] * 6}), suite)
