"""Everything that was compared with a baseline."""

from collections.abc import Sequence

from veperf.core.verdict import Change
from veperf.report import text
from veperf.report.charts.changes import in_words, swarm
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.sections import verdict_sections

_KEY = (
    "Every comparison by its change: ✕ slower, ○ in doubt or not judged, ● no slower. Where all "
    "lie on one side, the machine has changed rather than the code."
)


def section(found: Sequence[Change], against: str, links: Links = NO_LINKS) -> Fragment:
    """All changes in one picture, then in tables, those that need attention first."""
    picture = swarm(found)
    html = (markup.figure(picture, f"{in_words(found)} {_KEY}") if picture else "") + (
        verdict_sections.changes(found, against, links)
    )
    return Fragment(html, "\n".join(filter(None, [in_words(found), text.changes(found, against)])))
