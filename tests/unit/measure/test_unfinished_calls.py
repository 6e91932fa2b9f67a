"""Calls that leave their work to be done by somebody else are not timed."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import pytest

from veperf.core import registry
from veperf.core.case import Level
from veperf.core.errors import UsageError
from veperf.measure.clock import calibrate_loops
from veperf.measure.complete_call import require_done
from veperf.measure.protocol import CaseOpened, CountBytecodes, OpenCase, RequestFailed, TakeSample
from veperf.runner.worker import WorkerSession


async def coroutine() -> None:
    """Sleep."""
    await asyncio.sleep(0)


class Awaitable:
    """Something else that can be awaited."""

    def __await__(self) -> Iterator[None]:
        yield from coroutine().__await__()


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


UNFINISHED = [coroutine, lambda: coroutine(), Awaitable, partial(generator), async_generator]


@pytest.mark.parametrize("call", UNFINISHED)
def test_calibration_refuses_what_has_only_begun(call: Callable[[], object]) -> None:
    """Before anything is timed; the error says what to time instead."""
    with pytest.raises(UsageError, match=r"it returns a .* does none of the work: .*`lambda: "):
        calibrate_loops(call, 1_000)


@pytest.mark.parametrize("result", [None, 1, [], range(3), iter([]), asyncio])
def test_what_is_done_passes(result: object) -> None:
    """Iterators of what is there already, too."""
    require_done(result)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerSession]:
    """A worker that knows a benchmark of a coroutine."""
    monkeypatch.setattr(registry, "REGISTRY", registry.Registry())

    @registry.benchmark("demo/unfinished", level=Level.MICRO)
    def unfinished() -> registry.Task:
        """Begin, and do nothing."""
        return registry.Task(coroutine)

    yield WorkerSession()
    gc.unfreeze()


@pytest.mark.parametrize("loops", [1, 100])
@pytest.mark.parametrize(
    "request_", [TakeSample(), CountBytecodes(1, 10**6), CountBytecodes(5, 10**6)], ids=repr
)
def test_a_worker_that_is_told_the_loops_refuses_it_too(
    session: WorkerSession, loops: int, request_: TakeSample | CountBytecodes
) -> None:
    """As the side of a comparison whose code has become asynchronous."""
    opened = session.answer(OpenCase("demo/unfinished", {}, 1_000, loops), print)
    assert isinstance(opened, CaseOpened)
    actual = session.answer(request_, print)
    assert isinstance(actual, RequestFailed)
    assert "it returns a coroutine" in actual.failure.message


def test_a_worker_that_calibrates_refuses_it(session: WorkerSession) -> None:
    """When the case is opened."""
    actual = session.answer(OpenCase("demo/unfinished", {}, 1_000, None), print)
    assert isinstance(actual, RequestFailed)
    assert "it returns a coroutine" in actual.failure.message
