"""Two samples: what is slower is found, what is not is not, and what is unknown never passes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from veperf.core.case import Direction
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus
from veperf.stats.two_sample import compare_rows, compare_two_samples

GOOD = {ChangeStatus.OK, ChangeStatus.FASTER}


def noise(chance: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Values of n processes on a busy machine: 3 % spread and a heavy tail of slow ones."""
    late = chance.random(n) < 0.15
    return 100 * np.exp(chance.normal(0, 0.03, n) + late * chance.exponential(0.3, n))


def shares(effect: float, n: int, trials: int = 400) -> dict[ChangeStatus, float]:
    chance = np.random.default_rng(round(1000 * effect) + n)
    actual = [
        compare_two_samples(noise(chance, n), noise(chance, n) * effect).status
        for _ in range(trials)
    ]
    return {status: actual.count(status) / trials for status in ChangeStatus}


@pytest.mark.parametrize("n", [6, 12, 24])
def test_false_alarms_keep_to_alpha(n: int) -> None:
    """At the very smallest effect that counts, no more than 5 % are called slower (3 SE)."""
    assert shares(1.01, n)[ChangeStatus.SLOWER] <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize("n", [6, 12, 24])
def test_slowdowns_of_the_margin_are_rarely_passed(n: int) -> None:
    """What is 3 % slower is called ok or faster in no more than 5 % of trials (3 SE)."""
    actual = shares(1.03, n)

    passed = sum(actual[status] for status in GOOD)
    assert passed <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize(("effect", "n"), [(1.10, 12), (1.20, 6), (1.07, 24)])
def test_planted_slowdowns_are_found(effect: float, n: int) -> None:
    """Nine in ten of those well beyond the noise are called slower, and none passes."""
    actual = shares(effect, n)

    assert actual[ChangeStatus.SLOWER] >= 0.9
    assert actual[ChangeStatus.OK] + actual[ChangeStatus.FASTER] <= 0.01


def test_a_quiet_machine_shows_that_nothing_changed() -> None:
    """With a spread of 0.5 %, equal samples are ok."""
    chance = np.random.default_rng(1)
    base, new = np.exp(chance.normal(0, 0.005, (2, 12)))

    actual = compare_two_samples(base, new)

    assert actual.status is ChangeStatus.OK
    assert actual.low < 1.03 > actual.high


def test_the_planted_ratio_is_found() -> None:
    """The estimate is the factor, the interval holds it, speed-ups are below 1."""
    base = noise(np.random.default_rng(2), 12)

    slower, faster = compare_two_samples(base, base * 1.5), compare_two_samples(base, base / 1.5)

    assert (ChangeStatus.SLOWER, ChangeStatus.FASTER) == (slower.status, faster.status)
    np.testing.assert_allclose((slower.ratio, faster.ratio), (1.5, 1 / 1.5))
    assert slower.low < 1.5 < slower.high
    assert slower.confidence >= 0.95


@given(st.floats(0.8, 1.25), st.integers(4, 10), st.integers(0, 1000))
def test_rates_are_judged_like_their_times(effect: float, n: int, seed: int) -> None:
    """``better="higher"`` on 1 / t says of the rate what ``lower`` says of t."""
    chance = np.random.default_rng(seed)
    base, new = noise(chance, n), noise(chance, n + 1) * effect

    times, rates = (
        compare_two_samples(base, new),
        compare_two_samples(1 / base, 1 / new, better="higher"),
    )

    assert times.status is rates.status
    np.testing.assert_allclose(
        (times.ratio, times.low, times.high), (rates.ratio, rates.low, rates.high)
    )


@given(
    st.lists(st.floats(0.5, 2), min_size=6, max_size=12),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.booleans(),
    st.sampled_from([1e-9, 1.0]),
)
def test_what_is_no_number_never_passes(
    values: list[float], bad: float, in_base: bool, size: float
) -> None:
    """One NaN or infinity on either side is an error, however good the other values look."""
    good, spoiled = [v * size for v in values], [*values, bad]
    base, new = (spoiled, good) if in_base else (good, spoiled)

    assert compare_two_samples(base, new).status is ChangeStatus.ERROR


@pytest.mark.parametrize(
    ("n_base", "n_new", "enough"),
    [(0, 12, False), (12, 0, False), (3, 3, False), (2, 7, False), (4, 4, True), (3, 5, True)],
)
def test_too_few_never_pass_or_fail(n_base: int, n_new: int, enough: bool) -> None:
    """The smallest two-sided p must reach 0.05: 0.029 with 4 a side, 0.1 with 3."""
    base = np.linspace(1, 1.001, n_base)

    for factor, expected in ((0.1, "faster"), (1.0, "ok"), (9.0, "slower")):
        status = compare_two_samples(base, factor * np.linspace(1, 1.001, n_new)).status

        assert (expected if enough else "not enough samples") == status


def test_noise_that_hides_the_answer_is_said_to() -> None:
    """Neither slower nor shown to be no slower: inconclusive, with its interval."""
    base = np.array([1.0, 1.3, 0.9, 1.1, 1.4, 1.0])

    actual = compare_two_samples(base, base[::-1] * 1.02)

    assert actual.status is ChangeStatus.INCONCLUSIVE
    assert actual.low < 1 < actual.high
    assert "noise" in actual.reason


@pytest.mark.parametrize(
    ("base", "new", "expected"),
    [
        ([0] * 6, [0] * 6, "ok"),
        ([0] * 6, [3] * 6, "slower"),
        ([3] * 6, [0] * 6, "faster"),
        ([100] * 6, [100] * 6, "ok"),
        ([100] * 6, [102] * 6, "slower"),
        ([0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0], "inconclusive"),
    ],
)
def test_counts_are_ranked_zeros_and_ties_included(
    base: list[int], new: list[int], expected: str
) -> None:
    """Allocations an operation: constants compare exactly, zeros have no ratio but an order."""
    actual = compare_two_samples(base, new)

    assert expected == actual.status
    assert math.isnan(actual.ratio) == (0 in {*base, *new} and {0} != {*base, *new})


def test_values_below_zero_have_no_ratio() -> None:
    """A growth of -3 % against -2 % is not judged by ratio, and does not pass."""
    assert compare_two_samples([-1.0] * 6, [-5.0] * 6).status is ChangeStatus.INCONCLUSIVE


@pytest.mark.parametrize(
    "setting",
    [
        {"alpha": 0.0},
        {"alpha": math.nan},
        {"min_effect": -0.1},
        {"min_effect": 0.05},
        {"margin": math.inf},
        {"better": "less"},
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, object]) -> None:
    """A negative effect, a margin below the effect and the like are mistakes, not choices."""
    with pytest.raises(UsageError):
        compare_two_samples([1.0] * 6, [1.0] * 6, **setting)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("values", [[[1.0, 2.0]], 3.0, ["fast"]])
def test_only_plain_lists_of_numbers_are_samples(values: object) -> None:
    """A table, a lone number or words are refused by name."""
    with pytest.raises(UsageError, match=r"values (have|are)"):
        compare_two_samples(values, [1.0] * 6)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("better", ["lower", "higher", "unknown"])
def test_rows_are_compared_as_each_by_itself(better: Direction) -> None:
    """Rows with zeros, ties and none, together and apart: status, p, ratio and interval."""
    chance = np.random.default_rng(3)
    base = chance.normal(100, 2, (30, 9)).round(chance.integers(0, 3))
    new = base[:, ::-1][:, :7] * chance.choice([0.0, 0.9, 1.0, 1.02, 1.5], (30, 1))
    rule = {"min_effect": 0.01, "margin": 0.03, "alpha": 0.05}

    together = compare_rows(base, new, better=better, **rule)

    apart = [
        compare_two_samples(*row, better=better, **rule) for row in zip(base, new, strict=True)
    ]
    assert list(map(repr, apart)) == list(map(repr, together))
