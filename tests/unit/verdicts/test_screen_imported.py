"""Results of other tools are judged by what their files have: values, counts or statistics."""

import json
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from veperf.core.run import Run
from veperf.core.verdict import Change, ChangeStatus
from veperf.formats.readers import read_runs
from veperf.verdicts.baseline import baselines_of, pool_baselines
from veperf.verdicts.screen import compare_runs, screen

Values: TypeAlias = Sequence[float] | NDArray[np.float64]
ELSEWHERE = "made elsewhere: the machine is not known"


def read(text: str) -> Run:
    (imported,) = read_runs(text.encode(), "f")
    return imported.run


def go(**values: Values) -> Run:
    """A text of ``go test -bench -benchmem``; keywords are benchmarks, with times in ns."""
    lines = (f"Benchmark{name}-8\t1000\t{v} ns/op\n" for name, vs in values.items() for v in vs)
    return read("goos: linux\npkg: example.org/a\n" + "".join(lines))


def go_unit(unit: str, values: Sequence[float], metadata: str = "") -> Run:
    """A text with one benchmark in another unit, as of ReportMetric."""
    lines = (f"BenchmarkIt-8\t1000\t{v} {unit}\n" for v in values)
    return read(metadata + "pkg: example.org/a\n" + "".join(lines))


def around(middle: float, n: int = 10, spread: float = 0.01) -> list[float]:
    return [middle * (1 + spread * x) for x in np.linspace(-1, 1, n)]


def only(changes: Sequence[Change]) -> Change:
    (change,) = changes
    return change


@pytest.mark.parametrize(
    ("factor", "n", "status", "same_machine"),
    [
        (10, 10, "slower", "slower"),
        (1.5, 10, "slower", "slower"),
        (1.15, 10, "suspect", "slower"),
        (1.04, 10, "suspect", "suspect"),
        (1.0, 10, "ok", "ok"),
        (0.5, 10, "faster", "faster"),
        (10, 5, "slower", "slower"),
        (10, 3, "slower", "slower"),
        (1.5, 3, "suspect", "suspect"),
        (10, 1, "suspect", "suspect"),
        (1.5, 1, "inconclusive", "inconclusive"),
        (0.1, 1, "inconclusive", "inconclusive"),
        (1.0, 1, "inconclusive", "inconclusive"),
    ],
)
def test_times_fail_beyond_what_another_state_of_a_machine_explains(
    factor: float, n: int, status: str, same_machine: str
) -> None:
    """Beyond 20 % for sure, or beyond 5 % where somebody says that it was one machine."""
    base, new = go(Encode=around(1000, n)), go(Encode=around(1000 * factor, n))

    elsewhere = only(compare_runs(base, new))
    same = only(compare_runs(base, new, same_machine=True))

    assert (status, same_machine) == (elsewhere.status, same.status)
    assert (ELSEWHERE in elsewhere.reason) == (status == "slower")
    assert ELSEWHERE not in same.reason
    if n == 1:
        assert "one value: nothing to judge by" in elsewhere.reason


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (around(104), [0.0] * 10, "inconclusive"),
        ([0.0] * 10, around(104), "inconclusive"),
        ([0.0, *around(104, 9)], around(104), "inconclusive"),
        ([-1.0] * 10, around(104), "inconclusive"),
        ([104.0], [0.0], "inconclusive"),
        ([0.0] * 10, [0.0] * 10, "ok"),
    ],
)
def test_a_wait_of_nothing_is_judged_neither_way(
    before: list[float], after: list[float], status: str
) -> None:
    """It has no ratio, whichever side it is on; the time of an operation is a failure then."""
    assert status == only(compare_runs(go_unit("ms", before), go_unit("ms", after))).status
    if status != "ok":
        ends = {c.status for c in compare_runs(go(It=before), go(It=after))}
        assert ends <= {ChangeStatus.ERROR, ChangeStatus.NO_BASELINE}


def test_a_recorded_baseline_fails_as_two_files_do() -> None:
    """The gate of an imported run: it knows no more of the machine than a comparison does."""
    base, new = go(Encode=around(1000)), go(Encode=around(10_000))

    assert ["slower"] == [c.status for c in screen(new, baselines_of(base))]


def test_a_threshold_that_is_set_counts_everywhere() -> None:
    """For times of unknown machines, of the same one, and for counts."""
    base, new = go(Encode=around(1000)), go(Encode=around(1400))
    sizes = [go_unit("allocs/op", [count] * 3) for count in (100, 140)]

    for same_machine in (False, True):
        lax = only(compare_runs(base, new, fail_over=0.5, same_machine=same_machine))
        strict = only(compare_runs(base, new, fail_over=0.3, same_machine=same_machine))
        assert ("suspect", "slower") == (lax.status, strict.status)
    assert "suspect" == only(compare_runs(*sizes, fail_over=0.5)).status
    assert "slower" == only(compare_runs(*sizes, fail_over=0.3)).status


def test_many_benchmarks_with_few_values_still_fail() -> None:
    """Five a side can't be significant by ranks among 60; ten times slower is beyond doubt."""
    dice = np.random.default_rng(3)
    base = {f"B{i}": dice.lognormal(7, 0.02, 5) for i in range(60)}
    new = {name: dice.lognormal(7, 0.02, 5) for name in base}
    new["B7"] = new["B7"] * 10

    changes = compare_runs(go(**base), go(**new))

    slower = [c for c in changes if c.status is ChangeStatus.SLOWER]
    assert ["BenchmarkB7-8"] == [c.case.rpartition("/")[2] for c in slower]
    assert "Welch" in slower[0].reason
    assert not [c for c in changes if c.status is ChangeStatus.SUSPECT]


@pytest.mark.parametrize(
    ("unit", "metadata", "before", "after", "status"),
    [
        ("allocs/op", "", [10], [100], "slower"),
        ("allocs/op", "", [100], [105], "suspect"),
        ("allocs/op", "", [100], [106], "slower"),
        ("allocs/op", "", [100], [100], "ok"),
        ("allocs/op", "", [1000], [1001], "inconclusive"),
        ("allocs/op", "", [1000] * 2, [1001] * 2, "suspect"),
        ("allocs/op", "", [100], [90], "faster"),
        ("allocs/op", "", [0], [1], "slower"),
        ("B/op", "", [4096] * 10, [8192] * 10, "slower"),
        ("B/op", "", [4096, 4100, 4098], [4099, 4097, 4101], "ok"),
        ("text-bytes", "Unit text-bytes better=lower assume=exact\n", [1e5], [1.5e5], "slower"),
        ("text-bytes", "Unit text-bytes better=lower assume=exact\n", [1e5], [1e5], "ok"),
        ("text-bytes", "Unit text-bytes better=lower assume=exact\n", [1e5], [100_001], "suspect"),
        ("hits", "Unit hits better=higher assume=exact\n", [100], [50], "slower"),
        ("hits", "Unit hits better=higher assume=exact\n", [50], [100], "faster"),
        ("hits", "Unit hits better=higher assume=exact\n", [50], [0], "slower"),
        ("parts", "Unit parts assume=exact\n", [100], [50], "changed"),
        ("parts", "Unit parts assume=exact\n", [100], [100], "ok"),
        ("debt", "Unit debt better=lower assume=exact\n", [-2], [-1], "suspect"),
        ("text-bytes", "", [1e5], [1.5e5], "inconclusive"),
    ],
)
def test_counts_are_compared_exactly(
    unit: str, metadata: str, before: list[float], after: list[float], status: str
) -> None:
    """One value a side is enough where a unit is exact, and 5 % more fails, machine or not."""
    change = only(compare_runs(go_unit(unit, before, metadata), go_unit(unit, after, metadata)))

    assert status == change.status
    assert (len(before), len(after)) == (change.n_base, change.n_new)
    if status in ("slower", "suspect", "faster"):
        assert "needs no test" in change.reason


def test_gflops_are_not_times() -> None:
    """Half of them is worse, or has changed where nobody knows, and never faster."""
    fast, slow = around(100), around(50)

    assert "slower" == only(compare_runs(go_unit("GFLOPS", fast), go_unit("GFLOPS", slow))).status
    assert "changed" == only(compare_runs(go_unit("things", fast), go_unit("things", slow))).status
    assert "changed" == only(compare_runs(go_unit("things", [9]), go_unit("things", [1]))).status
    assert (
        "inconclusive" == only(compare_runs(go_unit("things", [9]), go_unit("things", [8]))).status
    )


def test_a_tenth_of_a_second_is_a_hundred_milliseconds() -> None:
    """Values and statistics are compared in one unit."""

    def table(unit: str, values: Sequence[float]) -> Run:
        rows = "".join(f"rpc,p95,{unit},{v}\n" for v in values)
        return read(f"benchmark,metric,unit,value\n{rows}")

    change = only(compare_runs(table("ms", around(100)), table("s", around(0.1))))

    assert ("ok", "s") == (change.status, change.unit)


def hyperfine(*commands: dict[str, object]) -> Run:
    return read(json.dumps({"results": list(commands)}))


def test_a_failure_beside_values_is_no_value() -> None:
    """The other command of the file keeps its own."""

    def run(seconds: float) -> Run:
        codes = [0] * 10
        return hyperfine(
            {"command": "good", "times": around(seconds), "exit_codes": codes},
            {"command": "bad", "times": [*around(1, 9), None], "exit_codes": [*codes[1:], None]},
        )

    statuses = {c.case: c.status for c in compare_runs(run(1.0), run(2.0))}

    assert {"hyperfine/good": "slower", "hyperfine/bad": "error"} == statuses


def pytest_benchmark(**stats: float) -> Run:
    entry = {"name": "test_it", "fullname": "a.py::test_it", "stats": stats}
    return read(json.dumps({"benchmarks": [entry], "machine_info": {}}))


def asv(seconds: float, **stats: float) -> Run:
    columns = ["result", "params", *(f"stats_{name}" for name in stats)]
    row = [[seconds], [], *([value] for value in stats.values())]
    document = {
        "results": {"bench.time_it": row},
        "result_columns": columns,
        "commit_hash": "c" * 40,
        "version": 2,
    }
    return read(json.dumps(document))


def google(mean: float, deviation: float | None, repetitions: int = 10) -> Run:
    def entry(name: str, value: float) -> dict[str, object]:
        return {
            "name": f"BM_It_{name}",
            "run_name": "BM_It",
            "run_type": "aggregate",
            "aggregate_name": name,
            "repetitions": repetitions,
            "iterations": repetitions,
            "real_time": value,
            "time_unit": "ns",
        }

    entries = [entry("mean", mean)] + ([entry("stddev", deviation)] if deviation else [])
    return read(json.dumps({"context": {}, "benchmarks": entries}))


def described(tool: str, factor: float, spread: float = 0.02) -> Run:
    """A run of one benchmark, 40 values of a second with that spread, by its statistics."""
    q1, q3 = factor * (1 - 0.67 * spread), factor * (1 + 0.67 * spread)
    match tool:
        case "pytest-benchmark":
            return pytest_benchmark(
                median=factor, q1=q1, q3=q3, rounds=40, stddev=spread * factor, mean=factor
            )
        case "asv":
            ends = {"ci_99_a": factor * (1 - spread / 2), "ci_99_b": factor * (1 + spread / 2)}
            return asv(factor, **ends, q_25=q1, q_75=q3, repeat=40, number=1)
        case "google":
            return google(1e9 * factor, 1e9 * spread * factor, 40)
    rows = f"cmd,{factor},{spread * factor},{factor},0.1,0.1,{0.9 * factor},{1.1 * factor}"
    return read(f"command,mean,stddev,median,user,system,min,max\n{rows}\n")


@pytest.mark.parametrize("tool", ["pytest-benchmark", "asv", "google"])
@pytest.mark.parametrize(
    ("factor", "status"),
    [(10, "slower"), (1.5, "slower"), (1.12, "suspect"), (1.0, "ok"), (0.5, "faster")],
)
def test_statistics_stand_for_values(tool: str, factor: float, status: str) -> None:
    """Of 40 values that vary by 2 %, as intervals, quartiles or deviations."""
    change = only(compare_runs(described(tool, 1.0), described(tool, factor)))

    assert (status, 40, 40) == (change.status, change.n_base, change.n_new)
    assert pytest.approx(factor) == change.ratio
    assert "40 against 40 values" in change.reason


@pytest.mark.parametrize("tool", ["pytest-benchmark", "asv", "google"])
def test_statistics_that_vary_much_decide_nothing(tool: str) -> None:
    """15 % more of what varies by 60 % may be nothing: never a pass, never a failure."""
    change = only(compare_runs(described(tool, 1.0, 0.6), described(tool, 1.15, 0.6)))

    assert "inconclusive" == change.status


@pytest.mark.parametrize(
    ("factor", "status"), [(10, "slower"), (1.5, "suspect"), (1.0, "inconclusive")]
)
def test_a_deviation_of_unknown_numbers_is_taken_carefully(factor: float, status: str) -> None:
    """A table of hyperfine doesn't say how many runs its deviations are of."""
    assert status == only(compare_runs(described("csv", 1.0), described("csv", factor))).status


@pytest.mark.parametrize(
    ("factor", "status"), [(1.0, "inconclusive"), (1.9, "inconclusive"), (2.1, "suspect")]
)
def test_a_number_without_spread_is_one_value(factor: float, status: str) -> None:
    """Aggregates without a deviation, and a side of which only one value is there."""
    change = only(compare_runs(google(100, None), google(100 * factor, None)))
    against_many = only(compare_runs(google(100, 1), google(100 * factor, None)))

    assert [status] * 2 == [change.status, against_many.status]
    assert "one value" in change.reason


def test_values_are_compared_with_statistics() -> None:
    """Rounds on one side, their quartiles on the other."""
    values = read(
        json.dumps(
            {
                "benchmarks": [
                    {
                        "name": "test_it",
                        "fullname": "a.py::test_it",
                        "stats": {"data": around(1.0, 20, 0.03), "iterations": 1},
                    }
                ],
                "machine_info": {},
            }
        )
    )

    statuses = [
        only(compare_runs(values, described("pytest-benchmark", factor))).status
        for factor in (1.0, 1.5)
    ]
    assert ["ok", "slower"] == statuses


def test_a_mean_is_no_median() -> None:
    """In skewed noise they differ without any change."""
    median = described("pytest-benchmark", 1.0)
    mean = pytest_benchmark(mean=2.0, stddev=0.01, rounds=40)

    change = only(compare_runs(median, mean))

    assert "inconclusive" == change.status
    assert "the median of one side can't be compared with the mean" in change.reason


def test_pooled_statistics_are_the_values_of_their_sessions() -> None:
    """Three files as one baseline are three values, whatever each of them says of itself."""
    sessions = [baselines_of(described("asv", x))[0] for x in (1.0, 1.01, 0.99)]

    change = only(screen(described("asv", 3.0), [pool_baselines(sessions)]))

    assert ("slower", 3) == (change.status, change.n_base)


def test_equal_files_seldom_fail_and_never_by_chance() -> None:
    """Of 100 pairs of files with 10 benchmarks, at most alpha has a suspect, and none is slower."""
    dice = np.random.default_rng(11)
    suspects = 0
    for n in (3, 5, 10, 20):
        for _ in range(25):
            base, new = (
                go(**{f"B{i}": 1000 * np.exp(dice.normal(0, 0.05, n)) for i in range(10)})
                for _ in range(2)
            )
            statuses = {c.status for c in compare_runs(base, new)}
            assert ChangeStatus.SLOWER not in statuses
            suspects += ChangeStatus.SUSPECT in statuses

    assert suspects <= 100 * 0.05 + 3 * (100 * 0.05 * 0.95) ** 0.5


def in_turn(old: Values, new: Values, order: str = "turns") -> tuple[Run, Run]:
    """Both sides of a Go file, told apart by a note: in turns, or one after the other."""
    lines = [f"note: old\nBenchmarkIt-8 100 {value} ns/op" for value in old]
    others = [f"note: new\nBenchmarkIt-8 100 {value} ns/op" for value in new]
    both = [line for pair in zip(lines, others, strict=True) for line in pair]
    if order == "reversed":
        both[2:4] = both[3:1:-1]
    text = "\n".join(["pkg: example.org/a", *(lines + others if order == "blocks" else both), ""])
    base, changed = read_runs(text.encode(), "f", by="note")
    return base.run, changed.run


def test_runs_that_took_turns_are_compared_as_pairs() -> None:
    """A machine that gets slower all the time hides nothing then: both sides of a pair share it."""
    drift = np.linspace(100, 300, 10)
    jitter = 1 + 0.002 * np.sin(np.arange(10))
    new = 1.1 * drift * jitter

    for order in ("turns", "reversed"):
        paired = only(compare_runs(*in_turn(drift, new, order)))
        assert "slower" == paired.status
        assert "10 pairs" in paired.reason
        assert "made in turn" in paired.reason
        assert pytest.approx(1.1, rel=0.01) == paired.ratio
    blocks = only(compare_runs(*in_turn(drift, new, "blocks")))
    assert "inconclusive" == blocks.status
    same = only(compare_runs(*in_turn(drift, drift * jitter)))
    assert "ok" == same.status


def test_only_the_same_file_is_a_turn() -> None:
    """The old side of one file and the new side of another were not made in turn."""
    old, _ = in_turn(around(100), around(110))
    _, other = in_turn(around(100.5), around(110))

    assert "suspect" == only(compare_runs(old, other)).status
    assert "" not in (old.alternation, other.alternation)


def test_a_few_turns_are_compared_as_values() -> None:
    """Five pairs can't be significant, but were made under the same conditions."""
    change = only(compare_runs(*in_turn(around(100, 5), around(110, 5))))

    assert "slower" == change.status
    assert "5 against 5 values" in change.reason
    assert "made in turn" in change.reason


def test_gflops_of_turns_may_have_changed() -> None:
    """Pairs of an unknown direction are neither slower nor faster."""
    text = "".join(
        f"note: {side}\nBenchmarkIt-8 100 {value} things\n"
        for old in around(100)
        for side, value in (("old", old), ("new", old / 2))
    )
    base, new = (imported.run for imported in read_runs(text.encode(), "f", by="note"))

    assert ["changed"] == [c.status for c in compare_runs(base, new)]
    assert ["ok"] == [c.status for c in compare_runs(base, base)]
