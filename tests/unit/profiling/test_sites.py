"""The lines that allocate, which add up to what the work allocates without a profile function."""

import ctypes
import gc
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.profiling.memory.alignment import Key, align
from veperf.profiling.memory.capture import capture
from veperf.profiling.memory.profile_callable import CallableProfile, profile_callable

# Python itself allocates a block now and then: exact are counts to less than one in a call.
pytestmark = pytest.mark.usefixtures("quiet_heap")


class Point:
    """Two numbers."""

    def __init__(self, x: int) -> None:
        self.x = self.y = x + 1_000


def empty() -> None:
    """Do nothing."""


def frame_sized() -> bytes:
    """Allocate as much as the object of this function's frame takes, 144 B."""
    return bytes(111)


def numbers() -> None:
    def squares():
        yield from (i * i for i in range(300, 340))

    list(squares())


def containers() -> None:
    for i in range(20):
        empty()
        _ = {i: [i] * 3, "closure": lambda i=i: i}


def points() -> None:
    for i in range(20):
        Point(i)


def equal_sizes() -> None:
    for _ in range(50):
        frame_sized()


def buffers() -> None:
    for _ in range(3):
        ctypes.create_string_buffer(10_000)
        np.empty(1_000)
        empty()


def profile(call: Callable[[], object]) -> CallableProfile:
    return profile_callable(call, 1, multithreaded=False, flamegraph=None)


@pytest.mark.parametrize(
    "call",
    [
        empty,
        buffers,
        partial(bytes, 1_000),
        *(
            pytest.param(call, marks=pytest.mark.slow)
            for call in (numbers, containers, points, equal_sizes)
        ),
    ],
)
def test_lines_add_up_to_what_an_operation_allocates(call: Callable[[], object]) -> None:
    """Bytes and allocations; with frames' objects, they are twice as many."""
    actual = profile(call)

    sites = actual.detail.sites
    total_bytes = sum(site.total_bytes for site in sites)
    # The object of a frame takes 144 bytes at least.
    assert actual.footprint.total_bytes == pytest.approx(total_bytes, rel=1e-3, abs=100)
    allocations = sum(site.allocations for site in sites)
    assert actual.footprint.allocations == pytest.approx(allocations, rel=1e-3, abs=0.6)
    assert max(actual.detail.curve_bytes, default=0) == actual.detail.high_water_bytes


@pytest.mark.slow
def test_a_frame_is_no_site() -> None:
    """Not even where the function that it belongs to allocates blocks of the same size."""
    actual = {site.function: site for site in profile(equal_sizes).detail.sites}

    assert 144 == sys.getsizeof(frame_sized())
    assert 50 * 144 == pytest.approx(actual["frame_sized"].total_bytes, abs=100)
    assert 50 == pytest.approx(actual["frame_sized"].allocations, abs=0.6)
    # Its own are a range and the iterator over it.
    assert 2 == pytest.approx(actual["equal_sizes"].allocations, abs=0.6)


def test_bytes_are_those_of_tracemalloc_and_blocks_those_of_the_allocator() -> None:
    """Of objects that a call makes and keeps, all of them small."""
    kept: list[object] = [None] * 40

    def call() -> None:
        for i in range(40):
            kept[i] = (i, i + 1_000, str(i + 1_000))

    def clear() -> None:
        kept[:] = [None] * 40
        # The interpreter's free lists are empty then, as when a recording begins.
        gc.collect()

    clear()
    blocks_before = sys.getallocatedblocks()
    call()
    more_blocks = sys.getallocatedblocks() - blocks_before
    clear()
    tracemalloc.start()
    call()
    traced_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    clear()
    actual = capture(call, 1)

    # The range, its iterator, and two numbers for each str() are gone at the end.
    passing_bytes, passing = 2 * 48 + 80 * 32, 2 + 80
    assert traced_bytes - 500 <= actual.total_bytes <= traced_bytes + passing_bytes + 500
    assert more_blocks - 5 <= actual.allocations <= more_blocks + passing + 5


KEYS = st.tuples(st.integers(0, 5), st.just(1))


@given(st.lists(KEYS, max_size=40), st.data())
def test_only_what_was_inserted_is_dropped(counted: list[Key], data: st.DataObject) -> None:
    """As many blocks of each size are found as there are, wherever frames come between."""
    traced = list(counted)
    for key in data.draw(st.lists(KEYS, max_size=20)):
        traced.insert(data.draw(st.integers(0, len(traced))), key)

    actual = align(counted, traced)

    own = Counter(key for key, is_own in zip(traced, actual.own, strict=True) if is_own)
    assert Counter(counted) == own
    assert () == actual.unplaced


@given(st.lists(KEYS, max_size=40), st.lists(KEYS, max_size=40))
def test_blocks_that_are_not_found_again_are_told(counted: list[Key], traced: list[Key]) -> None:
    """Own and unplaced blocks together are those that were counted, whatever was traced."""
    actual = align(counted, traced)

    own = Counter(key for key, is_own in zip(traced, actual.own, strict=True) if is_own)
    assert Counter(counted) == own + Counter(actual.unplaced)
