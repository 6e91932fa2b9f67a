"""The line that shows a load, and its Ctrl-C."""

import signal

import pytest

from tests.support.runs import case
from veperf.core.case import Metric
from veperf.core.load import LoadSoFar
from veperf.progress.load import LoadLine, describe_load

CASE = case("shop/load", metrics=(Metric("achieved", "tx/s", "higher"),))


def so_far(elapsed_s: float) -> LoadSoFar:
    return LoadSoFar(elapsed_s, 612, 4_999.6, 35.25, 0.04, 0)


def test_the_line_says_how_it_goes():
    """Time, rate, latency, lag; errors where there are any; nothing that is not known."""
    assert "1:05 of 10:12  5,000 tx/s  p95 35.2 ms  lag 0.0 ms" == describe_load(so_far(65), "tx/s")
    trouble = LoadSoFar(3_599.6, 3_600, 0, None, 1_234.5, 10_000)
    assert "60:00 of 60:00  0 1/s  p95 none  lag 1,234.5 ms  errors 10,000" == describe_load(
        trouble, "1/s"
    )
    assert "0:01 of 0:12  warming up" == describe_load(LoadSoFar(1, 12, None, None, 0, 0), "1/s")


def test_a_log_is_not_flooded():
    """A line every ten seconds, where each second brings news."""
    rendered: list[str] = []
    line = LoadLine(rendered.append, every_s=10)
    line.case_started(0, CASE)
    assert all(line.load_ticked(0, CASE, so_far(second)) for second in range(1, 36))

    assert ["0:10", "0:20", "0:30"] == [text.split()[0] for text in rendered[1:]]
    assert "shop/load" in rendered[0]


def test_ctrl_c_ends_the_load_and_a_second_one_everything():
    """The first is no exception; afterwards all is as it was."""
    before = signal.getsignal(signal.SIGINT)
    rendered: list[str] = []
    with LoadLine(rendered.append) as line:
        assert line.load_ticked(0, CASE, so_far(1))
        signal.raise_signal(signal.SIGINT)
        assert "Ctrl-C once more" in rendered[-1]
        assert not line.load_ticked(0, CASE, so_far(2))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert before == signal.getsignal(signal.SIGINT)


def test_ctrl_c_while_a_line_is_being_written():
    """A stream refuses to be written to meanwhile, so the answer follows the line."""
    shown: list[str] = []

    def show(line: str) -> None:
        assert not shown or shown[-1] != "begun", "a write within a write"
        shown.append("begun")
        if len(shown) == 1:
            signal.raise_signal(signal.SIGINT)
        shown[-1] = line

    with LoadLine(show) as line:
        line.load_ticked(0, CASE, so_far(1))
        assert 2 == len(shown)
        assert "Ctrl-C once more" in shown[-1]
        assert not line.load_ticked(0, CASE, so_far(2))


def test_ctrl_c_before_anything_is_measured_interrupts_as_usual():
    """What is set up takes long, and there is nothing to keep."""
    with LoadLine(lambda _: None) as line:
        line.case_started(0, CASE)
        line.load_started(lambda: None)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_ends_the_load_without_waiting_for_its_progress():
    """Whoever runs the load is told in the signal's handler."""
    ended: list[bool] = []
    with LoadLine(lambda _: None) as line:
        line.load_started(lambda: ended.append(True))
        line.load_ticked(0, CASE, so_far(1))
        signal.raise_signal(signal.SIGINT)

        assert [True] == ended
        assert line.is_stopping()
