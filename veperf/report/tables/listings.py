"""The tables of benchmarks, runs and recorded baselines that the list commands print."""

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from veperf.core.baseline import Baseline, RetiredBaseline
from veperf.core.case import Case
from veperf.core.target import Target
from veperf.core.text import format_time, join_words
from veperf.report.tables.table import Cell, Table, columns

if TYPE_CHECKING:  # numpy, which `veperf --help` does without
    from veperf.archive.run_summary import RunFacts

_COLUMNS = 80


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


def protocols_text(targets: Iterable[Target]) -> str:
    """Return by which protocol each target is measured, and which came after it, in 80 columns."""
    lines = []
    for target in targets:
        later = target.successor
        since = f"; {later.revision[:8]} has {later.protocol}: {later.benchmark}" if later else ""
        if target.protocol:
            text = f"{target.id}: {target.protocol}{since}"
            lines.append(fill(text, _COLUMNS, subsequent_indent="  ", break_on_hyphens=False))
    return "\n".join(lines)


def runs_table(complete: Iterable["RunFacts"], unfinished: Sequence[str]) -> Table:
    """Return a table with a row for each run, the unfinished ones last."""
    rows = [
        (
            Cell(run.id),
            Cell(format_time(run.created)),
            Cell(run.branch),
            Cell(run.machine),
            Cell(run.profile),
            Cell(str(run.passes)),
            Cell(str(run.cases)),
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
