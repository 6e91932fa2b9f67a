"""The tables of load cases, of the trials of a search, and of shards."""

from collections.abc import Sequence

from veperf.core.case import Level
from veperf.core.load import Shard, Trial
from veperf.core.run import Run
from veperf.core.text import MISSING, format_exact, format_percent, format_quantity, plural
from veperf.report.case_summary import estimate_text, summarise_cases
from veperf.report.charts.scaling import scaling_curves
from veperf.report.load_summary import LoadSummary, load_summaries
from veperf.report.tables import status
from veperf.report.tables.result_tables import growth_table, memory_table, summary_table
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Cell, Table, columns


def describe_shards(load: LoadSummary) -> str:
    """Return a sentence on the shards that offered the load, and on their clocks."""
    hosts = len({shard.host for shard in load.shards})
    processes = plural(len(load.shards), "process", "processes")
    return (
        f"A single arrival schedule was divided among {processes} on {plural(hosts, 'host')} and "
        "offered to a remote system. All started at an agreed time; each measures latency with its "
        "own clock, from the scheduled arrival until it learns of the commit."
    )


def shards_table(load: LoadSummary) -> Table:
    """Return a table with a row for each shard."""
    return Table(
        f"Shards of {load.case.id}",
        columns(
            ">Shard",
            "Status",
            "Host",
            ">Offered",
            ">Achieved",
            ">Own lag p99",
            ">Waited",
            ">Clock offset",
            ">Drift",
        ),
        tuple(_shard_row(shard, load.rate_unit) for shard in load.shards),
    )


def _shard_row(shard: Shard, rate_unit: str) -> tuple[Cell, ...]:
    mark = status.VOID if shard.invalid else Mark("valid", "pass", 6)
    return (
        Cell(str(shard.number)),
        Cell("", note=shard.invalid, mark=mark),
        Cell(shard.host),
        Cell(format_quantity(shard.offered, rate_unit)),
        Cell(format_quantity(shard.achieved, rate_unit)),
        Cell(format_quantity(shard.own_lag_p99_ms, "ms")),
        Cell(format_percent(shard.contention.taken_ratio if shard.contention else None)),
        Cell(_clock_offset(shard)),
        Cell(format_quantity(shard.clock_drift_ns, "ns")),
    )


def _clock_offset(shard: Shard) -> str:
    if shard.wall_offset_ns is None:
        return MISSING
    unsure = format_quantity(shard.clock_uncertainty_ns, "ns")
    return f"{format_quantity(shard.wall_offset_ns, 'ns')} ± {unsure}"


PERCENTILES = (
    ("latency_p50", "p50"),
    ("latency_p95", "p95"),
    ("latency_p99", "p99"),
    ("latency_p999", "p99.9"),
    ("latency_max", "Max"),
)
SHED = "shed_rate"
"""The metric of what a system dropped by its own rules, in %."""


def run_tables(run: Run, caption: str) -> list[Table]:
    """Return tables of every case of ``run``, and of growth with size where it is certain.

    Memory and load have tables of their own.
    """
    plain = [metric for metric in summarise_cases(run) if metric.case.level is not Level.LOAD]
    timed = [metric for metric in plain if not metric.is_memory]
    loads = load_summaries(run)
    growth = growth_table(scaling_curves(timed), "Growth with size")
    return [
        *([summary_table(timed, caption)] if timed or not loads else []),
        *([growth] if growth.rows else []),
        *([memory_table(plain, "Memory")] if len(timed) < len(plain) else []),
        *([loads_table(loads, "Load")] if loads else []),
    ]


def loads_table(loads: Sequence[LoadSummary], caption: str) -> Table:
    """Return a table with a row for each load case; percentiles cover all its processes."""
    has_search = any(load.is_search for load in loads)
    has_shed = any(shed_figures(load) for load in loads)
    return Table(
        caption,
        columns(
            *("Status", "Load"),
            *([">Sustained", "Held in", ">Capacity"] if has_search else []),
            *(">Offered", ">Achieved", *(f">{name}" for _, name in PERCENTILES), ">Errors"),
            *([">Shed"] if has_shed else []),
            ">Lag",
        ),
        tuple(_load_row(load, has_search=has_search, has_shed=has_shed) for load in loads),
    )


def load_figures_table(load: LoadSummary) -> Table:
    """Return a table of all figures of one load case."""
    stages = load.stages()
    rows = [
        ("Offered", format_figure(load, "offered")),
        ("Achieved", format_figure(load, "achieved")),
        *((f"Latency {name.lower()}", format_figure(load, metric)) for metric, name in PERCENTILES),
        ("Errors", format_figure(load, "error_rate")),
        *shed_figures(load),
        ("Generator lag p99", format_figure(load, "lag_p99")),
        *contention_figures(load),
        *((f"CPU time: {stage}", format_quantity(us, "us")) for stage, us in stages.items()),
    ]
    if stages:
        rows.append(("CPU time in total", format_quantity(sum(stages.values()), "us")))
    return Table(
        load.case.id,
        columns("Figure", ">Value"),
        tuple((Cell(name), Cell(value)) for name, value in rows),
        row_header=0,
    )


def kinds_table(load: LoadSummary) -> Table:
    """Return a table with a row for each kind of item of a mixed load, over all processes."""
    counts = {kind: own.count for kind, own in load.latencies_by_kind.items()}
    total = sum(counts.values())
    return Table(
        f"Latency by kind of {load.case.id}",
        columns("Kind", ">Committed", ">Share", *(f">{name}" for _, name in PERCENTILES)),
        tuple(
            (
                Cell(kind),
                Cell(f"{counts[kind]:,}"),
                Cell(format_percent(counts[kind] / total)),
                *(
                    Cell(format_quantity(getattr(own, m.removeprefix("latency_")), "ms"))
                    for m, _ in PERCENTILES
                ),
            )
            for kind, own in load.kinds.items()
        ),
        row_header=0,
    )


def shed_figures(load: LoadSummary) -> list[tuple[str, str]]:
    """Return what a load's system shed, in all and by reason, in names and values; or nothing."""
    shed = load.figure(SHED)
    declared = any(metric.name == SHED for metric in load.case.metrics)
    if shed is None or not (declared or shed.value):
        return []
    reasons = [
        (f"Shed: {reason.replace('_', ' ')}", estimate_text(share, "%"))
        for reason, share in load.shed_reasons.items()
    ]
    drain = load.figure("drain")
    drained = [("Drained after the end in", format_quantity(drain.value, "s"))] if drain else []
    return [("Shed", estimate_text(shed, "%")), *reasons, *drained]


def contention_figures(load: LoadSummary) -> list[tuple[str, str]]:
    """Return how others used the CPUs during the load, in names and values; none if unknown."""
    contention = load.contention
    if contention is None:
        return []
    return [
        ("Waited for a CPU that others had", format_percent(contention.taken_ratio)),
        ("CPU time of others", format_percent(contention.others_ratio)),
    ]


def trials_table(load: LoadSummary) -> Table:
    """Return a table with a row for each trial of a search, process by process."""
    return Table(
        f"Trials of {load.case.id}",
        columns(
            *("Process", "Kind", ">Rate", ">Seconds", ">Achieved", ">p95", ">p99", ">Errors"),
            *("Result", "Gave out"),
        ),
        tuple(
            _trial_row(number, trial, load.rate_unit)
            for number, result in load.processes
            for trial in result.trials
        ),
    )


def load_mark(load: LoadSummary) -> Mark:
    """Return the mark that says whether the processes of a load case are valid."""
    measured = len(load.processes)
    if not load.counted:
        return status.FAILED
    if not load.valid:
        return status.VOID
    if load.valid < measured:
        return Mark(f"{load.valid} of {measured} valid", "warn", 3)
    return Mark("valid", "pass", 6)


def load_percentile(load: LoadSummary, metric: str) -> float | None:
    """Return one of ``PERCENTILES`` in ms, over all latencies together where those are stored."""
    if (together := load.percentiles) is not None:
        return float(getattr(together, metric.removeprefix("latency_")))
    median = load.figure(metric)
    return median.value if median else None


def format_figure(load: LoadSummary, metric: str) -> str:
    """Return a figure of a load case with its unit."""
    if metric in dict(PERCENTILES):
        return format_quantity(load_percentile(load, metric), "ms")
    return estimate_text(load.figure(metric), load.unit(metric))


def _load_row(load: LoadSummary, *, has_search: bool, has_shed: bool) -> tuple[Cell, ...]:
    return (
        Cell("", mark=load_mark(load)),
        Cell(load.case.id),
        *(_search_cells(load) if has_search else ()),
        Cell(format_figure(load, "offered")),
        Cell(format_figure(load, "achieved")),
        *(Cell(format_figure(load, metric)) for metric, _ in PERCENTILES),
        Cell(format_figure(load, "error_rate")),
        *([Cell(format_figure(load, SHED))] if has_shed else []),
        Cell(format_figure(load, "lag_p99")),
    )


def _search_cells(load: LoadSummary) -> tuple[Cell, ...]:
    confirmed = load.confirmations
    tally = confirmed and (confirmed.sustained or next(reversed(confirmed.tallies), None))
    return (
        Cell(format_figure(load, "throughput")),
        Cell(f"{tally.held} of {tally.counted}" if tally else MISSING),
        Cell(format_figure(load, "capacity")),
    )


def _trial_row(number: int, trial: Trial, rate_unit: str) -> tuple[Cell, ...]:
    return (
        Cell(str(number)),
        Cell(trial.kind),
        Cell(format_quantity(trial.rate, rate_unit)),
        Cell(format_exact(round(trial.seconds, 1), "s")),
        Cell(format_quantity(trial.achieved, rate_unit)),
        Cell(format_quantity(trial.latency_p95_ms, "ms")),
        Cell(format_quantity(trial.latency_p99_ms, "ms")),
        Cell(format_quantity(trial.error_percent, "%")),
        Cell("", note=trial.invalid, mark=_trial_mark(trial)),
        Cell("machine" if trial.void else trial.gave_out or MISSING),
    )


def _trial_mark(trial: Trial) -> Mark:
    if trial.kind == "backlog" and not trial.void:
        return Mark("drained", "quiet", 5)
    if trial.invalid:
        return status.VOID
    return Mark("met", "pass", 6) if trial.met else Mark("missed", "quiet", 5)
