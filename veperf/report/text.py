"""Results as plain text: for terminals, logs and the ``repr`` in a console."""

from collections.abc import Sequence

from veperf.core import number_format
from veperf.core.escape import one_line
from veperf.core.run import Run
from veperf.core.verdict import Change, Verdict
from veperf.report.load_summary import loaded
from veperf.report.sections import identity, shards
from veperf.report.tables import result_tables, status
from veperf.report.tables.load_tables import figures, load_mark, of_run
from veperf.report.tables.result_tables import Align, Cell, Table
from veperf.verdicts.run_notes import stopped

_WIDEST = 60


def table(content: Table) -> str:
    """``content`` in columns."""
    columns = content.columns
    rows = [[_cut(_cell(cell)) for cell in row] for row in content.rows]
    widths = [
        max(len(name), *(len(row[i]) for row in rows), 0) for i, (name, _) in enumerate(columns)
    ]
    rule = "─" * (sum(widths) + 2 * len(widths) - 2)
    head = _line([name for name, _ in columns], columns, widths)
    return "\n".join([head, rule, *(_line(row, columns, widths) for row in rows)])


def run(found: Run) -> str:
    """A run: what, where, when, and the value of each case."""
    head = one_line(identity.sentence(found))
    return "\n\n".join(
        [head, *(table(result_tables.without(t, "Level")) for t in of_run(found, ""))]
    )


def load(found: Run) -> str:
    """A run that is a single load: whether it can be believed, and all its figures."""
    head = one_line(identity.sentence(found))
    parts: list[str] = []
    for one in loaded(found):
        mark = load_mark(one)
        why = [r.failure.message for _, r in one.processes if r.failure is not None]
        said = one_line(": ".join([f"{mark.symbol} {one.case.id}", mark.word, *why]))
        parts += [said, table(figures(one))] if one.believed else [said]
        if one.shards:
            parts += [shards.how(one), table(shards.table(one))]
    return "\n\n".join([head, *map(one_line, stopped(found)), *parts])


def verdict(found: Verdict) -> str:
    """A verdict: its sentence, then whatever is not as it should be, then its notes."""
    mark = status.of_outcome(found.outcome)
    parts = [f"{mark.symbol} {mark.word}: {one_line(number_format.sentence(found.sentence))}"]
    parts += [
        f"✗ {one_line(case)} {status.failed(failure)}: {one_line(failure.message)}"
        for case, failure in found.failures.items()
    ]
    if found.targets:
        parts.append(table(result_tables.targets(found.targets, "")))
    if result_tables.in_common(found.changes):
        parts.append(changes(found.changes, found.against))
    parts += [f"▲ {one_line(note)}" for note in found.notes]
    return "\n\n".join(parts)


def changes(found: Sequence[Change], against: str = "") -> str:
    """Changes, the most urgent first, under a line that says what they are measured against."""
    if not result_tables.in_common(found):
        return result_tables.NOTHING_IN_COMMON
    head = f"Against {one_line(against)}:" if against else "Changes:"
    shown = result_tables.changes(result_tables.worth_a_row(found), "")
    parts = [
        f"{head}\n{table(result_tables.without(shown, 'Why'))}",
        one_line(result_tables.unrecorded(found)),
    ]
    return "\n\n".join(filter(None, parts))


def _cell(cell: Cell) -> str:
    mark = f"{cell.mark.symbol} {cell.mark.word}" if cell.mark else ""
    return " ".join(filter(None, (mark, one_line(cell.text)))) or number_format.MISSING


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _line(texts: list[str], columns: Sequence[tuple[str, Align]], widths: list[int]) -> str:
    padded = [
        text.rjust(width) if align == "right" else text.ljust(width)
        for text, (_, align), width in zip(texts, columns, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()
