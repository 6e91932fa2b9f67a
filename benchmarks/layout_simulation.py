"""Go binaries whose layouts move a version: how many layouts it takes, and how pairs share them.

    python -m benchmarks.layout_simulation

Each layout draws the difference between two versions anew, besides what their code does: between
two versions of seven kinds of work, of which one has two functions more, it had a standard
deviation of 0.1 to 1.9 %. The pairs take turns with the layouts. Normal noise of a pair of 2 %,
the rule of `veperf ab`, one of 15 benchmarks. Each cell is the share called slower or faster where
nothing differs but the layout, slower at the smallest effect that matters, `within 3 %` at 3 %
(0.05 is permitted), and slower at 5 %.
"""

import numpy as np

from veperf.core.verdict import ChangeStatus
from veperf.stats.paired import PairRule
from veperf.stats.sequential import SequentialTest

SPREAD = 0.02
SUITE = 15
NOISES = (0.0, 0.01, 0.02, 0.03)
COMPARISONS = 500
# Numbers of layouts, and whether the pairs that share one are one value.
WAYS = ((4, False), (12, True), (16, True), (48, True))


def status_of(
    layouts: int, noise: float, effect: float, dice: np.random.Generator, *, grouped: bool
) -> ChangeStatus:
    """Return the verdict on one comparison."""
    test = SequentialTest(PairRule(comparisons=SUITE, layouts=layouts if grouped else 0))
    moved = dice.normal(np.log1p(effect), noise, layouts)
    for number, disturbed in enumerate(dice.normal(0, SPREAD, 48)):
        if test.add(1.0, float(np.exp(moved[number % layouts] + disturbed))) is not None:
            break
    return test.finish().status


def main() -> None:
    """Print the table."""
    dice = np.random.default_rng(1)
    print("| layouts move a version by | layouts | equal: slower or faster | +1 %: slower | "
          "+3 %: ok | +5 %: slower |\n|---|---|---|---|---|---|")  # fmt: skip
    for noise in NOISES:
        for layouts, grouped in WAYS:
            same, one, three, five = (
                [
                    status_of(layouts, noise, effect, dice, grouped=grouped)
                    for _ in range(COMPARISONS)
                ]
                for effect in (0.0, 0.01, 0.03, 0.05)
            )
            changed = same.count(ChangeStatus.SLOWER) + same.count(ChangeStatus.FASTER)
            counts = (
                changed,
                one.count(ChangeStatus.SLOWER),
                three.count(ChangeStatus.OK),
                five.count(ChangeStatus.SLOWER),
            )
            shares = " | ".join(f"{100 * count / COMPARISONS:.1f} %" for count in counts)
            way = f"{layouts}" if grouped else f"{layouts}, pairs taken for independent"
            print(f"| {100 * noise:g} % | {way} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
