"""What a report knows of earlier runs."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.runs import MACHINE, timed_run
from veperf.archive.store import Archive
from veperf.core.run import Run
from veperf.report.case_history import read_case_history


def _run(day: int, time_ns: float, machine: str = MACHINE.name) -> Run:
    return timed_run(
        {"shop/sell": [time_ns] * 6},
        id=f"202611{day:02}-000000-abc",
        created=f"2026-11-{day:02}T00:00:00+00:00",
        machine=replace(MACHINE, name=machine),
    )


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Six days, one of them on another machine."""
    actual = Archive(tmp_path)
    for day in range(1, 7):
        actual.save(_run(day, 100.0 * day, "other-8c" if day == 3 else MACHINE.name))
    return actual


def test_history_has_what_came_before_on_the_same_machine(archive):
    """Oldest first, without the run itself, later ones and those of other machines."""
    assert {("shop/sell", "time"): [100.0, 200.0, 400.0]} == read_case_history(
        archive, _run(5, 500.0)
    )
    assert {("shop/sell", "time"): [200.0, 400.0]} == read_case_history(
        archive, _run(5, 500.0), most=2
    )
    assert {} == read_case_history(archive, _run(1, 100.0))
    assert {} == read_case_history(archive, _run(9, 100.0))


def test_another_unit_is_another_figure(archive):
    """Values of a metric that was given in something else are left out."""
    run = _run(6, 600.0)
    (case,) = run.cases
    other = replace(case, metrics=(replace(case.metrics[0], unit="s"),))

    assert {} == read_case_history(archive, replace(run, cases=(other,)))
