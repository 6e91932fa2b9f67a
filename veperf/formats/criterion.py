"""criterion.rs: the files in ``target/criterion``, raw.csv, and cargo-criterion's messages.

A sample covers many iterations; its value is the time divided by their number. Up to version 0.3
a sample.json was a list of both instead of an object. A benchmark that panics ends the program,
and leaves no file; a null among the times is a number that is none. Bytes or elements of an
iteration are not taken: a throughput says what the time does.
"""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from veperf.core.case import TIME
from veperf.core.errors import CorruptFileError, DataError, UsageError
from veperf.core.json_text import parse_json
from veperf.core.run import Summary
from veperf.core.text import join_words
from veperf.formats.imported import NS_PER_UNIT, ParsedBenchmark, ParsedRun, clean_name
from veperf.formats.source import SourceFile, SourceFolder, each_file, load_source, shorten

TOOL = "criterion"

_MOST_BENCHMARKS = 10_000
BASELINE = "baseline"
"""Key that tells the runs in a folder apart."""
_NEW, _BASE, _SAMPLE = "new", "base", "sample.json"
_IDENTITY = "benchmark.json"
_DEEPEST = 3
"""Folders of a benchmark below the root: of group, function and value."""
_THROUGHPUT_NOTE = "bytes or elements of an iteration are left out: times are compared"
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
    directory_name: str = ""
    """Its folder below the root, of up to three names."""
    throughput: Any = None

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
    throughput: Any = None


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
    source.account.take_all("estimate", 1)
    run.note("estimates without samples: the median is the only value")
    return run


def read_criterion_csv(source: SourceFile) -> ParsedRun:
    """Read a raw.csv, of the old layout or the new one."""
    run = ParsedRun(TOOL)
    for number, row in source.each_record():
        name = "/".join(filter(None, (row.get(k) for k in ("group", "function", "value"))))
        factor = NS_PER_UNIT.get(row.get("unit") or "ns")
        if factor is None:
            raise source.corrupt(f"not a unit of time: {shorten(row['unit'])}", number)
        try:
            count = float(row.get("iteration_count") or "nan")
            time = row.get("sample_measured_value") or row.get("sample_time_nanos") or ""
            value = float(time) * factor / count if count > 0 else math.nan
        except ValueError as error:
            problem = f"not a row of a raw.csv: {shorten(str(error))}"
            raise source.corrupt(problem, number) from error
        if row.get("throughput_num"):
            run.note(_THROUGHPUT_NOTE)
        run.benchmark(TOOL, name).add({TIME: value}, _loops(count))
        source.account.take(number)
    return run


def read_criterion_messages(source: SourceFile) -> ParsedRun:
    """Read the completed benchmarks among the messages."""
    run = ParsedRun(TOOL)
    for number, line in source.each_line():
        if not line.startswith("{"):
            source.account.skip(number, "lines of other text")
            continue
        try:
            value = parse_json(line)
        except ValueError:
            source.account.refuse(number, "not a message: cut off, or something else")
            continue
        message = source.convert(value, CriterionMessage, number)
        if message.reason != "benchmark-complete":
            source.account.skip(number, "messages about other things")
            continue
        source.account.take(number)
        factor = NS_PER_UNIT.get(message.unit)
        if factor is None:
            raise source.corrupt(f"not a unit of time: {shorten(message.unit)}", number)
        times = [None if v is None else v * factor for v in message.measured_values or []]
        counts = message.iteration_count or []
        _require_as_many(source, counts, times, number)
        if message.throughput:
            run.note(_THROUGHPUT_NOTE)
        _add(run.benchmark(TOOL, message.id), counts, times)
    return run


def is_criterion_folder(folder: Path) -> bool:
    """Return whether it is ``target/criterion`` or below that: a sample.json is in its place."""
    return next(_sample_files(folder), None) is not None


def read_criterion_folder(folder: SourceFolder, by: str) -> list[ParsedRun]:
    """Read ``target/criterion`` or a folder below it: the newest results of every benchmark.

    By ``baseline``, read each of the named ones that were saved, and the newest results last; the
    baseline ``base`` only if it is not the newest results once more, as criterion leaves it behind.

    Raises:
        UsageError: ``by`` is another key, or there are only baselines, of which none was chosen.
        DataError: there are too many benchmarks.
        CorruptFileError: a file is damaged.
    """
    if by not in ("", BASELINE):
        raise UsageError(f"{folder.name}: its runs are told apart by baseline: --by baseline")
    baselines: dict[str, list[Path]] = {}
    for path in _sample_files(folder.path):
        baselines.setdefault(path.parent.name, []).append(path)
        if len(baselines[path.parent.name]) > _MOST_BENCHMARKS:
            raise DataError(f"{folder.name}: more than {_MOST_BENCHMARKS} benchmarks")
    if (folder.path / _SAMPLE).is_file():
        return [_read_baseline(folder, [folder.path / _SAMPLE])]
    if not by and _NEW not in baselines and len(baselines) > 1:
        names = join_words(sorted(baselines))
        raise UsageError(f"{folder.name} has baselines only: {names}; --by baseline reads each")
    if not by:
        chosen = _NEW if _NEW in baselines else next(iter(baselines))
        run = _read_baseline(folder, baselines[chosen])
        _note_others(run, chosen, baselines)
        return [run]
    if _NEW in baselines and all(map(_is_left_behind, baselines.get(_BASE, ()))):
        baselines.pop(_BASE, None)
    runs: list[ParsedRun] = []
    for name in sorted(baselines, key=lambda name: (name == _NEW, name)):
        runs.append(_read_baseline(folder, baselines[name]))
        runs[-1].label = name
    return runs


def _note_others(run: ParsedRun, chosen: str, baselines: dict[str, list[Path]]) -> None:
    """Note which benchmarks are in other baselines alone."""
    read = {path.parent.parent for path in baselines[chosen]}
    every = [path.parent for paths in baselines.values() for path in paths]
    others = {place.parent: place for place in every if place.parent not in read}
    if others:
        names = [_identity(others[folder]).name or folder.name for folder in sorted(others)]
        listed = shorten(join_words([clean_name(name) for name in names]))
        run.note(
            f"left out, as only other baselines have them (--by baseline reads them): {listed}"
        )


def _read_baseline(folder: SourceFolder, paths: list[Path]) -> ParsedRun:
    run = ParsedRun(TOOL)
    for path in paths:
        source = folder.load(path)
        run.accounts.append(source.account)
        file = path.with_name(_IDENTITY)
        identity = CriterionIdentity()
        if file.is_file():
            identity = load_source(file).document_as(CriterionIdentity)
        if identity.throughput:
            run.note(_THROUGHPUT_NOTE)
        _add_samples(
            run.benchmark(
                TOOL, identity.name or _name_from_path(path.parent.with_name(_NEW) / _SAMPLE)
            ),
            source,
        )
    return run


def _sample_files(folder: Path) -> Iterator[Path]:
    """Yield each sample.json of the folder, be it the root or below, and of nothing else."""
    for path in each_file(folder):
        place = path.parent
        if (
            path.name == _SAMPLE
            and (
                place == folder
                or place.name in (_NEW, _BASE)
                or any((place / name).is_file() for name in (_IDENTITY, "estimates.json"))
            )
            and _is_in_place(folder, place)
        ):
            yield path


def _is_in_place(folder: Path, baseline: Path) -> bool:
    """Return whether ``folder`` is the root of the benchmark's folders, or below that.

    Further up there may be the results of several projects.
    """
    if baseline == folder or baseline.parent == folder:
        return True
    parts = baseline.parent.relative_to(folder).parts
    own_parts = Path(_identity(baseline).directory_name).parts
    if own_parts:
        return len(parts) <= min(len(own_parts), _DEEPEST)
    return len(parts) <= _DEEPEST and "criterion" not in parts


def _identity(baseline: Path) -> CriterionIdentity:
    """Return what benchmark.json says, or nothing where it can't be read."""
    file = baseline / _IDENTITY
    with contextlib.suppress(DataError):
        if file.is_file():
            return load_source(file).document_as(CriterionIdentity)
    return CriterionIdentity()


def _is_left_behind(base: Path) -> bool:
    """Return whether the newest results of the same benchmark are the same, to the byte."""
    newest = base.parent.parent / _NEW / _SAMPLE
    return newest.is_file() and load_source(newest).data == load_source(base).data


def _name_from_path(sample: Path) -> str:
    """Return the names of the folders above ``new/sample.json``, up to ``criterion``."""
    parts: list[Any] = [p for p in sample.parts[:-1] if p not in (_NEW, _BASE, "/")]
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
    source.account.take_all("sample", len(samples.times))


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
