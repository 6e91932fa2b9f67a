"""Files that are known and hold no results, or not in a form that is read, by their content.

So that an error can say what a file is, and what to name in its place.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from veperf.formats.source import SourceFile

_HEAD = 100_000

_BEGINNINGS: Mapping[bytes, str] = MappingProxyType(
    {
        b"PK\x03\x04": "a zip archive; unpack it",
        b"\x1f\x8b": "packed by gzip twice; unpack it once",
        b"BZh": "packed by bzip2; unpack it, or pack it by gzip",
        b"\xfd7zXZ\x00": "packed by xz; unpack it, or pack it by gzip",
        b"\x28\xb5\x2f\xfd": "packed by Zstandard; unpack it, or pack it by gzip",
        b"SQLite format 3\x00": "an SQLite database; export a table as CSV",
        b"%PDF-": "a PDF document",
        b"\x7fELF": "a program, not what it prints",
    }
)

_KEYS: Mapping[frozenset[str], str] = MappingProxyType(
    {
        frozenset({"group_id", "full_id", "directory_name"}): (
            "criterion's description of a benchmark; its times are in sample.json, "
            "so name the folder, such as target/criterion"
        ),
        frozenset({"arch", "cpu", "machine", "num_cpu", "os", "ram"}): (
            "asv's description of a machine; the results are in the files beside it"
        ),
        frozenset({"attack", "seq", "code", "timestamp", "latency"}): (
            "single results of Vegeta; `vegeta report -type=json` makes a report of them"
        ),
        frozenset({"dhatFileVersion", "mode", "pps"}): (
            "a profile of DHAT; name Gungraun's summary.json, or what it prints"
        ),
        frozenset({"generated_at", "platform", "go_version"}): (
            "VirtEngine's limits, not results; veperf.Comparator compares with them"
        ),
        frozenset({"baselines", "degradation_thresholds"}): (
            "limits at sizes, not results; `veperf gate RESULT --scale` judges by them"
        ),
        frozenset({"slos"}): "service levels, no results; `veperf gate RESULT --slo` takes them",
        frozenset({"format", "config", "machine", "cases", "passes"}): (
            "a run of veperf; name the run, or its archive with --archive"
        ),
    }
)

_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.ASCII | re.MULTILINE), what)
    for pattern, what in (
        (r"\A\s{0,99}(?i:<!doctype html|<html)", "a web page"),
        (r"<testsuites?[ >]", "JUnit XML: results of tests, without figures of benchmarks"),
        (
            r"<BenchmarkDotNetCaption>",
            "an XML report of BenchmarkDotNet; export JSON, as by [JsonExporterAttribute.Full]",
        ),
        (
            r"\A\s{0,99}window\.BENCHMARK_DATA",
            "the history that github-action-benchmark keeps, not a run; name the tool's own output",
        ),
        (
            r"^# callgrind format|^creator: callgrind",
            "a profile of callgrind; name Gungraun's summary.json, or what it prints",
        ),
        (r"^unable to connect to ", "what wrk says where it can't connect: no load was put on"),
        (
            r" x [0-9,.]{1,40} ops/sec ±",
            "what Benchmark.js prints; write its values as CSV, or use vitest bench --outputJson",
        ),
        (r"\Ametric_name,timestamp,metric_value", "k6's CSV; use --out json or --summary-export"),
        (r"^ {0,9}http_req_duration\.{2,50}:", "k6's summary as text; use --summary-export FILE"),
        (r"^\| Command \| Mean \[", "hyperfine's Markdown table; use --export-json FILE"),
        (r"^  Time \(mean ", "what hyperfine shows on the screen; use --export-json FILE"),
        (
            r"^-* ?benchmark.{0,200}: \d+ tests -*$",
            "pytest-benchmark's table; use --benchmark-json",
        ),
        (r"^Benchmark +(\(\w+\) +)*Mode +Cnt +Score", "JMH's table; use -rf json -rff FILE"),
        (
            r"^Benchmark +Time +CPU +Iterations|^name,iterations,real_time,cpu_time,time_unit",
            "a table of Google Benchmark; use --benchmark_out=FILE --benchmark_out_format=json",
        ),
        (
            r"^benchmark name +samples +iterations",
            "what Catch2 shows on the screen; use --reporter xml::out=FILE",
        ),
        (r"^\[ {0,3}[0-9.]{1,6}%\] ·", "what asv prints; its results are in .asv/results"),
        (
            r"^(\*\*)?BenchmarkDotNet(=| )v\d|^\| +Method +\|",
            "what BenchmarkDotNet shows as text or Markdown; export JSON, "
            "as by [JsonExporterAttribute.Full]",
        ),
        (
            r"^(\S.{0,200}: )?Mean \+- std dev: |^Median \+- MAD: ",
            "what pyperf shows as text; use -o FILE, which writes JSON",
        ),
        (
            r"^.{1,200}?\bBenchmark\S{0,500}[ \t]{1,99}\d{1,18}[ \t]{1,99}[\d.]{1,30} ns/op",
            "results of Go's benchmarks with other text before them in each line, such as the "
            "time in a log of CI; remove that",
        ),
        (
            r"^(ok|\?)[ \t]+\S.{0,500}[ \t](\d{1,9}\.\d{1,9}s|\(cached\)|\[no test files\])",
            "output of Go's tests in which no benchmark was run; use go test -bench=.",
        ),
        (r"^test result: ok\.", "output of Rust's tests in which no benchmark was run"),
        (
            r"(sec/op|time/op).{0,200}vs base|^name +old time/op",
            "a comparison by benchstat; name its input",
        ),
    )
)


def describe_file(source: SourceFile) -> str:
    """Return what a file is that no format fits, and what to do; empty if it is unknown."""
    if _is_empty_list(source):
        return "an empty list, as JMH and others write where no benchmark was run"
    for beginning, what in _BEGINNINGS.items():
        if source.data.startswith(beginning):
            return what
    for keys, what in _KEYS.items():
        if keys <= source.keys:
            return what
    if _are_changes(source):
        return "criterion's changes against an earlier run; the times are in new/sample.json"
    if _is_asv_listing(source):
        return "asv's list of benchmarks; the results are in the folders beside it"
    head = source.text[:_HEAD]
    return next((what for pattern, what in _TEXTS if pattern.search(head)), "")


def _is_empty_list(source: SourceFile) -> bool:
    return source.first_document == [] and source.text.strip().startswith("[")


def _are_changes(source: SourceFile) -> bool:
    document = source.first_document
    return (
        isinstance(document, dict)
        and document.keys() == {"mean", "median"}
        and all(isinstance(e, dict) and "point_estimate" in e for e in document.values())
    )


def _is_asv_listing(source: SourceFile) -> bool:
    document = source.first_document
    return isinstance(document, dict) and any(
        isinstance(entry, dict) and {"code", "name", "type", "unit"} <= entry.keys()
        for entry in document.values()
    )
