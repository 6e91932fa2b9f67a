"""Text that criterion.rs prints: an estimate of the time of an iteration, with its interval.

::

    Benchmarking sum: Collecting 100 samples in estimated 5.0 s (5.5M iterations)
    sum                     time:   [912.34 ns 915.12 ns 918.22 ns]
                            thrpt:  [1.0663 Gelem/s 1.0699 Gelem/s 1.0731 Gelem/s]
                            change: [-1.2312% -0.5000% +0.2000%] (p = 0.21 > 0.05)

(criterion's user guide, "Command-Line Output", and ``CliReport`` in its src/report.rs.) A name of
more than 23 letters has a line of its own. The estimate is the slope of time over iterations, or
the mean; the interval's coverage is not printed, and is 95 % by default. The samples themselves are
in ``target/criterion``. A benchmark that is begun and has no estimate has failed.
"""

import re

from veperf.core.case import TIME, Metric
from veperf.core.run import Summary
from veperf.formats.criterion import TOOL
from veperf.formats.figures import plain_line, text_number
from veperf.formats.imported import (
    NS_PER_UNIT,
    VALUE,
    ParsedBenchmark,
    ParsedRun,
    clean_name,
    metric_of,
)
from veperf.formats.libtest import fail_program
from veperf.formats.source import SourceFile, shorten

_QUANTITY = r"([0-9.]{1,40}) ([^\s\[\]%]{1,30})"
_ESTIMATE = re.compile(rf"\[{_QUANTITY} {_QUANTITY} {_QUANTITY}\]", re.ASCII)
_BEGIN = "Benchmarking "
_PHASE = re.compile(
    r": (?:Warming up for |Collecting \d{1,20} samples|Analyzing|Profiling for |Complete \(Analy)"
)
_UNMEASURED = (": Profiling for ", ": Complete (Analy")
_SPEED = re.compile(r"([KMGT]?)(i?)(B|elem|bits?|b)/s")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_CHANGES = "changes against an earlier run"


def is_criterion_text(source: SourceFile) -> bool:
    """Return whether any line is an estimate, or the progress, of a benchmark of criterion."""
    if "time:" not in source.text and _BEGIN not in source.text:
        return False
    return any(
        (line.startswith(_BEGIN) and _PHASE.search(line)) or _estimate(line, "time:")
        for line in map(plain_line, source.lines)
    )


def read_criterion_text(source: SourceFile) -> ParsedRun:
    """Read the estimates in the text, each the only value of its benchmark."""
    run = ParsedRun(TOOL)
    reader = _Reader(source, run)
    for number, raw_line in source.each_line():
        reader.take(number, plain_line(raw_line))
    reader.finish()
    fail_program(run, source)
    run.note("criterion's text has an estimate and its interval; the samples are in its folder")
    return run


class _Reader:
    """State between the lines: the benchmark that is running, and the last that has an estimate."""

    def __init__(self, source: SourceFile, run: ParsedRun) -> None:
        self._source = source
        self._run = run
        self._begun = ""
        self._begun_at = 0
        self._heading = ""
        self._panic = ""
        self._current: ParsedBenchmark | None = None
        self._values: dict[Metric, float] = {}
        self._summaries: dict[str, Summary] = {}

    def take(self, number: int, line: str) -> None:
        heading, self._heading = self._heading, ""
        if line.startswith(_BEGIN):
            self._begin(number, line)
        elif (estimate := _estimate(line, "time:")) is not None:
            name = line[: line.find("time:")].strip() or heading or self._begun
            self._begun = ""
            self._flush()
            if name:
                self._current = self._run.benchmark(TOOL, name)
                self._add(estimate, is_time=True)
                self._source.account.take(number)
            else:
                self._source.account.refuse(number, "a time without a name")
        elif (estimate := _estimate(line, "thrpt:")) is not None and self._current is not None:
            self._add(estimate, is_time=False)
            self._source.account.take(number)
        elif line.lstrip().startswith(("change:", "time:", "thrpt:")):
            self._source.account.skip(number, _CHANGES)
        else:
            if " panicked at " in line:
                self._panic = f": {shorten(clean_name(line.strip()))}"
            self._heading = line.strip() if not line[:1].isspace() else ""
            self._source.account.skip(number, "lines of other output")

    def finish(self) -> None:
        """Add what is left, and fail what was begun and has no estimate."""
        self._flush()
        if self._begun:
            parsed = self._run.benchmark(TOOL, self._begun)
            parsed.failure = f"it began in line {self._begun_at}, and has no result{self._panic}"
            self._source.account.take(self._begun_at)
        self._begun = self._panic = ""

    def _begin(self, number: int, line: str) -> None:
        phase = _PHASE.search(line)
        name = (line[: phase.start()] if phase else line).removeprefix(_BEGIN).strip()
        if name != self._begun:
            self.finish()
            self._begun, self._begun_at = name, number
        if phase and phase[0].startswith(_UNMEASURED):
            self._begun = ""
        self._source.account.skip(number, "lines of progress")

    def _add(self, estimate: re.Match[str], *, is_time: bool) -> None:
        numbers = [text_number(estimate[index]) for index in (1, 3, 5)]
        units = [estimate[index] for index in (2, 4, 6)]
        metric, factors = _time(units) if is_time else _speed(units)
        low, center, high = (n * f for n, f in zip(numbers, factors, strict=True))
        self._values[metric] = center
        self._summaries[metric.name] = Summary(center="mean", low=low, high=high, confidence=0.95)

    def _flush(self) -> None:
        if self._current is not None:
            self._current.add(self._values, summaries=self._summaries)
        self._current, self._values, self._summaries = None, {}, {}


def _estimate(line: str, label: str) -> re.Match[str] | None:
    at = line.find(label)
    return None if at < 0 else _ESTIMATE.fullmatch(line[at + len(label) :].strip())


def _time(units: list[str]) -> tuple[Metric, list[float]]:
    """Return the metric of three units, and the factors for values to its own."""
    if all(unit in NS_PER_UNIT for unit in units):
        return TIME, [NS_PER_UNIT[unit] for unit in units]
    # Another measurement than time, such as cycles, in one unit or in several.
    return metric_of(VALUE, units[1]), [1.0 if u == units[1] else float("nan") for u in units]


def _speed(units: list[str]) -> tuple[Metric, list[float]]:
    matches = [_SPEED.fullmatch(unit) for unit in units]
    if any(match is None or match[3] != (matches[0] or match)[3] for match in matches):
        factors = [1.0 if unit == units[1] else float("nan") for unit in units]
        return metric_of("throughput", units[1], "higher"), factors
    factors = [(1024.0 if m[2] else 1000.0) ** _POWERS[m[1]] for m in matches if m is not None]
    below = matches[0][3] if matches[0] else ""
    return Metric("throughput", f"{below}/s", "higher"), factors
