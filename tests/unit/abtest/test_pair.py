"""The order in which two sides take turns."""

import pytest

from veperf.abtest.pair import alternate_sides


@pytest.mark.parametrize(("index", "order"), [(0, "abbaabba"), (1, "baabbaab"), (2, "abbaabba")])
def test_sides_take_turns_in_the_order_abba(index: int, order: str) -> None:
    """A B B A, from the other end in every other pair."""
    assert order == "".join(alternate_sides(index, 4))


@pytest.mark.parametrize("rounds", [2, 4, 8])
def test_a_steady_drift_adds_the_same_to_both_sides(rounds: int) -> None:
    """The places of both sides have the same sum, so that a slope cancels."""
    order = list(alternate_sides(0, rounds))
    places = {side: [n for n, s in enumerate(order) if s == side] for side in "ab"}

    assert sum(places["a"]) == sum(places["b"])
