"""What calls keep, in blocks of their own or in one that grows, against what is known of it."""

import ctypes
import gc
import io
import sys
from array import array
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.profiling.memory.capture import (
    measured_records,
    open_records,
    record_allocations,
)
from veperf.profiling.memory.growth import Kept, kept_by_line, kept_of_a_call
from veperf.profiling.memory.locations import Location, Locations
from veperf.profiling.memory.process_growth import ProcessGrowth, watch_calls

pytestmark = pytest.mark.usefixtures("quiet_heap")
CALLS = 100


def kept(call: Callable[[], object], folder: Path, calls: int = CALLS) -> dict[Location, float]:
    """Bytes that each line keeps of a call."""
    path = folder / "records.bin"
    record_allocations(call, calls, path, with_stacks=True, collecting=True)
    with open_records(path) as reader:
        records = measured_records(reader.get_allocation_records())
        found = kept_by_line(records, Locations(native=False))
    return {line: each.size_bytes for line, each in found.items()}


def growing() -> dict[str, tuple[Callable[[], object], float]]:
    """Calls that add to one object, and how many bytes each adds."""
    held = SimpleNamespace(
        bytes=bytearray(), list=[], file=io.BytesIO(), array=array("q"), numpy=np.empty(0), two=[]
    )

    def concatenate() -> None:
        held.numpy = np.concatenate([held.numpy, np.ones(10)])

    def in_turns() -> None:
        if len(held.numpy) % 20:
            held.numpy = np.concatenate([held.numpy, np.ones(10)])
        else:
            held.numpy = np.concatenate([held.numpy, np.zeros(10)])

    return {
        "bytearray.extend": (lambda: held.bytes.extend(b"x" * 100), 100),
        "list.append": (lambda: held.list.append(None), 8),
        "BytesIO.write": (lambda: held.file.write(b"x" * 100), 100),
        "array.extend": (lambda: held.array.extend((1, 2, 3)), 24),
        "np.concatenate": (concatenate, 80),
        "np.concatenate by two lines": (in_turns, 80),
        "new blocks": (lambda: held.two.append(bytes(1_000)), sys.getsizeof(bytes(1_000)) + 8),
    }


@pytest.mark.parametrize("what", sorted(growing()))
def test_growth_within_one_block_is_found_at_its_line(what: str, tmp_path: Path) -> None:
    """Containers take more than they hold, an eighth or a sixteenth of it."""
    call, added_bytes = growing()[what]
    call()
    actual = kept(call, tmp_path)

    assert added_bytes == pytest.approx(sum(actual.values()), rel=0.2)
    ((_, file, _),) = actual
    assert __file__.endswith(file)


def test_two_lines_that_resize_one_block_are_told_apart(tmp_path: Path) -> None:
    """By what each of them adds, though the one that comes later holds it."""
    block = np.empty(0)

    def call() -> None:
        block.resize(block.size + 30, refcheck=False)
        block.resize(block.size + 70, refcheck=False)

    actual = {line: size for (_, _, line), size in kept(call, tmp_path).items()}
    first = call.__code__.co_firstlineno + 1
    assert {first: 30 * 8, first + 1: 70 * 8} == actual


def steady() -> dict[str, Callable[[], object]]:
    """Calls that hold something, and no more than before."""
    held = SimpleNamespace(block=b"", buffer=bytearray(), cache={}, ring=[bytearray(10)] * 8, n=0)

    def replace() -> None:
        held.block = bytes(1_000)

    def vary() -> None:
        held.n = (held.n + 37) % 101
        held.block = bytes(1_000 + 10 * held.n)

    def refill() -> None:
        held.buffer.clear()
        held.n = (held.n + 37) % 101
        held.buffer.extend(b"x" * (1_000 + 10 * held.n))

    def fill() -> None:
        held.n += 1
        held.cache[held.n % (CALLS // 2)] = bytes(1_000)

    def turn() -> None:
        held.n += 1
        held.ring[held.n % 8] = bytearray(1_000)

    def cycle() -> None:
        items: list[object] = [bytearray(1_000)]
        items.append(items)

    return {
        "a block that is replaced": replace,
        "one that is replaced by larger and smaller ones": vary,
        "a buffer that is filled anew": refill,
        "a cache that is full after half of the calls": fill,
        "a ring": turn,
        "cyclic garbage": cycle,
        "nothing": lambda: None,
    }


@pytest.mark.parametrize("what", sorted(steady()))
def test_what_is_replaced_or_full_is_no_growth(what: str, tmp_path: Path) -> None:
    """Whatever is held at the end."""
    call = steady()[what]
    call()
    assert {} == kept(call, tmp_path)


@pytest.mark.parametrize("begin", [0, 1, 2])
def test_a_leak_in_every_third_of_twelve_calls_is_found(begin: int, tmp_path: Path) -> None:
    """Whichever it begins with, beside garbage that takes more."""
    held: list[bytes] = []
    numbers = count(begin)

    def call() -> None:
        cycle: list[object] = [bytes(50_000)]
        cycle.append(cycle)
        if next(numbers) % 3 == 0:
            held.append(bytes(1_000))

    assert 1_000 / 3 == pytest.approx(sum(kept(call, tmp_path, 12).values()), rel=0.35)


LINE: Location = "f", "file.py", 1


@pytest.mark.parametrize(
    ("blocks", "growth", "goes_on"),
    [
        (0.9, ProcessGrowth(5_000, 0, 0, 60), False),
        (0.9, ProcessGrowth(5_000, 0, 500, 60), False),
        (0.9, ProcessGrowth(5_000, 0, 4_500, 60), True),
        # It was half full when it was recorded.
        (0.5, ProcessGrowth(5_000, 0, 5_000, 60), True),
        # A block that grows makes none.
        (0.0, ProcessGrowth(5_000, 0, 0, 60), True),
        # Too few calls, or too few stretches of them, to contradict a recording.
        (0.9, ProcessGrowth(99, 0, 0, 60), True),
        (0.9, ProcessGrowth(5_000, 0, 0, 5), True),
    ],
)
def test_a_line_keeps_if_the_process_goes_on_to_grow(
    blocks: float, growth: ProcessGrowth, goes_on: bool
) -> None:
    """In calls that nobody records, by the blocks of Python's allocator."""
    line = {LINE: Kept(50, blocks)}
    assert (line if goes_on else {}) == growth.confirmed(line, 100)


def test_small_blocks_are_counted_by_line(tmp_path: Path) -> None:
    """Two of each call; large ones are malloc's."""
    held: list[object] = [*(None,) * 4 * CALLS]
    numbers = count()

    def call() -> None:
        held[next(numbers)] = [bytearray(3)]
        held[-1 - next(numbers)] = bytes(5_000)

    path = tmp_path / "records.bin"
    record_allocations(call, CALLS, path, with_stacks=True, collecting=True)
    with open_records(path) as reader:
        records = measured_records(reader.get_allocation_records())
        found = kept_by_line(records, Locations(native=False))
    first = call.__code__.co_firstlineno + 1
    actual = {line: each for (_, _, line), each in found.items()}
    # The list and its items, the bytearray and its buffer.
    assert 4 == pytest.approx(actual[first].blocks, abs=0.1)
    assert 0 == actual[first + 1].blocks
    assert sys.getsizeof(bytes(5_000)) == pytest.approx(actual[first + 1].size_bytes, rel=0.01)


@given(st.integers(3, 400), st.integers(1, 10**6), st.integers(0, 10**6))
def test_what_every_call_keeps_is_known_exactly(calls: int, size: int, before: int) -> None:
    """On top of what there was, from three calls on."""
    assert size == pytest.approx(kept_of_a_call([before + size * n for n in range(calls + 1)]))


@given(st.integers(12, 400), st.data())
def test_a_cache_that_is_full_by_two_thirds_is_none(calls: int, data: st.DataObject) -> None:
    """However fast it fills, and however much it gives back then."""
    full = data.draw(st.integers(0, 2 * calls // 3))
    levels = [min(n, full) * 100 for n in range(calls + 1)]
    assert 0 == kept_of_a_call(levels)
    assert 0 == kept_of_a_call(levels[::-1])


def test_three_calls_that_differ_tell_nothing() -> None:
    """Chance puts three levels in order once in six times."""
    assert 0 == kept_of_a_call([0, 100, 101, 160])
    assert 50 == kept_of_a_call([0, 1_000, 1_045, 1_100])


@given(st.lists(st.integers(0, 10), min_size=0, max_size=3))
def test_too_few_calls_tell_nothing(levels: list[int]) -> None:
    """Two calls are too few."""
    assert 0 == kept_of_a_call(levels)


@pytest.mark.usefixtures("settled_memory")
def test_memory_that_nobody_records_grows_the_process() -> None:
    """malloc by a pointer of ctypes' own; a call that frees it, or keeps nothing, doesn't."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    kept_blocks: list[object] = []

    leaks = watch_calls(lambda: libc.malloc(10_000), 1e-4)
    frees = watch_calls(lambda: libc.free(libc.malloc(10_000)), 1e-4)
    keeps = watch_calls(lambda: kept_blocks.append(object()), 1e-4)

    assert leaks is not None
    # Of pages that nothing is written to, the first of each block is.
    assert leaks.resident_bytes >= 4_000 * leaks.calls / 3
    assert 0 == leaks.blocks
    assert frees is not None
    assert (0, 0) == (frees.resident_bytes, frees.blocks)
    assert keeps is not None
    assert keeps.calls == pytest.approx(keeps.blocks, rel=0.05)
    assert watch_calls(gc.get_count, 10.0) is None
