"""Calls that do all of their work: what they leave to be awaited is run, a generator is refused."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import cast

from veperf.core.errors import MeasureError


@contextmanager
def complete_call(
    call: Callable[[], object], first_result: object
) -> Iterator[Callable[[], object]]:
    """Give a callable that does all the work of ``call``, which returned ``first_result`` before.

    It is ``call`` itself, unless that returns a coroutine or something else to be awaited, as an
    ``async def`` does: that is run to its end, on one event loop for the whole block. What a task
    costs on the loop is part of the work then.

    Raises:
        MeasureError: it returns a generator, asynchronous or not.
        Whatever the first result raises when it is awaited.
    """
    if isinstance(first_result, Generator | AsyncGenerator):
        raise MeasureError(
            "it returns a generator, and calling it does none of the work: profile a callable that "
            "goes through it, such as `lambda: list(generator())`"
        )
    if not isinstance(first_result, Awaitable):
        yield call
        return
    import asyncio

    loop = asyncio.new_event_loop()
    awaitable_call = cast("Callable[[], Awaitable[object]]", call)
    try:
        loop.run_until_complete(first_result)
        yield lambda: loop.run_until_complete(awaitable_call())
    finally:
        loop.close()
