"""Acknowledgements stay with their change point, and are taken for nothing else."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tests.support.archives import archive_of, stepped
from veperf.archive.acknowledgements import (
    FOLDER,
    LONGEST_REASON,
    Acknowledgement,
    merge_acknowledgements,
    read_acknowledgements,
    withdraw_acknowledgement,
    write_acknowledgement,
)
from veperf.archive.merge import ALREADY_PRESENT
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.trend import Trend, case_trend
from veperf.cli.main import veperf
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.stats.drift import Drift

STEP = 15


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Thirty runs; the benchmark became 6 % slower after fifteen of them."""
    return archive_of(tmp_path / "reports", stepped(30, step_at=STEP))


def _trend(archive: Archive) -> Trend:
    trend = case_trend(load_summary(archive), "demo/a")
    (acknowledged,) = read_acknowledgements(archive.storage).apply([trend])
    return acknowledged


def test_a_reason_stands_beside_the_change_that_its_run_shows(archive: Archive):
    """Whichever run of the new level is named; one before the change says nothing of it."""
    ids = [run.id for run in load_summary(archive).runs]
    for index, expected in ((STEP - 1, ""), (STEP, "checked twice"), (2 * STEP - 1, "known")):
        run = archive.load(ids[index])
        write_acknowledgement(archive.storage, run, "demo/a", expected or "earlier")
        assert expected == _trend(archive).change_points[0].acknowledged
        assert withdraw_acknowledgement(archive.storage, run, "demo/a")

    assert "" == _trend(archive).change_points[0].acknowledged


def test_a_reason_is_one_line_of_some_length(archive: Archive):
    """Whatever it is made of; and it is about something that the run has."""
    run = archive.load()
    entry = write_acknowledgement(archive.storage, run, "demo/a", " two\nlines\x1b[2J\t<b> ")

    assert "\n" not in entry.reason
    assert "\x1b" not in entry.reason
    for reason in ("", " \n", "x" * 501):
        with pytest.raises(UsageError, match="reason"):
            write_acknowledgement(archive.storage, run, "demo/a", reason)
    with pytest.raises(UnknownBenchmarkError, match="did you mean demo/a"):
        write_acknowledgement(archive.storage, run, "demo/aa", "why")
    with pytest.raises(UnknownBenchmarkError, match="metric"):
        write_acknowledgement(archive.storage, run, "demo/a", "why", "tim")


def test_files_that_are_no_acknowledgements_are_named(archive: Archive):
    """Broken ones, and a copy under another name, which would be about something else."""
    run = archive.load()
    write_acknowledgement(archive.storage, run, "demo/a", "why")
    folder = archive.folder / FOLDER
    (good,) = folder.glob("*.json")
    (folder / "copy.json").write_bytes(good.read_bytes())
    (folder / "cut.json").write_bytes(good.read_bytes()[:20])
    (folder / "edited.json").write_bytes(good.read_bytes().replace(b"why", b"hm"))

    actual = read_acknowledgements(archive.storage)

    assert ["why"] == [entry.reason for entry in actual.known]
    assert 3 == len(actual.left_out)


def test_the_command_says_what_it_acknowledged_and_history_shows_it(archive: Archive):
    """It is withdrawn by the same words; a gate's exit code is no concern of it."""

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(veperf, [*words, "--archive", archive.location])
        return result.exit_code, " ".join(result.output.split())

    said = call("archive", "acknowledge", "last", "demo/a", "--reason", "checks the signature, too")
    shown = call("history", "demo/a")
    neither = call("archive", "acknowledge", "last", "demo/a")
    withdrawn = call("archive", "acknowledge", "last", "demo/a", "--withdraw")
    again = call("archive", "acknowledge", "last", "demo/a", "--withdraw")

    assert 0 == said[0] == shown[0] == withdrawn[0]
    assert re.fullmatch(
        r"acknowledged demo/a: \d\.\d % slower since 2026-01-16, run 20260116-box-4c", said[1]
    )
    assert "checks the signature, too" in shown[1]
    assert 2 == neither[0] == again[0]
    assert "checks the signature" not in call("history", "demo/a")[1]


def test_a_drift_is_acknowledged_beside_the_change_point_before_it(archive: Archive):
    """The reason for one says nothing of the other, whichever run is named."""
    runs = [archive.load(facts.id) for facts in load_summary(archive).runs]
    drift = Drift(index=STEP, count=15, ratio=1.1, low=1.05, high=1.15)

    def trend() -> Trend:
        drifting = replace(case_trend(load_summary(archive), "demo/a"), drift=drift)
        (acknowledged,) = read_acknowledgements(archive.storage).apply([drifting])
        return acknowledged

    write_acknowledgement(archive.storage, runs[STEP - 1], "demo/a", "too early", drift=True)
    write_acknowledgement(archive.storage, runs[-1], "demo/a", "the step")
    before = trend()
    write_acknowledgement(archive.storage, runs[-1], "demo/a", "the orders", drift=True)
    both = trend()
    assert withdraw_acknowledgement(archive.storage, runs[-1], "demo/a", drift=True)

    assert "" == before.drift_acknowledged == trend().drift_acknowledged
    assert "the orders" == both.drift_acknowledged
    assert ["the step"] == [change.acknowledged for change in both.change_points]


def test_acknowledgements_come_over_with_the_runs(archive: Archive, tmp_path: Path):
    """The later reason stays; whatever a hostile one is made of, it is one line of some length."""
    other = archive_of(tmp_path / "other", stepped(30, step_at=STEP))
    write_acknowledgement(other.storage, other.load(), "demo/a", "theirs")
    write_acknowledgement(other.storage, other.load(), "demo/b", "b", drift=True)
    first = [result.skipped for result in merge_acknowledgements(archive.storage, other.storage)]
    again = [result.skipped for result in merge_acknowledgements(archive.storage, other.storage)]
    (theirs,) = (other.folder / FOLDER).glob(f"{_entry(other, 'demo/a').file}")
    hostile = _entry(other, "demo/a").created.replace("20", "30", 1)
    entry = msgspec.json.decode(theirs.read_bytes())
    del entry["checksum"]
    reason = "two\nlines \x1b[2J" + "x" * 2 * LONGEST_REASON
    theirs.write_bytes(msgspec.json.encode(entry | {"reason": reason, "created": hostile}))
    later = [result.skipped for result in merge_acknowledgements(archive.storage, other.storage)]
    reason = _entry(archive, "demo/a").reason

    assert ["", ""] == first
    assert [ALREADY_PRESENT] * 2 == again
    assert ["", ALREADY_PRESENT] == sorted(later)
    assert LONGEST_REASON == len(reason)
    assert reason.isprintable()


def _entry(archive: Archive, case: str) -> Acknowledgement:
    entries = read_acknowledgements(archive.storage).known
    return next(entry for entry in entries if entry.case == case)
