"""The table of the formats in which runs and verdicts can be written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from veperf.core.errors import UsageError
from veperf.core.run import Run
from veperf.core.verdict import Verdict
from veperf.formats.bencher import write_bencher
from veperf.formats.exported import (
    ExportedFile,
    Judged,
    JudgedRun,
    failed_note,
    summarised_note,
)
from veperf.formats.github_action import write_bigger_is_better, write_smaller_is_better
from veperf.formats.go_writer import write_go_text
from veperf.formats.junit import write_junit
from veperf.formats.markdown import write_markdown_comment, write_markdown_summary
from veperf.formats.pyperf import write_pyperf
from veperf.formats.pytest_benchmark import write_pytest_benchmark
from veperf.formats.rows import write_csv_table, write_parquet_table
from veperf.report.report_links import NO_REPORT, ReportLinks


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A format: its name, a short description, and a writer."""

    name: str
    what: str
    write: Callable[[Run], ExportedFile] | None = None
    write_judged: Callable[[Sequence[Judged], ReportLinks], ExportedFile] | None = None
    """Writer in place of ``write`` for formats of verdicts."""
    is_of_values_alone: bool = False
    """True where a file can't hold the statistics of values that are not there any more."""
    holds_failures: bool = False
    """True where a file says what failed."""


OUTPUT_FORMATS = (
    OutputFormat("pytest-benchmark", "JSON for pytest-benchmark compare", write_pytest_benchmark),
    OutputFormat(
        "pyperf", "JSON for pyperf show and compare_to", write_pyperf, is_of_values_alone=True
    ),
    OutputFormat("bencher", "Bencher Metric Format, JSON", write_bencher),
    OutputFormat(
        "github-action-smaller",
        "JSON for github-action-benchmark's customSmallerIsBetter",
        write_smaller_is_better,
    ),
    OutputFormat(
        "github-action-bigger",
        "JSON for github-action-benchmark's customBiggerIsBetter",
        write_bigger_is_better,
    ),
    OutputFormat(
        "go",
        "Go benchmark text, for benchstat",
        write_go_text,
        is_of_values_alone=True,
        holds_failures=True,
    ),
    OutputFormat("csv", "a row per value", write_csv_table, is_of_values_alone=True),
    OutputFormat(
        "parquet", "the same, for DataFrames", write_parquet_table, is_of_values_alone=True
    ),
    OutputFormat(
        "junit", "the verdict as JUnit XML", write_judged=lambda judged, _: write_junit(judged)
    ),
    OutputFormat(
        "summary", "the verdict as Markdown, under 1 MiB", write_judged=write_markdown_summary
    ),
    OutputFormat(
        "comment",
        "the verdict as a pull request's comment, under 64 KB",
        write_judged=write_markdown_comment,
    ),
)
OUTPUT_FORMAT_NAMES = tuple(format.name for format in OUTPUT_FORMATS)


def output_format(format: str) -> OutputFormat:
    """Return the output format named ``format``.

    Raises:
        UsageError: there is none.
    """
    chosen = {known.name: known for known in OUTPUT_FORMATS}.get(format)
    if chosen is None:
        raise UsageError(f"no format {format!r}; known are {', '.join(OUTPUT_FORMAT_NAMES)}")
    return chosen


def write_run(
    run: Run, format: str, judge: Callable[[], Verdict], links: ReportLinks = NO_REPORT
) -> ExportedFile:
    """Write ``run`` in a format.

    Args:
        run: a run, of any tool.
        format: one of ``OUTPUT_FORMAT_NAMES``.
        judge: returns the verdict on the run; called only for formats of verdicts.
        links: addresses that Markdown links to.

    Raises:
        UsageError: there is no such format, or the run has no values for it.
    """
    chosen = output_format(format)
    if chosen.write_judged is not None:
        return chosen.write_judged([JudgedRun(run, judge())], links)
    return _write_values(chosen, run)


def _write_values(chosen: OutputFormat, run: Run) -> ExportedFile:
    assert chosen.write is not None
    exported = chosen.write(run)
    notes = exported.notes if chosen.holds_failures else (*exported.notes, *failed_note(run))
    if chosen.is_of_values_alone:
        notes += summarised_note(run)
    return replace(exported, notes=notes)


def write_judged(
    judged: Sequence[Judged], format: str, links: ReportLinks = NO_REPORT
) -> ExportedFile:
    """Write verdicts in a format; if that is not one of verdicts, write their first run.

    Raises:
        UsageError: there is no such format, or ``judged`` has no values for it.
    """
    chosen = output_format(format)
    if chosen.write_judged is not None:
        return chosen.write_judged(judged, links)
    for item in judged:
        if isinstance(item, JudgedRun):
            return _write_values(chosen, item.run)
    raise UsageError(f"an A/B comparison has nothing that can be written as {format}")
