"""The HTML elements that reports are made of: text goes in raw and comes out escaped."""

from collections.abc import Iterable, Sequence

from veperf.core.escape import as_html
from veperf.core.text import MISSING
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Align, Cell, Table, text_table

_LONGEST_SOURCE = 4_000
NOTHING = "vp-nothing"
"""Class of what says that there is nothing to show."""


def badge(mark: Mark) -> str:
    """Return a status as a badge with its symbol and word."""
    # The symbol is in the style, because a page has hundreds of badges.
    title = f' title="{as_html(mark.note)}"' if mark.note else ""
    return f'<span class="vp-badge vp-{mark.tone}"{title}>{as_html(mark.word)}</span>'


def html_table(content: Table, links: Links = NO_LINKS) -> str:
    """Return a table that scrolls within its own frame where the page is too narrow for it."""
    head = "".join(f"<th scope=col{_side(a)}>{as_html(name)}</th>" for name, a in content.columns)
    rows = "".join(
        "<tr>"
        + "".join(
            _cell(cell, column, links, is_header=index == content.row_header)
            for index, (cell, column) in enumerate(zip(row, content.columns, strict=True))
        )
        + "</tr>"
        for row in content.rows
    )
    caption = as_html(content.caption)
    return (
        f'<div class="vp-scroll" role="group" aria-label="{caption}" tabindex="0">'
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def compact_table(content: Table) -> str:
    """Return a table of short texts at a third of the bytes; it scrolls on narrow pages, too."""
    head = "".join(f"<th scope=col>{as_html(name)}</th>" for name, _ in content.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_plain(cell)}</td>" for cell in row) + "</tr>"
        for row in content.rows
    )
    caption = as_html(content.caption)
    return (
        f'<div class="vp-wide" role="group" aria-label="{caption}" tabindex="0">'
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def folded(summary: str, body: str, *, is_open: bool = False) -> str:
    """Return ``body``, which is HTML, folded behind a line of text."""
    start = "<details open>" if is_open else "<details>"
    return f"{start}<summary>{as_html(summary)}</summary>{body}</details>"


def figure(svg: str, caption: str) -> str:
    """Return a picture, as wide as there is room for, with a caption."""
    return f"<figure>{svg}<figcaption>{as_html(caption)}</figcaption></figure>"


def source_listing(code: str) -> str:
    """Return Python code, folded, and cut where it is very long."""
    cut = code if len(code) <= _LONGEST_SOURCE else f"{code[:_LONGEST_SOURCE]}\n..."
    return folded("Source", f"<pre>{as_html(cut)}</pre>")


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of terms and their descriptions."""
    body = "".join(
        f"<div><dt>{as_html(term)}</dt><dd>{as_html(text)}</dd></div>" for term, text in pairs
    )
    return f'<dl class="vp-facts">{body}</dl>'


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{as_html(text)}</p>"


def hyperlink(text: str, address: str) -> str:
    """Return ``text``, linked to ``address`` if there is one."""
    return f'<a href="{as_html(address)}">{as_html(text)}</a>' if address else as_html(text)


def paragraph_fragment(text: str) -> Fragment:
    """Return ``text`` as a fragment of a single paragraph."""
    return Fragment(paragraph(text), text)


def nothing_fragment(text: str) -> Fragment:
    """Return ``text``, that there is nothing to show; pages leave such a section out."""
    return Fragment(f'<p class="{NOTHING}">{as_html(text)}</p>', text)


def table_fragment(content: Table, links: Links = NO_LINKS) -> Fragment:
    """Return a table as a fragment."""
    return Fragment(html_table(content, links), text_table(content))


def join_fragments(parts: Sequence[Fragment]) -> Fragment:
    """Return the fragments one after the other."""
    return Fragment("".join(p.html for p in parts), "\n\n".join(p.text for p in parts))


def _cell(cell: Cell, column: tuple[str, Align], links: Links, *, is_header: bool) -> str:
    name, align = column
    name_html = hyperlink(cell.text, cell.address or links.of(cell.case))
    content = " ".join(filter(None, [badge(cell.mark) if cell.mark else "", name_html]))
    content = content or ("" if cell.picture else MISSING)
    picture = ("<br>" if content else "") + cell.picture if cell.picture else ""
    note = f"<small>{as_html(cell.note)}</small>" if cell.note else ""
    tag, scope = ("th", " scope=row") if is_header else ("td", "")
    attributes = f" data-level={as_html(cell.level)}" if cell.level else ""
    attributes += f' id="{as_html(cell.anchor)}"' if cell.anchor else ""
    # The name is repeated for narrow pages, where rows turn into cards without a head.
    return (
        f'<{tag}{scope}{attributes}{_side(align)} data-name="{as_html(name)}">'
        f"{content}{picture}{note}</{tag}>"
    )


def _plain(cell: Cell) -> str:
    content = cell.mark.label if cell.mark else cell.text
    return as_html(f"{content}: {cell.note}" if cell.note else content)


def _side(align: Align) -> str:
    return " class=vp-r" if align == "right" else ""
