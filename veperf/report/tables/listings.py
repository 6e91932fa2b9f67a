"""The tables of benchmarks, runs and recorded baselines that the list commands print."""

from collections.abc import Iterable, Sequence

from veperf.core.baseline import Baseline, RetiredBaseline
from veperf.core.case import Case
from veperf.core.run import Run
from veperf.core.text import format_time, join_words
from veperf.report.tables.table import Cell, Table, columns


def benchmarks_table(cases: Iterable[Case]) -> Table:
    """Return a table with a row for each case."""
    return Table(
        "Benchmarks",
        columns("Benchmark", "Level", "Target", "One operation"),
        tuple(
            (
                Cell(case.id),
                Cell(case.level.value),
                Cell(join_words(case.targets.values())),
                Cell(case.what),
            )
            for case in cases
        ),
        row_header=0,
    )


def runs_table(complete: Iterable[Run], unfinished: Sequence[str]) -> Table:
    """Return a table with a row for each run, the unfinished ones last."""
    rows = [
        (
            Cell(run.id),
            Cell(format_time(run.created)),
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
        columns("Run", "Created", "Branch", "Machine", "Profile", ">Passes", ">Cases"),
        tuple(rows),
        row_header=0,
    )


def baselines_table(recorded: Iterable[Baseline]) -> Table:
    """Return a table with a row for each suite of each machine class."""
    return Table(
        "Recorded baselines",
        columns(
            "Machine", "Suite", "Recorded", "Commit", "Python", ">Figures", ">Processes", "Why"
        ),
        tuple(
            (
                Cell(baseline.machine.name),
                Cell(baseline.suite),
                Cell(format_time(baseline.recorded)),
                Cell(baseline.revision.commit[:12]),
                Cell(baseline.machine.python),
                Cell(str(len(baseline.series))),
                Cell(str(max((len(s.wall) for s in baseline.series), default=0))),
                Cell(baseline.reason),
            )
            for baseline in recorded
        ),
        row_header=0,
    )


def retired_baselines_table(retired: Iterable[RetiredBaseline]) -> Table:
    """Return a table with a row for each baseline that was replaced."""
    return Table(
        "Replaced baselines",
        columns("Machine", "Suite", "Recorded", "Commit", "Replaced", "Why"),
        tuple(
            (
                Cell(entry.baseline.machine.name),
                Cell(entry.baseline.suite),
                Cell(format_time(entry.baseline.recorded)),
                Cell(entry.baseline.revision.commit[:12]),
                Cell(format_time(entry.retired)),
                Cell(entry.reason),
            )
            for entry in retired
        ),
        row_header=0,
    )
