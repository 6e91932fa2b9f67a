"""Most confirmations decide: a rate that holds now and then is seldom called sustained."""

import random
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.load import Trial
from veperf.core.sustained_rate import (
    STEP,
    confirmations_of,
    rate_to_confirm,
    sustained_rate,
)

RATE = 9_000.0


def confirmation(met: bool | None, rate: float = RATE) -> Trial:
    """A load that held, missed, or is void."""
    is_void = met is None
    return Trial(
        rate, 10, rate, 9, 9, 0, bool(met), kind="confirmation", void=is_void, gave_out="verify"
    )


@pytest.mark.parametrize(
    ("outcomes", "held", "next_rate"),
    [
        ([True], None, RATE),
        ([False], None, RATE),
        ([True, True], (2, 2), RATE),
        ([True, False], None, RATE),
        ([False, True, True], (2, 3), RATE),
        ([True, False, False], None, STEP * RATE),
        ([False, False], None, STEP * RATE),
        ([None, None, True, None], None, RATE),
        ([True, None, True], (2, 2), RATE),
        ([False, None, False], None, STEP * RATE),
    ],
)
def test_two_of_three_decide(
    outcomes: list[bool | None], held: tuple[int, int] | None, next_rate: float
) -> None:
    """Worked out by hand; void ones count neither way."""
    trials = [confirmation(outcome) for outcome in outcomes]
    tally = sustained_rate(trials)

    assert held == (tally and (tally.held, tally.counted))
    assert next_rate == rate_to_confirm(trials)


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.75, 0.9])
def test_a_rate_that_holds_now_and_then_is_believed_as_seldom_as_most_of_three_hold(
    p: float,
) -> None:
    """The share over all outcomes is the binomial one: 1 in 36 where one load of ten holds."""
    believed = 0.0
    for outcomes in product((True, False), repeat=3):
        trials: list[Trial] = []
        for outcome in outcomes:
            if sustained_rate(trials) is None and rate_to_confirm(trials) in (None, RATE):
                trials.append(confirmation(outcome))
        chance = prod(p if outcome else 1 - p for outcome in outcomes)
        believed += chance * (sustained_rate(trials) is not None)

    assert believed == pytest.approx(p**3 + 3 * p**2 * (1 - p))


@given(st.lists(st.sampled_from([True, False, None]), max_size=30), st.integers(0, 100))
def test_no_rate_is_sustained_that_missed_more_often_than_it_held(
    outcomes: list[bool | None], seed: int
) -> None:
    """Whatever the order, and wherever void ones fall."""
    order = random.Random(seed)
    trials: list[Trial] = []
    for outcome in outcomes:
        trials.append(confirmation(outcome, rate_to_confirm(trials) or RATE))
        if (tally := sustained_rate(trials)) is not None:
            same = [t for t in trials if t.rate == tally.rate and not t.void]
            assert sum(t.met for t in same) > len(same) / 2
            break
    order.shuffle(trials)
    assert (confirmations_of([trials]) is None) == (not trials)


def test_the_word_of_one_process_is_not_enough() -> None:
    """Two loads of the same process may share what made them hold."""
    both = [confirmation(True), confirmation(True)]
    alone, apart = confirmations_of([both]), confirmations_of([both[:1], both[1:]])

    assert alone is not None
    assert apart is not None
    assert (False, True) == (alone.is_enough, apart.is_enough)


def test_a_run_from_before_has_no_confirmations() -> None:
    """Its processes searched each by itself, and are judged one by one."""
    earlier = [Trial(RATE, 3, RATE, 9, 9, 0, met=True)]

    assert confirmations_of([earlier] * 3) is None
