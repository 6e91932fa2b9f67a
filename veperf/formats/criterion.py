"""criterion.rs: what it leaves in ``target/criterion``, raw.csv, and cargo-criterion's messages.

A sample is a stretch of many iterations; what counts is its time divided by them.
"""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from veperf.core.case import TIME
from veperf.core.errors import DataError
from veperf.core.json_text import parse
from veperf.formats.collector import NS, Collector, Gathered
from veperf.formats.source import Source, brief, load

TOOL = "criterion"

_MOST_BENCHMARKS = 10_000


class Samples(Struct, frozen=True):
    """sample.json: iterations and ns of each sample."""

    iters: list[float]
    times: list[float]


class Identity(Struct, frozen=True):
    """benchmark.json."""

    full_id: str = ""
    group_id: str = ""
    function_id: str | None = None
    value_str: str | None = None

    @property
    def name(self) -> str:
        """As criterion prints it."""
        parts = (self.group_id, self.function_id or "", self.value_str or "")
        return self.full_id or "/".join(filter(None, parts))


class Central(Struct, frozen=True):
    """One estimate, in ns."""

    point_estimate: float


class Estimates(Struct, frozen=True):
    """estimates.json."""

    median: Central


class Message(Struct, frozen=True):
    """A line of ``cargo criterion --message-format=json``."""

    reason: str
    id: str = ""
    iteration_count: list[float] | None = None
    measured_values: list[float] | None = None
    unit: str = "ns"


def is_sample(source: Source) -> bool:
    """Whether it is a sample.json."""
    return {"iters", "times"} <= source.keys


def is_estimates(source: Source) -> bool:
    """Whether it is an estimates.json."""
    return {"mean", "median", "std_dev"} <= source.keys


def is_csv(source: Source) -> bool:
    """Whether it is a raw.csv."""
    return source.first_line.startswith("group,function,value,")


def is_messages(source: Source) -> bool:
    """Whether it is a stream of messages."""
    return source.first_line.startswith("{") and '"reason"' in source.first_line[:200]


def read_sample(source: Source) -> Collector:
    """A sample.json by itself, named after the folders that it lies in."""
    run = Collector(TOOL)
    _add_samples(run.benchmark(TOOL, _name_of(Path(source.name))), source)
    return run


def read_estimates(source: Source) -> Collector:
    """An estimates.json by itself: the median is the one value there is."""
    run = Collector(TOOL)
    one = run.benchmark(TOOL, _name_of(Path(source.name)))
    one.add({TIME: source.document_as(Estimates).median.point_estimate})
    run.note("estimates without samples: the median is the one value there is")
    return run


def read_csv(source: Source) -> Collector:
    """A raw.csv, of the old layout or the new one."""
    run = Collector(TOOL)
    try:
        rows = csv.DictReader(source.lines)
        for row in rows:
            name = "/".join(filter(None, (row.get(k) for k in ("group", "function", "value"))))
            factor = NS.get(row.get("unit") or "ns")
            if factor is None:
                raise source.corrupt(f"no unit of time: {brief(str(row['unit']))}", rows.line_num)
            time = row.get("sample_measured_value") or row.get("sample_time_nanos") or ""
            count = float(row.get("iteration_count") or "nan")
            value = float(time) * factor / count if count > 0 else float("nan")
            run.benchmark(TOOL, name).add({TIME: value}, _loops(count))
    except (csv.Error, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise source.corrupt(f"no row of a raw.csv: {brief(str(error))}", rows.line_num) from error
    return run


def read_messages(source: Source) -> Collector:
    """The completed benchmarks among the messages."""
    run = Collector(TOOL)
    for number, line in enumerate(source.lines, 1):
        if not line.startswith("{"):
            continue
        try:
            value = parse(line)
        except ValueError as error:
            raise source.corrupt(f"no message: {brief(str(error))}", number) from error
        message = source.checked(value, Message, number)
        if message.reason != "benchmark-complete":
            continue
        factor = NS.get(message.unit)
        if factor is None:
            raise source.corrupt(f"no unit of time: {brief(message.unit)}", number)
        times = [value * factor for value in message.measured_values or []]
        _add(run.benchmark(TOOL, message.id), message.iteration_count or [], times)
    return run


def read_folder(folder: Path) -> Collector:
    """``target/criterion``, or any folder below it: the newest results of every benchmark.

    Raises:
        DataError: there is none, or there are too many.
        CorruptFileError: a file is not what its name says.
    """
    run = Collector(TOOL)
    for path in _sample_files(folder):
        source = load(path)
        identity = path.with_name("benchmark.json")
        name = load(identity).document_as(Identity).name if identity.is_file() else ""
        _add_samples(run.benchmark(TOOL, name or _name_of(path)), source)
    if not run.benchmarks:
        raise DataError(f"{folder}: no results of criterion in it (new/sample.json)")
    return run


def _sample_files(folder: Path) -> list[Path]:
    """Of each benchmark the samples in ``new``; those of the folder itself where it has some."""
    if (folder / "sample.json").is_file():
        return [folder / "sample.json"]
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders.sort()
        if Path(place).name == "new" and "sample.json" in files:
            found.append(Path(place) / "sample.json")
        if len(found) > _MOST_BENCHMARKS:
            raise DataError(f"{folder}: more than {_MOST_BENCHMARKS} benchmarks")
    return found


def _name_of(sample: Path) -> str:
    """The folders above ``new/sample.json``, up to the one that criterion makes."""
    parts: list[Any] = [p for p in sample.parts[:-1] if p not in ("new", "base", "/")]
    if "criterion" in parts:
        parts = parts[len(parts) - parts[::-1].index("criterion") :]
    return "/".join(parts[-3:]) or sample.stem


def _add_samples(one: Gathered, source: Source) -> None:
    found = source.document_as(Samples)
    if len(found.iters) != len(found.times):
        raise source.corrupt(f"{len(found.iters)} iterations for {len(found.times)} times")
    _add(one, found.iters, found.times)


def _add(one: Gathered, counts: Iterable[float], times_ns: Iterable[float]) -> None:
    for count, time_ns in zip(counts, times_ns, strict=False):
        one.add({TIME: time_ns / count if count > 0 else float("nan")}, _loops(count))


def _loops(count: float) -> int:
    return int(count) if 1 <= count < 1 << 53 else 1
