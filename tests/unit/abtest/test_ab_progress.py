"""What a comparison plans is shown in a log, a notebook and a terminal."""

import re

import pytest

from veperf.abtest import progress
from veperf.abtest.progress import ComparisonLines, ComparisonNotebookLine, ComparisonTable

PLAN = ["about 5 s to the first decisions", "mine/[dear] is left out"]


def test_a_log_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    """As they come."""
    ComparisonLines().planned(PLAN)

    written = capsys.readouterr()
    assert PLAN == [line.strip() for line in (written.out + written.err).splitlines()]


def test_a_notebook_has_them_behind_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the one line that there is, until the next plan."""
    lines: list[str] = []
    monkeypatch.setattr(progress, "NotebookLine", lambda: lines.append)
    line = ComparisonNotebookLine()

    line.pair_started(0, [])
    line.planned(PLAN)
    line.pair_started(1, [])

    assert lines[0].startswith("pair 1: 0 of 0 undecided")
    assert lines[1].endswith(f"; {PLAN[0]}; {PLAN[1]}")


def test_a_terminal_has_them_above_the_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are shown as they are, whatever they mean to the library that draws."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ComparisonTable() as table:
        table.planned(PLAN)
        table.pair_started(1, [])

        written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    for line in PLAN:
        assert line in written
