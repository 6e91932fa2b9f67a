"""SLO files: the small format in TOML and JSON, VirtEngine's structs, and what is no use."""

import json
from pathlib import Path

import pytest

from veperf.core.errors import CorruptFileError, NoSuchFileError
from veperf.core.objectives import Objective, ServiceLevel
from veperf.formats.slo_file import read_slo_file, read_slos, slo_document
from veperf.formats.source import SourceFile

_TOML = """
[[slos]]
name = "orders"
match = ["http_req_*"]
window = "30 d"
[slos.objectives]
availability = ">= 99.9%"
error_budget = "<= 43.2 min"
latency_p95 = "500ms"
latency_p99 = "< 1 s"
throughput = "100/s"
mttr = "<= 30 s"
"""
_EXPECTED = ServiceLevel(
    "orders",
    (
        Objective("availability", "at least", 99.9, "%"),
        Objective("error_budget", "at most", 43.2 * 60, "s"),
        Objective("latency_p95", "at most", 0.5, "s"),
        Objective("latency_p99", "at most", 1.0, "s"),
        Objective("throughput", "at least", 100, "1/s"),
        Objective("mttr", "at most", 30, "s"),
    ),
    ("http_req_*",),
    30 * 86_400,
)


def _read(document: object) -> tuple[ServiceLevel, ...]:
    return read_slos(SourceFile(json.dumps(document).encode(), "slo.json"))


def _slo(objectives: dict[str, object], **more: object) -> dict[str, object]:
    return {"slos": [{"name": "a", "objectives": objectives, **more}]}


def test_toml_and_what_is_written_of_it(tmp_path: Path) -> None:
    """Units of any size come out in one, and the same comes back from what is written."""
    (tmp_path / "slo.toml").write_text(_TOML)

    levels = read_slo_file(tmp_path / "slo.toml")

    assert (_EXPECTED,) == levels
    assert levels == _read(slo_document(levels))


def test_virtengine_structs() -> None:
    """Times in ns, shares from 0 to 1, the window of a month; limits out of a probe's criterion."""
    levels = _read(
        [
            {
                "name": "chain",
                "mttr": 30_000_000_000,
                "availability_target": 0.999,
                "error_budget_minutes": 43.2,
                "blast_radius_limit": 0.33,
            },
            {
                "name": "SLO-1",
                "target": 6.0,
                "window": 3_600_000_000_000,
                "probes": [
                    {
                        "query": "histogram_quantile(0.99, rate(x_seconds_bucket[1h]))",
                        "success_criteria": "value <= 6.0",
                    }
                ],
            },
            {
                "name": "SLO-2",
                "target": 0.999,
                "window": 3_600_000_000_000,
                "probes": [{"query": "1 - a / b", "success_criteria": "value >= 0.999"}],
            },
        ]
    )

    assert [99.9, 2592.0, 30.0, 33.0] == [o.limit for o in levels[0].objectives]
    assert (Objective("latency_p99", "at most", 6.0, "s"),) == levels[1].objectives
    assert (Objective("availability", "at least", 99.9, "%"),) == levels[2].objectives
    assert [30 * 86_400, 3600, 3600] == [level.window_s for level in levels]


@pytest.mark.parametrize(
    ("text", "limit"),
    [(">= 0.999", 99.9), ("99.9 %", 99.9), (0.999, 99.9), ("≥ 99.9%", 99.9), (">=100%", 100)],
)
def test_a_share_is_written_either_way(text: object, limit: float) -> None:
    """From 0 to 1, or in %."""
    ((level,),) = [_read(_slo({"availability": text}))]

    assert limit == pytest.approx(level.objectives[0].limit)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "no SLOs"),
        ({"slos": []}, "no SLOs"),
        ({}, "unexpected content"),
        (3, "unexpected content"),
        ([3], "neither a ResilienceBaseline"),
        ([{"name": "a", "target": 1, "window": 1}], "no probes"),
        ([{"name": "a", "availability_target": 99.9}], "no share"),
        ([{"name": "a", "availability_target": 0.9, "mttr": -1}], "no positive"),
        (_slo({}), "no objectives"),
        (_slo({"latency_p95": "fast"}), "no limit"),
        (_slo({"latency_p95": "<= 5 kB"}), "is a time"),
        (_slo({"latency_p95": "<= -5 ms"}), "no limit"),
        (_slo({"latency_p95": None}), "unexpected content"),
        (_slo({"latency p95": "<= 1 s"}), "no name of a metric"),
        (_slo({"queue": "5"}), "say of queue"),
        (_slo({"availability": ">= 999%"}), "is a share"),
        (_slo({"availability": ">= 99 ms"}), "is a share"),
        (_slo({"error_budget": "<= 5 min"}), "needs a `window`"),
        (_slo({"error_budget": "<= 50%"}), "what `availability` leaves"),
        (_slo({"error_budget": "<= 5 kB"}, window="1 d"), "a time in a window"),
        (_slo({"error_budget": "<= 1 s"}, window="soon"), "no window"),
        (_slo({"latency_p95": "1 s"}, latncy="1 s"), "unexpected content"),
        ({"slos": _slo({"mttr": "1 s"})["slos"] * 2}, "stands twice"),  # type: ignore[operator]
    ],
)
def test_what_is_no_use(document: object, problem: str) -> None:
    """A typed error with the file's name, whatever is wrong."""
    with pytest.raises(CorruptFileError, match=problem) as error:
        _read(document)

    assert str(error.value).startswith("slo.json")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing ones, broken TOML, and nesting that would exhaust a parser."""
    with pytest.raises(NoSuchFileError):
        read_slo_file(tmp_path / "none.toml")
    for text in ("[[slos", "a = " + "[" * 100_000):
        (tmp_path / "slo.toml").write_text(text)
        with pytest.raises(CorruptFileError, match="TOML"):
            read_slo_file(tmp_path / "slo.toml")
