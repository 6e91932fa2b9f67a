"""Text of ``cargo bench`` with Rust's own harness, and of criterion's ``--output-format bencher``.

A benchmark has a line: ``test NAME ... bench:  1,234.56 ns/iter (+/- 7.89) = 812 MB/s``, with the
median of 50 samples; in brackets is the greatest less the least of them (library/test/src/bench.rs
of rust-lang/rust), or criterion's standard deviation, so that the spread is not known. Output of
the benchmark may stand between the name and its result. Files may follow each other. The target of
cargo that a line ``Running PATH (PROGRAM)`` names is always part of a benchmark's name, as several
may have benchmarks of the same name: ``benches/sort.rs: by_key``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from veperf.core.case import TIME, Metric
from veperf.formats.figures import plain_line, text_number
from veperf.formats.imported import NS_PER_UNIT, VALUE, ParsedRun, metric_of
from veperf.formats.source import SourceFile

TOOL = "cargo-bench"

_DOTS = " ... "
_RESULT = re.compile(
    r"bench:\s*([0-9][0-9,.]{0,40}) ([^\s/]{1,30})(/\S{1,30}) \(\+/- [0-9][0-9,.]{0,40}\)"
    r"(?: = ([0-9]{1,20}) MB/s)?"
)
_AN_ITERATION = "/iter"
_PROGRAM = re.compile(r" +Running (\S.{0,1000}?)(?: \(([^()]{1,1000})\))?$")
# A program in target/release/deps: its name ends with a hash, which changes with its content.
_BUILT = re.compile(r"(?:.*[/\\])?(.+?)-[0-9a-f]{16}(?:\.exe)?")
_UNIT_TESTS = "unittests "
_SPEED = Metric("throughput", "MB/s", "higher")
_FAILED = "FAILED"
_DOTS_FAILED = _DOTS + _FAILED
_RESULT_START = re.compile(r" \.\.\. bench:\s*[0-9]")
_BENCH_FAILED = "error: bench failed"
_BEGIN = re.compile(r"running [0-9]{1,9} tests?")
_END = "test result: "
_OTHER_HARNESSES = ("Benchmarking ", "time:   [", "  Instructions:")
WHOLE_PROGRAM = "(the program)"
"""Name for the benchmarks that a program would have run after it failed."""


def is_libtest(source: SourceFile) -> bool:
    """Return whether any line is a benchmark's result, a failure, or cargo's word of it."""
    if not any(part in source.text for part in (" ... bench:", _DOTS_FAILED, _BENCH_FAILED)):
        return False
    is_own = not any(part in source.text for part in _OTHER_HARNESSES)
    return any(
        (line.startswith("test ") and (_RESULT_START.search(line) or line.endswith(_DOTS_FAILED)))
        or (is_own and line.startswith(_BENCH_FAILED))
        for line in map(plain_line, source.lines)
    )


def read_libtest(source: SourceFile) -> ParsedRun:
    """Read the benchmarks in the text; what fails, or begins and has no result, has failed."""
    run = ParsedRun(TOOL)
    for outcome in _outcomes(source):
        name = f"{outcome.program}: {outcome.name}" if outcome.program else outcome.name
        parsed = run.benchmark(TOOL, name, benchmark=outcome.name, what=outcome.program)
        source.account.take(outcome.line)
        match = _RESULT.fullmatch(outcome.text)
        if match is None:
            parsed.failure = parsed.failure or f"{outcome.failure}, see line {outcome.line}"
            continue
        metric, factor = _metric(match[2], match[3])
        values = {metric: text_number(match[1]) * factor}
        if match[4]:
            values[_SPEED] = text_number(match[4])
        parsed.add(values)
    fail_program(run, source)
    if _is_open(source):
        run.note("it ends without a line `test result`: whether it is whole can't be seen")
    return run


def _is_open(source: SourceFile) -> bool:
    """Return whether a program's results begin, and no line sums them up."""
    is_open = False
    for line in map(plain_line, source.lines):
        if _BEGIN.fullmatch(line):
            is_open = True
        elif line.startswith(_END):
            is_open = False
    return is_open


def _metric(above: str, below: str) -> tuple[Metric, float]:
    """Return the metric of a result, and the factor for values to its unit."""
    if below == _AN_ITERATION and above in NS_PER_UNIT:
        return TIME, NS_PER_UNIT[above]
    # Another measurement than time, such as cycles/iter.
    return metric_of(VALUE, above + below), 1.0


def fail_program(run: ParsedRun, source: SourceFile) -> None:
    """Add a failure if cargo says in ``source`` that there is one, and no benchmark has it."""
    if _BENCH_FAILED not in source.text or any(b.why_failed for b in run.benchmarks):
        return
    lines = enumerate(map(plain_line, source.lines), 1)
    number = next((number for number, line in lines if line.startswith(_BENCH_FAILED)), 0)
    if not number:
        return
    parsed = run.benchmark(run.tool, WHOLE_PROGRAM)
    parsed.failure = f"cargo says that it failed, see line {number}"
    source.account.take(number)


def _target(path: str, program: str) -> str:
    """Return the target that was run, without what differs from one build to the next.

    Every package may have unit tests of a ``src/lib.rs``: they are told apart by the program.
    """
    if built := _BUILT.fullmatch(path):
        return built[1]
    built = _BUILT.fullmatch(program)
    return f"{path} ({built[1]})" if built and path.startswith(_UNIT_TESTS) else path


@dataclass(slots=True)
class _Outcome:
    """A test or benchmark, and what the text says of its outcome."""

    program: str
    name: str
    line: int
    text: str

    @property
    def is_known(self) -> bool:
        return self.is_test or self.text == _FAILED or self.text.startswith("bench:")

    @property
    def is_test(self) -> bool:
        """True of tests, which are run, and ignored, among the benchmarks."""
        return self.text == "ok" or self.text.startswith("ignored")

    @property
    def failure(self) -> str:
        if self.text == _FAILED:
            return "it failed"
        return "incomplete result" if self.is_known else "it began, and has no result"


def _outcomes(source: SourceFile) -> Iterator[_Outcome]:
    """Yield the outcome of each benchmark, and of what failed or has no result."""
    program = ""
    begun: _Outcome | None = None
    for number, raw_line in source.each_line():
        line = plain_line(raw_line)
        name, dots, rest = f"{line} ".partition(_DOTS)
        is_start = bool(dots) and name.startswith("test ")
        match = _PROGRAM.fullmatch(line)
        if begun is not None and not is_start and not begun.is_known:
            begun.text = line.strip()
        source.account.skip(number, "lines of other output")
        if begun is not None and (begun.is_known or is_start or match):
            if begun.is_test:
                source.account.skip(begun.line, "tests")
            else:
                yield begun
            begun = None
        if match:
            program = _target(match[1], match[2] or "")
        if is_start:
            begun = _Outcome(program, name.removeprefix("test ").strip(), number, rest.strip())
    if begun is not None and not begun.is_test:
        yield begun
