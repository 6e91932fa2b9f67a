"""Verdicts as GitHub-flavoured Markdown, within the size limits of GitHub and GitLab."""

from collections.abc import Sequence

from veperf.abtest.comparison_report import comparison_parts
from veperf.abtest.fleet_report import fleet_parts
from veperf.abtest.fleet_verdict import Fleet
from veperf.formats.exported import ExportedFile, Judged, JudgedRun
from veperf.report import rendering
from veperf.report.markdown_writer import (
    MOST_COMMENT_BYTES,
    MOST_SUMMARY_BYTES,
    MarkdownPart,
    write_decision,
)
from veperf.report.report_links import ReportLinks
from veperf.verdicts.gate import combine_decisions

MARKER = "<!-- veperf -->"
"""Invisible first line of a comment, by which the next run finds and replaces it."""


def write_markdown_summary(judged: Sequence[Judged], links: ReportLinks) -> ExportedFile:
    """Write the verdicts for a step's summary."""
    return ExportedFile(_write(judged, links, MOST_SUMMARY_BYTES, ""))


def write_markdown_comment(judged: Sequence[Judged], links: ReportLinks) -> ExportedFile:
    """Write the verdicts for a comment on a pull request, beginning with ``MARKER``."""
    return ExportedFile(_write(judged, links, MOST_COMMENT_BYTES, MARKER))


def _write(judged: Sequence[Judged], links: ReportLinks, most: int, marker: str) -> str:
    """Write the one decision that all of ``judged`` make together, and all that they hold."""
    first, *others = [item.decision for item in judged]
    decision = combine_decisions([first, *others]) if others else first
    parts = [part for item in judged for part in _parts_of(item)]
    return write_decision(decision, parts, links=links, most=most, marker=marker)


def _parts_of(judged: Judged) -> list[MarkdownPart]:
    if isinstance(judged, JudgedRun):
        return rendering.verdict_parts(judged.verdict, judged.run)
    if isinstance(judged, Fleet):
        return fleet_parts(judged)
    return comparison_parts(judged.ab)
