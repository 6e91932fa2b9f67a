"""Choice of a CPU, and processes that keep to one."""

import contextlib
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.measure.clock import take_sample
from veperf.measure.cpus import (
    choose_cpu,
    keep_to,
    run_queue_delay_ns,
    stay_off,
    stay_on,
    usable_cpus,
)

speeds = st.dictionaries(st.integers(0, 255), st.floats(1.0, 1e9), min_size=1, max_size=12)


@given(speeds, st.integers(0, 1000))
def test_the_chosen_cpu_is_calm(times: dict[int, float], turn: int) -> None:
    """It is about as quick as the quickest of those that were measured, at most four."""
    measured: dict[int, float] = {}

    def measure(cpu: int) -> float:
        measured[cpu] = times[cpu]
        return times[cpu]

    cpu = choose_cpu(tuple(times), turn, measure)

    assert cpu in measured
    assert len(measured) == min(4, len(times))
    assert times[cpu] <= 1.05 * min(measured.values())


@given(st.lists(st.integers(0, 255), min_size=1, max_size=9, unique=True))
def test_equally_calm_cpus_take_turns(cpus: list[int]) -> None:
    """In as many turns as it takes, each of them is chosen."""
    chosen = {choose_cpu(cpus, turn, lambda _: 1.0) for turn in range(4 * len(cpus))}

    assert set(cpus) == chosen


def test_without_cpus_there_is_no_choice() -> None:
    """Systems that don't tell their CPUs are measured without."""
    assert choose_cpu((), 3) is None


@pytest.mark.parametrize("cpu", usable_cpus())
def test_a_sample_names_its_cpu(cpu: int) -> None:
    """A thread that keeps to a CPU takes its samples there."""
    with stay_on(cpu):
        sample = take_sample(lambda: None, 100)

    assert (cpu, False) == (sample.cpu, sample.migrated)


def test_a_thread_comes_back() -> None:
    """After the block, even one that fails, the thread may run wherever it could before."""
    before = usable_cpus()
    for cpu in (*before, None):
        for context in (stay_on, stay_off):
            within: tuple[int, ...] = ()
            with contextlib.suppress(ZeroDivisionError), context(cpu):
                within = usable_cpus()
                raise ZeroDivisionError

            if cpu is not None and len(before) > 1:
                assert (cpu in within) == (context is stay_on)
            assert before == usable_cpus()


def test_a_process_that_has_ended_is_left_alone() -> None:
    """No error where a worker has crashed meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    keep_to(process.pid, usable_cpus())


def test_a_process_keeps_to_its_cpu() -> None:
    """What it starts afterwards does, too."""
    cpu = usable_cpus()[-1]
    script = (
        "import os, subprocess, sys; input();"
        "subprocess.run([sys.executable, '-c', 'import os; print(os.sched_getaffinity(0))'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        keep_to(process.pid, (cpu,))
        output, _ = process.communicate("\n")

    assert str({cpu}) == output.strip()
    assert os.sched_getaffinity(0) == set(usable_cpus())


@pytest.mark.slow
def test_waiting_for_a_cpu_is_told_from_waiting_for_something_else() -> None:
    """Two processes on one CPU delay each other; a thread that sleeps is not delayed."""
    cpu = usable_cpus()[0]
    spin = "import time; e = time.monotonic() + 60\nwhile time.monotonic() < e: pass"
    with stay_on(cpu), subprocess.Popen([sys.executable, "-c", spin]) as neighbour:
        try:
            time.sleep(0.3)
            busy = take_sample(lambda: sum(range(1_000_000)), 30)
        finally:
            neighbour.kill()
    asleep = take_sample(lambda: time.sleep(0.05), 1)

    assert busy.delay_ns is not None
    assert asleep.delay_ns is not None
    assert busy.cpu_ns is not None
    assert busy.delay_ns > 0.2 * busy.wall_ns
    assert busy.undelayed_ns == pytest.approx(busy.cpu_ns, rel=0.2)
    # However long it then waits for a CPU: none of the sleep is part of that.
    assert asleep.wall_ns - asleep.delay_ns >= 0.05e9


def test_a_fork_reads_its_own_delay() -> None:
    """And not that of the parent, whose file it inherits."""
    before = run_queue_delay_ns()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, str(run_queue_delay_ns()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        of_child = int(answer.read())

    assert before is not None
    assert of_child >= 0
