"""Results by themselves as HTML, with their style: what a notebook's cell shows."""

from collections.abc import Sequence

from veperf.core.run import Run
from veperf.core.verdict import Change, Verdict
from veperf.report.html import markup
from veperf.report.html.style import standalone
from veperf.report.sections import identity, verdict_sections
from veperf.report.tables import result_tables
from veperf.report.tables.load_tables import of_run


def run(found: Run) -> str:
    """A run: what, where, when, and the value of each case."""
    content = "".join(map(markup.table, of_run(found, f"Run {found.id}")))
    return standalone(markup.paragraph(identity.sentence(found)) + content)


def verdict(found: Verdict) -> str:
    """A verdict: its sentence and counts, failures, targets and changes."""
    parts = [verdict_sections.banner(found), verdict_sections.failures(found.failures)]
    if found.targets:
        parts.append(verdict_sections.targets(found.targets, overview=""))
    if found.changes:
        parts.append(verdict_sections.changes(found.changes, found.against))
    return standalone("".join(parts))


def changes(found: Sequence[Change]) -> str:
    """Changes, those that need attention first."""
    if not result_tables.in_common(found):
        return standalone(markup.paragraph(result_tables.NOTHING_IN_COMMON))
    return standalone(verdict_sections.changes(found, against=""))
