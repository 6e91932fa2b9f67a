"""Results by themselves as HTML, with their style: what a notebook's cell shows."""

from collections.abc import Sequence

from veperf.model import Change, Run, Verdict
from veperf.report import identity, markup, sections, tables
from veperf.report.load.tables import of_run
from veperf.report.style import standalone


def run(found: Run) -> str:
    """A run: what, where, when, and the value of each case."""
    content = "".join(map(markup.table, of_run(found, f"Run {found.id}")))
    return standalone(markup.paragraph(identity.sentence(found)) + content)


def verdict(found: Verdict) -> str:
    """A verdict: its sentence and counts, failures, targets and changes."""
    parts = [sections.banner(found), sections.failures(found.failures)]
    if found.targets:
        parts.append(sections.targets(found.targets, overview=""))
    if found.changes:
        parts.append(sections.changes(found.changes, found.against))
    return standalone("".join(parts))


def changes(found: Sequence[Change]) -> str:
    """Changes, those that need attention first."""
    if not tables.in_common(found):
        return standalone(markup.paragraph(tables.NOTHING_IN_COMMON))
    return standalone(sections.changes(found, against=""))
