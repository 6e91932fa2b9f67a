"""Counting of bytecodes, against the instructions that ``dis`` lists."""

import asyncio
import dis
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from veperf.core.errors import MeasureError
from veperf.runner.bytecode_tracer import count_bytecodes

MOST = 1_000_000


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Leave no tracer of the tests' own, such as that of coverage, in the way."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


def straight() -> tuple[int, int]:
    a = 1
    b = a + 2
    return a, b


def loop() -> None:
    for _ in range(100):
        pass


def caller() -> None:
    straight()


def listed(function: Callable[[], object], *, without: str = "RESUME") -> list[str]:
    """Names of the instructions of ``function``; the event of a call takes the place of RESUME."""
    names = [instruction.opname for instruction in dis.get_instructions(function)]
    return [name for name in names if name != without]


def test_straight_code_counts_as_listed() -> None:
    """Each instruction once a call, and those of the functions that it calls."""
    own, inner = len(listed(caller)), len(listed(straight))

    assert inner == count_bytecodes(straight, 1, MOST)
    assert own + inner == count_bytecodes(caller, 1, MOST)
    assert 7 * (own + inner) == count_bytecodes(caller, 7, MOST)


def test_loops_count_every_turn() -> None:
    """Of a loop, as many as are listed between its head and its jump, for each turn."""
    names = listed(loop)
    head = names.index("FOR_ITER")
    body = names.index("JUMP_BACKWARD") - head + 1
    rest = len(names) - body

    assert rest + 100 * body + 1 == count_bytecodes(loop, 1, MOST)


def test_generators_and_coroutines_count() -> None:
    """They run in the thread that is traced."""

    def numbers() -> Iterator[int]:
        for number in range(50):
            yield number * number

    async def pause() -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    assert (count_bytecodes(lambda: sum(numbers()), 1, MOST) or 0) > 50 * 4
    assert (count_bytecodes(lambda: asyncio.run(pause()), 1, MOST) or 0) > 50 * 4


def test_other_threads_do_not_count() -> None:
    """As many in the waiting thread, whatever the other does."""

    def waiting(turns: int) -> Callable[[], None]:
        def work() -> None:
            sum(number for number in range(turns))

        def wait() -> None:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

        return wait

    long = count_bytecodes(waiting(100_000), 1, MOST)
    assert long is not None
    assert long < 10_000


def test_too_many_are_given_up() -> None:
    """In one call, or in all of them; nothing is traced any more then."""
    assert count_bytecodes(loop, 1, 100) is None
    assert count_bytecodes(loop, 5, 1000) is None
    assert sys.gettrace() is None


def test_another_tracer_is_left_alone() -> None:
    """It would see nothing any more."""

    def tracer(*_: object) -> None:
        return None

    sys.settrace(tracer)
    with pytest.raises(MeasureError, match="while a debugger or coverage traces"):
        count_bytecodes(loop, 1, MOST)
    assert tracer is sys.gettrace()
    sys.settrace(None)


def test_what_the_call_raises_is_raised() -> None:
    """And tracing has ended."""
    with pytest.raises(ZeroDivisionError):
        count_bytecodes(lambda: 1 // 0, 1, MOST)
    assert sys.gettrace() is None
