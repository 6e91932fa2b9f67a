"""What the gate can see on this machine, as text and HTML."""

from typing import TYPE_CHECKING

from veperf.judge.words import plural
from veperf.report import identity, markup, text, words
from veperf.report.style import standalone
from veperf.report.tables import Cell, Table

if TYPE_CHECKING:
    from veperf.gate.check import CaseCheck, SelfCheckResult


def as_text(found: "SelfCheckResult") -> str:
    """What was found, a row a benchmark, and what could be better."""
    return "\n\n".join([_summary(found), text.table(_table(found)), *_advice(found)])


def as_page(found: "SelfCheckResult") -> str:
    """The same as HTML."""
    parts = [markup.paragraph(_summary(found)), markup.table(_table(found))]
    return standalone("".join([*parts, *map(markup.paragraph, _advice(found))]))


def _summary(found: "SelfCheckResult") -> str:
    alarms = plural(found.false_alarms, "false alarm") if found.false_alarms else "No false alarm"
    trials = plural(len(found.trials), "comparison")
    stopped = ", the last of them stopped by hand" if found.was_stopped else ""
    return (
        f"{alarms} in {trials} of this code with itself{stopped}, "
        f"on {identity.machine(found.trials[0].machine)}."
    )


def _table(found: "SelfCheckResult") -> Table:
    most = found.trials[0].config.max_pairs
    return Table(
        "The same code on both sides",
        (
            ("Benchmark", "left"),
            ("False alarms", "right"),
            ("Pairs", "right"),
            ("Spread", "right"),
            (f"Visible within {most} pairs", "right"),
        ),
        tuple(_row(case) for case in found.cases),
        heads=0,
    )


def _row(case: "CaseCheck") -> tuple[Cell, ...]:
    visible = case.smallest_visible
    return (
        Cell(case.case),
        Cell(f"{case.false_alarms} of {case.trials}"),
        Cell(words.number(case.pairs)),
        Cell(words.share(case.spread)),
        Cell("none up to 100 %" if visible is None else words.change(1 + visible)),
    )


def _advice(found: "SelfCheckResult") -> list[str]:
    return list(found.advice) or ["Nothing about this machine needs to be changed."]
