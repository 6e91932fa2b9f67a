"""What progress shows: text of anybody's, which steers no terminal."""

from collections.abc import Callable

import pytest

from tests.support.runs import case, whole_run
from veperf.core.run import CaseResult, Failure, Run
from veperf.progress.display import NoProgress, ProgressBar, ProgressLines
from veperf.progress.estimate import TimeEstimate
from veperf.progress.output import TerminalLine, print_status

# A window title, a cleared screen, a line that is written over, a bell, a turned direction.
HOSTILE = "lost\x1b]0;owned\x07 all\x1b[2J\rfine\a\u202eenif\nnext"
STEERING = "\r\a\u202e"


def failing(make: Callable[[TimeEstimate], NoProgress], run: Run) -> None:
    with make(TimeEstimate(run)) as progress:
        progress.case_started(0, run.cases[0])
        failure = Failure("raised", HOSTILE)
        progress.case_finished(0, run.cases[0], CaseResult(run.cases[0].id, failure=failure))


@pytest.mark.parametrize("make", [ProgressLines, ProgressBar])
def test_an_exceptions_text_steers_no_terminal(
    make: Callable[[TimeEstimate], NoProgress], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does it break the line; its words stay."""
    failing(make, whole_run([case("shop/a")], [], asked=1))

    shown = capsys.readouterr().err
    assert "lost all" in shown
    assert "\x1b]0" not in shown
    assert "\x1b[2J" not in shown
    (line,) = (line for line in shown.split("\n") if "lost all" in line)
    assert not set(STEERING) & set(line.partition("lost")[2])


def test_status_lines_and_the_last_line_of_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A line of a log may go on in the next one, the one that is written over may not."""
    print_status(HOSTILE)
    assert "lost all\\u000dfine\\u0007\\u202eenif\nnext\n" == capsys.readouterr().err

    TerminalLine()(HOSTILE)
    assert "lost all\\u000dfine\\u0007\\u202eenif\\u000anext\n" == capsys.readouterr().err


def test_passes_beside_each_other_have_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    """However their cases take turns."""
    cases = [case("shop/a"), case("shop/b")]
    progress = ProgressLines(TimeEstimate(whole_run(cases, [], asked=2)))
    for each in cases:
        for index in (0, 1):
            progress.case_started(index, each)
        for index in (0, 1):
            progress.case_finished(index, each, CaseResult(each.id))

    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("pass 1 of 2")
    assert second.startswith("pass 2 of 2")


def test_what_fails_is_counted_where_no_time_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """In words that begin with no comma."""
    cases = [case(f"shop/{name}") for name in "abcdef"]
    progress = ProgressLines(TimeEstimate(whole_run(cases, [], asked=2)))
    progress.case_started(0, cases[0])
    progress.case_finished(0, cases[0], CaseResult(cases[0].id, failure=Failure("raised", "lost")))
    progress.case_started(1, cases[0])

    assert "pass 2 of 2  1 failing" == capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("make", "symbol"), [(ProgressLines, "  "), (ProgressBar, "○ ")])
def test_a_void_load_has_not_failed(
    make: Callable[[TimeEstimate], NoProgress], symbol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told once, in the word that the report has for it, and counted apart."""
    cases = [case(f"shop/{name}") for name in "abcdef"]
    with make(TimeEstimate(whole_run(cases, [], asked=3))) as progress:
        for index in range(3):
            progress.case_started(index, cases[0])
            void = CaseResult(cases[0].id, failure=Failure("invalid", "the machine was too busy"))
            progress.case_finished(index, cases[0], void)

    lines = capsys.readouterr().err.splitlines()
    assert 1 == sum("the machine was too busy" in line for line in lines)
    assert any(line.startswith(f"{symbol}shop/a: ") for line in lines)
    assert make is ProgressBar or "pass 3 of 3  1 void" == lines[-1]
    assert not any("failing" in line for line in lines)
