"""Loads whose memory grows in ways that are planted: one kind of leak each."""

import asyncio
import ctypes
import mmap
import subprocess
import sys
import threading
from collections.abc import Callable

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import Finished
from veperf.core.registry import LoadTask, benchmark

KEPT_BYTES = 20_000
_GROWING_CHILD = f"""
import sys
kept = []
while sys.stdin.buffer.read(1):
    kept.append(b"x" * {KEPT_BYTES})
"""


class _System:
    """Finishes what it is offered at once, and leaks as its kind does."""

    def __init__(self, leak: Callable[[int], object], end: Callable[[], object]) -> None:
        self._leak = leak
        self._end = end
        self._done: list[int] = []

    def offer(self, tag: int) -> bool:
        self._leak(tag)
        self._done.append(tag)
        return True

    def step(self) -> Finished:
        done, self._done = self._done, []
        return Finished(done)

    def costs(self) -> dict[str, float]:
        return {}

    def close(self) -> None:
        self._end()


def _nothing() -> _System:
    return _System(lambda _: None, lambda: None)


def _list() -> _System:
    """Append a block in every call."""
    kept: list[bytearray] = []
    return _System(lambda _: kept.append(bytearray(KEPT_BYTES)), kept.clear)


def _sometimes() -> _System:
    """Append a block in every third call."""
    kept: list[bytearray] = []

    def leak(tag: int) -> None:
        if tag % 3 == 0:
            kept.append(bytearray(3 * KEPT_BYTES))

    return _System(leak, kept.clear)


def _malloc() -> _System:
    """Ask libc for memory by a pointer of its own, which memray doesn't see."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]

    def leak(_: int) -> None:
        ctypes.memset(libc.malloc(KEPT_BYTES), 1, KEPT_BYTES)

    return _System(leak, lambda: None)


def _extend() -> _System:
    """Fill one block that has been there from the beginning, though no page of it was used."""
    block = mmap.mmap(-1, 1 << 32, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    end = 0

    def leak(_: int) -> None:
        nonlocal end
        block[end : end + KEPT_BYTES] = b"x" * KEPT_BYTES
        end += KEPT_BYTES

    return _System(leak, block.close)


def _child() -> _System:
    """Have a child process keep a block."""
    words = [sys.executable, "-c", _GROWING_CHILD]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, bufsize=0)
    pipe = child.stdin
    assert pipe is not None

    def end() -> None:
        pipe.close()
        child.wait()

    return _System(lambda _: pipe.write(b"x"), end)


def _thread() -> _System:
    """Start a thread in every hundredth call, which waits until the end."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def wait() -> None:
        kept = b"x" * (100 * KEPT_BYTES)
        stop.wait()
        del kept

    def leak(tag: int) -> None:
        if tag % 100 == 0:
            threads.append(threading.Thread(target=wait))
            threads[-1].start()

    def end() -> None:
        stop.set()
        for thread in threads:
            thread.join()

    return _System(leak, end)


def _task() -> _System:
    """Make a task that waits for ever."""
    loop = asyncio.new_event_loop()

    async def wait() -> None:
        kept = bytearray(KEPT_BYTES)
        await loop.create_future()
        del kept

    tasks: set[asyncio.Task[None]] = set()

    def leak(_: int) -> None:
        tasks.add(loop.create_task(wait()))
        loop.run_until_complete(asyncio.sleep(0))

    def end() -> None:
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    return _System(leak, end)


_KINDS = {
    "nothing": _nothing,
    "list": _list,
    "sometimes": _sometimes,
    "malloc": _malloc,
    "extend": _extend,
    "child": _child,
    "thread": _thread,
    "task": _task,
}


@benchmark(
    "leaking/load",
    level=Level.LOAD,
    params={"rate": (500, 1_000), "kind": tuple(_KINDS)},
    metrics=(Metric("achieved", "1/s"), *LATENCY_METRICS),
)
def load(rate: int, kind: str) -> LoadTask:
    """A load that leaks in one way."""
    return LoadTask(lambda _: _KINDS[kind](), rate)
