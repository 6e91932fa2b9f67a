"""Lines and objects that keep memory, of leaks that are planted."""

import threading
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from veperf.profiling.memory.leak_evidence import LeakEvidence, record_leak
from veperf.profiling.memory.profile_callable import profile_callable
from veperf.profiling.memory.retained_objects import ObjectCensus

LINE_OF_APPEND = 33
registry: list[object] = []


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
