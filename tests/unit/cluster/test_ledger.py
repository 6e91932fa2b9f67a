"""What has become of a sweep's tasks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.json import encode
from msgspec.structs import replace

import veperf
from tests.support.ab_runs import ab_run, change
from tests.support.runs import timed_run
from veperf.archive.comparisons import ab_ids
from veperf.archive.store import Archive
from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import Plan, make_plan
from veperf.cluster.spec import AB, Spec
from veperf.cluster.sweep_journal import named, read_record, sweeps
from veperf.cluster.task_result import decoded
from veperf.core.ab import ABRun
from veperf.core.errors import CorruptFileError, UnknownRunError, UsageError
from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus

PLAN: Plan = make_plan(Spec("night", benchmarks=("a/x", "a/y", "a/z")), str)
PAIRS: Plan = make_plan(
    Spec("pairs", machine_classes=("s", "l"), ab=AB("v1", "v2")),
    {"v1": "1" * 40, "v2": "2" * 40}.__getitem__,
)


def _run(name: str) -> Run:
    return timed_run({"a/x": [5.0, 6.0]}, id=name)


def test_what_came_back_is_done(place: str) -> None:
    """A run that is kept is missing no more, even to another process; a failure is."""
    archive = Archive(place)
    first, second, third = PLAN.tasks
    with Ledger.begin(archive, PLAN) as ledger:
        assert ledger.keep(first, _run("r1"), "box")
        ledger.fail(second, "it crashed")

    with Ledger.resume(archive, "last") as again:
        assert (second, third) == again.missing()
        assert ["r1"] == archive.ids()
        assert {first.id: ("box", "r1", ""), second.id: ("", "", "it crashed")} == {
            task: (e.host, e.found, e.failure) for task, e in again.record.entries.items()
        }


def test_comparisons_are_kept_likewise(place: str) -> None:
    """A sweep of comparisons is done when the archive holds one for each class."""
    archive = Archive(place)
    first, second = PAIRS.tasks
    found = ab_run(change("a/x", ChangeStatus.OK))
    with Ledger.begin(archive, PAIRS) as ledger:
        assert ledger.keep(first, found, "box")
        assert not ledger.keep(first, replace(found, id="other"), "box")

    with Ledger.resume(archive, "pairs") as again:
        assert (second,) == again.missing()
        assert [found.id] == ab_ids(archive.storage)
        with pytest.raises(UsageError, match="already"):
            again.keep(second, found, "box")
        assert (second,) == again.missing()


def test_nothing_counts_twice(place: str) -> None:
    """A task that comes back once more leaves archive and record as they are, failed or not."""
    archive = Archive(place)
    with Ledger.begin(archive, PLAN) as ledger:
        assert ledger.keep(PLAN.tasks[0], _run("r1"), "box")
        before = ledger.record
        assert not ledger.keep(PLAN.tasks[0], _run("r2"), "other")
        ledger.fail(PLAN.tasks[0], "lost")

        assert ["r1"] == archive.ids()
        assert before == ledger.record == read_record(archive, ledger.sweep)


def test_a_kill_between_ledger_and_archive(tmp_path: Path) -> None:
    """A task whose run is not in the archive is missing; what a writer left behind is not read."""
    archive = Archive(tmp_path)
    first, second, third = PLAN.tasks
    with Ledger.begin(archive, PLAN) as ledger:
        ledger.keep(first, _run("r1"), "box")
        folder = tmp_path / "sweeps" / ledger.sweep
        kept = (folder / "tasks" / f"{first.id}.json").read_bytes()
    lost = kept.replace(first.id.encode(), second.id.encode()).replace(b'"r1"', b'"r9"')
    (folder / "tasks" / f"{second.id}.json").write_bytes(lost)
    (folder / "tasks" / f".{third.id}.json.x1").write_bytes(kept[:20])

    with Ledger.resume(archive, ledger.sweep) as again:
        assert (second, third) == again.missing()
        assert again.keep(third, _run("r3"), "box")
    with Ledger.resume(archive, ledger.sweep) as later:
        assert (second,) == later.missing()


def test_a_thousand_tasks_do_not_list_the_archive_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a task costs does not grow with what the archive holds."""
    many = make_plan(Spec("many", benchmarks=("a/x",), repeats=20), str)
    archive = Archive(tmp_path)
    with Ledger.begin(archive, many) as ledger:
        looked: list[str] = []
        scandir = os.scandir

        def watched(path: str) -> "Iterator[os.DirEntry[str]]":
            looked.append(path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", watched)
        for task in many.tasks:
            ledger.keep(task, _run(f"r{task.repeat}"), "box")
            ledger.missing()
        listings = [path for path in looked if Path(path) == tmp_path]
        assert 20 == len(archive.ids())

    assert [] == listings
    assert tmp_path in map(Path, looked)


def test_one_process_at_a_time(place: str) -> None:
    """The second is told so, and may look all the same."""
    archive = Archive(place)
    with Ledger.begin(archive, PLAN) as ledger:
        with pytest.raises(UsageError, match="another process"):
            Ledger.resume(archive, ledger.sweep)
        assert PLAN.tasks == read_record(archive, ledger.sweep).missing
    Ledger.resume(archive, ledger.sweep).close()


def test_what_is_not_there(place: str) -> None:
    """No sweep at all, none of that name, more than one, a path elsewhere."""
    archive = Archive(place)
    with pytest.raises(UnknownRunError, match="no sweep that is not done"):
        Ledger.resume(archive, "last")
    with pytest.raises(UnknownRunError, match="holds 0 sweeps"):
        named(archive, "last")
    for _ in range(2):
        Ledger.begin(archive, PLAN).close()
    for name in ("../x", "", "night", "day"):
        with pytest.raises(UnknownRunError, match="holds 2 sweeps"):
            named(archive, name)
    newest = sweeps(archive)[-1]
    assert newest == named(archive, "last") == named(archive, newest[:-1])


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"{", b"["), (b'"task": "', b'"task": "f'), (b'"host": "box"', b'"host": 1'), (b"}", b"")],
)
def test_a_broken_file_is_refused(tmp_path: Path, before: bytes, after: bytes) -> None:
    """With its name; and nobody stays locked out."""
    archive = Archive(tmp_path)
    with Ledger.begin(archive, PLAN) as ledger:
        ledger.keep(PLAN.tasks[0], _run("r1"), "box")
    path = tmp_path / "sweeps" / ledger.sweep / "tasks" / f"{PLAN.tasks[0].id}.json"
    good = path.read_bytes()
    path.write_bytes(good.replace(before, after, 1))

    with pytest.raises(CorruptFileError, match=PLAN.tasks[0].id):
        Ledger.resume(archive, ledger.sweep)
    path.write_bytes(good)
    Ledger.resume(archive, ledger.sweep).close()


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
def test_a_plan_that_is_none_is_refused(tmp_path: Path, plan: Plan) -> None:
    """Ids that are paths or not one's own, no tasks, and tasks of another kind."""
    archive = Archive(tmp_path)
    Ledger.begin(archive, PLAN).close()
    (path,) = tmp_path.glob("sweeps/*/plan.json")
    path.write_bytes(encode(plan))

    with pytest.raises(CorruptFileError, match=r"plan\.json"):
        veperf.load_sweep(archive=tmp_path)
    with pytest.raises(CorruptFileError, match=r"plan\.json"):
        Ledger.resume(archive, "night")


@pytest.mark.parametrize("id", ["../evil", "", ".hidden", "a/b", "x\0"])
def test_what_came_back_names_no_path(id: str) -> None:
    """A worker does not choose where its result is written."""
    for plan, found in ((PLAN, _run(id)), (PAIRS, replace(ab_run(), id=id))):
        with pytest.raises(CorruptFileError, match="box"):
            decoded(encode(found).decode(), plan.tasks[0], "box")


def test_what_came_back_is_of_its_kind() -> None:
    """No run for a comparison, no comparison for a run, none of other commits, nothing else."""
    run, found = _run("r1"), ab_run(change("a/x", ChangeStatus.OK))
    other = replace(found, new=found.base)
    assert run == decoded(encode(run).decode(), PLAN.tasks[0], "box")
    for wrong, plan in ((run, PAIRS), (found, PLAN), (other, PAIRS), ("x", PLAN)):
        with pytest.raises(CorruptFileError, match="box"):
            decoded(encode(wrong).decode(), plan.tasks[0], "box")


def test_a_comparison_has_the_names_that_were_asked_for() -> None:
    """Those of its commits, and that of its machine class; the rest is as it was measured."""
    found = ab_run(change("a/x", ChangeStatus.OK))
    came = decoded(encode(found).decode(), PAIRS.tasks[0], "box")

    assert isinstance(came, ABRun)
    assert ("v1", "v2", "s") == (came.base.name, came.new.name, came.machine.name)
    assert (found.base.revision, found.changes) == (came.base.revision, came.changes)
    assert found.machine.cpu_model == came.machine.cpu_model
