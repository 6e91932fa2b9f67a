"""Answers to what an explorer's front end asks: plain values of what is seen, never a whole run."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from veperf.abtest.ab_result import change_rows
from veperf.abtest.comparison_report import pair_change_mark, sort_by_urgency
from veperf.core.ab_records import ABChange, ABRun
from veperf.core.case import TIME, Case
from veperf.core.run import Run
from veperf.core.text import (
    as_sentence,
    format_change_interval,
    format_effect,
    format_number,
    format_percent,
    format_quantity,
    format_time,
)
from veperf.core.unit_frame import UnitFrame
from veperf.report.investigation.focus import Focus
from veperf.report.investigation.processes import MeasuringProcess, measuring_processes
from veperf.stats.process_values import Series, series_of

MOST_POINTS = 4_000
"""Samples of a run that are sent; of more, every second, third ... one."""
MOST_ROWS = 200
"""Rows of a list that are sent at once."""
_STEPS = 256
"""Steps of a distribution function that are sent."""

Plain = dict[str, Any]
Brush = tuple[float, float, float, float]
"""First and last sample of a run in order of measuring, from 0, lowest and highest value."""


def benchmark_rows(ranking: Sequence[Focus], suite: str, query: str) -> Plain:
    """Return the metrics of a run that fit, the worst verdict first, and the suites there are."""
    words = query.lower().split()
    fitting = [
        focus
        for focus in ranking
        if suite in ("", focus.case.suite)
        and all(word in f"{focus.case.id} {focus.metric}".lower() for word in words)
    ]
    return {
        "suites": sorted({focus.case.suite for focus in ranking}),
        "total": len(fitting),
        "rows": [
            {
                "benchmark": focus.case.id,
                "metric": focus.metric,
                "tone": focus.mark.tone,
                "word": focus.mark.word,
                "why": as_sentence(focus.why),
            }
            for focus in fitting[:MOST_ROWS]
        ],
    }


def metric_view(runs: Sequence[Run], benchmark: str, metric: str) -> Plain:
    """Return samples, processes and distributions of a metric of ``runs``."""
    case = next((case for run in runs if (case := _case_of(run, benchmark))), None)
    return {
        "benchmark": benchmark,
        "metric": metric,
        "what": case.what if case else "",
        "metrics": [m.name for m in case.metrics] if case else [],
        "series": [part for run in runs for part in _series_parts(run, benchmark, metric)],
        "absent": [run.id for run in runs if _case_of(run, benchmark) is None],
        "going": [run.id for run in runs if len(run.passes) < run.config.passes],
        "hot_lines": [text for run in runs for text in _hot_lines(run, benchmark)],
    }


def _case_of(run: Run, benchmark: str) -> Case | None:
    return next((case for case in run.cases if case.id == benchmark), None)


def _hot_lines(run: Run, benchmark: str) -> Iterator[str]:
    """Yield the hottest lines of calls that missed their limit, which the run has kept."""
    for pass_ in run.passes:
        for result in pass_.results:
            if result.case == benchmark and (hot := result.hot_line) is not None:
                share = format_percent(hot.share)
                yield f"{share} in {hot.function} ({hot.where}), process {pass_.index}"


def _series_parts(run: Run, benchmark: str, metric: str) -> Iterator[Plain]:
    series = series_of(run).get((benchmark, metric))
    if series is None:
        return
    processes = measuring_processes(run, series)
    values, owners, _ = sample_values(run, series)
    kept = slice(None, None, max(1, math.ceil(values.size / MOST_POINTS)))
    shares = np.linspace(0.0, 1.0, min(_STEPS, max(2, values.size)))
    yield {
        "run": run.id,
        "machine": run.machine.name,
        "unit": series.unit,
        "clock": series.clock if metric == TIME.name else "",
        "passes": len(run.passes),
        "planned": run.config.passes,
        "samples": int(values.size),
        "order": np.arange(values.size)[kept].tolist(),
        "values": values[kept].tolist(),
        "owners": owners[kept].tolist(),
        "quantiles": np.quantile(values, shares).tolist() if values.size else [],
        "processes": [_process(process, series) for process in processes],
    }


def _process(process: MeasuringProcess, series: Series) -> Plain:
    """Return a process as what a chart draws, and the words that a tip shows."""
    facts = [
        f"process {process.index}: {format_quantity(process.value, series.unit)}",
        format_time(process.started),
        f"load {format_number(process.load, 2)}",
    ]
    if process.steal_ratio:
        facts.append(f"{format_percent(process.steal_ratio)} stolen")
    if process.waited_ratio is not None:
        facts.append(f"{format_percent(process.waited_ratio)} off CPU")
    if process.failure is not None:
        facts.append(process.failure.message)
    return {
        "index": process.index,
        "value": process.value if process.counts else None,
        "words": ", ".join(facts),
    }


def sample_values(
    run: Run, series: Series
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the value of each sample of ``series``, its pass and its number in it, in order.

    Times are of one operation by the clock that the case is judged by. Other metrics have one value
    a process. Shapes: (n,), for n samples.
    """
    values: list[float] = []
    owners: list[int] = []
    numbers: list[int] = []
    for pass_ in sorted(run.passes, key=lambda p: p.index):
        for result in pass_.results:
            if result.case != series.case or result.failure is not None:
                continue
            if series.metric in result.figures:
                measured = [result.figures[series.metric]]
            elif series.metric == TIME.name:
                each = max(1, result.loops * result.operations)
                times = [s.wall_ns if series.clock == "wall" else s.cpu_ns for s in result.samples]
                measured = [math.nan if t is None else t / each for t in times]
            else:
                continue
            values += measured
            owners += [pass_.index] * len(measured)
            numbers += range(len(measured))
    array = np.array(values, dtype=np.float64)
    finite = np.isfinite(array)
    return array[finite], np.array(owners, dtype=np.int64)[finite], np.array(numbers)[finite]


def selected_samples(
    runs: Sequence[Run], benchmark: str, metric: str, brush: Brush | None
) -> pd.DataFrame:
    """Return a row for each sample within ``brush``; all of them where that is None.

    Columns: run, machine, case, metric, process, sample, started (of the pass), order (of the
    sample in its run), value, unit.
    """
    columns = ["run", "machine", "case", "metric", "process", "sample", "started", "order"]
    frames = []
    for run in runs:
        series = series_of(run).get((benchmark, metric))
        if series is None:
            continue
        values, owners, numbers = sample_values(run, series)
        order = np.arange(values.size)
        inside = np.ones(values.size, dtype=bool)
        if brush is not None:
            first, last, low, high = brush
            inside = (order >= first) & (order <= last) & (values >= low) & (values <= high)
        started = {pass_.index: pass_.started for pass_ in run.passes}
        facts: dict[str, Any] = {
            "run": run.id,
            "machine": run.machine.name,
            "case": benchmark,
            "metric": metric,
            "process": owners[inside],
            "sample": numbers[inside],
            "started": [started[int(owner)] for owner in owners[inside]],
            "order": order[inside],
            "value": values[inside],
            "unit": series.unit,
        }
        frames.append(pd.DataFrame(facts))
    if not frames:
        return UnitFrame(columns=[*columns, "value", "unit"])
    return UnitFrame(pd.concat(frames, ignore_index=True))


def brush_rows(runs: Sequence[Run], benchmark: str, metric: str, brush: Brush) -> Plain:
    """Return the passes that samples within ``brush`` are of: machine, time, and its state then."""
    chosen = selected_samples(runs, benchmark, metric, brush)
    known = {run.id: run for run in runs}
    rows = []
    groups = {} if chosen.empty else dict(list(chosen.groupby(["run", "process"], sort=False)))
    for (run_id, index), group in groups.items():
        run, values = known[str(run_id)], group["value"].to_numpy()
        series = series_of(run)[benchmark, metric]
        process = next(p for p in measuring_processes(run, series) if p.index == index)
        rows.append(
            {
                **({"Run": run_id} if len(runs) > 1 else {}),
                "Process": str(index),
                "Samples": f"{len(values)} of {process.samples or len(values)}",
                "Median": format_quantity(float(np.median(values)), series.unit),
                "Highest": format_quantity(float(values.max()), series.unit),
                "Measured": format_time(process.started),
                "Machine": run.machine.name,
                "Load": format_number(process.load, 2),
                "Off CPU": format_percent(process.waited_ratio),
                "Stolen": format_percent(process.steal_ratio),
                "Calibration run": format_quantity(process.yardstick_ns, "ns"),
            }
        )
    return {"total": len(chosen), "rows": rows[:MOST_ROWS], "passes": len(rows)}


def comparison_rows(comparison: ABRun) -> Plain:
    """Return the benchmarks of an A/B comparison, the most urgent first."""
    by_case = {row["case"]: row for row in change_rows(comparison)}
    return {
        "base": comparison.base.name,
        "new": comparison.new.name,
        "created": format_time(comparison.created),
        "machine": comparison.machine.name,
        "total": len(by_case),
        "rows": [
            {
                "benchmark": change.case,
                "metric": change.metric.name,
                "tone": (mark := pair_change_mark(change)).tone,
                "word": mark.word,
                "why": _effect(change),
            }
            for change in sort_by_urgency(comparison.changes)[:MOST_ROWS]
        ],
    }


def _effect(change: ABChange) -> str:
    if change.ratio is None:
        return as_sentence(change.reason)
    interval = format_change_interval(change.low, change.high)
    return (
        f"{format_effect(change.ratio, 'worse', 'better')} ({interval}), {len(change.pairs)} pairs"
    )


def pairs_view(comparison: ABRun, benchmark: str) -> Plain:
    """Return the pairs of a benchmark of a comparison, each with its samples and its machine."""
    change = next((c for c in comparison.changes if c.case == benchmark), None)
    if change is None:
        reason = comparison.unaffected.get(benchmark, "")
        return {"pairs": [], "absent": reason or "The comparison has no such benchmark."}
    return {
        "benchmark": benchmark,
        "reason": as_sentence(change.reason),
        "unit": change.metric.unit,
        "ratio": change.ratio,
        "low": change.low,
        "high": change.high,
        "margin": change.margin,
        "flipped": change.metric.better == "higher",
        "pairs": [
            {
                "base": pair.base,
                "new": pair.new,
                "base_samples": pair.base_samples,
                "new_samples": pair.new_samples,
                "words": _pair_words(comparison, number),
            }
            for number, pair in enumerate(change.pairs)
        ],
    }


def _pair_words(comparison: ABRun, number: int) -> str:
    """Return the state of the machine while a pair was measured, where it is known."""
    if number >= len(comparison.rounds):
        return ""
    round_ = comparison.rounds[number]
    facts = [f"load {format_number(round_.load, 2)}"]
    if round_.steal_ratio is not None:
        facts.append(f"{format_percent(round_.steal_ratio)} stolen")
    if round_.cpu is not None:
        facts.append(f"CPU {round_.cpu}")
    return ", ".join(facts)
