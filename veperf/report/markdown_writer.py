"""Writer of all Markdown: a head, and parts of tables and notes that are cut to a size limit.

Texts of the parts are plain: they are escaped here, and shortened where they are beyond reason.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from veperf.core.escape import as_html, as_markdown, defuse
from veperf.core.gate import Effect, GateDecision, GateItem
from veperf.core.text import as_sentence, join_words, plural
from veperf.report.report_links import NO_REPORT, ReportLinks
from veperf.report.tables.gate_table import EFFECT_MARKS
from veperf.report.tables.status import outcome_mark
from veperf.report.tables.table import Table, bold, markdown_head, markdown_row, short_line

MOST_SUMMARY_BYTES = 1_000_000
"""GitHub refuses a step summary of more than 1 MiB."""
MOST_COMMENT_BYTES = 63_900
"""GitHub refuses a comment of more than 65,536 characters, of which none takes less than a byte;
performance-comment.yml cuts at 64,000 bytes."""

CONTEXT, ATTENTION, NOTES = -1, 0, 2
"""Urgency of lines without a mark: what was measured, what matters, and what else to know."""

_WORST = 3
# In characters: together they leave room in a comment whatever its names are.
_LONGEST_NOTE = 1_000
_LONGEST_REASON = 400
_COMMIT = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{40}(?![0-9A-Za-z])|(?<=\bcommit )[0-9a-f]{8,39}\b")
_BLOCK = re.compile(r"^(\d*)([-+=.)])")
_SHORT = 7
_ENOUGH = 12
"""Digits of a commit in a command."""


@dataclass(frozen=True, slots=True)
class MarkdownPart:
    """Tables and notes, folded under a title; open where the title is empty."""

    title: str
    blocks: tuple[Table | str, ...]
    urgency: int = ATTENTION
    """Urgency of notes, and of rows without a mark; of the others it is that of the mark."""


def write_decision(
    decision: GateDecision,
    parts: Sequence[MarkdownPart],
    *,
    links: ReportLinks = NO_REPORT,
    most: int = MOST_SUMMARY_BYTES,
    marker: str = "",
    whole: str = "",
) -> str:
    """Return a decision as Markdown: heading, sentence, the worst three, and ``parts`` folded.

    Args:
        decision: of the gate, on all that the parts are about.
        parts: everything else.
        links: addresses of the report and of commits.
        most: size limit in bytes of UTF-8.
        marker: first line.
        whole: what shows all, where that is no report.
    """
    sentence = _inline(as_sentence(decision.headline), links)
    report = f" [Report]({links.report})" if links.report else ""
    head = [f"### {outcome_mark(decision.outcome).label}", f"{sentence}{report}"]
    if marker:
        head[0] = f"{marker}\n{head[0]}"
    if worst := [_describe_item(item, links) for item in _loud(decision)[:_WORST]]:
        head.append("\n".join(worst))
    if decision.notes:
        parts = [*parts, MarkdownPart("Rules of the policy", decision.notes, NOTES)]
    return write_markdown(head, parts, links=links, most=most, whole=whole)


def write_markdown(
    head: Sequence[str],
    parts: Sequence[MarkdownPart],
    *,
    links: ReportLinks = NO_REPORT,
    most: int = MOST_SUMMARY_BYTES,
    whole: str = "",
) -> str:
    """Return ``head``, which is Markdown, and ``parts`` in at most ``most`` bytes of UTF-8.

    Where they don't fit, lines are left out whole, the least urgent first, and counted; ``whole``
    says what shows them, where that is no report.
    """
    if not whole:
        whole = f"[the report]({links.report})" if links.report else "the report"
    frames = [_frame(part) for part in parts]
    blocks = [_Block(i, p.urgency, b, links) for i, p in enumerate(parts) for b in p.blocks]
    lines = [(block, row) for block in blocks for row in range(len(block.urgencies))]
    lines.sort(key=lambda line: line[0].urgencies[line[1]])
    room = most - _size(*head) + 1  # no blank line behind the last
    fitting = _choose(lines, frames, room)
    if fitting < len(lines):
        fitting = _choose(lines, frames, room - _size(_left_out(lines, whole)))
    body = [*head]
    for index, (start, end) in enumerate(frames):
        if texts := [b.text() for b in blocks if b.part == index and b.kept]:
            body += filter(None, [start, *texts, end])
    body += filter(None, [_left_out(lines[fitting:], whole)])
    return "\n\n".join(body) + "\n"


def _choose(
    lines: Sequence[tuple["_Block", int]], frames: Sequence[tuple[str, str]], room: int
) -> int:
    """Keep as many of ``lines``, from the first on, as there is room for; return their number."""
    for block, _ in lines:
        block.kept.clear()
    open_parts: set[int] = set()
    for number, (block, row) in enumerate(lines):
        room -= len(block.line(row).encode()) + 1
        if not block.kept:
            room -= len(block.head.encode()) + (2 if block.head else 1)
        if block.part not in open_parts:
            room -= _size(*filter(None, frames[block.part]))
        if room < 0:
            return number
        open_parts.add(block.part)
        block.kept.append(row)
    return len(lines)


class _Block:
    """A table or a note while lines of it are chosen."""

    def __init__(self, part: int, urgency: int, content: Table | str, links: ReportLinks) -> None:
        self.part = part
        self.kept: list[int] = []
        self._content = content
        self._links = links
        self._lines: dict[int, str] = {}
        self.head, self.urgencies = "", [urgency]
        if isinstance(content, Table):
            self.head = markdown_head(content, _escape_with(links))
            self.urgencies = [
                min((cell.mark.urgency for cell in row if cell.mark), default=urgency)
                for row in content.rows
            ]

    @property
    def is_table(self) -> bool:
        """True of a table, False of a note."""
        return isinstance(self._content, Table)

    def line(self, row: int) -> str:
        """Return a line, which is written only once it may fit."""
        if row not in self._lines:
            self._lines[row] = (
                markdown_row(self._content.rows[row], _escape_with(self._links))
                if isinstance(self._content, Table)
                else f"- {_inline(self._content, self._links)}"
            )
        return self._lines[row]

    def text(self) -> str:
        """Return the lines that were chosen, in their order."""
        return "\n".join(filter(None, [self.head, *map(self.line, sorted(self.kept))]))


def _frame(part: MarkdownPart) -> tuple[str, str]:
    if not part.title:
        return "", ""
    short = _COMMIT.sub(lambda commit: commit[0][:_SHORT], short_line(part.title))
    return f"<details><summary>{defuse(as_html(short))}</summary>", "</details>"


def _left_out(lines: Sequence[tuple[_Block, int]], whole: str) -> str:
    rows = sum(block.is_table for block, _ in lines)
    counts = [plural(rows, "row")] if rows else []
    if notes := len(lines) - rows:
        counts.append(plural(notes, "note"))
    if not counts:
        return ""
    return f"*Cut to fit the size limit: {join_words(counts)} less urgent; {whole} has everything.*"


def _size(*texts: str) -> int:
    """Return the bytes of ``texts``, each with a blank line behind it."""
    return sum(len(text.encode()) + 2 for text in texts)


def _loud(decision: GateDecision) -> list[GateItem]:
    return [item for item in decision.items if item.effect not in (Effect.PASS, Effect.NOTE)]


def _describe_item(item: GateItem, links: ReportLinks) -> str:
    """Return an item in a line of a list, with its link and the next command."""
    parts = []
    if item.name:
        name, address = bold(_short(item.name)) or "unnamed", links.case(item.case)
        linked = f"[{name}]({address})" if address else name
        answer = ", ".join(filter(None, (str(item.answer), item.size)))
        parts.append(f"{linked}: {_short(answer)}.")
    parts.append(_short(as_sentence(item.reason)))
    if item.next_step:
        parts.append(f"Next: {_code(item.next_step)}")
    return " ".join([f"- {EFFECT_MARKS[item.effect].symbol}", *filter(None, parts)])


def _inline(text: str, links: ReportLinks) -> str:
    """Return ``text`` for the beginning of a line, where it is no list, rule or heading."""
    return _BLOCK.sub(r"\1\\\2", _escape_with(links)(short_line(text, _LONGEST_NOTE)))


def _short(text: str) -> str:
    return _escape_with(NO_REPORT)(short_line(text, _LONGEST_REASON))


def _escape_with(links: ReportLinks) -> Callable[[str], str]:
    """Return a function that escapes text for Markdown and shortens commits in it."""

    def shortened(commit: re.Match[str]) -> str:
        short = commit[0][:_SHORT]
        return f"[{short}]({links.commits}{commit[0]})" if links.commits else short

    return lambda text: _COMMIT.sub(shortened, as_markdown(text))


def _code(text: str) -> str:
    """Return a command as code; as text where a name in it could be taken for anything else."""
    command = short_line(text, _LONGEST_REASON)
    command = _COMMIT.sub(lambda commit: commit[0][:_ENOUGH], command)
    is_plain = defuse(command) == command and not re.search(r"[`<>|\\]", command)
    return f"`{command}`" if is_plain else as_markdown(command)
