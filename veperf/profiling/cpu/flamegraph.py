"""A flamegraph: functions above those that they call, each as wide as its share of the CPU time.

Drawn top down as nested elements, without a script: names are cut where there is no room, can be
searched for, and are whole in the tool tip. Functions below half a percent are left out.
"""

import sys
from dataclasses import replace

from veperf.core.escape import as_html, one_line
from veperf.core.text import format_duration, format_percent, plural
from veperf.profiling.cpu.call_tree import (
    CallNode,
    CpuSamples,
    Frame,
    call_tree,
    function_shares,
    line_samples,
    source_line,
)
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.tables.table import Cell, Table, text_table

_MIN_SHARE = 0.005
_MAX_DEPTH = 40
_MAX_ROWS = 10
_FIRST_OUT = ("With callees", "Code")
_STYLE = """
.vp-flame { font-size: 11px; line-height: 1.5; margin: .6em 0; min-width: 40em; }
.vp-flame div { min-width: 0; }
.vp-calls { display: flex; }
.vp-flame span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  padding: 0 3px; border: solid var(--vp-paper); border-width: 0 1px 1px 0; border-radius: 3px;
  color: var(--vp-ink); background: var(--vp-quiet-bg); }
.vp-flame .vp-own > span { background: color-mix(in srgb, var(--vp-accent) 24%, var(--vp-paper)); }
.vp-flame .vp-lib > span { background: color-mix(in srgb, var(--vp-base) 26%, var(--vp-paper)); }
"""
_KEY = (
    "The first row is everything; below each function are those that it called. Blue is veperf, "
    "brown are other packages, grey is Python's own library. Time in C code counts for the "
    "function that called it. Python takes samples only where a function begins, a call returns "
    "or a loop turns: a line includes the time of those just before it."
)
_NO_SAMPLES = "No samples were taken: the work takes too little CPU time, or only waits."


def flamegraph_html(what: str, samples: CpuSamples) -> str:
    """Return the flamegraph of ``samples`` and the lines that take most of the time, as HTML."""
    summary = markup.paragraph(_summary(what, samples))
    if not samples.samples:
        return standalone(summary + markup.paragraph(_NO_SAMPLES))
    graph = _element(call_tree(samples.stacks), what, share=1.0, whole=samples.samples, depth=0)
    return standalone(
        f"<style>{_STYLE}</style>{summary}"
        '<div class="vp-scroll" role="group" aria-label="Flamegraph" tabindex="0">'
        f'<div class="vp-flame">{graph}</div></div>{markup.paragraph(_KEY)}'
        + markup.html_table(_lines_table(samples))
    )


def flamegraph_text(what: str, samples: CpuSamples) -> str:
    """Return the functions and the lines that take most of the time, as tables of text."""
    summary = one_line(_summary(what, samples))
    if not samples.samples:
        return f"{summary}\n\n{_NO_SAMPLES}"
    # In a narrow terminal names are wrapped before their module; a share is never left out.
    tables = (replace(t, row_header=0) for t in (_functions_table(samples), _lines_table(samples)))
    return "\n\n".join([summary, *(text_table(table, first_out=_FIRST_OUT) for table in tables)])


def _summary(what: str, samples: CpuSamples) -> str:
    return (
        f"{what}: {format_duration(samples.cpu_s)} of CPU time in "
        f"{plural(samples.calls, 'call')}, {plural(samples.samples, 'sample')}."
    )


def _element(node: CallNode, name: str, *, share: float, whole: int, depth: int) -> str:
    """Return a function above those that it called; ``share`` is its part of its caller."""
    kind = f' class="{_css_class(node.frame)}"' if node.frame is not None else ""
    tip = as_html(f"{name}: {format_percent(node.samples / whole)}")
    called = ""
    if depth < _MAX_DEPTH:
        called = "".join(
            _element(
                callee,
                _name(callee.frame) if callee.frame is not None else "",
                share=callee.samples / node.samples,
                whole=whole,
                depth=depth + 1,
            )
            for callee in node.ordered()
            if callee.samples >= _MIN_SHARE * whole
        )
    below = f'<div class="vp-calls">{called}</div>' if called else ""
    width = f"{share * 100:.2f}".rstrip("0").rstrip(".")
    return f'<div{kind} style="width:{width}%"><span title="{tip}">{tip}</span>{below}</div>'


def _name(frame: Frame) -> str:
    return f"{frame.name} ({frame.module})" if frame.module else frame.name


def _css_class(frame: Frame) -> str:
    package = frame.module.partition(".")[0]
    if package == "veperf":
        return "vp-own"
    return "vp-std" if package in sys.stdlib_module_names else "vp-lib"


def _functions_table(samples: CpuSamples) -> Table:
    return Table(
        "Functions with the most CPU time of their own",
        (("Own", "right"), ("With callees", "right"), ("Function", "left")),
        tuple(
            (
                Cell(format_percent(share.own / samples.samples)),
                Cell(format_percent(share.total / samples.samples)),
                Cell(_name(share.frame)),
            )
            for share in function_shares(samples.stacks)[:_MAX_ROWS]
        ),
        row_header=2,
    )


def _lines_table(samples: CpuSamples) -> Table:
    rows = [
        (
            Cell(format_percent(n / samples.samples)),
            Cell(f"{_name(frame)}, line {line}"),
            Cell(source_line(frame, line)),
        )
        for frame, line, n in line_samples(samples.stacks)
    ]
    return Table(
        "Lines with the most CPU time",
        (("Share", "left"), ("Where", "left"), ("Code", "left")),
        tuple(rows[:_MAX_ROWS]),
    )
