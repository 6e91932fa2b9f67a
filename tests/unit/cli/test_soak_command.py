"""What ``veperf soak`` ends with, by what was found."""

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.support.memory_stats import STATS
from veperf.cli.main import veperf
from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Failure
from veperf.profiling.memory.budget import MemoryBudget
from veperf.runner.soak_readings import SoakReadings
from veperf.runner.soak_verdict import SoakResult, judge_soak

CASE = Case("hungry/soaked", "hungry/soaked", "hungry", Level.LOAD, "A load that may leak.")
BUSY = Failure("invalid", "the machine was too busy")
LEVEL = [1e9] * 100
GROWING = [1e9 * (1 + second / 100) for second in range(100)]
WAVES = [1e9 * (1 + 0.5 * (second % 40 > 20)) for second in range(100)]


def soaked(
    heap: list[float],
    *,
    failure: Failure | None = None,
    offered: float = 500.0,
    stopped_after_s: float | None = None,
) -> SoakResult:
    load = CaseResult(
        CASE.id, figures={"offered": offered}, failure=failure, stopped_after_s=stopped_after_s
    )
    points = tuple(enumerate(heap))
    level = tuple(enumerate(LEVEL[: len(heap)]))
    readings = SoakReadings(load=load, stats=STATS, rss=points, blocks=level, planned_rate=500.0)
    return judge_soak(CASE, readings, MemoryBudget())


@pytest.mark.parametrize(
    ("result", "code", "strict_code"),
    [
        (soaked(LEVEL), 0, 0),
        (soaked(LEVEL, failure=BUSY), 0, 0),
        (soaked(GROWING), 1, 1),
        (soaked(GROWING, failure=BUSY), 1, 1),
        (soaked(WAVES), 0, 4),
        (soaked(LEVEL[:5]), 3, 3),
        (soaked(LEVEL, failure=BUSY, offered=300.0), 3, 3),
        (soaked(GROWING, failure=BUSY, offered=300.0), 3, 3),
        (soaked(LEVEL, stopped_after_s=9.0), 130, 130),
        (soaked(GROWING, stopped_after_s=9.0), 1, 1),
    ],
    ids=[
        "clean",
        "clean, latency not judged",
        "a leak",
        "a leak, latency not judged",
        "inconclusive",
        "not measured",
        "another load",
        "a leak under another load",
        "stopped",
        "stopped with a leak",
    ],
)
def test_the_exit_code_is_by_memory_alone(
    result: SoakResult, code: int, strict_code: int, monkeypatch: pytest.MonkeyPatch
):
    """And what was asked and has no answer is never a pass."""
    monkeypatch.setattr("veperf.runner.soak.soak", lambda *_, **__: result)

    assert code == CliRunner().invoke(veperf, ["soak"]).exit_code
    assert strict_code == CliRunner().invoke(veperf, ["soak", "--strict"]).exit_code


def test_lines_keep_to_the_terminal(monkeypatch: pytest.MonkeyPatch):
    """All of them, the evidence too."""
    result = soaked(GROWING, failure=replace(BUSY, message="the machine was too busy " * 8))
    monkeypatch.setattr("veperf.runner.soak.soak", lambda *_, **__: result)
    monkeypatch.setenv("COLUMNS", "80")

    lines = CliRunner().invoke(veperf, ["soak"]).output.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("latency is not judged" in line for line in lines)
