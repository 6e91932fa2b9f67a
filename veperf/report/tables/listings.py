"""What there is: benchmarks, runs and recorded baselines, as tables."""

from collections.abc import Iterable, Sequence

from veperf.core import number_format
from veperf.core.case import Case
from veperf.core.run import Run
from veperf.core.verdict import Baseline, RetiredBaseline
from veperf.report.tables.result_tables import Cell, Table


def benchmarks(cases: Iterable[Case]) -> Table:
    """One row a case."""
    return Table(
        "Benchmarks",
        (("Benchmark", "left"), ("Level", "left"), ("Target", "left"), ("One operation", "left")),
        tuple(
            (
                Cell(case.id),
                Cell(case.level.value),
                Cell(number_format.listed(case.targets.values())),
                Cell(case.what),
            )
            for case in cases
        ),
        heads=0,
    )


def runs(complete: Iterable[Run], unfinished: Sequence[str]) -> Table:
    """One row a run, the unfinished ones last."""
    rows = [
        (
            Cell(run.id),
            Cell(number_format.moment(run.created)),
            Cell(run.revision.branch),
            Cell(run.machine.name),
            Cell(run.config.profile),
            Cell(str(len(run.passes))),
            Cell(str(len(run.cases))),
        )
        for run in complete
    ]
    blank = (Cell(""),) * 4
    rows += [(Cell(i), Cell("unfinished"), Cell(""), *blank) for i in unfinished]
    return Table(
        "Runs",
        (
            ("Run", "left"),
            ("Made", "left"),
            ("Branch", "left"),
            ("Machine", "left"),
            ("Profile", "left"),
            ("Passes", "right"),
            ("Cases", "right"),
        ),
        tuple(rows),
        heads=0,
    )


def baselines(recorded: Iterable[Baseline]) -> Table:
    """One row a suite of a machine class."""
    return Table(
        "Recorded baselines",
        (
            ("Machine", "left"),
            ("Suite", "left"),
            ("Recorded", "left"),
            ("Commit", "left"),
            ("Python", "left"),
            ("Figures", "right"),
            ("Processes", "right"),
        ),
        tuple(
            (
                Cell(one.machine.name),
                Cell(one.suite),
                Cell(number_format.moment(one.recorded)),
                Cell(one.revision.commit[:12]),
                Cell(one.machine.python),
                Cell(str(len(one.series))),
                Cell(str(max((len(s.wall) for s in one.series), default=0))),
            )
            for one in recorded
        ),
        heads=0,
    )


def retired(found: Iterable[RetiredBaseline]) -> Table:
    """One row a baseline that another one took the place of."""
    return Table(
        "Former baselines",
        (
            ("Machine", "left"),
            ("Suite", "left"),
            ("Recorded", "left"),
            ("Commit", "left"),
            ("Replaced", "left"),
            ("Why", "left"),
        ),
        tuple(
            (
                Cell(one.baseline.machine.name),
                Cell(one.baseline.suite),
                Cell(number_format.moment(one.baseline.recorded)),
                Cell(one.baseline.revision.commit[:12]),
                Cell(number_format.moment(one.retired)),
                Cell(one.reason),
            )
            for one in found
        ),
        heads=0,
    )
