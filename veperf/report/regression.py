"""Everything that was compared with a baseline."""

from collections.abc import Sequence

from veperf.model import Change
from veperf.report import markup, sections, text
from veperf.report.fragment import Fragment
from veperf.report.links import NO_LINKS, Links
from veperf.report.swarm import in_words, swarm

_KEY = (
    "Every comparison by its change: ✕ slower, ○ in doubt or not judged, ● no slower. Where all "
    "lie on one side, the machine has changed rather than the code."
)


def section(found: Sequence[Change], against: str, links: Links = NO_LINKS) -> Fragment:
    """All changes in one picture, then in tables, those that need attention first."""
    picture = swarm(found)
    html = (markup.figure(picture, f"{in_words(found)} {_KEY}") if picture else "") + (
        sections.changes(found, against, links)
    )
    return Fragment(html, "\n".join(filter(None, [in_words(found), text.changes(found, against)])))
