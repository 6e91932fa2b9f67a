"""Lines and objects that keep memory, of leaks that are planted."""

import ctypes
import mmap
import queue
import threading
from collections import deque
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from veperf.core.case import Case, Level
from veperf.core.load import Finished
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule
from veperf.profiling.memory.leak_evidence import LeakEvidence, record_leak
from veperf.profiling.memory.profile_callable import profile_callable
from veperf.profiling.memory.retained_objects import ObjectCensus
from veperf.progress.load import LoadLine

LINE_OF_APPEND = 1 + next(
    i
    for i, line in enumerate(Path(__file__).read_text().splitlines())
    if line.strip() == "self.log.append(bytearray(5_000))"
)
CASE = Case("kept/load", "kept/load", "kept", Level.LOAD, "A load that keeps a block an item.")
registry: list[object] = []
by_number: dict[int, str] = {}
by_name: dict[str, list[object]] = {}
cached = lru_cache(maxsize=None)(lambda number: bytes(number))


class Session:
    """Leaks by design."""

    def __init__(self) -> None:
        self.log: list[object] = [None] * 40
        self.calls = 0

    def grow_sometimes(self) -> None:
        """Keep a block in every third call."""
        self.calls += 1
        bytearray(20_000)
        if self.calls % 3 == 0:
            self.log.append(bytearray(5_000))


pytestmark = pytest.mark.usefixtures("settled_memory")


@pytest.fixture
def session() -> Session:
    return Session()


def test_the_line_of_a_leak_in_every_third_call_is_named(session: Session) -> None:
    """With the list that keeps it, and whose that is."""

    def work() -> None:
        for _ in range(300):
            session.grow_sometimes()

    actual = record_leak(work, 1.0)

    largest = actual.sites[0]
    assert ("grow_sometimes", LINE_OF_APPEND) == (largest.function, largest.line)
    assert largest.file.endswith("test_leak_evidence.py")
    assert 100 * 5_000 <= largest.size_bytes <= 100 * 5_200
    (log,) = [item for item in actual.objects if "Session.log" in " ".join(item.held_by)]
    assert (100, True, "list") == (log.more, log.is_container, log.kind)
    for text in (repr(actual), actual._repr_html_()):
        assert f"test_leak_evidence.py:{LINE_OF_APPEND} grow_sometimes" in text
        assert "Session.log" in text


@pytest.mark.slow
def test_a_flamegraph_shows_what_was_left(session: Session, tmp_path: Path) -> None:
    """In a folder that is made."""
    page = tmp_path / "pages" / "leak.html"

    def work() -> None:
        for _ in range(30):
            session.grow_sometimes()

    actual = record_leak(work, 1.0, page)

    assert str(page) == actual.flamegraph
    assert "memory leaks" in page.read_text().lower()


@pytest.mark.slow
def test_native_memory_of_another_thread_is_named() -> None:
    """By the line of Python that asked for it."""
    kept: list[np.ndarray] = []

    def work() -> None:
        thread = threading.Thread(target=lambda: kept.extend(np.empty(50_000) for _ in range(20)))
        thread.start()
        thread.join()

    actual = record_leak(work, 1.0)

    assert 20 * 400_000 <= actual.sites[0].size_bytes <= 20 * 401_000
    assert "test_leak_evidence.py" in actual.sites[0].file
    assert actual.sites[0].native
    kept.clear()


def test_what_is_released_is_no_leak(session: Session) -> None:
    """Also in cycles."""

    def work() -> None:
        for _ in range(200):
            cycle: list[object] = [bytearray(10_000)]
            cycle.append(cycle)

    assert record_leak(work, 1.0).left_bytes < 50_000


def _ask_libc() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    for _ in range(64):
        ctypes.memset(libc.malloc(2**20), 1, 2**20)


def _fill_a_mapping(mapping: mmap.mmap) -> None:
    mapping.seek(0)
    for _ in range(64):
        mapping.write(b"x" * 2**20)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["filled", "libc"])
def test_growth_that_is_not_recorded_is_told(kind: str) -> None:
    """With how much the recording explains, and without a line that is not to blame."""
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with mmap.mmap(-1, 64 * 2**20, flags=private) as mapping:
        work = _ask_libc if kind == "libc" else lambda: _fill_a_mapping(mapping)
        actual = record_leak(work, 1.0)

    assert 64 * 2**20 == pytest.approx(actual.grown_bytes, rel=0.3)
    assert actual.grown_bytes - actual.left_bytes == actual.unexplained_bytes
    assert [] == [site for site in actual.sites if site.file.startswith("veperf/")]
    for text in (repr(actual), actual._repr_html_()):
        assert "recorded allocations explain" in text
        assert "native memory that memray" in text
        assert "test_leak_evidence.py" not in text


@pytest.mark.slow
def test_pages_of_a_file_are_no_heap(tmp_path: Path) -> None:
    """They are told apart: the kernel takes them back."""
    (tmp_path / "file").write_bytes(b"x" * 64 * 2**20)
    with (tmp_path / "file").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
        actual = record_leak(lambda: _fill_a_mapping(mapping), 1.0)

    assert 64 * 2**20 == pytest.approx(actual.mapped_bytes, rel=0.1)
    assert 0 == actual.unexplained_bytes
    assert "more of mapped files" in repr(actual)


@pytest.mark.slow
def test_what_is_explained_has_no_rest(session: Session) -> None:
    """A block that was enlarged counts whole, and what replaces another, too; which is said."""
    block = bytearray(64 * 2**20)
    grows = record_leak(lambda: session.log.extend(bytearray(2**20) for _ in range(32)), 1.0)
    enlarged = record_leak(lambda: block.extend(bytes(16 * 2**20)), 1.0)

    assert 0 == grows.unexplained_bytes == enlarged.unexplained_bytes
    assert "recorded allocations explain" not in repr(grows)
    assert 32 * 2**20 == pytest.approx(grows.grown_bytes, rel=0.3)
    assert "more is left than memory grew by" in repr(enlarged)
    assert "more is left" not in repr(grows)


class _Keeping:
    """A system that keeps a block of each item by way of the standard library."""

    def __init__(self, _: int = 0) -> None:
        self.kept: queue.Queue[bytearray] = queue.Queue()
        self._done: list[int] = []

    def offer(self, tag: int) -> bool:
        self.kept.put(bytearray(10_000))
        self._done.append(tag)
        return True

    def step(self) -> Finished:
        done, self._done = self._done, []
        return Finished(done)

    def costs(self) -> dict[str, float]:
        return {}

    def close(self) -> None:
        """Keep all of it."""


@pytest.mark.slow
def test_the_watcher_is_not_among_the_lines() -> None:
    """What the generator and the progress line allocate and keep is veperf's own."""
    lines: list[str] = []
    system = _Keeping()
    line = LoadLine(lambda text: lines.append(text * 1_000))

    def work() -> None:
        run_open_loop(
            lambda _: system,
            Schedule(100, 2.5),
            on_progress=lambda so_far: line.load_ticked(0, CASE, so_far),
        )

    actual = record_leak(work, 1.0)

    own = [site for site in actual.sites if site.file.startswith("veperf/")]
    assert [] == own
    assert len(lines) >= 2
    assert system.kept.qsize() * 10_000 <= actual.left_bytes
    largest = actual.sites[0]
    assert "offer" == largest.function
    assert "test_leak_evidence.py" in largest.file


@pytest.mark.slow
def test_a_variable_of_a_module_is_named() -> None:
    """It is what keeps the list."""
    registry[:] = [None] * 40
    census = ObjectCensus()
    registry.extend({number: []} for number in range(100))

    actual = census.grown()
    registry.clear()

    containers = [item for item in actual if f"{__name__}.registry" in item.held_by]
    assert [("list", True, 100)] == [
        (item.kind, item.is_container, item.more) for item in containers
    ]
    (dicts,) = [item for item in actual if (item.kind, item.is_container) == ("dict", False)]
    assert 100 == pytest.approx(dicts.more, abs=30)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keep", "kind", "name"),
    [
        (lambda number: by_number.update({number: "text"}), "dict", "by_number"),
        (lambda number: by_name.setdefault("all", []).append(partial(print)), "list", "by_name"),
        (lambda number: cached(number), "dict", "cached"),
    ],
    ids=["a dict of texts, which gc does not track", "a list in a dict", "a cache"],
)
def test_a_variable_is_named_whatever_lies_between(
    keep: Callable[[int], object], kind: str, name: str
) -> None:
    """A container that nothing names, and one that the garbage collector doesn't see."""
    census = ObjectCensus()
    for number in range(100):
        keep(number)

    actual = census.grown()
    for kept in (by_number, by_name):
        kept.clear()
    cached.cache_clear()

    named = [(item.kind, item.more) for item in actual if f"{__name__}.{name}" in item.held_by]
    assert (kind, 100) in named


@pytest.mark.slow
def test_who_calls_a_library_is_named() -> None:
    """Beside its line, and also of a thread."""
    kept: list[np.ndarray] = []

    def work() -> None:
        thread = threading.Thread(target=lambda: kept.extend(np.ones(5_000) for _ in range(20)))
        thread.start()
        thread.join()

    actual = record_leak(work, 1.0)
    kept.clear()

    largest = actual.sites[0]
    assert "ones" == largest.function
    assert "test_leak_evidence.py:" in largest.called_from
    assert f"called from {largest.called_from}" in repr(actual)


@pytest.mark.slow
def test_who_starts_threads_is_named() -> None:
    """Their stacks are not recorded, and it is said that little is explained."""
    end = threading.Event()

    def work() -> None:
        for _ in range(6):
            threading.Thread(target=end.wait, daemon=True).start()

    actual = record_leak(work, 1.0)
    end.set()

    assert 6 == actual.more_threads
    assert "test_leak_evidence.py:" in actual.threads_from
    assert actual.threads_from.endswith(" work")
    assert f"6 more threads, started by {actual.threads_from}" in repr(actual)
    is_little = actual.left_bytes < actual.grown_bytes / 2
    assert is_little is ("recorded allocations explain" in repr(actual))


@pytest.mark.slow
def test_an_answer_survives_its_way_between_processes(session: Session) -> None:
    """As JSON."""
    import msgspec

    expected = record_leak(session.grow_sometimes, 1.0)

    assert expected == msgspec.json.decode(msgspec.json.encode(expected), type=LeakEvidence)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet_heap")
def test_a_profile_finds_a_leak_in_every_third_call(session: Session) -> None:
    """And takes a record of the last calls for none."""
    last: list[bytearray] = []

    def call() -> None:
        session.grow_sometimes()
        last[:] = [*last[-2:], bytearray(700)]

    profile = profile_callable(call, 1, multithreaded=False, flamegraph=None)

    (leak,) = [site for site in profile.detail.sites if site.kept_bytes > 1_000]
    assert LINE_OF_APPEND == leak.line
    assert leak.kept_bytes == pytest.approx(5_057 / 3, rel=0.35)
    assert not [s for s in profile.detail.sites if s.function == "call" and s.kept_bytes]


def _filled_cache() -> Callable[[], object]:
    cached = lru_cache(maxsize=100)(lambda _: bytearray(900))
    numbers = count()
    return lambda: cached(next(numbers))


def _last_results() -> Callable[[], object]:
    last: deque[bytearray] = deque(maxlen=50)
    return lambda: last.append(bytearray(900))


@pytest.mark.slow
@pytest.mark.usefixtures("quiet_heap")
@pytest.mark.parametrize("make", [_filled_cache, _last_results])
def test_a_bounded_cache_is_no_leak(make: Callable[[], Callable[[], object]]) -> None:
    """Though many calls leave something behind before it is full."""
    profile = profile_callable(make(), 1, multithreaded=False, flamegraph=None)

    assert not [site for site in profile.detail.sites if site.kept_bytes >= 900 / 12]


@pytest.mark.slow
@pytest.mark.usefixtures("quiet_heap")
def test_a_rare_leak_of_heavy_calls_is_found(session: Session) -> None:
    """In every third of calls with 8,000 allocations."""

    def call() -> None:
        session.grow_sometimes()
        [object() for _ in range(8_000)]

    profile = profile_callable(call, 1, multithreaded=False, flamegraph=None)

    assert LINE_OF_APPEND in {s.line for s in profile.detail.sites if s.kept_bytes > 1_000}
