"""Many packages on one page: their contents first, then a section for each, which folds.

Another tool's run may have hundreds of packages. A page for each would be more than anyone opens;
one page is searched with the browser, which unfolds what a link leads to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from veperf.core.escape import as_html
from veperf.core.run import Run
from veperf.core.text import plural
from veperf.report.html import markup
from veperf.report.html.links import Links, anchor
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Table

MOST_SUITE_PAGES = 12
"""Suites that have a page each; those of a run with more are on one page."""
MOST_CARDS = 1_000
"""Cards of one page, some 5 MB; the tables of a run with more hold its figures alone."""
_NO_CARDS = (
    f"Charts are left out: there are more than {MOST_CARDS:,} figures. The notebook "
    "suite.ipynb shows those of one package: papermill -p run RUN -p suite PACKAGE."
)


@dataclass(frozen=True, slots=True)
class PackageSection:
    """Section of the page about one suite."""

    suite: str
    mark: Mark
    """The verdict on it."""
    sentence: str
    table: Table
    """Every case of it."""
    charts: str = ""
    """HTML: cards and curves."""


def has_one_page(run: Run) -> bool:
    """Return whether the report of ``run`` has one page for all of its suites."""
    return len({case.suite for case in run.cases}) > MOST_SUITE_PAGES


def packages_html(sections: Sequence[PackageSection], links: Links) -> str:
    """Return the contents, and a section for each package, folded behind its name."""
    contents = "".join(map(_entry, sections))
    hint = "" if any(section.charts for section in sections) else markup.paragraph(_NO_CARDS)
    return (
        f'<nav class="vp-contents" aria-label="Packages"><h3>{len(sections):,} packages</h3>'
        f"<ul>{contents}</ul></nav>{hint}" + "".join(_section(s, links) for s in sections)
    )


def _entry(section: PackageSection) -> str:
    mark = section.mark
    return (
        f'<li><span class="vp-tone vp-{mark.tone}" role="img" aria-label="{as_html(mark.word)}">'
        f"{mark.symbol}</span> {markup.hyperlink(section.suite, f'#{_anchor(section)}')} "
        f"<small>{len(section.table.rows):,}</small></li>"
    )


def _section(section: PackageSection, links: Links) -> str:
    rows = plural(len(section.table.rows), "figure")
    # Browsers unfold what is around the element that a link leads to, not that element.
    return (
        f'<details class="vp-package"><summary><h3>{as_html(section.suite)}</h3> '
        f"{markup.badge(section.mark)} <small>{rows}</small></summary>"
        f'<div id="{as_html(_anchor(section))}">{markup.paragraph(section.sentence)}'
        f"{markup.html_table(section.table, links)}{section.charts}</div></details>"
    )


def _anchor(section: PackageSection) -> str:
    """Return the section's id, which is none of a case's: those begin with their suite."""
    return anchor(f"package={section.suite}")
