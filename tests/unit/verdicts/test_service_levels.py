"""Service levels: what a load answers, what it doesn't, and what either does to the gate."""

import json
from collections.abc import Mapping

import pytest

from tests.support.runs import case, one_pass, whole_run
from veperf.core.case import Metric
from veperf.core.gate import Answer, Effect, GateItem
from veperf.core.objectives import ServiceLevel
from veperf.core.policy import GatePolicy
from veperf.core.run import CaseResult, Failure, Run
from veperf.formats.readers import read_runs
from veperf.formats.slo_file import read_slos
from veperf.formats.source import SourceFile
from veperf.verdicts.gate import decide
from veperf.verdicts.service_levels import service_level_items


def _k6(rate: float = 0.0, **trend: float) -> Run:
    """A summary of k6 with a share of failed requests, and a trend of latencies in ms."""
    metrics = {
        "http_req_failed": {"type": "rate", "contains": "default", "values": {"rate": rate}},
        "http_req_duration": {
            "type": "trend",
            "contains": "time",
            "values": {"med": 1, **{name.replace("_", "(") + ")": v for name, v in trend.items()}},
        },
        "iteration_duration": {
            "type": "trend",
            "contains": "time",
            "values": {"med": 1e6, "p(95)": 1e6, "p(99)": 1e6},
        },
        "http_reqs": {"type": "counter", "contains": "default", "values": {"rate": 50}},
    }
    return _run(json.dumps({"metrics": metrics}))


def _run(text: str) -> Run:
    (imported,) = read_runs(text.encode(), "f")
    return imported.run


def _levels(objectives: Mapping[str, str], **more: object) -> tuple[ServiceLevel, ...]:
    slo = {"name": "api", "objectives": objectives, "window": "1 d", **more}
    return read_slos(SourceFile(json.dumps({"slos": [slo]}).encode(), "slo.json"))


def _items(run: Run, objectives: Mapping[str, str], **more: object) -> list[GateItem]:
    return list(service_level_items(run, _levels(objectives, **more), GatePolicy()))


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        ({"availability": ">= 99%"}, Answer.MET),
        ({"availability": ">= 99.01%"}, Answer.MISSED),
        ({"error_rate": "<= 1%"}, Answer.MET),
        ({"error_rate": "<= 0.99%"}, Answer.MISSED),
        ({"latency_p95": "<= 0.2 s"}, Answer.MET),
        ({"latency_p95": "<= 199 ms"}, Answer.MISSED),
        ({"latency_p99": "<= 300 ms"}, Answer.MET),
        ({"throughput": ">= 50/s"}, Answer.MET),
        ({"throughput": ">= 50.1 req/s"}, Answer.MISSED),
        ({"error_budget": "<= 14.4 min"}, Answer.MET),
        ({"error_budget": "<= 14.3 min"}, Answer.MISSED),
        ({"mttr": "<= 30 s"}, Answer.NOT_MEASURED),
        ({"latency_p999": "<= 1 s"}, Answer.NOT_MEASURED),
    ],
)
def test_each_objective(objectives: dict[str, str], expected: Answer) -> None:
    """1 % of a day are 14.4 minutes; a limit is kept at the limit itself."""
    (item,) = _items(_k6(0.01, p_95=200, p_99=300), objectives)

    assert expected is item.answer
    assert (Effect.PASS if expected is Answer.MET else item.effect) is item.effect


@pytest.mark.parametrize(("rate", "expected"), [(0.0005, Answer.MET), (0.002, Answer.MISSED)])
def test_a_budget_of_what_the_availability_leaves(rate: float, expected: Answer) -> None:
    """0.05 % of errors are half of what 99.9 % leave."""
    items = _items(_k6(rate), {"availability": ">= 99.9%", "error_budget": "<= 50%"})

    assert [expected, expected] == [item.answer for item in items]


def test_what_is_not_answered_does_not_pass() -> None:
    """Even where all the rest is met, and whatever is asked of no benchmark at all."""
    met = {"availability": ">= 99%"}
    for objectives, more in ((met | {"mttr": "<= 1 s"}, {}), (met, {"match": "grpc_*"})):
        decision = decide(_items(_k6(0.0), objectives, **more))

        assert 3 == decision.exit_code
    assert 0 == decide(_items(_k6(0.0), met)).exit_code
    assert 1 == decide(_items(_k6(0.5), met)).exit_code


def test_a_load_whose_requests_all_failed() -> None:
    """Its availability is 0, and its latencies are a failure, not a pass."""
    items = _items(_k6(1.0, p_95=1), {"availability": ">= 1%", "latency_p95": "<= 1 s"})

    assert [Answer.MISSED, Answer.FAILED] == [item.answer for item in items]


def test_a_void_load_is_no_answer() -> None:
    """It says nothing of the system: not measured, beside another load that has one."""
    metrics = (Metric("latency_p95", "ms"),)
    loads = [case(f"a/{name}", metrics=metrics) for name in ("good", "void")]
    results = [
        CaseResult("a/good", figures={"latency_p95": 5.0}),
        CaseResult("a/void", failure=Failure("invalid", "the generator fell behind")),
    ]
    run = whole_run(loads, [one_pass(results)])

    items = _items(run, {"latency_p95": "<= 1 s"})

    assert [("a/good", Answer.MET), ("a/void", Answer.NOT_MEASURED)] == [
        (item.case, item.answer) for item in items
    ]
    assert 3 == decide(items).exit_code


def test_percentiles_of_single_requests() -> None:
    """Points of k6: a percentile takes as many as leave one beyond it, else it has no answer."""

    def points(count: int) -> Run:
        lines = [{"type": "Metric", "metric": "http_req_duration",
                  "data": {"type": "trend", "contains": "time"}}]  # fmt: skip
        lines += [
            {
                "type": "Point",
                "metric": "http_req_duration",
                "data": {"time": "2026-01-01T00:00:00Z", "value": float(i + 1)},
            }
            for i in range(count)
        ]
        return _run("\n".join(map(json.dumps, lines)))

    p95 = {"latency_p95": "<= 20 ms"}

    assert Answer.MET is _items(points(20), p95)[0].answer
    assert Answer.NOT_MEASURED is _items(points(19), p95)[0].answer
    assert Answer.MISSED is _items(points(100), p95)[0].answer
    assert Answer.NOT_MEASURED is _items(points(99), {"latency_p99": "<= 1 s"})[0].answer


def test_repeated_loads() -> None:
    """The median is judged, of shares the mean; one load that misses is a warning."""

    def reports(*p95s: float, failures: int = 0) -> Run:
        return _run(
            json.dumps(
                [
                    {
                        "Name": "orders",
                        "TotalRequests": 1000,
                        "SuccessCount": 1000 - failures,
                        "FailureCount": failures,
                        "P95Latency": p95 * 1e6,
                        "RequestsPerSec": 10,
                    }
                    for p95 in p95s
                ]
            )
        )

    objectives = {"latency_p95": "<= 100 ms", "availability": ">= 99.9%"}

    (latency, availability) = _items(reports(90, 95, 150, failures=1), objectives)
    assert (Answer.MET, Effect.WARN) == (latency.answer, latency.effect)
    assert Answer.MET is availability.answer
    assert Answer.MISSED is _items(reports(90, 150, 150), objectives)[0].answer


def test_shares_of_successes_are_availability_where_they_are_named() -> None:
    """A rate of the user's own: of nothing it says that more of it is better."""
    metrics = {"jobs_ok": {"type": "rate", "contains": "default", "values": {"rate": 0.96}}}
    run = _run(json.dumps({"metrics": metrics}))

    assert Answer.NOT_MEASURED is _items(run, {"availability": ">= 95%"})[0].answer
    assert Answer.MET is _items(run, {"availability": ">= 95%"}, match=["jobs_ok"])[0].answer
    assert Answer.MISSED is _items(run, {"availability": ">= 97%"}, match="jobs_ok")[0].answer
