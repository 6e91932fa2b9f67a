"""A battery's result counts what its comparisons say, and shows it."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest.sham.result import ShamComparison, ShamResult, battery_noise, check_kinds
from veperf.core.ab_records import ABChange, ABPair
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, OK
from veperf.core.verdict import ChangeStatus

EDIT = "Add a function that nobody calls"


def measured(
    case: str, status: ChangeStatus, log_ratios: Sequence[float] = (0.01, -0.01) * 4
) -> ABChange:
    pairs = tuple(ABPair(1000.0, 1000.0 * math.exp(ratio)) for ratio in log_ratios)
    return replace(change(case, status), pairs=pairs)


def battery(*shams: ABChange, planted: Sequence[ABChange] = (), place: str = "") -> ShamResult:
    """A comparison for each sham, and one for all that was planted."""
    comparisons = [ShamComparison(EDIT, 0.0, ab_run(sham)) for sham in shams]
    if planted:
        comparisons.append(ShamComparison(EDIT, 0.05, ab_run(*planted)))
    kinds, noise = check_kinds(comparisons), battery_noise(comparisons)
    return ShamResult(tuple(comparisons), kinds, noise, place)


def test_verdicts_are_counted_by_kind_of_work() -> None:
    """False alarms, undecided ones and what was planted and called slower, each by itself."""
    actual = battery(
        measured("sham/sorting", ChangeStatus.OK),
        measured("sham/sorting", ChangeStatus.SLOWER),
        measured("sham/sorting", ChangeStatus.NOT_ENOUGH, [0.01] * 4),
        measured("sham/hashing", ChangeStatus.FASTER),
        measured("sham/hashing", ChangeStatus.INCONCLUSIVE),
        planted=[
            measured("sham/sorting", ChangeStatus.SLOWER),
            measured("sham/hashing", ChangeStatus.OK),
        ],
    )

    counts = actual.frame()[["shams", "slower", "faster", "inconclusive", "planted", "detected"]]
    assert [3, 1, 0, 1, 1, 1] == list(counts.loc["sham/sorting"])
    assert [2, 0, 1, 1, 1, 0] == list(counts.loc["sham/hashing"])
    assert 2 == actual.false_alarms
    assert pytest.approx((8 + 8 + 4) / 3) == actual.frame().loc["sham/sorting", "pairs"]


def test_exit_codes_are_those_of_a_self_check() -> None:
    """1 after a false alarm, 3 where something could not be measured; a planted one is none."""
    calm = measured("sham/sorting", ChangeStatus.OK)
    slower = measured("sham/sorting", ChangeStatus.SLOWER)
    failed = measured("sham/sorting", ChangeStatus.ERROR, [])

    assert OK == battery(calm, planted=[slower]).exit_code()
    assert FAILED == battery(calm, slower).exit_code()
    assert COULD_NOT_MEASURE == battery(slower, failed).exit_code()


def test_noise_is_of_shams_and_of_the_pairs_that_all_of_them_have() -> None:
    """Neither planted work nor the pairs that followed the first look are in it."""
    dice = np.random.default_rng(1)
    versions = dice.normal(0, 0.02, 20)
    ratios = [dice.normal(version, 0.005, 6).tolist() for version in versions]

    def noise(later: Sequence[float], planted: float) -> object:
        shams = [measured("sham/sorting", ChangeStatus.OK, [*r, *later]) for r in ratios]
        work = measured("sham/sorting", ChangeStatus.SLOWER, [planted] * 8)
        actual = battery(*shams, planted=[work]).noise
        assert actual is not None
        return actual.overall

    expected = battery(*(measured("sham/sorting", ChangeStatus.OK, r) for r in ratios)).noise
    assert expected is not None
    assert expected.overall == noise([0.5] * 5, 0.05) == noise([], 0.3)
    assert expected.overall.deviation == pytest.approx(versions.std(), rel=0.25)
    assert 0 < expected.overall.low
    assert ["sham/sorting"] == [kind.kind for kind in expected.kinds]


def test_the_noise_is_told_with_what_follows_from_it() -> None:
    """None: nothing is added; some: it is added, where it is kept."""
    equal = [measured("sham/sorting", ChangeStatus.OK) for _ in range(4)]
    apart = [measured("sham/sorting", ChangeStatus.OK, [r, r + 0.001] * 3) for r in (0.04, -0.05)]

    assert "it may be none, and nothing is added to verdicts" in repr(battery(*equal))
    assert "It was not kept" in repr(battery(*apart))
    told = repr(battery(*apart, place="/archive/version-noise/box.json"))
    assert "Kept in /archive/version-noise/box.json" in told
    assert "adds it to what a verdict must overcome" in told


def test_text_and_html_say_the_same() -> None:
    """Counts, a row a kind and one for all, what was planted; markup from elsewhere is escaped."""
    actual = battery(
        measured("sham/<b>", ChangeStatus.OK),
        measured("sham/hashing", ChangeStatus.FASTER),
        planted=[measured("sham/hashing", ChangeStatus.SLOWER)],
    )

    for rendered in (repr(actual), actual._repr_html_()):
        assert "0 of 2 comparisons called slower, 1 faster, 0 inconclusive" in rendered
        assert "more work: found in 1 of 1" in rendered
        assert "+5.0\u202f% found" in rendered
    assert "sham/<b>" in repr(actual)
    assert "sham/<b>" not in actual._repr_html_()


def test_nothing_measured_is_no_noise() -> None:
    """Where every comparison failed, there is none to keep."""
    actual = battery(measured("sham/sorting", ChangeStatus.ERROR, []))

    assert actual.noise is None
    assert "\u2013" in repr(actual)
