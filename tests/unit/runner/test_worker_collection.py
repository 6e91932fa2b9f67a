"""A closed case leaves nothing behind, though what lasts is not looked at again each time."""

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from veperf.core import registry
from veperf.core.case import Level
from veperf.measure.protocol import CaseClosed, CaseOpened, CloseCase, OpenCase
from veperf.runner.worker import WorkerSession


class Cycle:
    """Refers to itself, so that only the garbage collector frees it."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerSession]:
    monkeypatch.setattr(registry, "REGISTRY", registry.Registry())
    yield WorkerSession()
    gc.unfreeze()


def open_and_close(session: WorkerSession, benchmark: str) -> None:
    for request, reply in ((OpenCase(benchmark, {}, 0, 1), CaseOpened), (CloseCase(), CaseClosed)):
        assert isinstance(session.answer(request, print), reply)


@pytest.mark.slow
def test_cycles_of_a_set_up_are_freed(session: WorkerSession) -> None:
    """After each case, also where one without cycles came before; what lasts stays frozen."""
    cycles: list[ref[Cycle]] = []

    @registry.benchmark("demo/cycle", level=Level.MICRO)
    def cycle() -> registry.Task:
        """Leave objects that refer to themselves."""
        objects = [Cycle() for _ in range(5_000)]
        cycles.extend(map(ref, objects))
        return registry.Task(objects.copy)

    @registry.benchmark("demo/plain", level=Level.MICRO)
    def plain() -> registry.Task:
        """Leave nothing."""
        return registry.Task(lambda: None)

    for benchmark in ("demo/cycle", "demo/plain", "demo/cycle", "demo/plain", "demo/plain"):
        open_and_close(session, benchmark)
        assert not any(cycle() for cycle in cycles)
        assert gc.get_freeze_count() > 1_000
