"""hyperfine: files of ``--export-json`` and ``--export-csv``.

A command fails where a run ends with another exit code than 0 (null: by a signal), which hyperfine
goes past with ``--ignore-failure``, or where a run has no time.
"""

import math
from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric, Params
from veperf.core.run import Summary
from veperf.formats.imported import ParsedBenchmark, ParsedRun, named_with, plain_params
from veperf.formats.source import SourceFile, shorten

TOOL = "hyperfine"

_MEMORY = Metric("memory", "B")
_PARAMETER = "parameter_"
_UNKNOWN = "whether a command failed can't be seen"


class HyperfineCommand(Struct, frozen=True):
    """A command; times in seconds."""

    command: str
    times: list[float | None] | None = None
    median: float | None = None
    mean: float | None = None
    stddev: float | None = None
    min: float | None = None
    max: float | None = None
    memory_usage_byte: list[float | None] | None = None
    exit_codes: list[int | None] | None = None
    parameters: dict[str, Any] | None = None


class HyperfineFile(Struct, frozen=True):
    """A file of hyperfine."""

    results: list[HyperfineCommand]


def is_hyperfine_file(source: SourceFile) -> bool:
    """Return whether the first result has a command, or results are all there could be."""
    return "command" in source.first_of("results") or source.first_document == {"results": []}


def is_hyperfine_csv(source: SourceFile) -> bool:
    """Return whether the file has the columns of hyperfine's table."""
    return source.first_line.startswith("command,mean,stddev,median,user,system,min,max")


def read_hyperfine(source: SourceFile) -> ParsedRun:
    """Read the run in a file of hyperfine."""
    run = ParsedRun(TOOL)
    counts: dict[str, int] = {}
    for number, entry in source.account.each("command", source.document_as(HyperfineFile).results):
        params = plain_params(entry.parameters)
        parsed = _benchmark(run, entry.command, params, counts)
        times = entry.times or []
        if not times:
            _add_summary(run, parsed, entry)
        memory = entry.memory_usage_byte or []
        has_memory = any(used is not None for used in memory)
        if has_memory and times and len(memory) != len(times):
            raise source.corrupt(f"{len(memory)} memory sizes for {len(times)} times")
        for index, seconds in enumerate(times):
            figures = {TIME: math.nan if seconds is None else seconds * 1e9}
            if has_memory:
                used = memory[index]
                figures[_MEMORY] = math.nan if used is None else used
            parsed.add(figures)
        codes = entry.exit_codes or []
        parsed.failure = _failure(codes)
        source.account.take(number)
        if not codes or len(codes) < len(times):
            run.note(f"runs without an exit code in this file: {_UNKNOWN}")
    return run


def read_hyperfine_csv(source: SourceFile) -> ParsedRun:
    """Read the run in a table of hyperfine, which has no single times and no exit codes."""
    run = ParsedRun(TOOL)
    counts: dict[str, int] = {}
    for number, row in source.each_record():
        params = {
            key.removeprefix(_PARAMETER): value
            for key, value in row.items()
            if key.startswith(_PARAMETER)
        }
        try:
            entry = HyperfineCommand(
                command=row["command"],
                median=_number(row["median"]),
                mean=_number(row["mean"]),
                stddev=_number(row["stddev"]),
                min=_number(row["min"]),
                max=_number(row["max"]),
            )
        except (KeyError, ValueError) as error:
            problem = f"not a row of hyperfine's table: {shorten(str(error))}"
            raise source.corrupt(problem, number) from error
        parsed = _benchmark(run, entry.command, plain_params(params), counts)
        _add_summary(run, parsed, entry)
        source.account.take(number)
    run.note(f"a table of hyperfine has no exit codes: {_UNKNOWN}")
    return run


def _benchmark(
    run: ParsedRun, command: str, params: Params, counts: dict[str, int]
) -> ParsedBenchmark:
    """Return a new benchmark: the command may be the same with other parameters, or be repeated."""
    name = named_with(command, params)
    counts[name] = counts.get(name, 0) + 1
    again = f" ({counts[name]})" if counts[name] > 1 else ""
    return run.benchmark(TOOL, name + again, benchmark=command, params=params)


def _add_summary(run: ParsedRun, parsed: ParsedBenchmark, entry: HyperfineCommand) -> None:
    center = entry.median if entry.median is not None else entry.mean
    if center is None:
        return
    run.note("some commands have no single times: their median is the only value")
    summary = Summary(
        center="mean" if entry.median is None else "median",
        n=len(entry.exit_codes) if entry.exit_codes else None,
        standard_deviation=entry.stddev,
        minimum=entry.min,
        maximum=entry.max,
    )
    parsed.add({TIME: center * 1e9}, summaries={TIME.name: summary.times(1e9)})


def _failure(exit_codes: list[int | None]) -> str:
    bad = [code for code in exit_codes if code != 0]
    if not bad:
        return ""
    codes = ", ".join(dict.fromkeys(str(c) for c in bad[:100] if c is not None))
    ends = [f"with exit code {codes}"] if codes else []
    ends += ["by a signal"] if None in bad else []
    return f"{len(bad)} of {len(exit_codes)} runs failed, {' or '.join(ends)}"


def _number(text: str) -> float | None:
    return float(text) if text else None
