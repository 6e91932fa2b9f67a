"""Two commands that print many results: each is compared by itself, and none is lost."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from veperf.abtest.ab_result import ABResult
from veperf.core.ab_records import ABChange
from veperf.core.errors import UsageError
from veperf.core.gate import Answer, Outcome
from veperf.core.verdict import ChangeStatus, Severity
from veperf.programs.run import ab_results

GO = "goos: linux\npkg: example.com/market\n"
OK, SLOWER, FASTER = ChangeStatus.OK, ChangeStatus.SLOWER, ChangeStatus.FASTER


def line(name: str, ns: float, *, size: int = 64, objects: int = 2, more: str = "") -> str:
    """A result of Go."""
    return f"Benchmark{name}-8\t100\t{ns} ns/op\t{more}{size} B/op\t{objects} allocs/op\n"


def compared(
    folder: Path, a: str, b: str, *, format: str = "go", budget_s: float | None = None
) -> ABResult:
    """Two commands that print these texts, and then do what a last line after ``!`` says."""
    commands = []
    for name, text in (("a", a), ("b", b)):
        text, _, then = text.partition("!")
        (folder / name).write_text(text, encoding="utf-8")
        commands.append(f"cat '{folder / name}'; {then or 'true'}")
    return ab_results(
        *commands, bench_format=format, archive=folder / "archive", time_budget_s=budget_s,
        timeout_s=20.0, progress=False,
    )  # fmt: skip


def changes(result: ABResult) -> Mapping[tuple[str, str], ABChange]:
    """The changes by the last part of the case and by metric."""
    return {(c.case.rpartition("/")[2], c.metric.name): c for c in result.ab.changes}


def statuses(result: ABResult) -> dict[tuple[str, str], ChangeStatus]:
    """The statuses by case and metric."""
    return {key: change.status for key, change in changes(result).items()}


def test_each_result_is_compared_by_itself(tmp_path: Path) -> None:
    """The slower one is told from the others; more memory in one metric is of that metric."""
    a = GO + line("Match", 100) + line("Query", 100, size=64) + line("Sign", 100)
    b = GO + line("Match", 120) + line("Query", 100, size=72) + line("Sign", 80)

    actual = compared(tmp_path, a, b)

    expected = dict.fromkeys(
        [(f"Benchmark{n}-8", m) for n in ("Match", "Query", "Sign")
         for m in ("time", "B/op", "allocs/op")], OK)  # fmt: skip
    expected |= {("BenchmarkMatch-8", "time"): SLOWER, ("BenchmarkSign-8", "time"): FASTER}
    expected |= {("BenchmarkQuery-8", "B/op"): SLOWER}
    assert expected == statuses(actual)
    assert (Outcome.FAIL, 1) == (actual.decision.outcome, actual.exit_code())


@pytest.mark.parametrize(
    ("base", "new", "status", "severity"),
    [
        (1_000, 1_000, OK, Severity.NONE),
        (1_000, 1_001, SLOWER, Severity.WARN),
        (10, 11, SLOWER, Severity.FAIL),
        (0, 1, SLOWER, Severity.FAIL),
        (0, 0, OK, Severity.NONE),
        (10, 9, FASTER, Severity.NONE),
        (1, 0, FASTER, Severity.NONE),
    ],
)
def test_allocations_that_do_not_vary_are_compared_exactly(
    tmp_path: Path, base: int, new: int, status: ChangeStatus, severity: Severity
) -> None:
    """One more is one more; it fails where that is over 5 %, and where there was none before."""
    a, b = (GO + line("Match", 100, objects=count) for count in (base, new))

    result = compared(tmp_path, a, b)

    actual = changes(result)["BenchmarkMatch-8", "allocs/op"]
    assert (status, severity) == (actual.status, actual.severity)
    assert {Severity.FAIL: 1}.get(severity, 0) == result.exit_code()


def test_a_metric_of_unknown_direction_has_changed(tmp_path: Path) -> None:
    """It is neither slower nor faster, and less is as much of a change as more."""
    a = GO + line("Up", 100, more="100 widgets\t") + line("Down", 100, more="100 widgets\t")
    b = GO + line("Up", 100, more="130 widgets\t") + line("Down", 100, more="70 widgets\t")

    actual = statuses(compared(tmp_path, a, b))

    assert ChangeStatus.CHANGED is actual["BenchmarkUp-8", "widgets"]
    assert ChangeStatus.CHANGED is actual["BenchmarkDown-8", "widgets"]


def test_what_is_on_one_side_only_is_said(tmp_path: Path) -> None:
    """What is gone is no pass; what is new is a note; of a metric it is the same."""
    a = GO + line("Match", 100, more="5 orders/s\t") + line("Gone", 100)
    b = GO + line("Match", 100) + line("New", 100)

    result = compared(tmp_path, a, b)

    actual = {key: change.only_in for key, change in changes(result).items() if change.only_in}
    assert {
        ("BenchmarkGone-8", "time"): "base",
        ("BenchmarkNew-8", "time"): "new",
        ("BenchmarkMatch-8", "orders/s"): "base",
    } == actual
    answers = {item.case.rpartition("/")[2]: item.answer for item in result.decision.items}
    assert Answer.MISSING is answers["BenchmarkGone-8"]
    assert Answer.NEW is answers["BenchmarkNew-8"]
    assert Outcome.PASS is not result.decision.outcome


@pytest.mark.parametrize("side", ["base", "new"])
def test_a_failure_costs_only_its_own_result(tmp_path: Path, side: str) -> None:
    """The others are compared, though the command ends with 1 whenever it runs."""
    good = GO + line("Match", 100) + line("Sign", 100)
    bad = f"{GO}{line('Match', 100)}--- FAIL: BenchmarkSign-8\n    a_test.go:3: no\nFAIL\n!exit 1"
    a, b = (bad, good) if side == "base" else (good, bad)

    result = compared(tmp_path, a, b)

    actual = changes(result)
    assert ChangeStatus.ERROR is actual["BenchmarkSign-8", "time"].status
    assert side in actual["BenchmarkSign-8", "time"].reason
    assert OK is actual["BenchmarkMatch-8", "time"].status
    assert 3 == result.exit_code()


@pytest.mark.parametrize(
    ("b", "said"),
    [
        ("no results at all", "its output"),
        ("!exit 3", "exit code 3"),
        (f"{GO}{line('Match', 100)}!exit 3", "exit code 3"),
    ],
)
def test_a_command_without_results_never_passes(tmp_path: Path, b: str, said: str) -> None:
    """What it lacks, or its exit code, is the reason."""
    actual = compared(tmp_path, GO + line("Match", 100), b)

    reasons = [c.reason for c in actual.ab.changes if c.status is ChangeStatus.ERROR]
    assert any(said in reason for reason in reasons)
    assert (Outcome.ERROR, 3) == (actual.decision.outcome, actual.exit_code())


def test_other_formats_are_read_as_import_reads_them(tmp_path: Path) -> None:
    """JSON lines, Google Benchmark, criterion, and whatever is detected."""
    rows = [
        "\n".join(json.dumps({"benchmark": n, "value": v * f, "unit": "ns"}) for n, v in values)
        for values in [(("x", 100.0), ("y", 50.0))]
        for f in (1, 1.2)
    ]
    google = [
        json.dumps({"context": {"num_cpus": 2}, "benchmarks": [
            {"name": "x", "run_type": "iteration", "iterations": 9, "real_time": 5.0 * f,
             "cpu_time": 5.0 * f, "time_unit": "ns"}]})
        for f in (1, 1.2)
    ]  # fmt: skip
    criterion = [
        f"x   time:   [{1 * f:.4f} us {1.1 * f:.4f} us {1.2 * f:.4f} us]\n" for f in (1, 2)
    ]

    for format, (a, b) in {"json-lines": rows, "google": google, "criterion": criterion}.items():
        for name in (format, "auto"):
            actual = compared(tmp_path, a, b, format=name)
            assert {SLOWER} == {change.status for change in actual.ab.changes}, (format, name)


def test_an_unknown_format_is_wrong_usage(tmp_path: Path) -> None:
    """Before anything runs."""
    with pytest.raises(UsageError, match="json-lines"):
        compared(tmp_path, "", "!touch ran", format="nonsense")


def test_a_budget_ends_in_inconclusive(tmp_path: Path) -> None:
    """All results are planned as one, as they come together; none passes without an answer."""
    text = GO + line("Match", 100) + line("Sign", 100) + "!sleep 0.3"

    actual = compared(tmp_path, text, text, budget_s=1.0)

    times = {c.status for c in actual.ab.changes if c.metric.name == "time"}
    assert times <= {ChangeStatus.NOT_ENOUGH, ChangeStatus.NOT_MEASURED}
    assert (Outcome.INCONCLUSIVE, 4) == (actual.decision.outcome, actual.exit_code())
