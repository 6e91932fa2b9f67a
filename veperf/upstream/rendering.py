"""The drift of VirtEngine's repository as text of 80 columns, as Markdown and as JSON."""

import textwrap

from msgspec import to_builtins

from veperf.archive.files import encode_json
from veperf.core.escape import as_markdown, one_line
from veperf.core.terminal import wrap_line
from veperf.core.text import plural
from veperf.report.tables.table import Cell, Table, columns, markdown_table
from veperf.upstream.check import Difference, UpstreamDrift

_TITLES = {
    "benchmark": "Benchmark functions",
    "figure": "Figures in result files",
    "target": "Functions behind targets",
}
_WIDTH = 80
_SHORT = 12
_INDENT = 13


def drift_text(drift: UpstreamDrift) -> str:
    """Return the drift as text: a line in sum, then every difference by kind.

    Lines are at most 80 long, but for what has no blank in it.
    """
    lines = [wrap_line(line, _WIDTH) for line in _summary(drift)]
    for kind, title in _TITLES.items():
        items = [item for item in drift.drift if item.kind == kind]
        if items:
            lines += ["", title, "─" * _WIDTH]
            lines += [line for item in items for line in _lines(item, _WIDTH)]
    lines += [wrap_line(f"▲ {one_line(note)}", _WIDTH) for note in drift.notes]
    return "\n".join(lines)


def drift_markdown(drift: UpstreamDrift) -> str:
    """Return the drift as GitHub-flavoured Markdown."""
    parts = [f"**{as_markdown(line)}**" if i == 0 else as_markdown(line)
             for i, line in enumerate(_summary(drift))]  # fmt: skip
    for kind, title in _TITLES.items():
        rows = tuple(
            (Cell(item.change), Cell(item.name), Cell(item.detail))
            for item in drift.drift
            if item.kind == kind
        )
        if rows:
            parts.append(markdown_table(Table(title, columns("Change", "Name", "Detail"), rows)))
    parts += [f"▲ {as_markdown(note)}" for note in drift.notes]
    return "\n\n".join(parts)


def drift_json(drift: UpstreamDrift) -> str:
    """Return the drift as JSON: every field of ``UpstreamDrift``, and ``has_drifted``."""
    content = to_builtins(drift) | {"has_drifted": drift.has_drifted}
    return encode_json(_visible(content)).decode().rstrip("\n")


def _visible(value: object) -> object:
    """Return JSON data without the lone surrogates that stand for bytes of odd file names."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _visible(inner) for key, inner in value.items()}
    return [_visible(inner) for inner in value] if isinstance(value, list | tuple) else value


def _summary(drift: UpstreamDrift) -> list[str]:
    where = f"{drift.module} at {drift.revision[:_SHORT]}"
    if drift.has_drifted:
        counts = [
            f"{plural(n, noun)} drifted"
            for noun in _TITLES
            if (n := sum(item.kind == noun for item in drift.drift))
        ]
        head = f"✗ {where}: {', '.join(counts)}"
    else:
        head = f"✓ {where}: no drift"
    return [
        head,
        f"{plural(drift.benchmarks, 'benchmark function')}, {drift.mapped} of them answered here; "
        f"{plural(drift.targets, 'target')} compared by the Go functions behind them, "
        f"{len(drift.without_functions)} have none",
    ]


def _lines(item: Difference, width: int) -> list[str]:
    text = f"{item.name}: {item.detail}" if item.detail else item.name
    step = f"; next: {item.next_step}" if item.next_step else ""
    return textwrap.wrap(
        one_line(text + step),
        width,
        initial_indent=f"{item.change:<{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        break_on_hyphens=False,
    )
