"""Passes that measure memory beside each other: on which CPUs, and how they end."""

import os
import threading
from collections.abc import Sequence
from typing import cast

import pytest
from msgspec.structs import replace

from tests.support.runs import case, one_pass
from veperf.core.case import Case
from veperf.core.errors import MeasureError
from veperf.core.run import Pass
from veperf.measure import cpus as cpus_module
from veperf.measure import passes
from veperf.measure.pass_budget import PassBudget
from veperf.measure.passes import Passes
from veperf.measure.run_profiles import configure
from veperf.progress.display import NoProgress
from veperf.runner.run_lifecycle import memory_at_once

INDICES = range(6)


def memory_alone() -> Passes:
    config = configure("quick", seed=1, time=False, memory=True, processes=len(INDICES))
    return Passes(config, (), [case("shop/a")], NoProgress())


@pytest.mark.parametrize("cpus", [(), (3,), (0, 1), (0, 2, 5)])
def test_each_has_a_cpu_of_its_own(monkeypatch: pytest.MonkeyPatch, cpus: tuple[int, ...]) -> None:
    """Even where a single CPU is calm; and systems that don't tell their CPUs have some."""
    for module in (passes, cpus_module):
        monkeypatch.setattr(module, "usable_cpus", lambda: cpus)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(passes, "choose_cpu", lambda usable, turn: min(usable, default=None))
    at_once = len(cpus) or 2
    together = threading.Barrier(at_once)
    now: list[int | None] = []
    seen: list[list[int | None]] = []

    def measure(self: Passes, index: int, order: Sequence[Case], workers: object) -> Pass:
        now.append(workers.cpu)  # type: ignore[attr-defined]
        together.wait(timeout=30)
        seen.append(list(now))
        together.wait(timeout=30)
        now.remove(workers.cpu)  # type: ignore[attr-defined]
        together.wait(timeout=30)
        return replace(one_pass([]), index=index)

    monkeypatch.setattr(Passes, "_pass", measure)
    done = [pass_.index for pass_ in memory_alone().measure(INDICES)]

    assert list(INDICES) == done
    config = memory_alone().config
    assert at_once == memory_at_once(config)
    assert 1 == memory_at_once(config, cast(PassBudget, object())), "a budget takes one at a time"
    assert all(sorted(cpus or (None, None), key=str) == sorted(at, key=str) for at in seen)


@pytest.mark.parametrize(
    ("cpus", "number", "at_once"),
    [(1, 3, 1), (2, 3, 3), (2, 4, 2), (2, 5, 3), (2, 7, 3), (4, 3, 3), (4, 9, 5)],
)
def test_turns_are_even(
    monkeypatch: pytest.MonkeyPatch, cpus: int, number: int, at_once: int
) -> None:
    """No CPU idles while a last pass runs alone; and never are there twice as many as CPUs."""
    monkeypatch.setattr(cpus_module, "count_cpus", lambda: cpus)

    assert at_once == cpus_module.processes_at_once(number)


def test_an_abandoned_pass_starts_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting one takes a second, after Ctrl-C too."""
    monkeypatch.setattr(passes, "start_worker", lambda *_, **__: pytest.fail("started"))
    workers, _ = memory_alone()._prepare(0)
    workers.abandon()

    with pytest.raises(MeasureError, match="the run was ended"):
        workers.current()
