"""A page of the site: as strict as a report's, and in the same style."""

from collections.abc import Sequence

from veperf.core.escape import as_html
from veperf.report.html.navigation import Sibling, navigation
from veperf.report.html.style import component_css, page_css

_HEAD = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="referrer" content="no-referrer">\n'
    '<meta name="color-scheme" content="light dark">\n'
)


def page(title: str, body: str, siblings: Sequence[Sibling], current: str) -> str:
    """A whole page; ``body`` is HTML, ``current`` the address that it has among ``siblings``."""
    return (
        f"{_HEAD}<title>{as_html(title)} · veperf</title>\n"
        f"<style>\n{component_css()}\n{page_css()}\n</style>\n</head>\n"
        f'<body class="vp vp-page">\n{navigation(siblings, current)}\n'
        f"<main>\n<h1>{as_html(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
