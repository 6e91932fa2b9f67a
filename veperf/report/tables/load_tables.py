"""Load runs and a search's trials as tables."""

from collections.abc import Sequence

from veperf.core import number_format
from veperf.core.case import Level
from veperf.core.load import Trial
from veperf.core.run import Run
from veperf.report.case_summary import summarise
from veperf.report.load_summary import INVALID, Loaded, loaded
from veperf.report.sections.memory_section import is_memory, memory
from veperf.report.tables import status
from veperf.report.tables.result_tables import Cell, Table, summary
from veperf.report.tables.status import Mark

PERCENTILES = (
    ("latency_p50", "p50"),
    ("latency_p95", "p95"),
    ("latency_p99", "p99"),
    ("latency_p999", "p99.9"),
    ("latency_max", "Max"),
)


def of_run(run: Run, caption: str) -> list[Table]:
    """Every case of ``run``: a row for each figure; memory and load in tables of their own."""
    plain = [one for one in summarise(run) if one.case.level is not Level.LOAD]
    timed = [one for one in plain if not is_memory(one)]
    found = loaded(run)
    return [
        *([summary(timed, caption)] if timed or not found else []),
        *([memory(plain, "Memory")] if len(timed) < len(plain) else []),
        *([loads(found, "Load")] if found else []),
    ]


def loads(found: Sequence[Loaded], caption: str) -> Table:
    """One row a load case; percentiles are those of its processes together."""
    searched = any(one.is_search for one in found)
    return Table(
        caption,
        (
            ("Status", "left"),
            ("Load", "left"),
            *((("Sustained", "right"),) if searched else ()),
            ("Offered", "right"),
            ("Achieved", "right"),
            *((name, "right") for _, name in PERCENTILES),
            ("Errors", "right"),
            ("Lag", "right"),
        ),
        tuple(_load_row(one, searched=searched) for one in found),
    )


def figures(one: Loaded) -> Table:
    """Everything that a single load case found, a row a figure."""
    stages = one.stages()
    rows = [
        ("Offered", shown(one, "offered")),
        ("Achieved", shown(one, "achieved")),
        *((f"Latency {name.lower()}", shown(one, metric)) for metric, name in PERCENTILES),
        ("Errors", shown(one, "error_rate")),
        ("Generator lag p99", shown(one, "lag_p99")),
        *((f"CPU time: {stage}", number_format.quantity(us, "us")) for stage, us in stages.items()),
    ]
    if stages:
        rows.append(("CPU time in all", number_format.quantity(sum(stages.values()), "us")))
    return Table(
        one.case.id,
        (("Figure", "left"), ("Value", "right")),
        tuple((Cell(name), Cell(value)) for name, value in rows),
        heads=0,
    )


def trials(searched: Loaded) -> Table:
    """The way of a search in each process, one row a trial."""
    return Table(
        f"Trials of {searched.case.id}",
        (
            ("Process", "left"),
            ("Rate tried", "right"),
            ("Achieved", "right"),
            ("p95", "right"),
            ("p99", "right"),
            ("Errors", "right"),
            ("Result", "left"),
        ),
        tuple(
            _trial_row(number, trial, searched.rate_unit)
            for number, result in searched.processes
            for trial in result.trials
        ),
    )


def load_mark(found: Loaded) -> Mark:
    """Whether a load case can be believed."""
    measured = len(found.processes)
    if not found.believed:
        return status.FAILED
    if not found.valid:
        return status.INVALID
    if found.valid < measured:
        return Mark(f"{found.valid} of {measured} valid", "warn", 3)
    return Mark("valid", "pass", 6)


def percentile(found: Loaded, metric: str) -> float | None:
    """One of ``PERCENTILES`` in ms: of all latencies together where they are kept."""
    if (together := found.percentiles) is not None:
        return float(getattr(together, metric.removeprefix("latency_")))
    median = found.figure(metric)
    return median.value if median else None


def shown(found: Loaded, metric: str) -> str:
    """A figure of a load case with its unit."""
    if metric in dict(PERCENTILES):
        return number_format.quantity(percentile(found, metric), "ms")
    median = found.figure(metric)
    return number_format.quantity(median.value if median else None, found.unit(metric))


def _load_row(found: Loaded, *, searched: bool) -> tuple[Cell, ...]:
    return (
        Cell("", mark=load_mark(found)),
        Cell(found.case.id),
        *((Cell(shown(found, "throughput")),) if searched else ()),
        Cell(shown(found, "offered")),
        Cell(shown(found, "achieved")),
        *(Cell(shown(found, metric)) for metric, _ in PERCENTILES),
        Cell(shown(found, "error_rate")),
        Cell(shown(found, "lag_p99")),
    )


def _trial_row(number: int, trial: Trial, rate_unit: str) -> tuple[Cell, ...]:
    return (
        Cell(str(number)),
        Cell(number_format.quantity(trial.rate, rate_unit)),
        Cell(number_format.quantity(trial.achieved, rate_unit)),
        Cell(number_format.quantity(trial.latency_p95_ms, "ms")),
        Cell(number_format.quantity(trial.latency_p99_ms, "ms")),
        Cell(number_format.quantity(trial.error_percent, "%")),
        Cell("", note=trial.invalid, mark=_trial_mark(trial)),
    )


def _trial_mark(trial: Trial) -> Mark:
    if trial.invalid:
        return Mark(INVALID, "warn", 2)
    return Mark("met", "pass", 6) if trial.met else Mark("too much", "quiet", 5)
