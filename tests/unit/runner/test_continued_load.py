"""Two loads in turn on the same system."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.load import Finished
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule, count_arrivals
from veperf.runner.continued_load import ContinuedSystem


class Recording:
    """Finishes each item one step after it was offered, and remembers all of them."""

    def __init__(self, items: int) -> None:
        self.items = items
        self.tags: list[int] = []
        self.closed = 0
        self._waiting: list[int] = []

    def offer(self, tag: int) -> bool:
        self.tags.append(tag)
        self._waiting.append(tag)
        return True

    def step(self) -> Finished:
        committed, self._waiting = self._waiting, []
        return Finished(committed)

    def costs(self) -> Mapping[str, float]:
        return {}

    def close(self) -> None:
        self.closed += 1


@pytest.mark.slow
@settings(max_examples=12)
@given(st.integers(200, 2_000), st.integers(200, 2_000))
def test_the_second_load_goes_on_where_the_first_one_ended(first: int, second: int) -> None:
    """One system gets all items once, in order, and is closed at the end alone."""
    loads = [Schedule(rate, 0.02, arrivals="constant") for rate in (first, second)]
    counts = [count_arrivals(load) for load in loads]
    systems: list[Recording] = []

    def make(items: int) -> Recording:
        systems.append(Recording(items))
        return systems[-1]

    continued = ContinuedSystem(make, counts[1])
    results = [run_open_loop(continued.begin, load) for load in loads]

    (system,) = systems
    assert 0 == system.closed
    assert sum(counts) == system.items
    assert list(range(sum(counts))) == system.tags
    assert [0.0, 0.0] == [result.error_percent for result in results]
    continued.end()
    assert 1 == system.closed


def test_items_that_the_first_load_gave_up_are_none_of_the_second() -> None:
    """They may be finished late."""
    system = Recording(0)
    continued = ContinuedSystem(lambda _: system, 5)
    continued.begin(5).offer(4)
    continued.begin(5).offer(0)

    assert [4, 5] == system.tags
    assert [0] == list(continued.step().committed)
