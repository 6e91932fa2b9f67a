"""Between-version noise: what it does to verdicts, allowed for or not, and how well it is known.

    python -m benchmarks.version_noise_simulation

Pairs of 15 benchmarks with normal noise of 1.5 %, the rule of `veperf ab`. The true noise between
versions is added to each comparison, the same in all its pairs. First table, for one benchmark
among 15: the share called slower or faster where the work is the same and slower where it is 1 %
more (of which the rule permits 0.05 / 15), the share of 3 % more called ok (0.05), and of 5 and 8 %
more found. Second table: the estimate of a battery of 6 and of 20 edits over 15 kinds of work, from
the pairs of the first look.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import LOOKS
from veperf.stats.paired import PairRule
from veperf.stats.sequential import SequentialTest
from veperf.stats.version_noise import estimate_version_noise

SPREAD = 0.015
SUITE = 15
NOISES = (0.0, 0.002, 0.005, 0.01, 0.02)
COMPARISONS = 400
BATTERIES = 200

Floats = NDArray[np.float64]


def compare(rule: PairRule, ratios: Floats) -> ChangeStatus:
    """Return the verdict on pairs with these log ratios."""
    test = SequentialTest(rule)
    for ratio in np.exp(ratios):
        if test.add(1.0, float(ratio)) is not None:
            break
    return test.finish().status


def rates(noise: float, allowed: float, effect: float, dice: np.random.Generator) -> list[float]:
    """Return the shares of slower, faster and ok."""
    rule = PairRule(comparisons=SUITE, version_noise=allowed)
    statuses = [
        compare(rule, dice.normal(np.log1p(effect) + dice.normal(0, noise), SPREAD, 48))
        for _ in range(COMPARISONS)
    ]
    kinds = (ChangeStatus.SLOWER, ChangeStatus.FASTER, ChangeStatus.OK)
    return [statuses.count(kind) / COMPARISONS for kind in kinds]


def battery(noise: float, edits: int, dice: np.random.Generator) -> Sequence[Sequence[Floats]]:
    """Return the log ratios of a battery, by kind of work and comparison."""
    return [
        [dice.normal(dice.normal(0, noise), SPREAD, LOOKS[0]) for _ in range(edits)]
        for _ in range(SUITE)
    ]


def main() -> None:
    """Print both tables."""
    dice = np.random.default_rng(1)
    print("| between versions | allowed for | same: slower or faster | +1 %: slower | +3 %: ok |"
          " +5 % found | +8 % found |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for noise in NOISES:
        for allowed in dict.fromkeys((0.0, noise)):
            same, one, three, five, eight = (
                rates(noise, allowed, effect, dice) for effect in (0.0, 0.01, 0.03, 0.05, 0.08)
            )
            cells = (same[0] + same[1], one[0], three[2], five[0], eight[0])
            shares = " | ".join(f"{100 * cell:.1f} %" for cell in cells)
            print(f"| {100 * noise:g} % | {'yes' if allowed else 'no'} | {shares} |", flush=True)
    print("\n| between versions | edits | estimate | interval holds it | called more than none |\n"
          "|---|---|---|---|---|")  # fmt: skip
    for noise in NOISES:
        for edits in (6, 20):
            estimates = [
                estimate for _ in range(BATTERIES)
                if (estimate := estimate_version_noise(battery(noise, edits, dice))) is not None
            ]  # fmt: skip
            mean = np.mean([estimate.value for estimate in estimates])
            held = np.mean([estimate.low <= noise <= estimate.high for estimate in estimates])
            above = np.mean([estimate.low > 0 for estimate in estimates])
            shares = f"{100 * mean:.2f} % | {held:.0%} | {above:.0%}"
            print(f"| {100 * noise:g} % | {edits} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
