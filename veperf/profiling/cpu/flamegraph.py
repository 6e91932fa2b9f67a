"""A flamegraph: who calls whom, each as wide as its share of the CPU time.

Drawn top down as nested elements, without a script: names are cut where there is no room, can be
searched for, and are whole in the tool tip. What takes less than half a percent is left out.
"""

import sys

from veperf.core import number_format
from veperf.core.escape import as_html, one_line
from veperf.profiling.cpu.stacks import Frame, Node, Sampled, functions, lines, source, tree
from veperf.report import text
from veperf.report.html import markup
from veperf.report.html.style import standalone
from veperf.report.tables.result_tables import Cell, Table

_LEAST_SHARE = 0.005
_DEEPEST = 40
_SHOWN = 10
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
    "The first row is everything; below each function stand those that it called. Blue is veperf, "
    "brown are other packages, grey is Python's own library. Time in C code counts for the "
    "function that called it. Python looks up only where a function begins, a call returns or a "
    "loop turns: a line stands for those just before it, too."
)
_NOTHING = "Nobody was seen at work: it takes too little CPU time, or only waits."


def html(what: str, found: Sampled) -> str:
    """The flamegraph of ``found``, and the lines that take most of its time."""
    said = markup.paragraph(_sentence(what, found))
    if not found.samples:
        return standalone(said + markup.paragraph(_NOTHING))
    graph = _element(tree(found.stacks), what, share=1.0, whole=found.samples, depth=0)
    return standalone(
        f"<style>{_STYLE}</style>{said}"
        '<div class="vp-scroll" role="region" aria-label="Flamegraph" tabindex="0">'
        f'<div class="vp-flame">{graph}</div></div>{markup.paragraph(_KEY)}'
        + markup.table(_lines(found))
    )


def plain(what: str, found: Sampled) -> str:
    """The functions and the lines that take most of the time, as tables of text."""
    said = one_line(_sentence(what, found))
    if not found.samples:
        return f"{said}\n\n{_NOTHING}"
    return "\n\n".join([said, text.table(_functions(found)), text.table(_lines(found))])


def _sentence(what: str, found: Sampled) -> str:
    return (
        f"{what}: {number_format.seconds(found.cpu_s)} of CPU time in {number_format.count(found.calls, 'call')}, "
        f"looked at {number_format.count(found.samples, 'time')}."
    )


def _element(node: Node, name: str, *, share: float, whole: int, depth: int) -> str:
    """A function over those that it called; ``share`` is its part of the one above it."""
    part = node.samples / whole
    kind = f' class="{_kind(node.frame)}"' if node.frame is not None else ""
    tip = as_html(f"{name}: {number_format.share(part)}")
    called = ""
    if depth < _DEEPEST:
        called = "".join(
            _element(
                one,
                _name(one.frame) if one.frame is not None else "",
                share=one.samples / node.samples,
                whole=whole,
                depth=depth + 1,
            )
            for one in node.ordered()
            if one.samples >= _LEAST_SHARE * whole
        )
    below = f'<div class="vp-calls">{called}</div>' if called else ""
    width = f"{share * 100:.2f}".rstrip("0").rstrip(".")
    return f'<div{kind} style="width:{width}%"><span title="{tip}">{tip}</span>{below}</div>'


def _name(frame: Frame) -> str:
    return f"{frame.name} ({frame.module})" if frame.module else frame.name


def _kind(frame: Frame) -> str:
    top = frame.module.partition(".")[0]
    if top == "veperf":
        return "vp-own"
    return "vp-std" if top in sys.stdlib_module_names else "vp-lib"


def _functions(found: Sampled) -> Table:
    return Table(
        "Functions that take most of the time themselves",
        (("Itself", "right"), ("With what it calls", "right"), ("Function", "left")),
        tuple(
            (
                Cell(number_format.share(one.own / found.samples)),
                Cell(number_format.share(one.total / found.samples)),
                Cell(_name(one.frame)),
            )
            for one in functions(found.stacks)[:_SHOWN]
        ),
        heads=2,
    )


def _lines(found: Sampled) -> Table:
    rows = [
        (
            Cell(number_format.share(n / found.samples)),
            Cell(f"{_name(frame)}, line {line}"),
            Cell(source(frame, line)),
        )
        for frame, line, n in lines(found.stacks)
    ]
    return Table(
        "Where it was seen most often",
        (("Share", "left"), ("Where", "left"), ("Code", "left")),
        tuple(rows[:_SHOWN]),
    )
