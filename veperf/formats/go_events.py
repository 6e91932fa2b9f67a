"""Go benchmark results as events: what ``go test -json`` writes.

An event has a piece of the output of a package, whose lines are joined and parsed as text. Lines of
events may lack their ends, and other text may stand between them, as of a build.
"""

import re

import msgspec

from veperf.core.json_text import check_nesting
from veperf.formats import go_lines
from veperf.formats.go_test import GoParser
from veperf.formats.imported import ParsedRun
from veperf.formats.source import SourceFile

_ENDS = ("pass", "fail", "skip")
_ENDS_OF_TESTS = (*_ENDS, "bench")
_PIECES = "events and parts of lines"
# Within the texts of an event a quotation mark is escaped, so that this begins one.
_EVENT_START = re.compile(r'(?=\{"(?:Time|Action|Package|ImportPath)":)')


class GoTestEvent(msgspec.Struct, frozen=True):
    """An event: a line of ``go test -json``."""

    Action: str
    Package: str = ""
    Test: str = ""
    Output: str = ""


def is_go_json(source: SourceFile) -> bool:
    """Return whether the first JSON line is an event; the build may print lines before it."""
    if '"Action"' not in source.text:
        return False
    first = next((line for line in source.iterate_lines() if '{"' in line), "")
    return '"Action"' in first and any(isinstance(p, GoTestEvent) for p in _pieces(first))


def read_go_json(source: SourceFile, by: str = "") -> list[ParsedRun]:
    """Read ``-json`` output, whose events hold pieces of lines of interleaved packages."""
    parser = GoParser(source.account, by)
    output = _Output(parser)
    has_ended: dict[str, bool] = {}
    for number, line in source.each_line():
        for piece in _pieces(line):
            if isinstance(piece, str):
                parser.take(number, piece)
                if _EVENT_START.match(piece):
                    source.account.refuse(number, "an event that is not whole")
                continue
            source.account.skip(number, _PIECES)
            if piece.Action == "output":
                output.add(number, piece)
                continue
            if piece.Test and piece.Action in _ENDS_OF_TESTS:
                output.end(number, piece.Package)
            if not piece.Test and piece.Action in ("start", *_ENDS):
                has_ended[piece.Package] = piece.Action != "start"
                output.end(number, piece.Package)
            if piece.Action == "fail":
                parser.fail(number, piece.Package, piece.Test)
    output.end_all(source.account.seen)
    for package, has in has_ended.items():
        parser.end(package, is_cut_off=not has)
    return parser.finish()


class _Output:
    """The output of events, joined to lines by package."""

    def __init__(self, parser: GoParser) -> None:
        self._parser = parser
        self._incomplete: dict[str, list[str]] = {}
        self._tests: dict[str, str] = {}

    def add(self, number: int, event: GoTestEvent) -> None:
        """Parse the lines that the output of an event completes."""
        package = event.Package
        *complete, remainder = event.Output.split("\n")
        begun = self._incomplete.get(package)
        before = self._tests.get(package, "")
        self._tests[package] = event.Test
        if begun and before and event.Test and before != event.Test:
            self.end(number, package)  # and neither is that of another test
        elif begun and go_lines.is_name(event.Output) and not go_lines.is_name(begun[0]):
            self.end(number, package)  # text without a line end is no part of the next name
        for piece in complete:
            start = "".join(self._incomplete.pop(package, []))
            self._parser.take(number, start + piece, package)
        if remainder:
            self._incomplete.setdefault(package, []).append(remainder)

    def end(self, number: int, package: str) -> None:
        """Parse what stands there without a line end."""
        if pieces := self._incomplete.pop(package, None):
            self._parser.take(number, "".join(pieces), package)

    def end_all(self, number: int) -> None:
        """Parse what stands there without a line end, of every package."""
        for package in list(self._incomplete):
            self.end(number, package)


def _pieces(line: str) -> list[GoTestEvent | str]:
    """Return the events of a line, which may lack line ends between them, and other text in it."""
    if line.startswith("{") and (event := _event(line)):
        return [event]
    if '"Action"' not in line:
        return [line]
    pieces: list[GoTestEvent | str] = []
    for piece in filter(None, _EVENT_START.split(line)):
        whole, end, text = piece.rpartition("}")
        event = _event(whole + end)
        pieces += [piece] if event is None else [event, *filter(str.strip, [text])]
    return pieces


def _event(text: str) -> GoTestEvent | None:
    try:
        check_nesting(text)
        return msgspec.json.decode(text, type=GoTestEvent)
    except (msgspec.DecodeError, ValueError):
        return None
