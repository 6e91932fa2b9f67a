"""A single trend, and all of them, as text, HTML and Markdown."""

from collections.abc import Mapping, Sequence

from veperf.archive.cli_hints import command_hint
from veperf.archive.storage.location import Location
from veperf.archive.trend import Trend
from veperf.core.escape import as_html, as_markdown, one_line
from veperf.core.terminal import terminal_width
from veperf.core.text import as_sentence, plural
from veperf.report.case_summary import measured_name
from veperf.report.charts.trend_chart import trend_blocks, trend_chart
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.markdown_writer import MarkdownPart, write_markdown
from veperf.report.tables import trend_tables as tables
from veperf.report.tables.table import text_table

_RUNS = 20
_WIDTH = 72
_NARROW = 24
_WIDE_TERMINAL = 110
_FIRST_OUT = (tables.BLAMED, "Trend", "Since")
"""Of trends, what a narrow terminal does without; of one alone all is shown."""
_MOST_PICTURES = 60
_IN_THE_ID = ("Created", "Commit")
"""Of runs, what a narrow terminal does without: their ids have it."""


def trend_text(trend: Trend, left_out: Mapping[str, str], archive: Location | None) -> str:
    """Return a trend as text: a line of blocks, the change points, the latest runs."""
    parts = [f"{one_line(tables.trend_headline(trend))}\n{trend_blocks(trend, _WIDTH)}"]
    if trend.change_points:
        parts.append(f"Change points:\n{text_table(tables.change_points_table(trend))}")
    runs = text_table(tables.trend_runs_table(trend, _RUNS), first_out=_IN_THE_ID)
    parts.append(f"{tables.latest_runs_title(trend, _RUNS)}:\n{runs}")
    return "\n\n".join([*parts, *map(one_line, left_out_notes(left_out, archive))])


def trend_html(trend: Trend, left_out: Mapping[str, str], archive: Location | None) -> str:
    """Return a trend as HTML with its style."""
    parts = [
        markup.paragraph(tables.trend_headline(trend)),
        trend_chart(trend, height=150),
        markup.html_table(tables.change_points_table(trend)) if trend.change_points else "",
        markup.folded(
            tables.latest_runs_title(trend, _RUNS),
            markup.html_table(tables.trend_runs_table(trend, _RUNS)),
        ),
        *map(markup.paragraph, left_out_notes(left_out, archive)),
    ]
    return standalone("".join(parts))


def trend_markdown(trend: Trend, left_out: Mapping[str, str], archive: Location | None) -> str:
    """Return a trend as Markdown."""
    head = [as_markdown(tables.trend_headline(trend)), f"`{trend_blocks(trend, _WIDTH)}`"]
    notes = MarkdownPart("", tuple(left_out_notes(left_out, archive)))
    runs = MarkdownPart("", (tables.trend_runs_table(trend, _RUNS),))
    points = [tables.change_points_table(trend)] if trend.change_points else []
    return write_markdown(head, [MarkdownPart("", tuple(points)), runs, notes])


def trends_text(
    trends: Sequence[Trend], left_out: Mapping[str, str], archive: Location | None
) -> str:
    """Return all trends as text, a line each."""
    if not trends:
        return "\n".join([tables.NO_TRENDS, *map(one_line, left_out_notes(left_out, archive))])
    width = terminal_width()
    blocks = _NARROW if width is None or width >= _WIDE_TERMINAL else _NARROW // 2
    content = tables.trends_table(trends, [trend_blocks(trend, blocks) for trend in trends])
    head = f"{plural(len(trends), 'benchmark')} on {one_line(trends[0].machine)}"
    return "\n\n".join(
        [
            f"{head}:\n{text_table(content, first_out=_FIRST_OUT)}",
            *map(one_line, left_out_notes(left_out, archive)),
        ]
    )


def trends_html(
    trends: Sequence[Trend], left_out: Mapping[str, str], archive: Location | None
) -> str:
    """Return all trends as small charts in HTML, in their order, with their style."""
    cards = "".join(
        f'<article class="vp-card"><h3>{as_html(measured_name(trend.case, trend.metric))}</h3>'
        f"{markup.paragraph(_latest(trend))}{trend_chart(trend)}</article>"
        for trend in trends[:_MOST_PICTURES]
    )
    notes = [] if trends else [tables.NO_TRENDS]
    if len(trends) > _MOST_PICTURES:
        notes.append(f"The first {_MOST_PICTURES} of {len(trends)}.")
    notes_html = "".join(map(markup.paragraph, [*notes, *left_out_notes(left_out, archive)]))
    return standalone(f'<div class="vp-cards">{cards}</div>{notes_html}')


def _latest(trend: Trend) -> str:
    change, drift = trend.last_change, tables.drift_effect(trend, interval=True)
    if change is None:
        return as_sentence(drift) if drift else "No change point."
    commits = f", commits {tables.commit_range(change)}" if change.commit_range else ""
    others = "".join(f"; {other}" for other in (*change.other_changes, drift) if other)
    sentence = (
        f"{tables.trend_effect(trend, change)} since {tables.run_date(change.bad)}{commits}{others}"
    )
    return as_sentence(sentence)


def left_out_notes(left_out: Mapping[str, str], archive: Location | None) -> list[str]:
    """Return a note on the runs that can't be read; none where there is none."""
    if not left_out:
        return []
    first = next(iter(left_out.values()))
    runs = plural(len(left_out), "run")
    verify = command_hint("archive", "verify", archive=archive)
    return [f"▲ {runs} left out that can't be read; {verify} says which: {first}"]
