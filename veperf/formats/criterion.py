"""criterion.rs: the files in ``target/criterion``, raw.csv, and cargo-criterion's messages.

A sample covers many iterations; its value is the time divided by their number. Up to version 0.3
a sample.json was a list of both instead of an object. A benchmark that panics ends the program,
and leaves no file; a null among the times is a number that is none.
"""

import csv
import math
import os
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from veperf.core.case import TIME
from veperf.core.errors import CorruptFileError, DataError
from veperf.core.json_text import parse_json
from veperf.core.run import Summary
from veperf.formats.imported import NS_PER_UNIT, ParsedBenchmark, ParsedRun
from veperf.formats.source import SourceFile, load_source, shorten

TOOL = "criterion"

_MOST_BENCHMARKS = 10_000
_Numbers: TypeAlias = list[float | None]


class CriterionSamples(Struct, frozen=True):
    """A sample.json: iterations and ns of each sample."""

    iters: list[float | None]
    times: list[float | None]


class CriterionIdentity(Struct, frozen=True):
    """A benchmark.json."""

    full_id: str = ""
    group_id: str = ""
    function_id: str | None = None
    value_str: str | None = None

    @property
    def name(self) -> str:
        """Name as criterion prints it."""
        parts = (self.group_id, self.function_id or "", self.value_str or "")
        return self.full_id or "/".join(filter(None, parts))


class CriterionInterval(Struct, frozen=True):
    """A confidence interval, in ns."""

    confidence_level: float
    lower_bound: float
    upper_bound: float


class CriterionEstimate(Struct, frozen=True):
    """An estimate, in ns."""

    point_estimate: float
    confidence_interval: CriterionInterval | None = None


class CriterionEstimates(Struct, frozen=True):
    """An estimates.json."""

    median: CriterionEstimate
    std_dev: CriterionEstimate | None = None


class CriterionMessage(Struct, frozen=True):
    """A line of ``cargo criterion --message-format=json``."""

    reason: str
    id: str = ""
    iteration_count: list[float | None] | None = None
    measured_values: list[float | None] | None = None
    unit: str = "ns"


def is_criterion_sample(source: SourceFile) -> bool:
    """Return whether the file is a sample.json."""
    return {"iters", "times"} <= source.keys or _is_old_sample(source)


def is_criterion_estimates(source: SourceFile) -> bool:
    """Return whether the file is an estimates.json."""
    return {"mean", "median", "std_dev"} <= source.keys


def is_criterion_csv(source: SourceFile) -> bool:
    """Return whether the file is a raw.csv."""
    return source.first_line.startswith("group,function,value,")


def is_criterion_messages(source: SourceFile) -> bool:
    """Return whether the file is a stream of messages."""
    return source.first_line.startswith("{") and '"reason"' in source.first_line[:200]


def read_criterion_sample(source: SourceFile) -> ParsedRun:
    """Read a single sample.json; the benchmark is named after its folders."""
    run = ParsedRun(TOOL)
    _add_samples(run.benchmark(TOOL, _name_from_path(Path(source.name))), source)
    return run


def read_criterion_estimates(source: SourceFile) -> ParsedRun:
    """Read a single estimates.json, whose median is the only value."""
    run = ParsedRun(TOOL)
    parsed = run.benchmark(TOOL, _name_from_path(Path(source.name)))
    estimates = source.document_as(CriterionEstimates)
    median, interval = estimates.median.point_estimate, estimates.median.confidence_interval
    summary = Summary(
        center="median",
        low=interval.lower_bound if interval else None,
        high=interval.upper_bound if interval else None,
        confidence=interval.confidence_level if interval else None,
        standard_deviation=estimates.std_dev.point_estimate if estimates.std_dev else None,
    )
    parsed.add({TIME: median}, summaries={TIME.name: summary})
    run.note("estimates without samples: the median is the only value")
    return run


def read_criterion_csv(source: SourceFile) -> ParsedRun:
    """Read a raw.csv, of the old layout or the new one."""
    run = ParsedRun(TOOL)
    try:
        rows = csv.DictReader(source.lines)
        for row in rows:
            name = "/".join(filter(None, (row.get(k) for k in ("group", "function", "value"))))
            factor = NS_PER_UNIT.get(row.get("unit") or "ns")
            if factor is None:
                raise source.corrupt(
                    f"not a unit of time: {shorten(str(row['unit']))}", rows.line_num
                )
            time = row.get("sample_measured_value") or row.get("sample_time_nanos") or ""
            count = float(row.get("iteration_count") or "nan")
            value = float(time) * factor / count if count > 0 else float("nan")
            run.benchmark(TOOL, name).add({TIME: value}, _loops(count))
    except (csv.Error, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise source.corrupt(
            f"not a row of a raw.csv: {shorten(str(error))}", rows.line_num
        ) from error
    return run


def read_criterion_messages(source: SourceFile) -> ParsedRun:
    """Read the completed benchmarks among the messages."""
    run = ParsedRun(TOOL)
    for number, line in enumerate(source.lines, 1):
        if not line.startswith("{"):
            continue
        try:
            value = parse_json(line)
        except ValueError as error:
            raise source.corrupt(f"not a message: {shorten(str(error))}", number) from error
        message = source.convert(value, CriterionMessage, number)
        if message.reason != "benchmark-complete":
            continue
        factor = NS_PER_UNIT.get(message.unit)
        if factor is None:
            raise source.corrupt(f"not a unit of time: {shorten(message.unit)}", number)
        times = [None if v is None else v * factor for v in message.measured_values or []]
        counts = message.iteration_count or []
        _require_as_many(source, counts, times, number)
        _add(run.benchmark(TOOL, message.id), counts, times)
    return run


def read_criterion_folder(folder: Path) -> ParsedRun:
    """Read the newest results of every benchmark in ``target/criterion`` or a folder below it.

    Raises:
        DataError: there are no benchmarks, or too many.
        CorruptFileError: a file is damaged.
    """
    run = ParsedRun(TOOL)
    for path in _sample_files(folder):
        source = load_source(path)
        identity = path.with_name("benchmark.json")
        name = (
            load_source(identity).document_as(CriterionIdentity).name if identity.is_file() else ""
        )
        _add_samples(run.benchmark(TOOL, name or _name_from_path(path)), source)
    if not run.benchmarks:
        raise DataError(f"{folder}: no results of criterion found in it (new/sample.json)")
    return run


def _sample_files(folder: Path) -> list[Path]:
    """Return the sample.json of the folder itself, else those in ``new`` below it."""
    if (folder / "sample.json").is_file():
        return [folder / "sample.json"]
    paths: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        if Path(parent).name == "new" and "sample.json" in files:
            paths.append(Path(parent) / "sample.json")
        if len(paths) > _MOST_BENCHMARKS:
            raise DataError(f"{folder}: more than {_MOST_BENCHMARKS} benchmarks")
    return paths


def _name_from_path(sample: Path) -> str:
    """Return the names of the folders above ``new/sample.json``, up to ``criterion``."""
    parts: list[Any] = [p for p in sample.parts[:-1] if p not in ("new", "base", "/")]
    if "criterion" in parts:
        parts = parts[len(parts) - parts[::-1].index("criterion") :]
    return "/".join(parts[-3:]) or sample.stem


def _add_samples(parsed: ParsedBenchmark, source: SourceFile) -> None:
    if _is_old_sample(source):
        samples = CriterionSamples(*source.document_as(tuple[_Numbers, _Numbers]))
    else:
        samples = source.document_as(CriterionSamples)
    _require_as_many(source, samples.iters, samples.times)
    _add(parsed, samples.iters, samples.times)


def _require_as_many(
    source: SourceFile, counts: _Numbers, times: _Numbers, line: int | None = None
) -> None:
    if len(counts) != len(times):
        raise source.corrupt(f"{len(counts)} iterations for {len(times)} times", line)


def _is_old_sample(source: SourceFile) -> bool:
    """Return whether the file is two lists of numbers of the same length."""
    if not source.text.lstrip().startswith("["):
        return False
    try:
        lists = source.document_as(tuple[_Numbers, _Numbers])
    except CorruptFileError:
        return False
    return len(lists[0]) == len(lists[1])


def _add(parsed: ParsedBenchmark, counts: _Numbers, times_ns: _Numbers) -> None:
    for count, time_ns in zip(counts, times_ns, strict=True):
        value = math.nan if time_ns is None or not count or count < 0 else time_ns / count
        parsed.add({TIME: value}, _loops(count or 0))


def _loops(count: float) -> int:
    return int(count) if 1 <= count < 1 << 53 else 1
