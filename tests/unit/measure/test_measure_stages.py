"""Stages are gone through in order and as often as the work allows, whatever time it takes."""

import time

import pytest

from veperf.runner.worker import measure_stages


def _clock(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """A clock that goes by what stages add to it."""
    now = [0]
    monkeypatch.setattr(time, name, lambda: now[0])
    return now


def test_each_stage_gets_what_the_one_before_returned(monkeypatch):
    """The first gets None; the figures are the lowest times in µs, for one operation."""
    now = _clock(monkeypatch, "thread_time_ns")
    seen = []

    def first(value):
        seen.append(value)
        now[0] += 6_000_000 if len(seen) % 2 else 8_000_000
        return "from first"

    def second(value):
        seen.append(value)
        now[0] += 1_000_000
        return "from second"

    actual = measure_stages({"first": first, "second": second}, 2)

    assert [None, "from first"] * (len(seen) // 2) == seen
    assert {"cpu_first": 3_000.0, "cpu_second": 500.0} == actual


@pytest.mark.parametrize(("cost_ns", "rounds"), [(10**9, 2), (10_000_000, 6), (1, 200)])
def test_rounds_end_when_enough_is_known(monkeypatch, cost_ns, rounds):
    """Slow work goes through once beside the round that does not count, quick work often."""
    now = _clock(monkeypatch, "process_time_ns")
    calls = []

    def only(value):
        calls.append(value)
        now[0] += cost_ns

    measure_stages({"only": only}, 1, multithreaded=True)

    assert rounds == len(calls)
