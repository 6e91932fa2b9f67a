"""Thresholds of k6 scripts: which objectives they are, and what is refused."""

from pathlib import Path

import pytest

from tests.support.go_clone import commit
from veperf.core.errors import CorruptFileError
from veperf.core.objectives import Objective, ServiceLevel
from veperf.upstream.clone import Clone
from veperf.upstream.k6_thresholds import read_k6_thresholds

_SCRIPT = """import { Trend } from 'k6/metrics';
const wait = new Trend('wait', true);   // thresholds: {'no': ['p(95)<1']}
const size = new Trend("size");
export const options = {
    scenarios: { burst: { executor: 'ramping-vus' } },
    thresholds: {
        'wait': ['p(95)<1500', 'med<=20', 'p(99.9)<3000'],
        size: ["avg<10000"],
        http_req_duration: [{ threshold: 'p(99)<500', abortOnFail: true }],
        'http_req_failed{scenario:burst}': ['rate<0.01'],
        "done": ['rate>0.95'],
        empty: [],
    },
};
export default function() { fetch({ 'x': ['p(1)<1'] }); }
"""


def _levels(folder: Path, script: str) -> tuple[ServiceLevel, ...]:
    files = {"tests/load/k6/burst.js": script, "tests/load/k6/README.md": "thresholds: {"}
    revision = commit(folder, files)
    return read_k6_thresholds(Clone(folder).tree(revision))


def test_each_metric_is_a_service_level(tmp_path: Path) -> None:
    """Times in ms where k6 takes them for times, shares in %, tags and all."""
    levels = _levels(tmp_path, _SCRIPT)

    assert {
        "k6 burst: wait": (
            Objective("latency_p95", "at most", 1.5, "s"),
            Objective("latency", "at most", 0.02, "s"),
            Objective("latency_p999", "at most", 3.0, "s"),
        ),
        "k6 burst: size": (Objective("mean", "at most", 10_000, ""),),
        "k6 burst: http_req_duration": (Objective("latency_p99", "at most", 0.5, "s"),),
        "k6 burst: http_req_failed{scenario:burst}": (
            Objective("error_rate", "at most", 1.0, "%"),
        ),
        "k6 burst: done": (Objective("rate", "at least", 95.0, "%"),),
    } == {level.name: level.objectives for level in levels}
    assert ("http_req_failed{scenario:burst}",) == levels[3].match


@pytest.mark.parametrize("script", ["", "thresholds", "x = {thresholds: null}", "'"])
def test_scripts_without_thresholds(tmp_path: Path, script: str) -> None:
    """Have none, whatever else is in them."""
    assert () == _levels(tmp_path, script)


def test_what_is_no_threshold_is_refused(tmp_path: Path) -> None:
    """Not guessed, and not passed over."""
    with pytest.raises(CorruptFileError, match=r"burst\.js: no threshold that can be read"):
        _levels(tmp_path, "options = {thresholds: {a: ['p95 < fast']}}")
