"""Many files from far away: each takes its time, so several are asked for at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(at_once: int, do: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What ``do`` returns of each of ``items``, in their order; ``at_once`` are done at a time.

    No more is done ahead of whoever takes the results than twice as many. What ``do`` raises comes
    where its result would have; the rest is dropped then, and so it is when nobody asks for more.
    """
    if at_once == 1:
        yield from map(do, items)
        return
    ahead: deque[Future[R]] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="veperf-archive") as pool:
        try:
            for item in items:
                ahead.append(pool.submit(do, item))
                if len(ahead) == 2 * at_once:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for one in ahead:
                one.cancel()
