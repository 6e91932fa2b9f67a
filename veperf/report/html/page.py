"""The frame of the site's pages, and the navigation of all pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from veperf.core.escape import as_html
from veperf.report.html.fragment import component_css, page_css
from veperf.report.html.script import script_element, script_source
from veperf.report.tables.status import Mark


@dataclass(frozen=True, slots=True)
class Sibling:
    """A page of the same report."""

    file: str
    title: str
    mark: Mark | None = None
    """The verdict on the subject of the page."""


def navigation(siblings: Sequence[Sibling], current: str) -> str:
    """Return links to ``siblings``, side by side; ``current`` is the file that holds them."""
    if not siblings:
        return ""
    items = "".join(f"<li>{_item(sibling, current)}</li>" for sibling in siblings)
    return f'<nav class="vp-nav" aria-label="Pages"><ul>{items}</ul></nav>'


def _item(sibling: Sibling, current: str) -> str:
    current_attribute = ' aria-current="page"' if sibling.file == current else ""
    mark = ""
    if sibling.mark is not None:
        mark = (
            f' <span class="vp-tone vp-{sibling.mark.tone}" role="img" '
            f'aria-label="{as_html(sibling.mark.word)}">{sibling.mark.symbol}</span>'
        )
    return (
        f'<a href="{as_html(sibling.file)}"{current_attribute}>{as_html(sibling.title)}{mark}</a>'
    )


_BEFORE_POLICY = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
_AFTER_POLICY = (
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="referrer" content="no-referrer">\n'
    '<meta name="color-scheme" content="light dark">\n'
)


def _policy(body: str) -> str:
    return (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"script-src {script_source(body)}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'\">\n"
    )


def html_page(
    title: str,
    body: str,
    siblings: Sequence[Sibling],
    current: str,
    *,
    refresh_s: int | None = None,
) -> str:
    """Return a whole page; ``body`` is HTML, ``current`` its own address in ``siblings``.

    The browser loads it again every ``refresh_s`` seconds, if that is given.
    """
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">\n' if refresh_s else ""
    head = f"{_BEFORE_POLICY}{_policy(body)}{_AFTER_POLICY}{refresh}"
    return (
        f"{head}<title>{as_html(title)} · veperf</title>\n"
        f"<style>\n{component_css()}\n{page_css()}\n</style>\n</head>\n"
        f'<body class="vp vp-page">\n{navigation(siblings, current)}\n'
        f"<main>\n<h1>{as_html(title)}</h1>\n{body}\n</main>\n{script_element(body)}\n</body>\n</html>\n"
    )
