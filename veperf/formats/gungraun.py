"""Gungraun, formerly iai-callgrind, and iai: what they print, and their summaries as JSON.

::

    bench_group::sort::by_key short:(10)
      Instructions:                        1734|1734                 (No change)
      L1 Hits:                             2359|N/A                  (*********)

Left of the bar is this run, right of it an earlier one. A ``summary.json``, or a line of
``--output-format=json``, holds one benchmark; what it has been measured with is under ``profiles``
from layout 4 on, ``tool_summaries`` in layout 3 and ``callgrind_summary`` before, and a value is
``{"new": 1}``, ``{"Left": 1}`` or ``{"Both": [new, old]}`` (schemas of iai-callgrind-runner and
gungraun-summary). Instructions, memory accesses, cycles and hits come from a simulated CPU, bytes
and blocks from DHAT, errors from Memcheck and its like; other figures, which are details of these,
are left out where there are any of these.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from veperf.core.case import Metric
from veperf.core.json_text import check_nesting
from veperf.formats.figures import json_number, plain_line, text_number
from veperf.formats.imported import ParsedRun
from veperf.formats.libtest import fail_program
from veperf.formats.source import SourceFile, text_field

TOOL = "gungraun"

_METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "Ir": Metric("instructions", "instructions"),
        "EstimatedCycles": Metric("estimated_cycles", "simulated_cycles"),
        "TotalRW": Metric("accesses", "simulated_accesses"),
        "L1hits": Metric("l1_hits", "simulated_hits", "unknown"),
        "LLhits": Metric("ll_hits", "simulated_hits", "unknown"),
        "RamHits": Metric("ram_hits", "simulated_accesses"),
        "TotalBytes": Metric("total_bytes", "B/op"),
        "TotalBlocks": Metric("total_blocks", "allocs/op"),
        "AtTGmaxBytes": Metric("memory_peak", "B"),
        "Errors": Metric("errors", "errors", exact=True),
    }
)
_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "Instructions": "Ir",
        "Estimated Cycles": "EstimatedCycles",
        "Total read+write": "TotalRW",
        "L1 Hits": "L1hits",
        "L1 Accesses": "L1hits",
        "LL Hits": "LLhits",
        "L2 Hits": "LLhits",
        "L2 Accesses": "LLhits",
        "RAM Hits": "RamHits",
        "RAM Accesses": "RamHits",
        "Total bytes": "TotalBytes",
        "Total blocks": "TotalBlocks",
        "At t-gmax bytes": "AtTGmaxBytes",
        "Errors": "Errors",
    }
)
_FIGURE = re.compile(r"  ([A-Z][^:]{1,40}): +([0-9.,]{1,40}|N/A)(\|\S{1,40})?(?: .*)?")
_FIRST = "Instructions"
_ANY_LABEL = re.compile(rf"  (?:{'|'.join(map(re.escape, _LABELS))}):")
_KEYS = frozenset({"function_name", "module_path", "benchmark_exe", "kind"})
_EXECUTABLE = '"benchmark_exe"'
_OPENING = re.compile(r"^[ \t]{0,20}\{", re.MULTILINE)
_MOST_FAILED = 100
_TOOLS = frozenset(
    name + suffix
    for name in ("Callgrind", "Cachegrind", "Dhat", "ErrorTool", "Error")
    for suffix in ("", "Summary")
)
_PROFILES = ("profiles", "tool_summaries")


def is_gungraun_text(source: SourceFile) -> bool:
    """Return whether any line is a figure of a benchmark."""
    if not _ANY_LABEL.search(source.text):
        return False
    return any(
        match is not None and match[1] in _LABELS and (match[1] == _FIRST or match[3] is not None)
        for match in (_FIGURE.fullmatch(plain_line(line)) for line in source.lines)
    )


def is_gungraun_summary(source: SourceFile) -> bool:
    """Return whether the file has a summary, be it among other output of cargo."""
    return source.keys >= _KEYS or (_EXECUTABLE in source.text and bool(_among_lines(source)))


def read_gungraun_text(source: SourceFile) -> ParsedRun:
    """Read the benchmarks in the text; each has its figures in indented lines below its name.

    A name has several lines where an argument has.
    """
    run = ParsedRun(TOOL)
    before = 0
    heading: list[str] = []
    repetitions: list[tuple[str, dict[str, tuple[int, float]]]] = []
    for number, raw_line in source.each_line():
        line = plain_line(raw_line)
        match = _FIGURE.fullmatch(line)
        if match is None:
            source.account.skip(number, "names and other output")
            if not line[:1].isspace():
                if number > before + 1:
                    heading = []
                heading.append(line)
                before = number
            continue
        if heading:
            repetitions.append((_name(heading), {}))
            heading = []
        if repetitions:
            key = _LABELS.get(match[1]) or match[1].replace(" ", "")
            repetitions[-1][1][key] = number, text_number(match[2])
            source.account.skip(number, "details of other figures")
        else:
            source.account.refuse(number, "a figure without a name above it")
    for name, figures in repetitions:
        chosen = _chosen(figures)
        run.benchmark(TOOL, name).add({metric: figures[key][1] for metric, key in chosen.items()})
        for key in chosen.values():
            source.account.take(figures[key][0])
    fail_program(run, source)
    return run


def _chosen(figures: Iterable[str]) -> dict[Metric, str]:
    """Return the keys of the figures to take, by metric: others only where none of these is."""
    known = {_METRICS[key]: key for key in figures if key in _METRICS}
    return known or {
        Metric(key, "%" if key.endswith("Rate") else "events", "unknown", exact=True): key
        for key in figures
    }


def _name(heading: list[str]) -> str:
    """Return path and id of a heading, without the arguments: ``sort::by_key short``."""
    first = next((line for line in heading if "::" in line.partition(" ")[0]), heading[-1])
    path, _, rest = first.partition(" ")
    return f"{path} {rest.partition(':')[0]}".strip()


def read_gungraun_summary(source: SourceFile) -> ParsedRun:
    """Read the summary in a file, or several that follow each other."""
    run = ParsedRun(TOOL)
    add_gungraun_summaries(run, source)
    return run


def add_gungraun_summaries(run: ParsedRun, source: SourceFile) -> None:
    """Add the benchmarks of a file to ``run``, such as one of many in a folder."""
    documents = source.documents if source.keys >= _KEYS else _among_lines(source)
    for number, summary in source.account.each("benchmark", documents):
        if not isinstance(summary, dict) or not summary.keys() >= _KEYS:
            source.account.refuse(number, "no summary of a benchmark")
            continue
        path, identity = text_field(summary, "module_path"), text_field(summary, "id")
        parsed = run.benchmark(TOOL, f"{path} {identity}".strip() or "unnamed")
        figures = {key: value for metrics in _totals(summary) for key, value in metrics.items()}
        values = {metric: _new(figures[key]) for metric, key in _chosen(figures).items()}
        if values:
            parsed.add(values)
        else:
            parsed.failure = "its summary has no figures"
        source.account.take(number)
    if source.text.count(_EXECUTABLE) > len(documents):
        run.note("a summary is cut off, or can't be read")


def _among_lines(source: SourceFile) -> list[object]:
    """Return the summaries that begin in lines of other output; what is cut off is left out."""
    text, decoder = source.text, json.JSONDecoder()
    documents: list[object] = []
    failed = end = 0
    try:
        check_nesting(text)
    except ValueError:
        return documents
    for match in _OPENING.finditer(text):
        if match.start() < end or failed == _MOST_FAILED:
            continue
        try:
            value, end = decoder.raw_decode(text, match.end() - 1)
        except ValueError:
            failed += 1
            continue
        if isinstance(value, dict) and value.keys() >= _KEYS:
            documents.append(value)
    return documents


def _totals(summary: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the metrics of each tool's total."""
    for place in _PROFILES:
        for profile in _items(summary.get(place)):
            data = _inner(profile, "data", "summaries")
            total = _inner(data, "total")
            yield from _metrics(_inner(total, "metrics", "summary"))
    callgrind = _inner(summary, "callgrind_summary")
    for part in _items(callgrind.get("summaries")):
        yield _inner(part, "events")
    yield from _metrics(_inner(_inner(_inner(callgrind, "callgrind_run"), "total"), "summary"))


def _metrics(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield metrics that stand there themselves, or under the name of their tool."""
    for key, inner in fields.items():
        if isinstance(inner, dict):
            yield inner if key in _TOOLS else {key: inner}


def _new(value: object) -> float:
    """Return the value of this run; NaN if there is none."""
    for key in ("values", "metrics", "costs", "new", "Left", "Both", "Int", "Float"):
        if isinstance(value, dict) and key in value:
            value = value[key]
            if isinstance(value, list):
                value = value[0] if value else None
    number = json_number(value)
    return math.nan if number is None else number


def _items(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _inner(fields: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the object under the first of ``keys`` that has any; else an empty one."""
    return next((fields[key] for key in keys if isinstance(fields.get(key), dict)), {})
