"""Runs are chosen by what they are, in the list, the history and Python alike."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

import veperf
from tests.support.archives import archive_of, dated_run
from tests.support.runs import MACHINE
from veperf.archive.run_filter import RunFilter, filter_of, parse_since
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.cli.main import veperf as command
from veperf.core.errors import UnknownRunError, UsageError
from veperf.core.options import RunFilterOptions
from veperf.core.run import Revision

OTHER = replace(MACHINE, name="other-8c")


@pytest.fixture
def archive(tmp_path) -> Archive:
    """Ten days; every third on another machine class, the odd ones on another branch."""
    runs = [
        replace(
            dated_run(day, machine=OTHER if day % 3 == 0 else MACHINE),
            revision=Revision(f"{day:x}abc{'0' * 36}", "next" if day % 2 else "main"),
        )
        for day in range(10)
    ]
    runs[9] = replace(runs[9], created="some day")
    return archive_of(tmp_path, runs)


@pytest.mark.parametrize(
    ("chosen", "days"),
    [
        (RunFilter(), range(10)),
        (RunFilter(machine="other-8c"), [0, 3, 6, 9]),
        (RunFilter(branch="main"), [0, 2, 4, 6, 8]),
        (RunFilter(commit="4abc"), [4]),
        (RunFilter(since=datetime(2026, 1, 6, tzinfo=UTC)), [5, 6, 7, 8]),
        (RunFilter(limit=2), [8, 9]),
        (RunFilter(branch="main", limit=2), [6, 8]),
        (RunFilter(branch="main", commit="5abc"), []),
        (RunFilter(since=datetime(2027, 1, 6, tzinfo=UTC)), []),
    ],
)
def test_only_what_passes_is_left(archive: Archive, chosen: RunFilter, days):
    """The latest where a number is given; a run without a readable date is never recent."""
    commits = [run.commit[0] for run in load_summary(archive).select(chosen).runs]

    assert [f"{day:x}" for day in days] == commits


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (RunFilter(branch="mian"), "branch 'mian'; did you mean main"),
        (RunFilter(machine="gpu"), f"machine class 'gpu'; there are {MACHINE.name}, "),
        (RunFilter(commit="ffff", branch="main"), "commit 'ffff'"),
    ],
)
def test_a_name_that_no_run_has_is_an_error(archive: Archive, chosen: RunFilter, message: str):
    """And no empty list; an archive without runs has none of any name."""
    with pytest.raises(UnknownRunError, match=message):
        load_summary(archive).select(chosen)
    (archive.folder / "empty").mkdir()
    assert () == load_summary(Archive(archive.folder / "empty")).select(chosen).runs


def test_a_list_of_no_run_says_so(archive: Archive):
    """Where the filter leaves none, and where there is none."""
    place = archive.folder / "empty"
    place.mkdir()
    for words, text in (
        (["--since", "2027-01-01", "--archive", str(archive.folder)], "passes of the 10 in"),
        (["--archive", str(place)], "No run is in"),
    ):
        listed = CliRunner().invoke(command, ["list", "--runs", *words])
        assert (0, True) == (listed.exit_code, text in listed.output)


def test_commands_and_python_choose_alike(archive: Archive):
    """The list, the history and both functions, by the same options."""
    place = str(archive.folder)
    words = ["--branch", "main", "--limit", "2", "--archive", place]
    listed = CliRunner().invoke(command, ["list", "--runs", *words]).output
    history = CliRunner().invoke(command, ["history", "demo/a", *words, "--csv"]).output
    expected = load_summary(archive).select(RunFilter(branch="main", limit=2)).ids

    assert expected == [id for id in archive.ids() if id in listed]
    assert expected == veperf.runs(place, branch="main", limit=2)["id"].tolist()
    assert [expected[-1]] == [id for id in archive.ids() if id in history]
    assert 1 == len(
        veperf.history("demo/a", archive=place, since="2026-01-08", branch="main").trend.runs
    )


def test_filters_are_of_runs(archive: Archive):
    """Not of benchmarks; and what can't be read is refused."""
    refused = CliRunner().invoke(command, ["list", "--branch", "main"])
    assert 2 == refused.exit_code
    assert "--runs" in refused.output
    with pytest.raises(UsageError, match="4 characters"):
        filter_of(RunFilterOptions(commit="4ab"))


def test_times_are_dates_or_ages():
    """In UTC where there is no zone."""
    now = datetime(2026, 3, 1, tzinfo=UTC)

    assert datetime(2026, 2, 27, 12, tzinfo=UTC) == parse_since("1.5d", now)
    assert datetime(2026, 2, 1, tzinfo=UTC) == parse_since("2026-02-01")
    assert datetime(2026, 2, 1, 22, tzinfo=UTC) == parse_since("2026-02-02T00:00+02:00")
    for text in ("yesterday", "d", "nand", "1e99d", "infd", "2026-13-01"):
        with pytest.raises(UsageError, match="date such as"):
            parse_since(text)
