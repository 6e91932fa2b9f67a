"""Tasks of a sweep by number, on hosts that share nothing but the archive."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode
from msgspec.structs import replace

from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.cluster import task_array
from veperf.cluster.installation import describe_installation
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep_journal import read_sweep_state, write_sweep_plan
from veperf.cluster.sweep_plan import (
    SweepPlan,
    SweepTask,
    format_task_numbers,
    parse_task_numbers,
    plan_sweep,
)
from veperf.cluster.sweep_result import SweepResult, sweep_result_of
from veperf.cluster.task_array import find_planned_sweep, plan_document, run_planned_tasks
from veperf.core.errors import MeasureError, UnknownRunError, UsageError

SPEC = SweepSpec("night", benchmarks=("a/x", "a/y"), machine_classes=("small", "large"))
PLAN: SweepPlan = plan_sweep(SPEC, str)
TEXT = 'name = "night"\nbenchmarks = ["a/x", "a/y"]\nmachine_classes = ["small", "large"]\n'


class Host:
    """Stands in for measuring; counts what was measured, and fails where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.measured: list[str] = []
        self.failure = ""
        self.may_end = threading.Event()
        self.may_end.set()
        self.has_begun = threading.Event()
        monkeypatch.setattr(task_array, "measure_task", self.measure)

    def measure(self, task: SweepTask, *_: object) -> str:
        """One run, which is never the same."""
        self.measured.append(task.id)
        self.has_begun.set()
        assert self.may_end.wait(30)
        if self.failure:
            raise MeasureError(self.failure)
        run = timed_run({"a/x": [5.0, 6.0]}, id=f"run-{task.id}-{len(self.measured)}")
        return encode(run).decode()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """This one."""
    return Host(monkeypatch)


def _state(archive: Archive, sweep: str) -> SweepResult:
    return sweep_result_of(read_sweep_state(archive, sweep))


def _run(archive: Archive, sweep: str, *numbers: int, plan: SweepPlan = PLAN) -> list[str]:
    outcomes = run_planned_tasks(archive, sweep, plan, numbers, lambda _: None)
    return [outcome.failure or outcome.result_id for outcome in outcomes]


def test_a_task_is_run_once(place: str, host: Host) -> None:
    """Begun again, it says what it has; what nobody ran is missing, and no pass."""
    archive = Archive(place)
    sweep = write_sweep_plan(archive, PLAN)

    first = _run(archive, sweep, 0, 3)
    assert first == _run(archive, sweep, 0, 3)
    assert 2 == len(host.measured) == len(archive.ids())
    outcome = _state(archive, sweep)
    assert (2, 3, "1-2") == (outcome.failed, outcome.exit_code(), outcome.missing)
    _run(archive, sweep, 1, 2)
    assert 0 == _state(archive, sweep).exit_code()


def test_a_failure_is_told_and_made_good(place: str, host: Host) -> None:
    """The others go on; run again, the result takes its place."""
    archive = Archive(place)
    sweep = write_sweep_plan(archive, PLAN)
    host.failure = "it crashed"
    assert ["it crashed"] * 2 == _run(archive, sweep, 0, 1)
    assert ["it crashed", "it crashed", "missing", "missing"] == [
        row[-1] for row in _state(archive, sweep).rows
    ]
    host.failure = ""

    assert [] == [words for words in _run(archive, sweep, 0, 1, 2, 3) if "crash" in words]
    assert 0 == _state(archive, sweep).exit_code()


def test_two_at_once(tmp_path: Path, host: Host) -> None:
    """The later one waits, and finds it done; another task goes on meanwhile."""
    archive = Archive(tmp_path)
    sweep = write_sweep_plan(archive, PLAN)
    host.may_end.clear()
    results: list[list[str]] = []
    both = [
        threading.Thread(target=lambda: results.append(_run(Archive(tmp_path), sweep, 0)))
        for _ in range(2)
    ]
    for each in both:
        each.start()
    assert host.has_begun.wait(30)
    host.may_end.set()
    for each in both:
        each.join()

    assert 1 == len(host.measured) == len(archive.ids())
    assert results[0] == results[1]


def test_what_was_lost_before_it_was_kept_is_run_again(place: str, host: Host) -> None:
    """An entry without its run, as a crash between the two leaves it, is no result."""
    archive = Archive(place)
    sweep = write_sweep_plan(archive, PLAN)
    (kept,) = _run(archive, sweep, 0)
    archive.storage.remove(kept)

    assert [kept] != _run(archive, sweep, 0)
    assert 2 == len(host.measured)


def test_another_installation_is_refused(tmp_path: Path, host: Host) -> None:
    """With the difference, before anything is measured."""
    here = describe_installation()
    other = replace(here, versions=here.versions | {"numpy": "1.0"}, python="PyPy 3.10.1")
    plan = replace(PLAN, installation=other)
    archive = Archive(tmp_path)
    sweep = write_sweep_plan(archive, plan)

    with pytest.raises(MeasureError, match=r"planned with PyPy 3.10.1; numpy .*, planned with 1.0"):
        _run(archive, sweep, 0, plan=plan)
    assert [] == host.measured
    assert 4 == _state(archive, sweep).failed


def test_the_plan_is_that_of_the_specification(tmp_path: Path) -> None:
    """Written in another way it is the same; with anything else in it, it is refused."""
    archive, spec = Archive(tmp_path / "archive"), tmp_path / "night.toml"
    spec.write_text(TEXT)
    with pytest.raises(UnknownRunError, match="--plan json"):
        find_planned_sweep(archive, spec, None)
    sweep = write_sweep_plan(archive, PLAN)
    other = write_sweep_plan(archive, plan_sweep(SweepSpec("night-2", benchmarks=("b",)), str))

    assert sweep == find_planned_sweep(archive, spec, None)[0]
    spec.write_text("# the same\n" + "\n".join(reversed(TEXT.splitlines())))
    assert sweep == find_planned_sweep(archive, spec, sweep)[0]
    for line in ("seed = 1", "repeats = 2", 'profile = "thorough"', 'refs = ["main"]'):
        spec.write_text(f"{TEXT}{line}\n")
        with pytest.raises(UsageError, match=f"is not what {sweep} was planned from"):
            find_planned_sweep(archive, spec, None)
    spec.write_text(TEXT)
    with pytest.raises(UsageError, match=f"is not what {other} was planned from"):
        find_planned_sweep(archive, spec, other)


def test_an_engine_learns_all_that_it_needs() -> None:
    """Numbers, by class as well, and a row a task with the class to choose a host by."""
    document = plan_document(Archive("memory://engines"), "night-1", PLAN)

    assert ("night-1", 4, "0-3", PLAN.spec_hash) == tuple(
        document[name] for name in ("sweep", "count", "array", "hash")
    )
    assert {"small": "0,2", "large": "1,3"} == document["classes"]
    assert isinstance(document["tasks"], list)
    assert [("a/x", "small", 0), ("a/x", "large", 1), ("a/y", "small", 2), ("a/y", "large", 3)] == [
        (row["benchmark"], row["machine_class"], row["task"]) for row in document["tasks"]
    ]


@given(st.sets(st.integers(0, 60)))
def test_numbers_are_read_as_they_are_written(numbers: set[int]) -> None:
    """In the notation of Slurm's arrays."""
    text = format_task_numbers(sorted(numbers))

    assert not numbers or tuple(sorted(numbers)) == parse_task_numbers(text, 61)
    assert len(text.split(",")) <= max(1, len(numbers))


@pytest.mark.parametrize(
    "text", ["", "4", "-1", "0-4", "2-1", "1,,2", "x", "0x1", "1.0", "٣", "9" * 40]
)
def test_other_numbers_are_refused(text: str) -> None:
    """With those that there are."""
    with pytest.raises(UsageError, match=r"0-3|as in 0-4,7"):
        parse_task_numbers(text, 4)


def test_a_class_of_two_kinds_of_machine_is_told(tmp_path: Path, host: Host) -> None:
    """With the tasks that ran on each."""
    archive = Archive(tmp_path)
    plan = plan_sweep(replace_spec(repeats=2), str)
    sweep = write_sweep_plan(archive, plan)
    measure = host.measure

    def on_other(task: SweepTask, *rest: object) -> str:
        name = "other" if task.repeat else "usual"
        return measure(task, *rest).replace('"machine":{"name":"', f'"machine":{{"name":"{name}-')

    host_measure = pytest.MonkeyPatch()
    with host_measure.context() as patch:
        patch.setattr(task_array, "measure_task", on_other)
        _run(archive, sweep, 0, 1, plan=plan)

    (note,) = _state(archive, sweep).notes
    assert "machine class small has 2 kinds of machine" in note
    assert "(tasks 0)" in note
    assert "(tasks 1)" in note


def replace_spec(**settings: object) -> SweepSpec:
    """One benchmark on one class."""
    return SweepSpec("kinds", benchmarks=("a/x",), machine_classes=("small",), **settings)  # type: ignore[arg-type]  # as a file has them
