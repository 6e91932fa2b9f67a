"""What work allocates, against what is known of it."""

import asyncio
import ctypes
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import memray
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.errors import MeasureError
from veperf.profiling.memory.capture import capture, record_allocations, tally
from veperf.profiling.memory.operation_memory import OperationMemory, measure_operation_memory

# Counts are of hundreds of calls, in which Python itself allocates a block now and then.
pytestmark = pytest.mark.usefixtures("quiet_heap")
# Of a few Python objects.
SMALL = 1_000


def empty() -> None:
    """Do nothing."""


def call_often() -> None:
    for _ in range(1_000):
        empty()


@pytest.mark.parametrize(
    ("call", "total_bytes", "allocations"),
    [
        (empty, 0, 0),
        (lambda: bytes(1_000), sys.getsizeof(bytes(1_000)), 1),
        (lambda: bytearray(1_000), sys.getsizeof(bytearray(1_000)), 2),
        (lambda: complex(0, 1), sys.getsizeof(complex(0, 1)), 1),
    ],
)
def test_calls_of_known_cost_cost_just_that(
    call: Callable[[], object], total_bytes: int, allocations: int
):
    """By the sizes that Python itself gives; a call allocates nothing."""
    actual = measure_operation_memory(call)

    assert total_bytes == pytest.approx(actual.total_bytes, abs=16)
    assert allocations == pytest.approx(actual.allocations, abs=0.2)


@pytest.mark.slow
def test_many_calls_allocate_the_loop_s_numbers():
    """743 numbers from 257 on, which are not cached, of 32 bytes; range and iterator beside."""
    actual = measure_operation_memory(call_often)

    assert 743 * 32 + 150 == pytest.approx(actual.total_bytes, abs=200)
    assert 746.5 == pytest.approx(actual.allocations, abs=4)


@pytest.mark.parametrize(
    ("call", "total_bytes"),
    [
        (lambda: ctypes.create_string_buffer(10_000), 10_000),
        (lambda: np.empty(100_000), 800_000),
    ],
)
def test_buffers_of_c_libraries_count(call: Callable[[], object], total_bytes: int):
    """A block of malloc's, and a small object that holds it."""
    actual = measure_operation_memory(call)

    assert total_bytes + 100 == pytest.approx(actual.total_bytes, abs=150)
    assert actual.allocations < 3.5


@pytest.mark.slow
@given(st.lists(st.integers(1_000, 200_000), min_size=1, max_size=20))
@settings(max_examples=15, deadline=None)
def test_blocks_held_together_add_up(sizes):
    """All of them are allocated, and all of them are held at the peak."""
    actual = capture(lambda: [bytearray(size) for size in sizes], 1)

    assert sum(sizes) <= actual.total_bytes <= sum(sizes) + SMALL + 200 * len(sizes)
    assert sum(sizes) <= actual.peak_bytes <= actual.total_bytes
    assert len(sizes) <= actual.allocations <= 4 * len(sizes) + 20


@pytest.mark.slow
@given(st.lists(st.integers(1_000, 200_000), min_size=2, max_size=20))
@settings(max_examples=15, deadline=None)
def test_blocks_held_one_after_the_other_do_not(sizes):
    """Allocated are all, held at once is the largest."""

    def call() -> None:
        for size in sizes:
            bytearray(size)

    actual = capture(call, 1)

    assert sum(sizes) <= actual.total_bytes
    assert max(sizes) <= actual.peak_bytes <= max(sizes) + SMALL


@pytest.mark.slow
def test_a_footprint_is_that_of_one_operation():
    """Whatever the number of operations in a call: the same blocks cost the same each."""
    few = measure_operation_memory(lambda: [bytearray(5_000) for _ in range(100)], 100)
    many = measure_operation_memory(lambda: [bytearray(5_000) for _ in range(400)], 400)

    for actual in (few, many):
        assert 5_000 <= actual.peak_bytes <= 5_100
        assert 5_000 <= actual.total_bytes <= 5_200
        assert 2 <= actual.allocations <= 3
    assert few.total_bytes == pytest.approx(many.total_bytes, rel=0.01)


@pytest.mark.slow
def test_what_happens_once_cancels():
    """A block that is kept from the first call on is no cost of an operation."""
    kept: list[bytearray] = []

    def call() -> None:
        if len(kept) < 6:
            kept.append(bytearray(1_000_000))

    assert measure_operation_memory(call).total_bytes < SMALL


def test_what_was_held_before_does_not_count():
    """Freeing it makes no room either."""
    held = [bytearray(1_000_000) for _ in range(10)]

    def call() -> bytearray:
        if held:
            held.pop()
        return bytearray(50_000)

    actual = capture(call, 5)
    assert 50_000 <= actual.peak_bytes <= 100_000 + 2 * SMALL


@pytest.mark.slow
def test_memory_outside_of_python_s_heap_counts():
    """An array of numpy comes from malloc."""
    actual = measure_operation_memory(lambda: np.empty(100_000))

    assert 800_000 <= actual.peak_bytes <= 800_000 + SMALL


def test_growing_in_place_replaces_what_was_held():
    """A list that is moved to grow is not held twice."""

    def call() -> None:
        grown = bytearray()
        for _ in range(1_000):
            grown += b"x" * 100

    actual = capture(call, 1)
    assert 100_000 <= actual.peak_bytes <= 130_000


def test_other_threads_count_only_where_they_do_the_work():
    """As the benchmark says."""

    def call() -> None:
        thread = threading.Thread(target=lambda: bytearray(2_000_000))
        thread.start()
        thread.join()

    assert capture(call, 1).total_bytes < 100_000
    assert capture(call, 1, multithreaded=True).total_bytes > 2_000_000


def test_an_exception_comes_out_and_leaves_no_tracker():
    """The next measurement is as good as any."""
    with pytest.raises(ZeroDivisionError):
        measure_operation_memory(lambda: 1 // 0)

    def fifth_call_raises() -> None:
        if calls.pop():
            raise KeyError("planted")

    # While it is recorded.
    calls = [True, *[False] * 4]
    with pytest.raises(KeyError, match="planted"):
        measure_operation_memory(fifth_call_raises)
    assert not calls
    assert capture(lambda: bytearray(5_000), 1).total_bytes > 5_000


def test_a_second_tracker_is_refused(tmp_path: Path):
    """In words, and the first one goes on."""
    with (
        memray.Tracker(tmp_path / "records.bin"),
        pytest.raises(MeasureError, match="can't be recorded"),
    ):
        capture(lambda: None, 1)


@pytest.mark.parametrize("kept", [0, 0.001, 0.5, 0.9])
def test_records_that_are_cut_off_are_refused(kept: float, tmp_path: Path):
    """A full disk, of which memray says nothing, passes for no small footprint."""
    path = tmp_path / "records.bin"
    record_allocations(
        lambda: [bytearray(size) for size in range(600, 40_000, 7)], 1, path, with_stacks=False
    )
    whole = path.read_bytes()
    assert tally(path).total_bytes > 1_000_000

    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(MeasureError, match=r"can't be read|cut off"):
        tally(path)
    with pytest.raises(MeasureError, match="can't be read"):
        tally(tmp_path / "nowhere.bin")


@pytest.mark.slow
@pytest.mark.parametrize("kept_bytes", [0, 5_000])
def test_what_calls_have_kept_before_is_no_part_of_the_peak(kept_bytes: int):
    """The most during a call counts from when it began, however many came before."""
    kept: list[bytearray] = []

    def call() -> None:
        kept.append(bytearray(kept_bytes))
        bytearray(20_000)

    actual = measure_operation_memory(call)

    assert kept_bytes + 20_000 <= actual.peak_bytes <= kept_bytes + 20_000 + SMALL
    assert len(kept) > 20


@pytest.mark.slow
def test_what_is_made_once_is_no_part_of_the_peak():
    """Not even where it is made while recording goes on."""
    kept: list[bytearray] = []

    def call() -> None:
        if len(kept) < 6:
            kept.append(bytearray(1_000_000))
        bytearray(20_000)

    assert 20_000 <= measure_operation_memory(call).peak_bytes <= 20_000 + SMALL


def test_what_is_awaited_is_measured_beside_a_running_loop_as_without_one():
    """As in a notebook, whose loop goes on afterwards."""

    async def work() -> None:
        await asyncio.sleep(0)
        bytearray(20_000)

    async def notebook() -> OperationMemory:
        actual = measure_operation_memory(work)
        await asyncio.sleep(0)
        return actual

    alone, beside = measure_operation_memory(work), asyncio.run(notebook())
    assert alone.peak_bytes == beside.peak_bytes
    assert alone.total_bytes == pytest.approx(beside.total_bytes, rel=0.005)


def test_marks_between_calls_are_told_from_what_calls_allocate():
    """Blocks of the very sizes of the marks count as any."""
    sizes = [7_919, 7_919 * 13, 7_919, 7_919 * 17, 7_919, 1_299_709, 1_299_709]

    actual = capture(lambda: [bytearray(size) for size in sizes], 3)
    assert 3 * sum(sizes) <= actual.total_bytes <= 3 * (sum(sizes) + 2 * SMALL)
    assert sum(sizes) <= actual.peak_bytes <= sum(sizes) + 2 * SMALL
