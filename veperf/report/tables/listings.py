"""The tables of benchmarks, runs and recorded baselines that the list commands print."""

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from veperf.core.baseline import Baseline, RetiredBaseline
from veperf.core.case import Case
from veperf.core.target import Target
from veperf.core.terminal import terminal_width, wrap_line, wrap_words
from veperf.core.text import format_time, join_words
from veperf.report.tables.table import Cell, Table, columns, short_line, text_table

if TYPE_CHECKING:  # numpy, which `veperf --help` does without
    from veperf.archive.run_summary import RunFacts

_COLUMNS = 80
_INDENT = "    "
RUNS_FIRST_OUT = ("Cases", "Passes", "Created")
"""Of runs, what a narrow terminal does without: the id begins with the time."""


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


def benchmarks_text(cases: Iterable[Case], width: int | None = None) -> str:
    """Return a table through a pipe; in a terminal each benchmark with its cases below it.

    There a table would have room for the names alone, which are long. ``width`` is by default the
    terminal's.
    """
    listed = tuple(cases)
    width = terminal_width() if width is None else width
    if width is None:
        return text_table(benchmarks_table(listed))
    groups: dict[str, list[Case]] = {}
    for case in listed:
        first = groups.get(case.benchmark, [case])[0]
        is_shared = first.id == case.benchmark and first.what == case.what and not case.targets
        groups.setdefault(case.benchmark if is_shared else case.id, []).append(case)
    lines, suite = list[str](), ""
    for first, *others in groups.values():
        lines += [""] if suite and suite != first.suite else []
        suite = first.suite
        for line in _benchmark_lines(first, others):
            lines += wrap_words(line, width, _INDENT)
    if any(len(group) > 1 for group in groups.values()):
        example = next(group[1].id for group in groups.values() if len(group) > 1)
        lines += ["", wrap_line(f"A case's brackets are part of its name: '{example}'", width)]
    return "\n".join(lines)


def _benchmark_lines(first: Case, others: Sequence[Case]) -> list[str]:
    """Return the lines of a benchmark: name, level and targets; what it does; its cases."""
    targets = ""
    if names := tuple(first.targets.values()):
        named = f"target{'s' * (len(names) > 1)} {join_words(names)}"
        targets = " · has a target" if names == (first.id,) else f" · {named}"
    lines = [f"{short_line(first.id)} · {first.level.value}{targets}"]
    lines += [f"{_INDENT}{short_line(first.what)}"] if first.what else []
    if others:
        cases = " ".join(short_line(case.id.removeprefix(first.id)) for case in others)
        lines.append(f"{_INDENT}{cases}")
    return lines


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
