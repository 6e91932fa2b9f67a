"""Notes on a run that qualify its verdict: other machine, drift, busy machine, failures."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from veperf.core.baseline import Baseline
from veperf.core.direction import reader_notes
from veperf.core.run import Failure, Pass, Run
from veperf.core.text import (
    abbreviate_names,
    as_sentence,
    format_duration,
    format_effect,
    format_limit_distance,
    format_number,
    format_percent,
    format_quantity,
    join_words,
    plural,
)
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.verdicts.baseline import (
    DRIFT_LIMIT,
    calibration_times_ns,
    date_of,
    machine_differences,
    machine_drift,
)
from veperf.verdicts.renamed import renamed_since

_STEAL_LIMIT = 0.05
_SPREAD_LIMIT = 0.20


def run_notes(
    run: Run,
    used: Sequence[Baseline],
    targets: Sequence[TargetVerdict],
    failures: dict[str, Failure],
) -> tuple[str, ...]:
    """Return the notes, a sentence each, the most important first.

    ``used`` are the baselines that the run was compared with.
    """
    return (
        *_incomplete(run),
        *stopped_load_notes(run),
        *_failed(run, failures),
        *_other_machines(run, used),
        *_drift(run, used),
        *_busy(run),
        *_unsteady(run),
        *_migrated(run),
        *_missing(run, used),
        *map(as_sentence, renamed_since(used, run)),
        *successor_notes(targets),
        *_stale_misses(targets),
        *(as_sentence(note) for note in reader_notes(run)),
    )


def _incomplete(run: Run) -> Iterable[str]:
    done, planned = len(run.passes), run.config.passes
    if done < planned:
        yield f"The run is not complete: {done} of {plural(planned, 'pass', 'passes')} were made."


def stopped_load_notes(run: Run) -> Iterable[str]:
    """Yield a note on each load that was stopped before its end."""
    plan = run.config.load
    rates = {case.id: float(case.params.get("rate", math.inf)) for case in run.cases}
    for pass_ in run.passes:
        for result in pass_.results:
            if (after_s := result.stopped_after_s) is not None:
                planned_s = plan.seconds_at(rates.get(result.case, math.inf))
                yield (
                    f"{result.case} was stopped by hand: its figures cover "
                    f"{format_duration(after_s)} of the {format_duration(planned_s)} planned."
                )


def _failed(run: Run, failures: dict[str, Failure]) -> Iterable[str]:
    results = [r for pass_ in run.passes for r in pass_.results]
    good = {r.case for r in results if r.failure is None}
    partly = sorted(good & failures.keys())
    if lost := [case for case in partly if not failures[case].is_void]:
        yield (
            "Failed in some passes, which is a failure; the values shown are those of the others: "
            f"{abbreviate_names(lost)}."
        )
    if void := [case for case in partly if failures[case].is_void]:
        yield (
            "Void in some passes, which counts neither way; the values shown are those of the "
            f"others: {abbreviate_names(void)}."
        )


def _other_machines(run: Run, used: Sequence[Baseline]) -> Iterable[str]:
    for baseline in used:
        if different := machine_differences(run.machine, baseline.machine):
            yield (
                f"The {baseline.suite} baseline of {date_of(baseline.recorded)} is shown, but not "
                f"used for the verdict on times, as the machine differs: {'; '.join(different)}."
            )


def _drift(run: Run, used: Sequence[Baseline]) -> Iterable[str]:
    for baseline in used:
        drifted = machine_drift(run, baseline)
        same = not machine_differences(run.machine, baseline.machine)
        if same and drifted is not None and abs(drifted) > DRIFT_LIMIT:
            yield (
                f"The machine itself is {format_effect(1 + drifted)} than for the {baseline.suite} "
                f"baseline of {date_of(baseline.recorded)}, by the calibration run."
            )


def _busy(run: Run) -> Iterable[str]:
    if not run.passes:
        return
    load = float(np.median([max(p.load_before, p.load_after) for p in run.passes]))
    if 0 < run.machine.cores < load:
        cores = plural(run.machine.cores, "core")
        yield f"The machine was busy: load {format_number(load, 2)} on {cores}."
    steals = [p.steal_ratio for p in run.passes if p.steal_ratio is not None]
    if steals and (steal := float(np.median(steals))) > _STEAL_LIMIT:
        yield f"The hypervisor gave {format_percent(steal)} of the machine's CPU time to others."


def _unsteady(run: Run) -> Iterable[str]:
    times_ns = calibration_times_ns(run)
    if not times_ns or max(times_ns) / min(times_ns) - 1 <= _SPREAD_LIMIT:
        return
    slow: dict[int | None, list[Pass]] = {}
    for pass_ in run.passes:
        time_ns = pass_.yardstick_ns
        if time_ns in times_ns and time_ns and time_ns / min(times_ns) - 1 > _SPREAD_LIMIT:
            slow.setdefault(pass_.cpu, []).append(pass_)
    for cpu, passes in slow.items():
        slowdown = max(pass_.yardstick_ns or 0 for pass_ in passes) / min(times_ns) - 1
        numbers = [str(pass_.index + 1) for pass_ in passes]
        yield (
            f"{'The machine' if cpu is None else f'CPU {cpu}'} was up to "
            f"{format_percent(slowdown)} slower in {'pass' if len(numbers) == 1 else 'passes'} "
            f"{join_words(numbers)} than in the fastest, by the calibration run."
        )


def _migrated(run: Run) -> Iterable[str]:
    cases = {
        result.case
        for pass_ in run.passes
        if pass_.cpu is not None
        for result in pass_.results
        if any(s.migrated or s.cpu not in (None, pass_.cpu) for s in result.samples)
    }
    multithreaded = {case.id for case in run.cases if case.multithreaded}
    if moved := sorted(cases - multithreaded):
        yield (
            f"The system moved samples to another CPU than their pass's: {abbreviate_names(moved)}."
        )


def _missing(run: Run, used: Sequence[Baseline]) -> Iterable[str]:
    cases = {case.id for case in run.cases}
    for baseline in used:
        if gone := sorted({s.case for s in baseline.series} - cases):
            yield (
                f"In the {baseline.suite} baseline of {date_of(baseline.recorded)}, but not in "
                f"this run: {abbreviate_names(gone)}."
            )


def successor_notes(targets: Sequence[TargetVerdict]) -> Iterable[str]:
    """Yield how the limits stand to protocols that came after those that they were set for."""
    commits, missed, count = set(), [], 0
    for verdict in targets:
        target, over = verdict.target, verdict.successor_over
        if target.successor is None or over is None:
            continue
        count += 1
        commits.add(target.successor.revision[:8])
        if over > 0:
            value = format_quantity(verdict.successor_value, target.unit)
            missed.append(
                f"{target.id} is missed: {value} by {target.successor.benchmark} "
                f"({target.successor.protocol}), {format_limit_distance(over, target.better)}"
            )
    if count:
        held = f"{count - len(missed)} of {count} limits met"
        yield as_sentence(
            f"By VirtEngine's protocols of {join_words(sorted(commits))}: "
            f"{'; '.join([held, *missed])}"
        )


def _stale_misses(targets: Sequence[TargetVerdict]) -> Iterable[str]:
    met = [t.target.id for t in targets if t.known_miss and t.status is TargetStatus.PASS]
    if met:
        yield (
            f"Met now, although listed as a known miss: {abbreviate_names(met)}; remove "
            f"{'it' if len(met) == 1 else 'them'} from that list."
        )
