"""What has become of a sweep's tasks."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.json import encode
from msgspec.structs import replace

import veperf
from tests.support.ab_runs import ab_run, change
from tests.support.runs import timed_run
from veperf.archive.compaction import compact_archive
from veperf.archive.comparisons import ab_ids
from veperf.archive.store import Archive
from veperf.cluster.spec import ABSpec, SweepSpec
from veperf.cluster.sweep_journal import SweepJournal, read_sweep_state, resolve_sweep, sweep_names
from veperf.cluster.sweep_plan import SweepPlan, plan_sweep
from veperf.cluster.task_worker import decode_task_result
from veperf.core.ab_records import ABRun
from veperf.core.errors import CorruptFileError, UnknownRunError, UsageError
from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus

PLAN: SweepPlan = plan_sweep(SweepSpec("night", benchmarks=("a/x", "a/y", "a/z")), str)
PAIRS: SweepPlan = plan_sweep(
    SweepSpec("pairs", machine_classes=("s", "l"), ab=ABSpec("v1", "v2")),
    {"v1": "1" * 40, "v2": "2" * 40}.__getitem__,
)


def _run(name: str) -> Run:
    return timed_run({"a/x": [5.0, 6.0]}, id=name)


def test_what_came_back_is_done(place: str) -> None:
    """A run that is kept is missing no more, even to another process; a failure is."""
    archive = Archive(place)
    first, second, third = PLAN.tasks
    with SweepJournal.create(archive, PLAN) as journal:
        assert journal.add_result(first, _run("r1"), "box")
        journal.add_failure(second, "it crashed")

    with SweepJournal.resume(archive, "last") as again:
        assert (second, third) == again.missing()
        assert ["r1"] == archive.ids()
        assert {first.id: ("box", "r1", ""), second.id: ("", "", "it crashed")} == {
            task: (e.host, e.result_id, e.failure) for task, e in again.state.entries.items()
        }


def test_comparisons_are_kept_likewise(place: str) -> None:
    """A sweep of comparisons is done when the archive holds one for each class."""
    archive = Archive(place)
    first, second = PAIRS.tasks
    result = ab_run(change("a/x", ChangeStatus.OK))
    with SweepJournal.create(archive, PAIRS) as journal:
        assert journal.add_result(first, result, "box")
        assert not journal.add_result(first, replace(result, id="other"), "box")

    with SweepJournal.resume(archive, "pairs") as again:
        assert (second,) == again.missing()
        assert [result.id] == ab_ids(archive.storage)
        with pytest.raises(UsageError, match="already"):
            again.add_result(second, result, "box")
        assert (second,) == again.missing()


def test_nothing_counts_twice(place: str) -> None:
    """A task that comes back once more leaves archive and record as they are, failed or not."""
    archive = Archive(place)
    with SweepJournal.create(archive, PLAN) as journal:
        assert journal.add_result(PLAN.tasks[0], _run("r1"), "box")
        before = journal.state
        assert not journal.add_result(PLAN.tasks[0], _run("r2"), "other")
        journal.add_failure(PLAN.tasks[0], "lost")

        assert ["r1"] == archive.ids()
        assert before == journal.state == read_sweep_state(archive, journal.sweep)


def test_a_kill_between_journal_and_archive(tmp_path: Path) -> None:
    """A task whose run is not in the archive is missing; what a writer left behind is not read."""
    archive = Archive(tmp_path)
    first, second, third = PLAN.tasks
    with SweepJournal.create(archive, PLAN) as journal:
        journal.add_result(first, _run("r1"), "box")
        folder = tmp_path / "sweeps" / journal.sweep
        kept = (folder / "tasks" / f"{first.id}.json").read_bytes()
    lost = kept.replace(first.id.encode(), second.id.encode()).replace(b'"r1"', b'"r9"')
    lost = re.sub(rb',\n "checksum": "\w+"', b"", lost)
    (folder / "tasks" / f"{second.id}.json").write_bytes(lost)
    (folder / "tasks" / f".{third.id}.json.x1").write_bytes(kept[:20])

    with SweepJournal.resume(archive, journal.sweep) as again:
        assert (second, third) == again.missing()
        assert again.add_result(third, _run("r3"), "box")
    with SweepJournal.resume(archive, journal.sweep) as later:
        assert (second,) == later.missing()


def test_a_thousand_tasks_do_not_list_the_archive_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a task costs does not grow with what the archive holds."""
    many = plan_sweep(SweepSpec("many", benchmarks=("a/x",), repeats=20), str)
    archive = Archive(tmp_path)
    with SweepJournal.create(archive, many) as journal:
        looked: list[str] = []
        scandir = os.scandir

        def watched(path: str) -> "Iterator[os.DirEntry[str]]":
            looked.append(path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", watched)
        for task in many.tasks:
            journal.add_result(task, _run(f"r{task.repeat}"), "box")
            journal.missing()
        listings = [path for path in looked if Path(path) == tmp_path]
        assert 20 == len(archive.ids())

    assert [] == listings
    assert tmp_path in map(Path, looked)


def test_one_process_at_a_time(place: str) -> None:
    """The second is told so, and may look all the same."""
    archive = Archive(place)
    with SweepJournal.create(archive, PLAN) as journal:
        with pytest.raises(UsageError, match="another process"):
            SweepJournal.resume(archive, journal.sweep)
        assert PLAN.tasks == read_sweep_state(archive, journal.sweep).missing
    SweepJournal.resume(archive, journal.sweep).close()


def test_what_is_not_there(place: str) -> None:
    """No archive, no sweep at all, none of that name, more than one, a path elsewhere."""
    nowhere = Archive(f"{place}/none")
    for ask in (
        lambda: SweepJournal.resume(nowhere, "last"),
        lambda: resolve_sweep(nowhere, "last"),
        lambda: compact_archive(nowhere),
    ):
        with pytest.raises(UnknownRunError, match="no archive"):
            ask()
    archive = Archive(place)
    archive.save(_run("r1"))
    with pytest.raises(UnknownRunError, match="no sweep that is not done"):
        SweepJournal.resume(archive, "last")
    with pytest.raises(UnknownRunError, match="holds 0 sweeps"):
        resolve_sweep(archive, "last")
    for _ in range(2):
        SweepJournal.create(archive, PLAN).close()
    for name in ("../x", "", "night", "day"):
        with pytest.raises(UnknownRunError, match="holds 2 sweeps"):
            resolve_sweep(archive, name)
    newest = sweep_names(archive)[-1]
    assert newest == resolve_sweep(archive, "last") == resolve_sweep(archive, newest[:-1])


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"{", b"["), (b'"task": "', b'"task": "f'), (b'"host": "box"', b'"host": 1'), (b"}", b"")],
)
def test_a_broken_file_is_refused(tmp_path: Path, before: bytes, after: bytes) -> None:
    """With its name; and nobody stays locked out."""
    archive = Archive(tmp_path)
    with SweepJournal.create(archive, PLAN) as journal:
        journal.add_result(PLAN.tasks[0], _run("r1"), "box")
    path = tmp_path / "sweeps" / journal.sweep / "tasks" / f"{PLAN.tasks[0].id}.json"
    good = path.read_bytes()
    path.write_bytes(good.replace(before, after, 1))

    with pytest.raises(CorruptFileError, match=PLAN.tasks[0].id):
        SweepJournal.resume(archive, journal.sweep)
    path.write_bytes(good)
    SweepJournal.resume(archive, journal.sweep).close()


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, tasks=(replace(PLAN.tasks[0], id="../../x"),)),
        replace(PLAN, tasks=PLAN.tasks * 2),
        replace(PLAN, tasks=()),
        replace(PLAN, tasks=PAIRS.tasks),
        replace(PAIRS, tasks=PLAN.tasks),
    ],
)
def test_a_plan_that_is_none_is_refused(tmp_path: Path, plan: SweepPlan) -> None:
    """Ids that are paths or not one's own, no tasks, and tasks of another kind."""
    archive = Archive(tmp_path)
    SweepJournal.create(archive, PLAN).close()
    (path,) = tmp_path.glob("sweeps/*/plan.json")
    path.write_bytes(encode(plan))

    with pytest.raises(CorruptFileError, match=r"plan\.json"):
        veperf.load_sweep(archive=tmp_path)
    with pytest.raises(CorruptFileError, match=r"plan\.json"):
        SweepJournal.resume(archive, "night")


@pytest.mark.parametrize("id", ["../evil", "", ".hidden", "a/b", "x\0"])
def test_what_came_back_names_no_path(id: str) -> None:
    """A worker does not choose where its result is written."""
    for plan, result in ((PLAN, _run(id)), (PAIRS, replace(ab_run(), id=id))):
        with pytest.raises(CorruptFileError, match="box"):
            decode_task_result(encode(result).decode(), plan.tasks[0], "box")


def test_what_came_back_is_of_its_kind() -> None:
    """No run for a comparison, no comparison for a run, none of other commits, nothing else."""
    run, result = _run("r1"), ab_run(change("a/x", ChangeStatus.OK))
    other = replace(result, new=result.base)
    assert run == decode_task_result(encode(run).decode(), PLAN.tasks[0], "box")
    for wrong, plan in ((run, PAIRS), (result, PLAN), (other, PAIRS), ("x", PLAN)):
        with pytest.raises(CorruptFileError, match="box"):
            decode_task_result(encode(wrong).decode(), plan.tasks[0], "box")


def test_a_comparison_has_the_names_that_were_asked_for() -> None:
    """Those of its commits, and that of its machine class; the rest is as it was measured."""
    result = ab_run(change("a/x", ChangeStatus.OK))
    came = decode_task_result(encode(result).decode(), PAIRS.tasks[0], "box")

    assert isinstance(came, ABRun)
    assert ("v1", "v2", "s") == (came.base.name, came.new.name, came.machine.name)
    assert (result.base.revision, result.changes) == (came.base.revision, came.changes)
    assert result.machine.cpu_model == came.machine.cpu_model
