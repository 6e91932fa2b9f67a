"""One trend, and all of them, as text, HTML and markdown."""

from collections.abc import Mapping, Sequence

from veperf.archive.cli_hints import command
from veperf.archive.storage.location import Location
from veperf.archive.trend import Trend
from veperf.core import number_format
from veperf.core.escape import as_html, as_markdown, one_line
from veperf.report import markdown, text
from veperf.report.case_summary import measured_name
from veperf.report.charts.trend_chart import bars, picture
from veperf.report.html import markup
from veperf.report.html.style import standalone
from veperf.report.tables import trend_tables as tables

_RUNS = 20
_WIDTH = 72
_NARROW = 24
_MOST_PICTURES = 60


def as_text(found: Trend, left_out: Mapping[str, str], archive: Location | None) -> str:
    """One trend: a line of blocks, the change points, the latest runs."""
    parts = [f"{one_line(tables.headline(found))}\n{bars(found, _WIDTH)}"]
    if found.shifts:
        parts.append(f"Change points:\n{text.table(tables.shifts(found))}")
    parts.append(f"{_runs_title(found)}:\n{text.table(tables.runs(found, _RUNS))}")
    return "\n\n".join([*parts, *map(one_line, _notes(left_out, archive))])


def as_page_part(found: Trend, left_out: Mapping[str, str], archive: Location | None) -> str:
    """One trend as HTML with its style."""
    parts = [
        markup.paragraph(tables.headline(found)),
        picture(found, height=150),
        markup.table(tables.shifts(found)) if found.shifts else "",
        markup.folded(_runs_title(found), markup.table(tables.runs(found, _RUNS))),
        *map(markup.paragraph, _notes(left_out, archive)),
    ]
    return standalone("".join(parts))


def as_markdown_text(found: Trend, left_out: Mapping[str, str], archive: Location | None) -> str:
    """One trend as markdown."""
    parts = [as_markdown(tables.headline(found)), f"`{bars(found, _WIDTH)}`"]
    if found.shifts:
        parts.append(markdown.table(tables.shifts(found)))
    parts.append(markdown.table(tables.runs(found, _RUNS)))
    return "\n\n".join([*parts, *map(as_markdown, _notes(left_out, archive))])


def overview_as_text(
    found: Sequence[Trend], left_out: Mapping[str, str], archive: Location | None
) -> str:
    """All trends, a line each."""
    if not found:
        return "\n".join([tables.NOTHING, *map(one_line, _notes(left_out, archive))])
    content = tables.overview(found, [bars(one, _NARROW) for one in found])
    head = f"{number_format.count(len(found), 'benchmark')} on {one_line(found[0].machine)}"
    return "\n\n".join(
        [f"{head}:\n{text.table(content)}", *map(one_line, _notes(left_out, archive))]
    )


def overview_as_page_part(
    found: Sequence[Trend], left_out: Mapping[str, str], archive: Location | None
) -> str:
    """All trends as small pictures, in their order, with their style."""
    cards = "".join(
        f'<article class="vp-card"><h3>{as_html(measured_name(one.case, one.metric))}</h3>'
        f"{markup.paragraph(_latest(one))}{picture(one)}</article>"
        for one in found[:_MOST_PICTURES]
    )
    said = [f"The first {_MOST_PICTURES} of {len(found)}."] if len(found) > _MOST_PICTURES else []
    said += [] if found else [tables.NOTHING]
    notes = "".join(map(markup.paragraph, [*said, *_notes(left_out, archive)]))
    return standalone(f'<div class="vp-cards">{cards}</div>{notes}')


def _latest(found: Trend) -> str:
    shift = found.last_shift
    if shift is None:
        return "No change point."
    commits = f", commits {tables.blame(shift)}" if shift.blame else ""
    beside = "".join(f"; {said}" for said in shift.surroundings)
    said = f"{tables.effect(found, shift)} since {tables.day(shift.bad)}{commits}{beside}"
    return number_format.sentence(said)


def _runs_title(found: Trend) -> str:
    n = len(found.runs)
    return (
        f"The last {_RUNS} of {n:,} runs"
        if n > _RUNS
        else number_format.count(n, "run").capitalize()
    )


def _notes(left_out: Mapping[str, str], archive: Location | None) -> list[str]:
    if not left_out:
        return []
    first = next(iter(left_out.values()))
    runs = number_format.count(len(left_out), "run")
    verify = command("archive", "verify", archive=archive)
    return [f"▲ {runs} left out that can't be read; {verify} says which: {first}"]
