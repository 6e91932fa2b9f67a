"""Verdicts and intervals of the sequential rule on simulated pairs, as a table in Markdown.

    python -m benchmarks.sequential_simulation [comparisons] [seed]

Each comparison is one of ``comparisons`` benchmarks (15 when not given) and has up to 48 pairs,
which are independent and whose log ratios lie around a true slowdown. Two intervals are scored at
the look that decided: the one of the pairs used as though their number had been fixed beforehand
("fixed", 95 %), and the repeated one that verdicts show (90 % at least, whichever look decides).
Their coverage is printed over all comparisons and over those called slower, among which chance
has made the change look large.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veperf.core.text import MISSING
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.hodges_lehmann import pseudomedian
from veperf.stats.look_schedule import LOOKS
from veperf.stats.paired import PairRule
from veperf.stats.sequential import SequentialTest, SequentialVerdict

COMPARISONS = 2000
EFFECTS = (0.0, 0.01, 0.02, 0.03, 0.05)

Floats = NDArray[np.float64]
Noise = Callable[[np.random.Generator], Floats]

NOISES: dict[str, Noise] = {
    "normal, 1 %": lambda dice: dice.normal(0, 0.01, LOOKS[-1]),
    "normal, 2 %": lambda dice: dice.normal(0, 0.02, LOOKS[-1]),
    "Student's t with 3 degrees, 1.5 %": lambda dice: 0.015 * dice.standard_t(3, LOOKS[-1]),
    "normal, 5 %": lambda dice: dice.normal(0, 0.05, LOOKS[-1]),
}
"""Log ratios of the pairs of one comparison, of shape (48,)."""


@dataclass(frozen=True, slots=True)
class Score:
    """Result of one simulated comparison."""

    verdict: SequentialVerdict
    fixed_covers: bool
    repeated_covers: bool


def score(log_ratios: Floats, effect: float, rule: PairRule) -> Score:
    """Judge pairs with ``log_ratios``, whose true slowdown is ``effect``."""
    test = SequentialTest(rule)
    for log_ratio in log_ratios:
        if test.add(1.0, math.exp(log_ratio)) is not None:
            break
    verdict = test.finish()
    true = math.log1p(effect)
    fixed = pseudomedian(log_ratios[: verdict.pairs], confidence=1 - rule.alpha)
    repeated_covers = verdict.low <= 1 + effect <= verdict.high
    return Score(verdict, fixed.low <= true <= fixed.high, repeated_covers)


def main() -> None:
    """Print a row for each noise and true slowdown."""
    settings = [int(word) for word in sys.argv[1:]]
    comparisons, seed = [*settings, *(15, 1)[len(settings) :]]
    rule = PairRule(comparisons=comparisons)
    print(
        "| noise of a pair | true slowdown | slower | within 3 % | fails | pairs | fixed: all "
        "| among slower | repeated: all | among slower | estimate among slower |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, noise in NOISES.items():
        for effect in EFFECTS:
            dice = np.random.default_rng(seed)
            scores = [
                score(noise(dice) + math.log1p(effect), effect, rule) for _ in range(COMPARISONS)
            ]
            print(f"| {name} | {100 * effect:g} % | {' | '.join(_figures(scores))} |", flush=True)


def _figures(scores: list[Score]) -> Iterator[str]:
    slower = [s for s in scores if s.verdict.status is ChangeStatus.SLOWER]
    passed = [s for s in scores if s.verdict.status is ChangeStatus.OK]
    fails = [s for s in scores if s.verdict.severity is Severity.FAIL]
    for group in (slower, passed, fails):
        yield f"{len(group) / len(scores):.3f}"
    yield f"{np.mean([s.verdict.pairs for s in scores]):.1f}"
    # A share of a handful says nothing.
    few = len(slower) < 0.01 * len(scores)
    for covers in ("fixed_covers", "repeated_covers"):
        for group in (scores, slower):
            share = np.mean([getattr(s, covers) for s in group]) if group else 0.0
            yield MISSING if group is slower and few else f"{share:.3f}"
    yield MISSING if few else f"{100 * np.mean([s.verdict.ratio - 1 for s in slower]):.1f} %"


if __name__ == "__main__":
    main()
