"""Rules by which each tool calls the new code slower.

pyperf decides by its own code. The others are their published rules, written down here.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyperf._utils import is_significant  # what `pyperf compare_to` calls; it has no public name

from veperf.core.verdict import ChangeStatus
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.mann_whitney import mann_whitney
from veperf.stats.sequential import compare_sequentially

Values = Sequence[float]


@dataclass(frozen=True)
class Answer:
    """The decision if b is slower than a, and how many pairs it took."""

    slower: bool
    pairs: int


@dataclass(frozen=True)
class Rule:
    """A tool's way to decide, given both sides' values and the number of benchmarks."""

    name: str
    source: str
    decide: Callable[[Values, Values, int], Answer]


def veperf_ab(a: Values, b: Values, benchmarks: int) -> Answer:
    """Sequential looks at pairs, corrected for the number of benchmarks."""
    verdict = compare_sequentially(zip(a, b, strict=True), comparisons=benchmarks)
    return Answer(verdict.status is ChangeStatus.SLOWER, verdict.pairs)


def pyperf(a: Values, b: Values) -> bool:
    """Student's t-test at 95 %, and the greater mean."""
    significant, _ = is_significant(a, b)
    return bool(significant) and statistics.fmean(b) > statistics.fmean(a)


def asv(a: Values, b: Values) -> bool:
    """`asv compare`: U test with p < 0.002, and medians that differ by the factor of 1.1.

    Where so few values can't reach that p: 99 % intervals that don't overlap, here of medians.
    """
    if 1 / math.comb(len(a) + len(b), len(a)) < 0.002:
        different = mann_whitney(a, b).p_two_sided < 0.002
    else:
        before, after = (estimate_median(x, confidence=0.99) for x in (a, b))
        different = after.confidence >= 0.99 and after.low > before.high
    return different and statistics.median(b) > 1.1 * statistics.median(a)


def pytest_benchmark(a: Values, b: Values) -> bool:
    """`--benchmark-compare-fail=min:5%`, the example of its documentation."""
    return min(b) > 1.05 * min(a)


def benchstat(a: Values, b: Values) -> bool:
    """Exact U test at 5 %, and the greater median."""
    return mann_whitney(a, b).p_two_sided < 0.05 and (statistics.median(b) > statistics.median(a))


def google_compare(a: Values, b: Values) -> bool:
    """compare.py's U test at 5 %, by scipy as there, and the greater median."""
    from scipy.stats import mannwhitneyu

    p = float(mannwhitneyu(a, b, alternative="two-sided").pvalue)
    return p < 0.05 and statistics.median(b) > statistics.median(a)


def rules(values: int) -> tuple[Rule, ...]:
    """Every rule; peers, who fix that beforehand, see the first ``values`` of each side."""

    def fixed(slower: Callable[[Values, Values], bool]) -> Callable[[Values, Values, int], Answer]:
        def decide(a: Values, b: Values, _: int) -> Answer:
            return Answer(slower(a[:values], b[:values]), min(values, len(a)))

        return decide

    return (
        Rule("veperf A/B", "own code", veperf_ab),
        Rule("pyperf", "own code", fixed(pyperf)),
        Rule("asv", "published rule", fixed(asv)),
        Rule("pytest-benchmark", "published rule", fixed(pytest_benchmark)),
        Rule("benchstat", "published rule", fixed(benchstat)),
        Rule("Google compare.py", "published rule", fixed(google_compare)),
    )
