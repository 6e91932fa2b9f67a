"""The few HTML elements that reports are made of. Text goes in raw and comes out escaped."""

from collections.abc import Iterable

from veperf.core import number_format
from veperf.core.escape import as_html
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.result_tables import Align, Cell, Table
from veperf.report.tables.status import Mark

_LONGEST_SOURCE = 4_000


def badge(mark: Mark) -> str:
    """A status: its symbol for the eye, its word for everybody."""
    # The symbol is in the style: of these a page has hundreds.
    return f'<span class="vp-badge vp-{mark.tone}">{as_html(mark.word)}</span>'


def table(content: Table, links: Links = NO_LINKS) -> str:
    """A table that scrolls within its own frame where the page is too narrow for it."""
    head = "".join(f"<th scope=col{_side(a)}>{as_html(name)}</th>" for name, a in content.columns)
    rows = "".join(
        "<tr>"
        + "".join(
            _cell(cell, column, links, heads_row=index == content.heads)
            for index, (cell, column) in enumerate(zip(row, content.columns, strict=True))
        )
        + "</tr>"
        for row in content.rows
    )
    caption = as_html(content.caption)
    return (
        f'<div class="vp-scroll" role="region" aria-label="{caption}" tabindex="0">'
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def compact(content: Table) -> str:
    """A table of short texts, at a third of the bytes; it scrolls on narrow pages, too."""
    head = "".join(f"<th scope=col>{as_html(name)}</th>" for name, _ in content.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_plain(cell)}</td>" for cell in row) + "</tr>"
        for row in content.rows
    )
    caption = as_html(content.caption)
    return (
        f'<div class="vp-wide" role="region" aria-label="{caption}" tabindex="0">'
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def folded(summary: str, body: str, *, is_open: bool = False) -> str:
    """``body``, which is HTML, behind one line of text."""
    start = "<details open>" if is_open else "<details>"
    return f"{start}<summary>{as_html(summary)}</summary>{body}</details>"


def figure(svg: str, caption: str) -> str:
    """A picture, as wide as there is room for, over a line of text."""
    return f"<figure>{svg}<figcaption>{as_html(caption)}</figcaption></figure>"


def source(code: str) -> str:
    """Python, folded away; what is longer than any set-up should be is cut."""
    shown = code if len(code) <= _LONGEST_SOURCE else f"{code[:_LONGEST_SOURCE]}\n..."
    return folded("Source", f"<pre>{as_html(shown)}</pre>")


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Terms and their descriptions."""
    body = "".join(
        f"<div><dt>{as_html(term)}</dt><dd>{as_html(said)}</dd></div>" for term, said in pairs
    )
    return f'<dl class="vp-facts">{body}</dl>'


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{as_html(text)}</p>"


def link(text: str, address: str) -> str:
    """``text``, leading to ``address`` if there is one."""
    return f'<a href="{as_html(address)}">{as_html(text)}</a>' if address else as_html(text)


def _cell(cell: Cell, column: tuple[str, Align], links: Links, *, heads_row: bool) -> str:
    name, align = column
    said = link(cell.text, cell.address or links.of(cell.case))
    shown = " ".join(filter(None, [badge(cell.mark) if cell.mark else "", said]))
    shown = shown or ("" if cell.picture else number_format.MISSING)
    picture = ("<br>" if shown else "") + cell.picture if cell.picture else ""
    note = f"<small>{as_html(cell.note)}</small>" if cell.note else ""
    tag, scope = ("th", " scope=row") if heads_row else ("td", "")
    # The name again for narrow pages, where rows turn into cards without a head.
    return f'<{tag}{scope}{_side(align)} data-name="{as_html(name)}">{shown}{picture}{note}</{tag}>'


def _plain(cell: Cell) -> str:
    shown = f"{cell.mark.symbol} {cell.mark.word}" if cell.mark else cell.text
    return as_html(f"{shown}: {cell.note}" if cell.note else shown)


def _side(align: Align) -> str:
    return " class=vp-r" if align == "right" else ""
