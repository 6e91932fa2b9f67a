"""Vegeta's report as text, of ``vegeta report``; one or several after the other.

::

    Requests      [total, rate, throughput]         300, 10.03, 9.53
    Duration      [total, attack, wait]             29.912s, 29.9s, 11.908ms
    Latencies     [min, mean, 50, 90, 95, 99, max]  3.4ms, 10ms, 9.9ms, 15ms, 17ms, 22ms, 1m2s
    Success       [ratio]                           95.00%

(lib/reporters.go of tsenart/vegeta; durations as Go prints them.) A load has the name that it has
in the report as JSON, or in Markdown that of the headings above it. The set of errors is left out,
as it holds addresses.
"""

import math
import re
from collections.abc import Mapping

from veperf.core.case import Metric
from veperf.formats.figures import Headings, plain_line, text_number
from veperf.formats.imported import ParsedBenchmark, ParsedRun
from veperf.formats.load_reports import THROUGHPUT, UNNAMED, VEGETA, add_load, latency
from veperf.formats.source import SourceFile

_ROW = re.compile(r"(Requests|Latencies|Success) +\[([^\]]{1,200})\] +(\S.{0,500})")
_START = "Requests "
_DURATION = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)(h|m(?!s)|s|ms|us|µs|\u03bcs|ns)")
_MS = {
    "h": 3.6e6, "m": 6e4, "s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "\u03bcs": 1e-3, "ns": 1e-6,
}  # fmt: skip


def is_vegeta_text(source: SourceFile) -> bool:
    """Return whether any line has the numbers of requests."""
    if "[total, rate" not in source.text:
        return False
    return any(_ROW.match(line) and line.startswith(_START) for line in source.lines)


def read_vegeta_text(source: SourceFile) -> ParsedRun:
    """Read the reports in the text; those of a name are repetitions, as loads have none."""
    run = ParsedRun(VEGETA)
    reports: list[tuple[str, dict[str, dict[str, str]]]] = []
    headings = Headings(source.lines)
    for number, raw_line in source.each_line():
        line = plain_line(raw_line).rstrip()
        match = _ROW.fullmatch(line)
        if match and line.startswith(_START):
            reports.append((headings.text or UNNAMED, {}))
        if match and reports:
            labels, values = match[2].split(", "), match[3].split(", ")
            reports[-1][1][match[1]] = dict(zip(labels, values, strict=False))
            source.account.take(number)
        else:
            headings.take(line)
            source.account.skip(number, "lines of other figures")
    for name, report in reports:
        _add(run.benchmark(VEGETA, name), report)
    run.note("a report of a load has one value of each figure")
    return run


def _add(parsed: ParsedBenchmark, report: Mapping[str, Mapping[str, str]]) -> None:
    requests = report.get("Requests", {})
    share = text_number(report.get("Success", {}).get("ratio", "").removesuffix("%")) / 100
    figures: dict[Metric, float] = {
        latency(f"p{label.replace('.', '')}" if label[:1].isdigit() else label): _ms(text)
        for label, text in report.get("Latencies", {}).items()
    }
    if "throughput" in requests:
        figures[THROUGHPUT] = text_number(requests["throughput"])
    total = text_number(requests.get("total", ""))
    failed = total * (1 - share)
    failed = float(round(failed)) if math.isfinite(failed) else math.nan
    add_load(parsed, figures, requests=total, failed=failed)
    if not report.keys() >= {"Latencies", "Success"}:
        parsed.failure = "a report ends before its figures do"


def _ms(text: str) -> float:
    """Return a duration of Go, such as ``1m2.5s``, in ms; NaN if it is none."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return math.nan
    return sum(float(number) * _MS[unit] for number, unit in parts)
