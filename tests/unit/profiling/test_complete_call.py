"""Callables whose work is not done when they return: it is run, or refused."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import pytest

from veperf.core.errors import UsageError, WorkerTimeoutError
from veperf.ipc.isolated_process import run_in_fork
from veperf.measure.complete_call import complete_call
from veperf.profiling.cpu.sampler import sample_warmed_up
from veperf.profiling.memory.capture import capture
from veperf.profiling.memory.operation_memory import measure_operation_memory
from veperf.profiling.memory.profile_callable import profile_after_fork_check

BLOCK_BYTES = 50_000


async def coroutine() -> None:
    bytearray(BLOCK_BYTES)
    await asyncio.sleep(0)
    bytearray(BLOCK_BYTES)


class Awaitable:
    """Something else that can be awaited."""

    def __await__(self) -> Iterator[None]:
        yield from coroutine().__await__()


def generator() -> Iterator[int]:
    yield len(bytearray(BLOCK_BYTES))


async def async_generator() -> AsyncIterator[int]:
    yield len(bytearray(BLOCK_BYTES))


@pytest.mark.usefixtures("quiet_heap")
@pytest.mark.parametrize("call", [coroutine, lambda: coroutine(), Awaitable, partial(coroutine)])
def test_what_is_to_be_awaited_is_run_to_its_end(call: Callable[[], object]) -> None:
    """Both of its blocks count, before and after it waits."""
    with complete_call(call, call()) as work:
        actual = capture(work, 1)

    assert 2 * BLOCK_BYTES <= actual.total_bytes <= 2 * BLOCK_BYTES + 20_000


def test_every_call_runs_on_one_loop() -> None:
    """So that what a first call has made for its loop serves the next ones."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def call() -> None:
        loops.append(asyncio.get_running_loop())

    with complete_call(call, call()) as work:
        work()
        work()

    assert 3 == len(loops)
    assert 1 == len(set(loops))
    assert loops[0].is_closed()


@pytest.mark.parametrize("call", [generator, async_generator, partial(generator)])
@pytest.mark.parametrize(
    "measure",
    [
        measure_operation_memory,
        partial(sample_warmed_up, seconds=0.01),
        partial(profile_after_fork_check, operations=1, multithreaded=False, flamegraph=None),
    ],
    ids=["memory", "cpu", "profile"],
)
def test_a_generator_is_refused(
    measure: Callable[[Callable[[], object]], object], call: Callable[[], object]
) -> None:
    """Nothing of it would run; the error says what to pass instead."""
    with pytest.raises(UsageError, match=r"returns a generator.*list"):
        measure(call)


def test_work_that_waits_for_a_thread_that_a_fork_lacks_is_told_so() -> None:
    """A pool's thread answers here, and not in a fork; the error names it."""
    questions: queue.SimpleQueue[bool] = queue.SimpleQueue()
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()

    def serve() -> None:
        while questions.get():
            answers.put(1)

    def ask() -> int:
        questions.put(True)
        return answers.get()

    thread = threading.Thread(target=serve, name="the pool's thread")
    thread.start()
    try:
        assert 1 == ask()
        with pytest.raises(WorkerTimeoutError, match=r"the pool's thread.*within the callable"):
            run_in_fork(ask, int, timeout_s=0.3)
    finally:
        questions.put(False)
        thread.join()
