"""The timing loop does what it says, without a word about how long anything takes."""

import itertools
import resource
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import UsageError
from veperf.core.run import Sample
from veperf.core.target import MIN_PROCESSES
from veperf.measure import clock
from veperf.measure.clock import calibrate, calibrate_loops, take_sample
from veperf.measure.run_profiles import PASSES, configure


@pytest.mark.parametrize("loops", [1, 2, 7, 100])
def test_a_sample_calls_exactly_so_often(loops):
    """The callable runs ``loops`` times, no more and no less."""
    calls = []

    sample = take_sample(lambda: calls.append(1), loops)

    assert loops == len(calls)
    assert sample.wall_ns > 0
    assert sample.cpu_ns is not None


@pytest.mark.slow
def test_cpu_time_of_other_threads_counts_only_when_asked_for():
    """A sample of multi-threaded work has at least the CPU time of all its threads."""
    from threading import Thread

    def work() -> None:
        thread = Thread(target=lambda: sum(range(300_000)))
        thread.start()
        thread.join()

    alone = take_sample(work, 3)
    together = take_sample(work, 3, multithreaded=True)

    assert alone.cpu_ns is not None
    assert together.cpu_ns is not None
    assert alone.cpu_ns < together.cpu_ns


@pytest.mark.slow
def test_waiting_is_told_from_losing_the_cpu():
    """Work that computes gives the CPU up never by itself, work that sleeps each time."""
    import time

    assert 0 == take_sample(lambda: sum(range(1000)), 10).waits
    assert 10 <= (take_sample(lambda: time.sleep(1e-4), 10).waits or 0)


@given(cost=st.integers(1, 10**8), target=st.integers(1, 10**8))
def test_calibration_makes_a_sample_long_enough_and_rounds_to_1_2_5(cost, target):
    """For work of any cost the sample reaches the target, in a round number of loops."""
    taken: list[int] = []

    def pretend(call, loops, *, multithreaded=False):
        taken.append(loops)
        return Sample(wall_ns=cost * loops, cpu_ns=cost * loops, switches=0)

    original, clock.take_sample = clock.take_sample, pretend
    try:
        loops = calibrate_loops(lambda: None, target)
    finally:
        clock.take_sample = original

    assert loops * cost >= target
    assert str(loops).rstrip("0") in {"1", "2", "5"}
    assert loops == 1 or loops * cost < 11 * target
    assert len(taken) < 40


@pytest.mark.slow
def test_the_calibration_s_last_sample_is_a_warm_up():
    """It has as many calls as the samples to come, and is the one that was long enough."""
    calls = []
    loops, sample = calibrate(lambda: calls.append(1), 50_000)
    before = len(calls)

    assert (sample.cpu_ns or 0) >= 50_000 or sample.wall_ns >= 50_000
    assert before >= loops
    take_sample(lambda: calls.append(1), loops)
    assert before + loops == len(calls)


@pytest.mark.parametrize(("first", "later", "expected"), [(20, 1, 5), (20, 5, 1), (200, 1, 1)])
def test_a_first_call_decides_alone_only_if_it_is_long(first, later, expected):
    """Where it made what the later ones only use, in ms, these decide."""
    lasted_ms = itertools.chain([first], itertools.repeat(later))

    def pretend(call, loops, *, multithreaded=False):
        ns = loops * next(lasted_ms) * 1_000_000
        return Sample(wall_ns=ns, cpu_ns=ns, switches=0)

    original, clock.take_sample = clock.take_sample, pretend
    try:
        loops = calibrate_loops(lambda: None, 5_000_000)
    finally:
        clock.take_sample = original

    assert expected == loops


def test_calibration_is_not_fooled_by_a_moment_without_the_cpu():
    """Where the work is CPU time, waiting does not make a call look long."""
    stalled = iter([Sample(wall_ns=9_000, cpu_ns=6_000, switches=1)])
    original = clock.take_sample
    clock.take_sample = lambda call, loops, *, multithreaded=False: next(
        stalled, Sample(wall_ns=loops * 6_000, cpu_ns=loops * 6_000, switches=0)
    )
    try:
        loops = calibrate_loops(lambda: None, 9_000)
    finally:
        clock.take_sample = original

    assert 2 == loops


def test_profiles_differ_in_passes_and_refuse_what_they_don_t_know():
    """A profile is a known name; anything else is a usage error that lists them."""
    assert [6, 12, 24] == [configure(p, seed=1).passes for p in PASSES]
    with pytest.raises(UsageError, match="quick, standard, thorough"):
        configure("fast", seed=1)
    with pytest.raises(UsageError, match="timeout"):
        configure("quick", seed=1, timeout_s=float("nan"))


def test_processes_are_those_of_everything_and_a_least_time_makes_samples_longer():
    """Of curves, loads and memory, too; and a short run has fewer than answer a target."""
    ten = configure("quick", seed=1, memory=True, is_whole=True, processes=10)
    assert (10, 10, 10, None) == (
        ten.timed_passes, ten.memory_passes, ten.load_passes, ten.curve_passes
    )  # fmt: skip
    plain, longer = (configure("quick", seed=1, min_time_s=s) for s in (0.001, 2.0))
    assert configure("quick", seed=1).min_sample_ns == plain.min_sample_ns
    assert 2e9 <= longer.samples * longer.min_sample_ns < 2.001e9
    assert MIN_PROCESSES > configure("quick", seed=1, short=True).timed_passes > 1


class _Machine:
    """A thread's clocks; it waits for a CPU before a call of the system: the first, or second."""

    def __init__(self, waits_before: tuple[str, int], waits_ns: int) -> None:
        self.waits_before, self.waits_ns = waits_before, waits_ns
        self.calls = Counter[str]()
        self.wall = self.cpu = self.delay = 0

    def wait(self, ns: int) -> None:
        self.wall += ns
        self.delay += ns

    def run(self, ns: int) -> None:
        self.wall += ns
        self.cpu += ns

    def call(self, name: str) -> None:
        self.calls[name] += 1
        if (name, self.calls[name]) == self.waits_before:
            self.wait(self.waits_ns)
        self.run(500)

    def run_queue_delay_ns(self) -> int:
        self.call("delay")
        return self.delay

    def current_cpu(self) -> int:
        self.call("cpu")
        return 0

    def getrusage(self, who: int) -> SimpleNamespace:
        self.call("usage")
        return SimpleNamespace(ru_nivcsw=0, ru_nvcsw=0)


@pytest.mark.parametrize(
    "before", [("cpu", 1), ("usage", 1), ("usage", 2), ("delay", 2), ("cpu", 2)]
)
@pytest.mark.parametrize(("within_ms", "asleep_ms"), [(0, 0), (7, 0), (0, 50), (7, 50)])
def test_a_wait_beside_the_sample_is_none_of_it(
    before: tuple[str, int], within_ms: int, asleep_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delay is what the work itself waited for a CPU: not what came before or after."""
    machine = _Machine(before, 54_000_000)
    monkeypatch.setattr(clock, "run_queue_delay_ns", machine.run_queue_delay_ns)
    monkeypatch.setattr(clock, "current_cpu", machine.current_cpu)
    monkeypatch.setattr(resource, "getrusage", machine.getrusage)
    monkeypatch.setattr(time, "perf_counter_ns", lambda: machine.wall)
    monkeypatch.setattr(time, "thread_time_ns", lambda: machine.cpu)

    def work() -> None:
        machine.run(3_000_000)
        machine.wait(within_ms * 1_000_000)
        machine.wall += asleep_ms * 1_000_000

    sample = take_sample(work, 1)

    assert within_ms * 1_000_000 == pytest.approx(sample.delay_ns, abs=2_000)
    assert (3 + asleep_ms) * 1_000_000 == pytest.approx(sample.undelayed_ns, abs=2_000)
