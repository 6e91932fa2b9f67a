"""Self-check: the gate with the same code on both sides, which shows this machine's noise."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from veperf.abtest.comparison import MIN_SAMPLE_NS, SAMPLES, compare_sides, pair_rule
from veperf.abtest.dependence_notes import dependence_notes
from veperf.abtest.gate import decide_comparison
from veperf.abtest.progress import ComparisonProgress, comparison_progress
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import ABChange, ABConfig, ABRound, ABRun, ABSide
from veperf.core.case import TIME
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, OK
from veperf.core.gate import Outcome
from veperf.core.option_fields import flat_names, keyword_options
from veperf.core.options import SelfCheckOptions
from veperf.core.project import project_selection
from veperf.core.run import Machine
from veperf.core.text import (
    THIN,
    abbreviate_names,
    format_change,
    format_exact,
    format_number,
    format_percent,
    plural,
)
from veperf.core.verdict import ChangeStatus
from veperf.measure.machine import MachineTuning
from veperf.measure.worker_client import CURRENT_CODE
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.sections import identity
from veperf.report.tables.table import Cell, Table, text_table
from veperf.stats.look_schedule import LookSchedule, looks_up_to, schedule_looks
from veperf.stats.paired import PairRule
from veperf.stats.power import minimum_detectable_effect

if TYPE_CHECKING:
    import pandas as pd

_STEAL_LIMIT = 0.02
_FREQUENCY_SPREAD_LIMIT = 0.1


def machine_advice(
    machine: Machine,
    tuning: MachineTuning,
    rounds: Sequence[ABRound],
    changes: Iterable[ABChange],
) -> Iterator[str]:
    """Yield a sentence for each remedy against noise, the most useful first."""
    load = median([round_.load for round_ in rounds]) if rounds else 0.0
    if load > machine.cores:
        cores = plural(machine.cores, "core")
        yield (
            f"The machine is busy: load {format_number(load, 2)} on {cores}. Pairs cancel most of "
            "what that does, but it takes more of them; measure while nothing else runs."
        )
    steals = [round_.steal_ratio for round_ in rounds if round_.steal_ratio is not None]
    if steals and (steal := median(steals)) > _STEAL_LIMIT:
        yield (
            f"The hypervisor gives {format_percent(steal)} of the CPU time to others: a machine "
            "with dedicated cores would be quieter."
        )
    if tuning.quota_cores is not None and tuning.quota_cores < 2:
        yield (
            f"The container may use {format_exact(tuning.quota_cores)} cores, beyond which it is "
            "halted for a while: allow it 2 or more."
        )
    if machine.cores < 2:
        yield "There is one core, which veperf shares with all else: 2 or more would be better."
    mhz = [round_.frequency_mhz for round_ in rounds if round_.frequency_mhz]
    if mhz and max(mhz) > (1 + _FREQUENCY_SPREAD_LIMIT) * min(mhz):
        yield (
            f"The clock frequency moved between {format_number(min(mhz), 4)} and "
            f"{format_number(max(mhz), 4)}{THIN}MHz: fix it (`cpupower "
            "frequency-set --governor performance`, and no turbo)."
        )
    elif others := [name for name in tuning.governors if name != "performance"]:
        yield (
            f"The frequency governor is {abbreviate_names(others)}: `cpupower frequency-set "
            "--governor performance` keeps the clock steady."
        )
    if waiting := [change.case for change in changes if change.clock == "wall" and change.pairs]:
        yield (
            f"Judged by wall time, as they wait or use several threads: "
            f"{abbreviate_names(waiting)}. These need more pairs than what is judged by CPU time."
        )


TYPICAL = ("transaction/hash_compute", "transaction/validation", "transaction/execution")
"""Benchmarks when none is named: a C library's inner loop, a signature, Python."""
# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826
_CHANGED = {ChangeStatus.SLOWER, ChangeStatus.FASTER}


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """Result of the trials for one benchmark."""

    case: str
    trials: int
    """Trials in which it could be measured."""
    false_alarms: int
    pairs: float
    """Pairs that it took to decide, on average over the trials."""
    spread: float
    """Standard deviation of the log ratios, robust: 0.01 is about 1 %."""
    minimum_detectable_effect: float | None
    """Smallest slowdown, as a share, that 9 of 10 comparisons find; None where over 100 %."""


@dataclass(frozen=True, slots=True, repr=False)
class SelfCheckResult:
    """Result of a self-check: false alarms, noise, and the effects that the gate can detect."""

    trials: tuple[ABRun, ...]
    cases: tuple[CaseCheck, ...]
    advice: tuple[str, ...]

    @property
    def false_alarms(self) -> int:
        """Number of times that the same code was called slower or faster."""
        return sum(case.false_alarms for case in self.cases)

    def exit_code(self) -> int:
        """Return 3 where something could not be measured, 1 after a false alarm, else 0."""
        if any(decide_comparison(trial).outcome is Outcome.ERROR for trial in self.trials):
            return COULD_NOT_MEASURE
        return FAILED if self.false_alarms else OK

    @property
    def was_stopped(self) -> bool:
        """True where it was stopped by hand."""
        return self.trials[-1].stopped == "hand"

    def frame(self) -> "pd.DataFrame":
        """Return a row a benchmark."""
        import pandas as pd

        return pd.DataFrame(self.cases).set_index("case")

    def __repr__(self) -> str:
        return selfcheck_text(self)

    def _repr_html_(self) -> str:
        return selfcheck_html(self)


@keyword_options
def selfcheck(*select: str, options: SelfCheckOptions, progress: bool = True) -> SelfCheckResult:
    """Compare this code with itself, and assess the machine by the result.

    Args:
        select: suites, benchmarks or globs; three typical benchmarks when there is none.
        options: how to compare; each field is a keyword as well. Each trial goes on until all is
            decided, and the minimum detectable effect is that of ``max_pairs``.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    side = PreparedSide(ABSide("this code"), CURRENT_CODE)
    runs: list[ABRun] = []
    with comparison_progress() if progress else ComparisonProgress() as display:
        for _ in range(options.trials):
            config = ABConfig(
                select=project_selection(flat_names(select)) or TYPICAL,
                modules=options.all_modules,
                samples=SAMPLES,
                min_sample_ns=MIN_SAMPLE_NS,
                seed=secrets.randbits(32),
                timeout_s=options.timeout_s,
                max_pairs=options.max_pairs,
                fail_over=options.fail_over,
                margin=options.margin,
                min_effect=options.min_effect,
                alpha=options.alpha,
            )
            runs.append(compare_sides(side, side, config, display, time_alone=True))
            if runs[-1].stopped:
                break
    changes = [change for run in runs for change in run.changes]
    rounds = [round_ for run in runs for round_ in run.rounds]
    return SelfCheckResult(
        tuple(runs),
        _check_cases(runs, options),
        (
            *machine_advice(runs[0].machine, MachineTuning.now(), rounds, changes),
            *dict.fromkeys(note for run in runs for note in dependence_notes(run)),
        ),
    )


def _check_cases(runs: Sequence[ABRun], options: SelfCheckOptions) -> tuple[CaseCheck, ...]:
    by_case: dict[str, list[ABChange]] = {}
    for run in runs:
        for change in run.changes:
            if change.pairs:
                by_case.setdefault(change.case, []).append(change)
    rule = pair_rule(runs[0].config, TIME, max(1, len(by_case)))
    looks = schedule_looks(looks_up_to(options.max_pairs))
    return tuple(_check(case, changes, rule, looks) for case, changes in by_case.items())


def _check(
    case: str, changes: Sequence[ABChange], rule: PairRule, looks: LookSchedule
) -> CaseCheck:
    ratios = np.log([pair.new / pair.base for change in changes for pair in change.pairs])
    return CaseCheck(
        case=case,
        trials=len(changes),
        false_alarms=sum(change.status in _CHANGED for change in changes),
        pairs=ratios.size / len(changes),
        spread=float(_MAD * np.median(np.abs(ratios - np.median(ratios)))),
        minimum_detectable_effect=minimum_detectable_effect(ratios.tolist(), rule, looks),
    )


def selfcheck_text(result: SelfCheckResult) -> str:
    """Return the result as text: summary, a row a benchmark, advice."""
    return "\n\n".join([_summary(result), text_table(_table(result)), *_advice(result)])


def selfcheck_html(result: SelfCheckResult) -> str:
    """Return the same as HTML."""
    parts = [markup.paragraph(_summary(result)), markup.html_table(_table(result))]
    return standalone("".join([*parts, *map(markup.paragraph, _advice(result))]))


def _summary(result: SelfCheckResult) -> str:
    alarms = plural(result.false_alarms, "false alarm") if result.false_alarms else "No false alarm"
    trials = plural(len(result.trials), "comparison")
    stopped = ", the last of them stopped by hand" if result.was_stopped else ""
    return (
        f"{alarms} in {trials} of this code with itself{stopped}, "
        f"on {identity.machine_text(result.trials[0].machine)}."
    )


def _table(result: SelfCheckResult) -> Table:
    most = result.trials[0].config.max_pairs
    return Table(
        "The same code on both sides",
        (
            ("Benchmark", "left"),
            ("False alarms", "right"),
            ("Pairs", "right"),
            ("Spread", "right"),
            (f"Detectable within {most} pairs", "right"),
        ),
        tuple(_row(case) for case in result.cases),
        row_header=0,
    )


def _row(case: CaseCheck) -> tuple[Cell, ...]:
    effect = case.minimum_detectable_effect
    return (
        Cell(case.case),
        Cell(f"{case.false_alarms} of {case.trials}"),
        Cell(format_number(case.pairs)),
        Cell(format_percent(case.spread)),
        Cell("none up to 100 %" if effect is None else format_change(1 + effect)),
    )


def _advice(result: SelfCheckResult) -> list[str]:
    return list(result.advice) or ["Nothing about this machine needs to be changed."]
