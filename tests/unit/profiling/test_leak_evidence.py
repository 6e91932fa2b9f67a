"""Lines and objects that keep memory, of leaks that are planted."""

import threading
from pathlib import Path

import numpy as np
import pytest

from veperf.profiling.memory.leak_evidence import LeakEvidence, record_leak
from veperf.profiling.memory.profile_callable import profile_callable
from veperf.profiling.memory.retained_objects import ObjectCensus

LINE_OF_APPEND = 29
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


def test_the_line_of_a_leak_in_every_third_call_is_named(session: Session, tmp_path: Path) -> None:
    """With the list that keeps it, and whose that is; the flamegraph needs no network."""
    page = tmp_path / "pages" / "leak.html"

    def work() -> None:
        for _ in range(300):
            session.grow_sometimes()

    actual = record_leak(work, 1.0, page)

    largest = actual.sites[0]
    assert ("grow_sometimes", LINE_OF_APPEND) == (largest.function, largest.line)
    assert largest.file.endswith("test_leak_evidence.py")
    assert 100 * 5_000 <= largest.size_bytes <= 100 * 5_200
    (log,) = [item for item in actual.objects if "Session.log" in " ".join(item.held_by)]
    assert (100, True, "list") == (log.more, log.is_container, log.kind)
    for text in (repr(actual), actual._repr_html_()):
        assert f"test_leak_evidence.py:{LINE_OF_APPEND} grow_sometimes" in text
        assert "Session.log" in text
    assert "memory leaks" in page.read_text().lower()


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

    assert record_leak(work, 1.0).left_bytes < 10_000


def test_a_variable_of_a_module_is_named() -> None:
    """It is what keeps the list."""
    registry[:] = [None] * 40
    census = ObjectCensus()
    registry.extend({number: []} for number in range(100))

    actual = {(item.kind, item.is_container): item for item in census.grown()}
    registry.clear()

    assert 100 == actual["list", True].more
    assert f"{__name__}.registry" == actual["list", True].held_by[0]
    assert 100 == actual["dict", False].more


def test_an_answer_survives_its_way_between_processes(session: Session) -> None:
    """As JSON."""
    import msgspec

    expected = record_leak(session.grow_sometimes, 1.0)

    assert expected == msgspec.json.decode(msgspec.json.encode(expected), type=LeakEvidence)


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
