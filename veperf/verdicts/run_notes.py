"""What a reader must know about a run before believing its verdict."""

from collections.abc import Iterable, Sequence

import numpy as np

from veperf.core.run import Failure, Run
from veperf.core.verdict import Baseline, TargetStatus, TargetVerdict
from veperf.core.words import effect, names, number, percent, plural
from veperf.verdicts.baseline import DRIFT_LIMIT, day, differences, drift, yardsticks_ns

_STEAL_LIMIT = 0.05
_SPREAD_LIMIT = 0.20


def notes(
    run: Run,
    used: Sequence[Baseline],
    targets: Sequence[TargetVerdict],
    failures: dict[str, Failure],
) -> tuple[str, ...]:
    """One sentence each, the most important first; ``used`` are the baselines compared with."""
    return (
        *_incomplete(run),
        *stopped(run),
        *_failed(run, failures),
        *_other_machines(run, used),
        *_drift(run, used),
        *_busy(run),
        *_unsteady(run),
        *_missing(run, used),
        *_stale_misses(targets),
    )


def _incomplete(run: Run) -> Iterable[str]:
    made, asked = len(run.passes), run.config.passes
    if made < asked:
        yield f"The run is not complete: {made} of {plural(asked, 'pass', 'passes')} were made."


def stopped(run: Run) -> Iterable[str]:
    """Loads that were ended before their time."""
    planned_s = run.config.load.seconds
    for made in run.passes:
        for result in made.results:
            if (after_s := result.stopped_after_s) is not None:
                yield (
                    f"{result.case} was ended by hand: its figures are of {number(after_s)} s, "
                    f"where {number(planned_s)} s were planned."
                )


def _failed(run: Run, failures: dict[str, Failure]) -> Iterable[str]:
    results = [r for made in run.passes for r in made.results]
    good = {r.case for r in results if r.failure is None}
    if partly := sorted(good & failures.keys()):
        yield f"Failed in some passes, judged by the others: {names(partly)}."


def _other_machines(run: Run, used: Sequence[Baseline]) -> Iterable[str]:
    for baseline in used:
        if different := differences(run.machine, baseline.machine):
            yield (
                f"The {baseline.suite} baseline of {day(baseline.recorded)} is shown, "
                f"not judged by: {'; '.join(different)}."
            )


def _drift(run: Run, used: Sequence[Baseline]) -> Iterable[str]:
    for baseline in used:
        drifted = drift(run, baseline)
        same = not differences(run.machine, baseline.machine)
        if same and drifted is not None and abs(drifted) > DRIFT_LIMIT:
            yield (
                f"The machine itself is {effect(1 + drifted)} than for the {baseline.suite} "
                f"baseline of {day(baseline.recorded)}, by a yardstick that is part of no suite."
            )


def _busy(run: Run) -> Iterable[str]:
    if not run.passes:
        return
    load = float(np.median([max(p.load_before, p.load_after) for p in run.passes]))
    if 0 < run.machine.cores < load:
        cores = plural(run.machine.cores, "core")
        yield f"The machine was busy: load {number(load)} on {cores}."
    steals = [p.steal_ratio for p in run.passes if p.steal_ratio is not None]
    if steals and (steal := float(np.median(steals))) > _STEAL_LIMIT:
        yield f"The hypervisor gave {percent(steal)} of the machine's CPU time to others."


def _unsteady(run: Run) -> Iterable[str]:
    times_ns = yardsticks_ns(run)
    if times_ns and (spread := max(times_ns) / min(times_ns) - 1) > _SPREAD_LIMIT:
        yield f"The machine's speed varied by {percent(spread)} between passes, by its yardstick."


def _missing(run: Run, used: Sequence[Baseline]) -> Iterable[str]:
    cases = {case.id for case in run.cases}
    for baseline in used:
        if gone := sorted({s.case for s in baseline.series} - cases):
            yield (
                f"In the {baseline.suite} baseline of {day(baseline.recorded)} but not measured "
                f"here: {names(gone)}."
            )


def _stale_misses(targets: Sequence[TargetVerdict]) -> Iterable[str]:
    met = [t.target.id for t in targets if t.known_miss and t.status is TargetStatus.PASS]
    if met:
        them = "it" if len(met) == 1 else "them"
        yield f"Met now, though listed as known to miss: {names(met)}; take {them} off that list."
