"""The autocorrelation that all cases of a comparison share is not estimated for each of them."""

from collections.abc import Generator, Sequence

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from veperf.abtest import comparison
from veperf.abtest.comparison import compare_results
from veperf.abtest.pair import PairResult
from veperf.abtest.progress import ComparisonProgress
from veperf.core.ab_records import ABConfig, ABSide
from veperf.core.case import TIME, Case, Level
from veperf.core.run import CaseResult
from veperf.stats.pair_dependence import pooled_autocorrelation

MANY = 300
CONFIG = ABConfig(
    select=(), modules=(), samples=2, min_sample_ns=0, seed=0, timeout_s=1.0, max_pairs=8,
    fail_over=0.05,
)  # fmt: skip
CASE = Case("a", "a", "a", Level.MICRO, "work", metrics=(TIME,))


class Played:
    """Pairs of equal code."""

    def __init__(self) -> None:
        self.dice = np.random.default_rng(5)

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure each case: 3 % of noise."""
        for case in cases:
            a, b = self.dice.normal(100.0, 3.0, 2)
            yield PairResult(
                case, CaseResult("a", figures={"time": a}), CaseResult("a", figures={"time": b})
            )


def test_hundreds_of_results_take_few_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would look at all pairs, for each result: thousands of them took minutes."""
    estimates: list[int] = []

    def counted(series: Sequence[NDArray[np.float64]]) -> float:
        estimates.append(len(series))
        return pooled_autocorrelation(series)

    monkeypatch.setattr(comparison, "pooled_autocorrelation", counted)
    cases = [replace(CASE, id=f"a/{number}") for number in range(MANY)]

    run = compare_results(
        Played(), cases, (ABSide("a"), ABSide("b")), (), CONFIG, ComparisonProgress(),
        are_joint=True,
    )  # fmt: skip

    assert MANY == len(run.changes)
    assert 1 <= len(estimates) < MANY / 4
