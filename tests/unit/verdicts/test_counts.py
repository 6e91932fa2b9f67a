"""Memory against a baseline: counts, which have no noise where they repeat, and are tested else."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
        ([1000, 1003, 1001], [1002, 1100, 1200], ChangeStatus.INCONCLUSIVE),
        ([1000, 1003, 1001], [1050, 1051, 1052], ChangeStatus.SUSPECT),
        ([1000, 1003, 1001], [1300, 1310, 1305], ChangeStatus.SUSPECT),
        ([1000, 1003, 1001], [2500, 2510, 2505], ChangeStatus.SLOWER),
        ([1000, 1003, 1001, 1002, 1002], [1300, 1310, 1305, 1301, 1302], ChangeStatus.SLOWER),
        ([1000, 1003, 1001], [700, 690, 705], ChangeStatus.FASTER),
        ([0, 0, 0], [1, 1, 1], ChangeStatus.SLOWER),
        ([0, 0, 0], [1, 2, 1], ChangeStatus.SUSPECT),
        ([0] * 6, [1, 2, 1, 1, 2, 1], ChangeStatus.SLOWER),
        ([100] * 9 + [1000], [1000] * 10, ChangeStatus.SLOWER),
        ([100, 100, 100, 1000], [1000] * 4, ChangeStatus.INCONCLUSIVE),
        ([100] * 9 + [1000], [100] * 10, ChangeStatus.OK),
        ([100], [100, 102, 101], ChangeStatus.INCONCLUSIVE),
        ([100], [1000, 1001], ChangeStatus.SUSPECT),
        ([100], [100.5], ChangeStatus.INCONCLUSIVE),
        ([100], [110], ChangeStatus.SLOWER),
    ],
)
def test_a_count_that_changed(base: list[float], new: list[float], status: ChangeStatus) -> None:
    """By however little where it repeats; else as the tests say, with too few for nothing."""
    actual = _change(_run(base), _run(new))

    assert status == actual.status
    assert (len(base), len(new)) == (actual.n_base, actual.n_new)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=7))
@settings(max_examples=40, deadline=None)
def test_a_count_grown_tenfold_is_never_no_change(base: list[int]) -> None:
    """Whatever its values are, and however far they are apart; and tenfold less is never worse."""
    more = [10.0 * count for count in base]

    assert _change(_run(base), _run(more)).status in (
        ChangeStatus.SLOWER,
        ChangeStatus.SUSPECT,
        ChangeStatus.INCONCLUSIVE,
    )
    assert _change(_run(more), _run(base)).status in (
        ChangeStatus.FASTER,
        ChangeStatus.OK,
        ChangeStatus.INCONCLUSIVE,
    )


def test_counts_that_vary_say_so() -> None:
    """With the size, the interval and p where they changed; else that they can't tell."""
    changed = _change(_run([100] * 9 + [1000]), _run([1000] * 10)).reason
    few = _change(_run([100, 100, 100, 1000]), _run([1000] * 4)).reason

    assert "% more (96" in changed
    assert "p <\u202f0.001" in changed
    assert few.startswith("the counts vary too much to tell: 900")


def test_it_says_where_to_look() -> None:
    """How many there were, and what names the lines."""
    actual = _change(_run([12345] * 3), _run([12346] * 3))

    assert "12,346 allocations where there were 12,345" in actual.reason
    assert "`veperf memory a/x`" in actual.reason


def test_another_machine_is_not_judged() -> None:
    """Another version of Python allocates otherwise."""
    other = replace(MACHINE, python="CPython 3.12.1")

    assert ChangeStatus.OTHER_MACHINE is _change(_run([10] * 3), _run([20] * 3, other)).status


@pytest.mark.parametrize(
    ("base", "new", "status"),
    [
        ([10] * 3, [20] * 3, ChangeStatus.SLOWER),
        ([10] * 3, [10] * 3, ChangeStatus.OK),
        ([1000, 1003, 1001], [2500, 2510, 2505], ChangeStatus.SLOWER),
    ],
)
def test_a_count_is_judged_whatever_the_machine(
    base: list[float], new: list[float], status: ChangeStatus
) -> None:
    """Repeating or not, with the machines named; the time beside it is not."""
    other = replace(MACHINE, name="epyc", cpu_model="EPYC")
    actual = _change(_run(base), _run(new, other))

    assert status is actual.status
    assert f"CPU {MACHINE.cpu_model}, now EPYC, on which counts do not depend" in actual.reason


def test_without_memory_in_the_baseline_nothing_is_said() -> None:
    """A run with memory against a baseline without has no changes of it."""
    base = _run([])
    assert [] == [c for c in compare_runs(base, _run([10] * 3)) if c.metric != TIME.name]
