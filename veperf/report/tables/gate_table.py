"""Table of the gate's questions: the answer to each, what it does, and by which rule."""

from veperf.core.escape import one_line
from veperf.core.gate import Effect, GateDecision, GateItem
from veperf.core.text import as_sentence
from veperf.report.tables.status import Mark, outcome_mark
from veperf.report.tables.table import Cell, Table, columns

EFFECT_MARKS = {
    Effect.ERROR: Mark("error", "fail", 0),
    Effect.FAIL: Mark("fails", "fail", 1),
    Effect.INCONCLUSIVE: Mark("inconclusive", "warn", 2),
    Effect.WARN: Mark("warns", "warn", 3),
    Effect.NOTE: Mark("noted", "quiet", 4),
    Effect.PASS: Mark("passes", "pass", 5),
}
_COLUMNS = columns("Effect", "Question", "Of", "Answer", "Rule", "Why")


def gate_table(decision: GateDecision, caption: str) -> Table:
    """Return a table of all questions, a row each, the most urgent first."""
    return Table(caption, _COLUMNS, tuple(map(_row, decision.items)))


def explanation_text(decision: GateDecision) -> str:
    """Return every question as text, below the outcome and the exit code."""
    mark = outcome_mark(decision.outcome)
    head = f"{mark.symbol} {mark.word}: exit code {decision.exit_code}"
    lines = [head, one_line(as_sentence(decision.headline)), ""]
    for item in decision.items:
        effect = EFFECT_MARKS[item.effect]
        name = item.name or "the whole"
        size = f", {item.size}" if item.size and item.size != item.answer else ""
        lines.append(
            one_line(f"{effect.symbol} {effect.word}: {item.question} {name}: {item.answer}{size}")
        )
        facts = {"rule": item.rule, "why": item.reason}
        lines += [f"    {key}: {one_line(text)}" for key, text in facts.items() if text]
        lines += [f"    $ {one_line(item.next_step)}"] if item.next_step else []
    lines += [f"▲ {one_line(as_sentence(note))}" for note in decision.notes]
    return "\n".join(lines)


def answers_list(decision: GateDecision) -> str:
    """Return each question with its answer and the evidence as text."""
    lines = []
    for item in decision.items:
        mark = EFFECT_MARKS[item.effect]
        size = f", {item.size}" if item.size else ""
        of = f" ({item.case})" if item.case and item.target else ""
        lines.append(one_line(f"{mark.symbol} {item.name or 'the whole'}: {item.answer}{size}{of}"))
        lines.append(f"  {one_line(item.reason)}")
    return "\n".join(lines)


def _row(item: GateItem) -> tuple[Cell, ...]:
    return (
        Cell("", mark=EFFECT_MARKS[item.effect]),
        Cell(str(item.question)),
        Cell(item.name or "the whole", case=item.case),
        Cell(str(item.answer), item.size),
        Cell(item.rule),
        Cell(as_sentence(item.reason)),
    )
