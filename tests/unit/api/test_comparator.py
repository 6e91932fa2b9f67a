"""VirtEngine's comparator, drop-in."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_files import VECTORS
from veperf import Comparator
from veperf.api.comparator import save_report
from veperf.core.errors import (
    DataError,
    UnknownBenchmarkError,
    UnknownTargetError,
    UsageError,
    VeperfError,
)
from veperf.formats.readers import read_runs

METRICS = VECTORS / "BASELINE_METRICS.json"
GO = VECTORS / "interop" / "go_virtengine.json"


@given(st.floats(0, 1e9), st.floats(0, 50), st.floats(0, 50))
def test_the_originals_rule(value: float, warn: float, more: float) -> None:
    """More than the percentages beyond the baseline, in the bad direction, and nothing else."""
    fail = warn + more
    comparator = Comparator(METRICS, warn=warn, fail=fail)
    better_low, better_high = comparator.compare(
        {"transaction/hash_compute": value, "bidding/throughput": value}
    )

    for item, over in ((better_low, value / 1000 - 1), (better_high, 1 - value / 20)):
        beyond = 100 * over
        expected = "fail" if beyond > fail else "warn" if beyond > warn else "pass"
        close = min(abs(beyond - warn), abs(beyond - fail)) < 1e-6
        assert expected == item.status or close


def test_bounds_belong_to_the_milder() -> None:
    """10 % over 1,000 ns is 1,100 ns, and still passes; so does 10 % below 0.1 * 5,000 tx/s."""
    figures = {"transaction/hash_compute": 1100.0, "transaction/throughput": 4500.0}

    actual = Comparator(METRICS).compare(figures)

    assert ["pass", "pass"] == [item.status for item in actual]
    assert [10.0, -10.0] == [pytest.approx(item.change_percent) for item in actual]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_what_is_no_figure_fails(value: float) -> None:
    """It never passes, and JSON can say it."""
    comparator = Comparator(METRICS)

    (actual,) = comparator.compare({"bidding/signing": value})

    assert ("fail", None, None) == (actual.status, actual.current, actual.change_percent)
    assert "fail" == comparator.generate_report().summary.overall_status


def test_unknown_names_are_errors() -> None:
    """A target that isn't there, a benchmark that nobody listed, and figures that are none."""
    (foreign,) = read_runs((VECTORS / "gobench" / "old.txt").read_bytes(), "old.txt")
    wrong: list[tuple[Any, type[VeperfError]]] = [
        ({"transaction/hash": 1.0}, UnknownTargetError),
        ({"transaction/hash_compute": "fast"}, UsageError),
        (foreign.run, UnknownBenchmarkError),
        (VECTORS / "interop" / "pyperf.json", UnknownBenchmarkError),
        ([1, 2], UsageError),
    ]

    for given_, error in wrong:
        with pytest.raises(error):
            Comparator(METRICS).compare(given_)


def test_nothing_compared_is_no_pass() -> None:
    """A report about nothing is refused."""
    comparator = Comparator(METRICS)

    with pytest.raises(UsageError, match="nothing was compared"):
        comparator.generate_report()
    with pytest.raises(UsageError, match="nothing was compared"):
        comparator.generate_report({})


def test_a_go_run_becomes_a_report(tmp_path: Path) -> None:
    """From file to file, shaped like the original's; a run, a path and its name are the same."""
    comparator = Comparator(METRICS)
    (run,) = (item.run for item in read_runs(GO.read_bytes(), "f"))

    report = comparator.generate_report(GO)
    save_report(report, tmp_path / "reports" / "comparison.json")

    assert comparator.compare(run) == comparator.compare(str(GO)) == report.results
    written = json.loads((tmp_path / "reports" / "comparison.json").read_text())
    assert ["version", "generated_at", "summary", "results"] == list(written)
    assert {
        "total": 6,
        "passed": 6,
        "warnings": 0,
        "failed": 0,
        "overall_status": "pass",
    } == written["summary"]
    assert ["name", "baseline", "current", "unit", "change_percent", "status"] == list(
        written["results"][0]
    )
    (hash_compute,) = (r for r in written["results"] if r["name"] == "transaction/hash_compute")
    assert (1000, "ns") == (hash_compute["baseline"], hash_compute["unit"])


def test_a_report_is_on_everything_so_far() -> None:
    """The worst status is the overall one."""
    comparator = Comparator(METRICS)
    comparator.compare({"bidding/signing": 1.0})
    comparator.compare({"bidding/price_calc": 5.6, "bidding/order_matching": 100.0})

    summary = comparator.generate_report().summary

    assert (3, 1, 1, 1) == (summary.total, summary.passed, summary.warnings, summary.failed)
    assert "fail" == summary.overall_status


def test_settings_that_make_no_sense() -> None:
    """Percentages in the wrong order, and a file that holds no baselines."""
    for warn, fail in ((20, 10), (-1, 10), (10, math.inf), (math.nan, 10)):
        with pytest.raises(UsageError, match="0 <= warn <= fail"):
            Comparator(METRICS, warn, fail)
    with pytest.raises(DataError):
        Comparator(VECTORS / "interop" / "asv.json")
    originals = Comparator(METRICS).baselines.targets
    ids = {target.id for target in originals}
    assert originals == tuple(t for t in Comparator().baselines.targets if t.id in ids)
