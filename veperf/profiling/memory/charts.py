"""Small charts and tables for notebooks, in the colours of the page, without scripts."""

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from veperf.core.text import format_bytes, format_count, format_percent

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 480, 110
_LEFT, _BOTTOM, _TOP = 70, 18, 8


def memory_curve(points: Points, alt: str, *, line: Points = (), unit: str = "s") -> str:
    """Return a chart of bytes over time, with a dashed ``line``, as an ``<svg>`` element.

    ``unit`` is that of the time. If there are more points than pixels, the highest point of each
    pixel is drawn.
    """
    if not points:
        return ""
    highest = max(max(y for _, y in (*points, *line)), 1.0)
    first, last = points[0][0], points[-1][0]

    def place(x: float, y: float) -> str:
        across = (x - first) / (last - first) if last > first else 0.5
        up = y / highest
        right = _LEFT + across * (_WIDTH - _LEFT - 4)
        down = _HEIGHT - _BOTTOM - up * (_HEIGHT - _BOTTOM - _TOP)
        return f"{right:.1f},{down:.1f}"

    drawn = " ".join(place(x, y) for x, y in _thinned(points))
    dashed = " ".join(place(x, y) for x, y in line)
    floor = _HEIGHT - _BOTTOM
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" style="max-width:{_WIDTH}px;width:100%" '
        f'role="img" aria-label="{escape(alt)}" fill="none" stroke="currentColor" '
        f'font-size="11" font-family="sans-serif"><title>{escape(alt)}</title>'
        f'<path d="M{_LEFT} {_TOP}V{floor}H{_WIDTH - 4}" stroke-opacity="0.3"/>'
        f'<polyline points="{drawn}" stroke-width="1.5"/>'
        + (f'<polyline points="{dashed}" stroke-dasharray="5 4"/>' if line else "")
        + f'<g fill="currentColor" stroke="none"><text x="{_LEFT - 6}" y="{_TOP + 8}" '
        f'text-anchor="end">{escape(format_bytes(highest))}</text>'
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">0</text>'
        f'<text x="{_WIDTH - 4}" y="{_HEIGHT - 4}" text-anchor="end">{format_count(last - first)} '
        f"{escape(unit)}</text>"
        "</g></svg>"
    )


def gauge_bar(share: float, alt: str) -> str:
    """Return the used ``share`` of a limit as a bar in a frame, an ``<svg>`` element."""
    filled = 160 * min(max(share, 0.0), 1.0)
    return (
        f'<svg viewBox="0 0 164 14" width="164" height="14" role="img" aria-label="{escape(alt)}" '
        f'stroke="currentColor" fill="none"><rect x="2" y="2" width="160" height="10" '
        f'stroke-opacity="0.4"/><rect x="2" y="2" width="{filled:.1f}" height="10" '
        f'fill="currentColor" stroke="none" fill-opacity="{0.9 if share > 1 else 0.5}"/></svg>'
    )


def gauge_table(used: Iterable[tuple[float, str]]) -> str:
    """Return a table with a bar for each share of a limit, and its description."""
    rows = "".join(
        f"<tr><td>{gauge_bar(share, f'{format_percent(share)} of the limit')}</td>"
        f"<td>{format_percent(share)}</td>"
        f"<td>{escape(words)}</td></tr>"
        for share, words in used
    )
    return f"<table><tbody>{rows}</tbody></table>"


def html_card(words: str, *parts: str) -> str:
    """Return a line of text above ``parts``, which are HTML."""
    return f"<div><p>{escape(words)}</p>{''.join(parts)}</div>"


def file_link(path: str, words: str) -> str:
    """Return a link to a file."""
    return f'<p><a href="{escape(quote(path))}">{escape(words)}</a></p>'


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _thinned(points: Points) -> Points:
    step = -(-len(points) // _WIDTH)
    if step == 1:
        return points
    return [
        max(points[i : i + step], key=lambda point: point[1]) for i in range(0, len(points), step)
    ]
