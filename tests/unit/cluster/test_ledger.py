"""What has become of a sweep's tasks."""

from pathlib import Path

import pytest

from tests.runs import timed_run
from veperf.archive import Archive
from veperf.cluster import Ledger, Plan, Spec
from veperf.cluster.plan import make_plan
from veperf.errors import CorruptFileError, UnknownRunError, UsageError
from veperf.model import Run

PLAN: Plan = make_plan(Spec("night", benchmarks=("a/x", "a/y", "a/z")), str)


def _run(name: str) -> Run:
    return timed_run({"a/x": [5.0, 6.0]}, id=name)


def test_what_came_back_is_done(tmp_path: Path) -> None:
    """A run that is kept is missing no more, even to another process; a failure is."""
    archive = Archive(tmp_path)
    first, second, third = PLAN.tasks
    with Ledger.begin(archive, PLAN) as ledger:
        assert ledger.keep(first, _run("r1"), "box")
        ledger.fail(second, "it crashed")

    with Ledger.resume(archive, "last") as again:
        assert (second, third) == again.missing()
        assert ["r1"] == archive.ids()
        assert [("box", ""), ("", "it crashed")] == [
            (e.host, e.failure) for _, e in again.entries()
        ]


def test_nothing_counts_twice(tmp_path: Path) -> None:
    """A task that comes back once more leaves the archive as it is."""
    archive = Archive(tmp_path)
    with Ledger.begin(archive, PLAN) as ledger:
        assert ledger.keep(PLAN.tasks[0], _run("r1"), "box")
        assert not ledger.keep(PLAN.tasks[0], _run("r2"), "other")

        assert ["r1"] == archive.ids()


def test_a_kill_between_ledger_and_archive(tmp_path: Path) -> None:
    """A line whose run is not in the archive is missing, and so is a line that was cut off."""
    archive = Archive(tmp_path)
    with Ledger.begin(archive, PLAN) as ledger:
        ledger.keep(PLAN.tasks[0], _run("r1"), "box")
    lines = (ledger.folder / "ledger.jsonl").read_bytes()
    other = lines.replace(PLAN.tasks[0].id.encode(), PLAN.tasks[1].id.encode())
    (ledger.folder / "ledger.jsonl").write_bytes(
        lines + other.replace(b'"r1"', b'"r9"') + lines[: len(lines) // 2]
    )

    with Ledger.resume(archive, ledger.sweep) as again:
        assert PLAN.tasks[1:] == again.missing()
        assert again.keep(PLAN.tasks[2], _run("r3"), "box")
    with Ledger.resume(archive, ledger.sweep) as later:
        assert (PLAN.tasks[1],) == later.missing()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """The second is told so."""
    with (
        Ledger.begin(Archive(tmp_path), PLAN) as ledger,
        pytest.raises(UsageError, match="another process"),
    ):
        Ledger.resume(Archive(tmp_path), ledger.sweep)


def test_what_is_not_there(tmp_path: Path) -> None:
    """No sweep at all, none of that name, and a ledger of something else."""
    archive = Archive(tmp_path)
    with pytest.raises(UnknownRunError):
        Ledger.resume(archive, "last")
    with Ledger.begin(archive, PLAN) as ledger:
        pass
    with pytest.raises(UnknownRunError):
        Ledger.resume(archive, "../x")
    (ledger.folder / "ledger.jsonl").write_text("[]\n")
    with pytest.raises(CorruptFileError, match=r"ledger\.jsonl:1"):
        Ledger.resume(archive, ledger.sweep)
