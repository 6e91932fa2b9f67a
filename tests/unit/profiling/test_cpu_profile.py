"""CPU profiles, by functions and by lines."""

import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.support.helpers import HOSTILE
from veperf.core.errors import MeasureError, UnknownBenchmarkError, UsageError, WorkerCrashedError
from veperf.profiling.cpu.call_tree import CpuSamples, Frame, Stack
from veperf.profiling.cpu.profile_cpu import CpuProfile, profile_cpu
from veperf.profiling.cpu.sampler import find_hot_line, sample_stacks


def _burn(rounds: int) -> int:
    return sum(n * n for n in range(rounds))


def _light() -> int:
    return _burn(100_000)  # far longer than a tick of the clock, lest the two beat


def _heavy() -> int:
    return _burn(300_000)


def _both() -> None:
    _light()
    _heavy()


def test_shares_are_those_of_the_work():
    """A function that does three times the work of another gets three quarters of the time."""
    frame = profile_cpu(_both, seconds=0.6).frame().set_index("function")

    # Of 80 samples on a machine that gives it a tenth of the time, five standard deviations.
    assert 0.75 == pytest.approx(frame["total"]["_heavy"], abs=0.24)
    assert 0.25 == pytest.approx(frame["total"]["_light"], abs=0.24)
    assert frame["total"]["_both"] > 0.9
    assert 1.0 == pytest.approx(frame["own"].sum(), abs=0.05)


def test_the_hot_line_is_the_one_that_most_time_is_spent_in():
    """Here a loop's only one; and none is told where C code has no line, or none can be sampled."""
    line = _burn.__code__.co_firstlineno + 1
    actual = find_hot_line(_heavy, 0.1)

    assert actual is not None
    assert f"{__name__}:{line}" == actual.where
    assert 0.5 < actual.share <= 1
    assert find_hot_line(partial(sum, range(100_000)), 0.02) is None
    with ThreadPoolExecutor() as threads:
        assert threads.submit(find_hot_line, _light, 0.02).result() is None
        # The line that waits is not the one that works.
        assert find_hot_line(lambda: threads.submit(_heavy).result(), 0.2) is None


def test_a_benchmark_is_sampled_in_a_fresh_process():
    """The functions are those of the benchmark's own call, and none of its set-up."""
    actual = profile_cpu("planted/work", seconds=0.2, modules=("tests.support.planted",))

    assert "planted/work" == actual.what
    assert {"work.<locals>.<lambda>"} == set(actual.frame()["function"])
    assert "return Task(lambda: sum(numbers))" == actual.lines()["source"][0]


def test_work_that_waits_is_not_sampled_for_ever():
    """A callable that uses no CPU ends by the clock, after a call or more."""
    actual = profile_cpu(lambda: time.sleep(0.01), seconds=0.02)

    assert actual.sampled.calls >= 1
    assert actual.sampled.cpu_s < 0.02
    empty = CpuProfile("x", CpuSamples((), 1, 0.0))
    assert "No samples were taken" in repr(empty)
    assert "No samples were taken" in empty._repr_html_()


def test_afterwards_timer_and_handler_are_as_before():
    """Nothing of it stays in the process, even where the work raises."""
    before = signal.getsignal(signal.SIGPROF)

    sample_stacks(_light, 0.02)
    with pytest.raises(ZeroDivisionError):
        sample_stacks(lambda: 1 // 0, 0.02)

    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_PROF)
    assert before == signal.getsignal(signal.SIGPROF)


def test_another_profiler_and_another_thread_are_refused():
    """Where the timer is taken, or no signal arrives, there is an error and no figure."""
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            sample_stacks(_light, 0.02)
        except MeasureError as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    signal.setitimer(signal.ITIMER_PROF, 1_000)
    try:
        with pytest.raises(MeasureError, match="another profiler"):
            sample_stacks(_light, 0.02)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)

    assert ["main thread" in str(error) for error in errors] == [True]


def test_work_that_breaks_is_an_error_and_harms_nobody():
    """Raising, exiting and dying are errors of their own kinds; this process goes on."""
    with pytest.raises(MeasureError, match="ZeroDivisionError"):
        profile_cpu(lambda: 1 // 0, seconds=0.1)
    with pytest.raises(MeasureError, match="SystemExit"):
        profile_cpu(lambda: exit(3), seconds=0.1)
    with pytest.raises(WorkerCrashedError, match="SIGKILL"):
        profile_cpu(lambda: os.kill(os.getpid(), signal.SIGKILL), seconds=0.1)


def test_what_makes_no_sense_is_refused():
    """No such benchmark, a load, a whole suite, no time, too much of it, no callable."""
    with pytest.raises(UnknownBenchmarkError):
        profile_cpu("transaction/none")
    with pytest.raises(UnknownBenchmarkError, match="not one benchmark"):
        profile_cpu("transaction")
    with pytest.raises(UsageError, match="load"):
        profile_cpu("transaction/load")
    for seconds in (0, -1, float("nan"), 1e9):
        with pytest.raises(UsageError, match="seconds"):
            profile_cpu(_light, seconds=seconds)
    with pytest.raises(UsageError, match="callable"):
        profile_cpu(3)  # type: ignore[arg-type]  # what is tested


def test_names_from_elsewhere_are_shown_as_text():
    """Markup and invisible characters in names are never interpreted; widths are shares."""
    frame = Frame(HOSTILE, HOSTILE, "nowhere")
    deep = Stack((frame,) * 100, 1, 30)
    actual = CpuProfile(HOSTILE, CpuSamples((deep, Stack((frame,), 2, 10)), 5, 1.0))
    html = actual._repr_html_()

    assert not re.search(r"<script|<img|[\x00\x1b\u202a-\u202e]", html)
    assert not re.search(r"[\x00\x1b\u202e]", repr(actual))
    assert "width:75%" in html
    assert "5 calls" in html


def test_stacks_can_be_taken_elsewhere():
    """The collapsed form: frames from the outside in, parted by semicolons, then the count."""
    outer, inner = Frame("f", "a", "a.py"), Frame("g;h", "b", "b.py")
    actual = CpuProfile("x", CpuSamples((Stack((outer, inner), 3, 7), Stack((), 0, 2)), 1, 1.0))

    assert "a:f;b:g:h 7\n" == actual.collapsed()
