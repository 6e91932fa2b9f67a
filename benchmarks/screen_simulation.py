"""Results of other tools against each other: false alarms, and what slowdowns are found.

    python -m benchmarks.screen_simulation

Two runs of 10 benchmarks each with n values (or the statistics of n values in their place), of
which one benchmark is slower in the second run by the effect and nine are equal; 200 pairs of runs
a row and effect. Noise: normal, 3 %; heavy tails, t with 3 degrees of freedom, scaled to 2 %; two
modes 8 % apart, equally likely, with 1 % within each. Printed are the share of families of nine
equal benchmarks with any that is slower or suspect, the share of planted slowdowns that are slower
or suspect at least, the same with --same-machine, and the share of families in which any benchmark
is slower where the second machine is 15 % slower as a whole.
"""

from collections.abc import Callable, Mapping

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from veperf.core.case import TIME, Case, Level
from veperf.core.run import CaseResult, Config, Machine, Pass, Revision, Run, Summary
from veperf.core.verdict import ChangeStatus
from veperf.verdicts.screen import compare_runs

BENCHMARKS = 10
FAMILIES = 200
SIZES = (3, 5, 10, 20)
EFFECTS = (0.1, 0.2, 0.3, 0.5)
MACHINE = 1.15

Floats = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Floats]
Describe = Callable[[Floats], tuple[list[float], Summary | None]]

NOISES: Mapping[str, Noise] = {
    "normal, 3 %": lambda dice, n: dice.normal(0, 0.03, n),
    "heavy tails, 2 %": lambda dice, n: 0.02 * dice.standard_t(3, n),
    "two modes, 8 %": lambda dice, n: dice.normal(0, 0.01, n) + 0.08 * dice.integers(0, 2, n),
}


def _values(values: Floats) -> tuple[list[float], Summary | None]:
    return values.tolist(), None


def _deviation(values: Floats) -> tuple[list[float], Summary | None]:
    deviation = float(values.std(ddof=1))
    return [float(values.mean())], Summary("mean", values.size, standard_deviation=deviation)


def _quartiles(values: Floats) -> tuple[list[float], Summary | None]:
    q1, middle, q3 = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return [middle], Summary("median", values.size, q1=q1, q3=q3)


DESCRIPTIONS: Mapping[str, Describe] = {
    "values": _values,
    "mean, deviation": _deviation,
    "median, quartiles": _quartiles,
}


def imported(describe: Describe, samples: list[Floats]) -> Run:
    """Return a run of another tool with these values of each benchmark, in ns."""
    cases = [Case(f"tool/{i}", f"tool/{i}", "tool", Level.MICRO, "") for i in range(len(samples))]
    described = [describe(values) for values in samples]
    passes = tuple(
        Pass(index, "", 0.0, 0.0, 0.0, None, None, None, results=tuple(
            CaseResult(case.id, figures={TIME.name: values[index]},
                       summaries={TIME.name: summary} if summary else {})
            for case, (values, summary) in zip(cases, described, strict=True)))
        for index in range(len(described[0][0]))
    )  # fmt: skip
    return Run(
        id="r", created="2026-01-01T00:00:00+00:00", source="tool", cases=tuple(cases),
        config=Config("imported", len(passes), 1, 0, 0, 0, 0.0), passes=passes,
        machine=Machine("unknown", "", 0, None, "", ""), revision=Revision(),
    )  # fmt: skip


def statuses(
    describe: Describe, noise: Noise, n: int, factors: Floats, dice: np.random.Generator
) -> tuple[list[ChangeStatus], list[ChangeStatus]]:
    """Return the statuses of one pair of runs, without and with --same-machine."""
    base, new = (
        imported(describe, [100 * f * np.exp(noise(dice, n)) for f in side])
        for side in (np.ones_like(factors), factors)
    )
    elsewhere = compare_runs(base, new)
    same = compare_runs(base, replace(new, same_machine=True))
    return [change.status for change in elsewhere], [change.status for change in same]


def row(describe: Describe, noise: Noise, n: int, dice: np.random.Generator) -> list[str]:
    """Return the shares of a row as text."""
    slower, suspect = ChangeStatus.SLOWER, ChangeStatus.SUSPECT
    # False alarms: any slower or suspect, any slower; on the same machine, any slower.
    false = np.zeros(3)
    cells = []
    for effect in EFFECTS:
        factors = np.ones(BENCHMARKS)
        factors[0] += effect
        detected = np.zeros(3)
        for _ in range(FAMILIES):
            elsewhere, same = statuses(describe, noise, n, factors, dice)
            flagged = [status in (slower, suspect) for status in elsewhere]
            detected += [elsewhere[0] is slower, flagged[0], same[0] is slower]
            false += [any(flagged[1:]), slower in elsewhere[1:], slower in same[1:]]
        cells.append(" / ".join(f"{100 * share:.0f}" for share in detected / FAMILIES) + " %")
    moved = sum(
        slower in statuses(describe, noise, n, np.full(BENCHMARKS, MACHINE), dice)[0]
        for _ in range(FAMILIES)
    )
    rates = [f"{100 * rate:.1f} %" for rate in false / (FAMILIES * len(EFFECTS))]
    return [*rates, *cells, f"{100 * moved / FAMILIES:.1f} %"]


def main() -> None:
    """Print the table."""
    effects = " | ".join(f"+{100 * effect:.0f} %: slower / suspect / same machine"
                         for effect in EFFECTS)  # fmt: skip
    print("| results | noise | n | equal: suspect | slower | slower, same machine | "
          f"{effects} | machine +15 %: slower |\n|{'---|' * (7 + len(EFFECTS))}")  # fmt: skip
    dice = np.random.default_rng(1)
    for results, describe in DESCRIPTIONS.items():
        for kind, noise in NOISES.items():
            for n in SIZES:
                cells = " | ".join(row(describe, noise, n, dice))
                print(f"| {results} | {kind} | {n} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
