"""Pairs that share a memory layout are one draw of it, however many of them there are."""

import math

import numpy as np
import pytest
from scipy import stats

from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import looks_up_to, schedule_looks
from veperf.stats.paired import PairRule, evaluate_pairs, layout_values
from veperf.stats.sequential import SequentialTest

LAYOUTS = 16
NOISE = 0.02


def test_a_value_is_the_median_of_the_pairs_of_a_layout() -> None:
    """Pairs take turns with the layouts; each pair is a value where they share none."""
    ratios = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 9.0, 0.0])

    assert [1.0, 4.5, 6.0] == layout_values(ratios, 3).tolist()
    for layouts in (0, 7, 8):
        assert ratios.tolist() == layout_values(ratios, layouts).tolist()


def test_evidence_is_that_of_the_layouts() -> None:
    """p-values and interval are those of one value a layout; all pairs are counted."""
    ratios = np.random.default_rng(2).normal(0.03, 0.01, 4 * LAYOUTS)
    rule = PairRule(layouts=LAYOUTS)

    actual = evaluate_pairs(ratios, rule)

    medians = np.median(ratios.reshape(4, LAYOUTS), axis=0)
    expected = stats.wilcoxon(medians - math.log1p(0.01), alternative="greater").pvalue
    assert expected == pytest.approx(actual.p_slower)
    assert 4 * LAYOUTS == actual.pairs
    assert actual.low < actual.ratio < actual.high


def test_no_interval_is_promised_that_so_few_layouts_can_not_give() -> None:
    """The level of a look is one that all of its pairs could reach."""
    ratios = np.random.default_rng(3).normal(0, 0.01, 48)

    actual = evaluate_pairs(ratios, PairRule(layouts=12), end_level=1e-5)

    assert math.isnan(actual.low)
    assert math.isnan(actual.high)


def alarms(rule: PairRule, layouts: int, effect: float, status: ChangeStatus) -> int:
    """Number of 200 comparisons that end so, where each layout moves a version by 2 %."""
    dice = np.random.default_rng(8)
    count = 0
    for _ in range(200):
        test, moved = SequentialTest(rule), dice.normal(effect, NOISE, layouts)
        for number, noise in enumerate(dice.normal(0, NOISE, 48)):
            if test.add(1.0, math.exp(moved[number % layouts] + noise)) is not None:
                break
        count += test.finish().status is status
    return count


def test_layouts_that_move_a_version_make_no_false_alarms() -> None:
    """Four layouts, taken for independent pairs, make them; sixteen, one value each, do not."""
    few, many = PairRule(), PairRule(layouts=LAYOUTS)
    effect = math.log1p(0.01)

    def is_within_alpha(count: int) -> bool:
        return bool(stats.binom.sf(count - 1, 200, 0.05) > 0.01)

    assert not is_within_alpha(alarms(few, 4, effect, ChangeStatus.SLOWER))
    assert is_within_alpha(alarms(many, LAYOUTS, effect, ChangeStatus.SLOWER))
    assert is_within_alpha(alarms(many, LAYOUTS, math.log1p(0.03), ChangeStatus.OK))
    assert 190 <= alarms(many, LAYOUTS, math.log1p(0.1), ChangeStatus.SLOWER)


@pytest.mark.parametrize(
    ("layouts", "comparisons", "pairs", "expected"),
    [
        (0, 5, 6, "among 5 comparisons 6 pairs can't show any slowdown"),
        (4, 5, 11, "among 5 comparisons 11 pairs of 4 layouts can't show any slowdown"),
        (0, 1, 11, ""),
    ],
)
def test_what_so_few_values_can_not_show_is_said(
    layouts: int, comparisons: int, pairs: int, expected: str
) -> None:
    """Twice the time in every pair is no noise: it takes more pairs, or fewer comparisons."""
    rule = PairRule(layouts=layouts, comparisons=comparisons)
    test = SequentialTest(rule, schedule_looks(looks_up_to(pairs)))
    for number in range(pairs):
        if test.add(1.0, 2.0 + number / 100) is not None:
            break

    verdict = test.finish()

    if expected:
        assert verdict.status is ChangeStatus.INCONCLUSIVE
        assert verdict.reason.endswith(expected)
    else:
        assert verdict.status is ChangeStatus.SLOWER
