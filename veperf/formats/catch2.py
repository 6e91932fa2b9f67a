"""Catch2: results of its benchmarks in the XML reporter's file.

``BenchmarkResults`` below a test case and its sections has the mean of the samples with its
interval and their standard deviation, in ns (catch_reporter_xml.cpp of catchorg/Catch2, version 2
and 3), or ``failed``. A benchmark whose test case failed is not to be trusted, and has failed; a
test case that failed before its benchmarks ran has failed in their place.

The file is read by expat; a document type, the only place where entities can be declared, is
refused, and so is nesting deeper than that of JSON may be.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from veperf.core.case import TIME
from veperf.core.json_text import MAX_DEPTH
from veperf.core.run import Summary
from veperf.formats.figures import text_number
from veperf.formats.imported import ParsedRun, clean_name
from veperf.formats.source import SourceFile, shorten

TOOL = "catch2"

_ROOTS = ("<Catch2TestRun", "<Catch ", "<Catch>")
_HEAD = 4_000
_FAILED_TEST = "its test case failed"


def is_catch2_file(source: SourceFile) -> bool:
    """Return whether the file begins as the XML reporter's does."""
    head = source.text[:_HEAD].lstrip()
    return head.startswith("<") and any(root in head for root in _ROOTS)


def read_catch2(source: SourceFile) -> ParsedRun:
    """Read the run in a file of the XML reporter; the mean is the only value of a benchmark."""
    run = ParsedRun(TOOL)
    document = _Document(source)
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = document.refuse_doctype
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    try:
        parser.Parse(source.text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise source.corrupt(f"not whole XML of Catch2: {problem}", error.lineno) from error
    for number, result in source.account.each("result", document.results):
        parsed = run.benchmark(TOOL, result.name)
        source.account.take(number)
        parsed.failure = parsed.failure or result.failure
        if result.mean or not result.failure:
            summary = {TIME.name: _summary(result)}
            parsed.add({TIME: text_number(result.mean.get("value", ""))}, 1, summary)
    run.note("files of Catch2 have no samples: the mean is the only value")
    return run


@dataclass(slots=True)
class _Result:
    """A benchmark, or a test case that failed without one; the attributes are as in the file."""

    name: str
    failure: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    mean: dict[str, str] = field(default_factory=dict)
    deviation: dict[str, str] = field(default_factory=dict)


class _Document:
    """Handlers of elements, which collect the results."""

    def __init__(self, source: SourceFile) -> None:
        self.results: list[_Result] = []
        self._source = source
        self._depth = 0
        self._names: list[str] = []
        """Names of the test case and the sections around the current place."""
        self._of_test: list[_Result] = []
        self._current: _Result | None = None

    def refuse_doctype(self, *_: object) -> None:
        raise self._source.corrupt("a document type in XML of Catch2, which has none, is refused")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._source.corrupt(f"XML nested deeper than {MAX_DEPTH}")
        name = attributes.get("name", "")
        match tag:
            case "TestCase":
                self._names, self._of_test = [name], []
            case "Section":
                self._names.append(name)
            case "BenchmarkResults":
                self._current = _Result("/".join([*self._names, name]), attributes=attributes)
                self._of_test.append(self._current)
                self.results.append(self._current)
            case "OverallResult" if attributes.get("success") == "false":
                self._fail_test()
            case "mean" if self._current is not None:
                self._current.mean = attributes
            case "standardDeviation" if self._current is not None:
                self._current.deviation = attributes
            case "failed" if self._current is not None:
                message = shorten(clean_name(attributes.get("message", "")))
                self._current.failure = message or "it failed"

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "Section" and len(self._names) > 1:
            self._names.pop()
        elif tag == "BenchmarkResults":
            self._current = None

    def _fail_test(self) -> None:
        if not self._of_test and self._names:
            self.results.append(_Result(self._names[0], _FAILED_TEST))
        for result in self._of_test:
            result.failure = result.failure or _FAILED_TEST


def _summary(result: _Result) -> Summary:
    low, high, coverage, n, deviation = (
        text_number(text)
        for text in (
            result.mean.get("lowerBound", ""),
            result.mean.get("upperBound", ""),
            result.mean.get("ci", ""),
            result.attributes.get("samples", ""),
            result.deviation.get("value", ""),
        )
    )
    return Summary(
        center="mean",
        n=int(n) if 0 < n < 1 << 53 else None,
        low=low,
        high=high,
        confidence=coverage if 0 < coverage < 1 else None,
        standard_deviation=deviation,
    )
