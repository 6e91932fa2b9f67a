"""The way from one page of a report to the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from veperf.core.escape import as_html
from veperf.report.tables.status import Mark


@dataclass(frozen=True, slots=True)
class Sibling:
    """A page of the same report."""

    file: str
    title: str
    mark: Mark | None = None
    """What the verdict says of what the page is about."""


def navigation(siblings: Sequence[Sibling], current: str) -> str:
    """Links to ``siblings`` side by side; ``current`` is the file they stand in."""
    if not siblings:
        return ""
    items = "".join(f"<li>{_item(one, current)}</li>" for one in siblings)
    return f'<nav class="vp-nav" aria-label="Pages"><ul>{items}</ul></nav>'


def _item(one: Sibling, current: str) -> str:
    here = ' aria-current="page"' if one.file == current else ""
    mark = ""
    if one.mark is not None:
        mark = (
            f' <span class="vp-tone vp-{one.mark.tone}" role="img" '
            f'aria-label="{as_html(one.mark.word)}">{one.mark.symbol}</span>'
        )
    return f'<a href="{as_html(one.file)}"{here}>{as_html(one.title)}{mark}</a>'
