"""Memory against a baseline: counts, which have no noise."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.support.runs import MACHINE, case, one_pass, whole_run
from veperf.core.case import MEMORY_METRICS, TIME
from veperf.core.run import CaseResult, Machine, Run
from veperf.core.verdict import Change, ChangeStatus
from veperf.verdicts.screen import compare_runs


def _run(allocations: Sequence[float], machine: Machine = MACHINE) -> Run:
    cases = [case("a/x", metrics=(TIME, *MEMORY_METRICS))]
    figures = [{"memory_allocations": count} for count in allocations]
    passes = [one_pass([CaseResult("a/x", figures=f)], i) for i, f in enumerate(figures)]
    run = whole_run(cases, passes, machine=machine)
    return replace(run, config=replace(run.config, memory_passes=len(passes)))


def _change(base: Run, new: Run) -> Change:
    (actual,) = (c for c in compare_runs(base, new) if c.metric == "memory_allocations")
    return actual


@pytest.mark.parametrize(
    ("base", "new", "status"),
    [
        ([100, 100, 100], [100, 100, 100], ChangeStatus.OK),
        ([1000, 1000, 1000], [1001, 1001, 1001], ChangeStatus.SUSPECT),
        ([1000, 1000, 1000], [999, 999, 999], ChangeStatus.FASTER),
        ([1000, 1000, 1000], [1300, 1300, 1300], ChangeStatus.SLOWER),
        ([1000, 1003, 1001], [1004, 1005, 1006], ChangeStatus.OK),
        ([1000, 1003, 1001], [1002, 1100, 1200], ChangeStatus.OK),
        ([1000, 1003, 1001], [1050, 1051, 1052], ChangeStatus.SUSPECT),
        ([0, 0, 0], [1, 1, 1], ChangeStatus.SLOWER),
    ],
)
def test_a_count_that_changed(base: list[float], new: list[float], status: ChangeStatus) -> None:
    """By however little where it never varies; else by more than processes differ, and by 1 %."""
    actual = _change(_run(base), _run(new))

    assert status == actual.status
    assert (len(base), len(new)) == (actual.n_base, actual.n_new)


def test_it_says_where_to_look() -> None:
    """How many there were, and what names the lines."""
    actual = _change(_run([12345] * 3), _run([12346] * 3))

    assert "12,346 allocations where there were 12,345" in actual.reason
    assert "`veperf memory a/x`" in actual.reason


def test_another_machine_is_not_judged() -> None:
    """Another version of Python allocates otherwise."""
    other = replace(MACHINE, python="CPython 3.12.1")

    assert ChangeStatus.OTHER_MACHINE is _change(_run([10] * 3), _run([20] * 3, other)).status


def test_without_memory_in_the_baseline_nothing_is_said() -> None:
    """A run with memory against a baseline without has no changes of it."""
    base = _run([])
    assert [] == [c for c in compare_runs(base, _run([10] * 3)) if c.metric != TIME.name]
