"""hyperfine: files of ``--export-json`` and ``--export-csv``.

A command fails where a run ends with another exit code than 0 (null: by a signal), which hyperfine
goes past with ``--ignore-failure``, or where a run has no time.
"""

import csv
import math
from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.core.run import Summary
from veperf.formats.imported import ParsedBenchmark, ParsedRun, plain_params
from veperf.formats.source import SourceFile, shorten

TOOL = "hyperfine"

_MEMORY = Metric("memory", "B")
_PARAMETER = "parameter_"


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
    """Return whether the first result has a command."""
    return "command" in source.first_of("results")


def is_hyperfine_csv(source: SourceFile) -> bool:
    """Return whether the file has the columns of hyperfine's table."""
    return source.first_line.startswith("command,mean,stddev,median,user,system,min,max")


def read_hyperfine(source: SourceFile) -> ParsedRun:
    """Read the run in a file of hyperfine."""
    run = ParsedRun(TOOL)
    counts: dict[str, int] = {}
    for entry in source.document_as(HyperfineFile).results:
        counts[entry.command] = counts.get(entry.command, 0) + 1
        again = f" ({counts[entry.command]})" if counts[entry.command] > 1 else ""
        parsed = run.benchmark(TOOL, entry.command + again, params=plain_params(entry.parameters))
        times = entry.times or []
        if not times:
            _add_summary(run, parsed, entry)
        memory = entry.memory_usage_byte or []
        for index, seconds in enumerate(times):
            figures = {TIME: math.nan if seconds is None else seconds * 1e9}
            if len(memory) == len(times) and (used := memory[index]) is not None:
                figures[_MEMORY] = used
            parsed.add(figures)
        parsed.failure = _failure(entry.exit_codes or [])
    return run


def read_hyperfine_csv(source: SourceFile) -> ParsedRun:
    """Read the run in a table of hyperfine, which has no single times and no exit codes."""
    run = ParsedRun(TOOL)
    rows = csv.DictReader(source.lines)
    try:
        for row in rows:
            params = {
                key.removeprefix(_PARAMETER): value
                for key, value in row.items()
                if isinstance(key, str) and key.startswith(_PARAMETER)
            }
            entry = HyperfineCommand(
                command=row["command"],
                median=_number(row["median"]),
                mean=_number(row["mean"]),
                stddev=_number(row["stddev"]),
                min=_number(row["min"]),
                max=_number(row["max"]),
            )
            parsed = run.benchmark(TOOL, entry.command, params=plain_params(params))
            _add_summary(run, parsed, entry)
    except (csv.Error, KeyError, TypeError, ValueError) as error:
        raise source.corrupt(
            f"not a row of hyperfine's table: {shorten(str(error))}", rows.line_num
        ) from error
    run.note("a table of hyperfine has no exit codes: that no run failed is not known")
    return run


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
    codes = ", ".join(dict.fromkeys("a signal" if c is None else str(c) for c in bad[:100]))
    return f"{len(bad)} of {len(exit_codes)} runs failed, with exit code {codes}"


def _number(text: str) -> float | None:
    return float(text) if text else None
