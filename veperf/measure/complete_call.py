"""Calls that do all of their work: what they leave to be awaited is run or refused."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from veperf.core.errors import UsageError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class AwaitedCall:
    """A call whose result is awaited, on one event loop."""

    def __init__(self, call: Callable[[], Awaitable[object]], loop: "AbstractEventLoop") -> None:
        self.call = call
        self.loop = loop

    def __call__(self) -> object:
        """Do the work once."""
        return self.loop.run_until_complete(self.call())


@contextmanager
def complete_call(
    call: Callable[[], object], first_result: object
) -> Iterator[Callable[[], object]]:
    """Give a callable that does all the work of ``call``, which returned ``first_result`` before.

    It is ``call`` itself, unless that returns a coroutine or something else to be awaited, as an
    ``async def`` does: then it is an ``AwaitedCall``, of one event loop for the whole block.

    Raises:
        UsageError: it returns a generator, asynchronous or not.
        Whatever the first result raises when it is awaited.
    """
    _require_no_generator(first_result)
    if not isinstance(first_result, Awaitable):
        yield call
        return
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(first_result)
        yield AwaitedCall(cast("Callable[[], Awaitable[object]]", call), loop)
    finally:
        loop.close()


def require_done(result: object) -> None:
    """Refuse the ``result`` of a call that has done none of its work.

    Raises:
        UsageError: it is a generator, a coroutine or something else to be awaited.
    """
    _require_no_generator(result)
    if not isinstance(result, Awaitable):
        return
    if isinstance(result, Coroutine):
        result.close()
    raise UsageError(
        f"it returns {_kind(result)}, and calling it does none of the work: time a callable that "
        "runs it on an event loop made before, such as `lambda: loop.run_until_complete(work())`"
    )


def _require_no_generator(result: object) -> None:
    if isinstance(result, Generator | AsyncGenerator):
        raise UsageError(
            "it returns a generator, and calling it does none of the work: pass a callable that "
            "goes through it, such as `lambda: list(generator())`"
        )


def _kind(result: object) -> str:
    return "a coroutine" if isinstance(result, Coroutine) else f"a {type(result).__name__}"
