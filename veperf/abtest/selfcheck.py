"""The gate with the same code on both sides: what it finds there is the machine's doing."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from veperf.abtest.checkouts import Prepared
from veperf.abtest.loop import SAMPLES, compare_sides
from veperf.abtest.progress import Silent, for_here
from veperf.abtest.verdict import outcome
from veperf.core import number_format
from veperf.core.ab import ABChange, ABConfig, ABRound, ABRun, ABSide
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, OK, UsageError
from veperf.core.run import Machine
from veperf.core.verdict import ChangeStatus, Outcome
from veperf.core.words import names, number, percent, plural
from veperf.measure.code_source import HERE
from veperf.measure.machine_tuning import Tuning
from veperf.measure.profiles import MIN_SAMPLE_NS
from veperf.report import text
from veperf.report.html import markup
from veperf.report.html.style import standalone
from veperf.report.sections import identity
from veperf.report.tables.result_tables import Cell, Table
from veperf.stats.look_schedule import LOOKS, Plan, looks_up_to, plan
from veperf.stats.pairs import PairRule
from veperf.stats.power import smallest_visible

if TYPE_CHECKING:
    import pandas as pd

_STEAL = 0.02
_FREQUENCY = 0.1


def advice(
    machine: Machine,
    tuning: Tuning,
    rounds: Sequence[ABRound],
    changes: Iterable[ABChange],
) -> Iterator[str]:
    """A sentence for each thing that can be done, the most useful first."""
    load = median([one.load for one in rounds]) if rounds else 0.0
    if load > machine.cores:
        yield (
            f"The machine is busy: load {number(load)} on {plural(machine.cores, 'core')}. Pairs "
            "cancel most of what that does, but it takes more of them; measure while nothing else "
            "runs."
        )
    steals = [one.steal_ratio for one in rounds if one.steal_ratio is not None]
    if steals and (steal := median(steals)) > _STEAL:
        yield (
            f"The hypervisor gives {percent(steal)} of the CPU time to others: a machine with "
            "dedicated cores would be quieter."
        )
    if tuning.quota_cores is not None and tuning.quota_cores < 2:
        yield (
            f"The container may use {number(tuning.quota_cores)} cores, beyond which it is halted "
            "for a while: allow it 2 or more."
        )
    if machine.cores < 2:
        yield "There is one core, which veperf shares with all else: 2 or more would be better."
    mhz = [one.frequency_mhz for one in rounds if one.frequency_mhz]
    if mhz and max(mhz) > (1 + _FREQUENCY) * min(mhz):
        yield (
            f"The clock frequency moved between {number(min(mhz))} and {number(max(mhz))} MHz: "
            "fix it (`cpupower frequency-set --governor performance`, and no turbo)."
        )
    elif others := [name for name in tuning.governors if name != "performance"]:
        yield (
            f"The frequency governor is {names(others)}: `cpupower frequency-set --governor "
            "performance` keeps the clock steady."
        )
    if waiting := [change.case for change in changes if change.clock == "wall" and change.pairs]:
        yield (
            f"Judged by wall time, as they wait or use several threads: {names(waiting)}. These "
            "need more pairs than what is judged by CPU time."
        )


TYPICAL = ("transaction/hash_compute", "transaction/validation", "transaction/execution")
"""What is measured when nothing is named: a C library's inner loop, a signature, Python."""
# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826
_CHANGED = {ChangeStatus.SLOWER, ChangeStatus.FASTER}


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """What the trials say of one benchmark."""

    case: str
    trials: int
    """Those in which it could be measured."""
    false_alarms: int
    pairs: float
    """That it took to decide, on average over the trials."""
    spread: float
    """Standard deviation of the log ratios, robust: 0.01 is about 1 %."""
    smallest_visible: float | None
    """A slowdown of this share is found in 9 of 10 comparisons; None where none up to 100 % is."""


@dataclass(frozen=True, slots=True, repr=False)
class SelfCheckResult:
    """What the gate can see on this machine."""

    trials: tuple[ABRun, ...]
    cases: tuple[CaseCheck, ...]
    advice: tuple[str, ...]

    @property
    def false_alarms(self) -> int:
        """How often the same code was called slower or faster."""
        return sum(case.false_alarms for case in self.cases)

    def exit_code(self) -> int:
        """3 where something could not be measured, 1 after a false alarm, otherwise 0."""
        if any(outcome(trial) is Outcome.ERROR for trial in self.trials):
            return COULD_NOT_MEASURE
        return FAILED if self.false_alarms else OK

    @property
    def was_stopped(self) -> bool:
        """Whether somebody ended it before its time."""
        return self.trials[-1].stopped == "hand"

    def frame(self) -> "pd.DataFrame":
        """One row a benchmark."""
        import pandas as pd

        return pd.DataFrame(self.cases).set_index("case")

    def __repr__(self) -> str:

        return as_text(self)

    def _repr_html_(self) -> str:

        return as_page(self)


def selfcheck(
    *select: str,
    trials: int = 1,
    max_pairs: int = LOOKS[-1],
    modules: Sequence[str] = (),
    timeout_s: float = 60.0,
    progress: bool = True,
) -> SelfCheckResult:
    """Compare this code with itself, and say what that tells of the machine.

    Args:
        select: suites, benchmarks or globs; three typical benchmarks when there is none.
        trials: how many comparisons to make, each until all is decided.
        max_pairs: in each, and for which the smallest visible slowdown is worked out.
        modules: more modules with benchmarks.
        timeout_s: for one benchmark in one process.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    if trials < 1:
        raise UsageError(f"it takes 1 trial or more, not {trials}")
    side = Prepared(ABSide("this code"), HERE)
    runs: list[ABRun] = []
    with for_here() if progress else Silent() as shown:
        for _ in range(trials):
            config = ABConfig(
                select=select or TYPICAL,
                modules=tuple(modules),
                samples=SAMPLES,
                min_sample_ns=MIN_SAMPLE_NS,
                seed=secrets.randbits(32),
                timeout_s=timeout_s,
                max_pairs=max_pairs,
                fail_effect=0.05,
            )
            runs.append(compare_sides(side, side, config, shown))
            if runs[-1].stopped:
                break
    changes = [change for run in runs for change in run.changes]
    rounds = [one for run in runs for one in run.rounds]
    return SelfCheckResult(
        tuple(runs),
        _checked(runs, max_pairs),
        tuple(advice(runs[0].machine, Tuning.now(), rounds, changes)),
    )


def _checked(runs: Sequence[ABRun], max_pairs: int) -> tuple[CaseCheck, ...]:
    found: dict[str, list[ABChange]] = {}
    for run in runs:
        for change in run.changes:
            if change.pairs:
                found.setdefault(change.case, []).append(change)
    rule, looks = PairRule(comparisons=max(1, len(found))), plan(looks_up_to(max_pairs))
    return tuple(_check(case, changes, rule, looks) for case, changes in found.items())


def _check(case: str, changes: Sequence[ABChange], rule: PairRule, looks: Plan) -> CaseCheck:
    ratios = np.log([pair.new / pair.base for change in changes for pair in change.pairs])
    return CaseCheck(
        case=case,
        trials=len(changes),
        false_alarms=sum(change.status in _CHANGED for change in changes),
        pairs=ratios.size / len(changes),
        spread=float(_MAD * np.median(np.abs(ratios - np.median(ratios)))),
        smallest_visible=smallest_visible(ratios.tolist(), rule, looks),
    )


def as_text(found: "SelfCheckResult") -> str:
    """What was found, a row a benchmark, and what could be better."""
    return "\n\n".join([_summary(found), text.table(_table(found)), *_advice(found)])


def as_page(found: "SelfCheckResult") -> str:
    """The same as HTML."""
    parts = [markup.paragraph(_summary(found)), markup.table(_table(found))]
    return standalone("".join([*parts, *map(markup.paragraph, _advice(found))]))


def _summary(found: "SelfCheckResult") -> str:
    alarms = plural(found.false_alarms, "false alarm") if found.false_alarms else "No false alarm"
    trials = plural(len(found.trials), "comparison")
    stopped = ", the last of them stopped by hand" if found.was_stopped else ""
    return (
        f"{alarms} in {trials} of this code with itself{stopped}, "
        f"on {identity.machine(found.trials[0].machine)}."
    )


def _table(found: "SelfCheckResult") -> Table:
    most = found.trials[0].config.max_pairs
    return Table(
        "The same code on both sides",
        (
            ("Benchmark", "left"),
            ("False alarms", "right"),
            ("Pairs", "right"),
            ("Spread", "right"),
            (f"Visible within {most} pairs", "right"),
        ),
        tuple(_row(case) for case in found.cases),
        heads=0,
    )


def _row(case: "CaseCheck") -> tuple[Cell, ...]:
    visible = case.smallest_visible
    return (
        Cell(case.case),
        Cell(f"{case.false_alarms} of {case.trials}"),
        Cell(number_format.number(case.pairs)),
        Cell(number_format.share(case.spread)),
        Cell("none up to 100 %" if visible is None else number_format.change(1 + visible)),
    )


def _advice(found: "SelfCheckResult") -> list[str]:
    return list(found.advice) or ["Nothing about this machine needs to be changed."]
