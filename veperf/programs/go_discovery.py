"""Benchmarks of a Go test binary: what there is, how many iterations each gets, and what fails.

All run once, shortly, in one process. Where that ends in one of them (a panic, os.Exit, a time
limit), another process goes on with the rest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from veperf.core.errors import UsageError
from veperf.core.run import Failure
from veperf.formats import go_lines
from veperf.formats.imported import clean_name
from veperf.programs.go_binaries import GoRequest, GoRun, exact_pattern, run_binary
from veperf.programs.go_build import BuiltPackage
from veperf.programs.printed_results import PrintedResult

SAMPLE_NS = 2_000_000
"""Length of a sample, by which Go chooses the iterations; one is never less than an iteration. Many
short ones find more stretches without a disturbance than few long ones in the same time."""
# Each costs a process, and a package in which more fail is broken as a whole.
_MOST_PROCESSES = 40
_INVALID = re.compile(r"^testing: (invalid regexp for .*)", re.MULTILINE)
_LOGGED = re.compile(r"^\s+(\S+\.go:\d+: .*)", re.MULTILINE)


@dataclass(slots=True)
class Discovered:
    """Benchmarks of a package on one side, by name without the number of processors."""

    results: dict[str, PrintedResult] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    failure: Failure | None = None
    """Failure of the package as a whole: what it has beside the others is unknown."""


def discover(
    built: BuiltPackage,
    bench: str,
    processors: int,
    timeout_s: float,
    suites: Mapping[str, str],
) -> Discovered:
    """Run the benchmarks of a package that ``bench`` selects, and return what there is.

    ``timeout_s`` is the limit for each of them.

    Raises:
        UsageError: ``bench`` is no regular expression of Go's.
    """
    discovered = Discovered()
    for _ in range(_MOST_PROCESSES):
        ended = (*discovered.results, *discovered.failures, *discovered.skipped)
        request = GoRequest(
            bench=bench,
            benchtime=f"{SAMPLE_NS}ns",
            processors=processors,
            skip=exact_pattern(ended),
            names_first=True,
        )
        run = run_binary(built.binaries[0], built.package.folder, request, timeout_s, suites)
        before = len(ended)
        _add(run, processors, discovered)
        if run.is_complete:
            return discovered
        if invalid := _INVALID.search(run.process.errors):
            raise UsageError(f"--bench {bench}: Go says {invalid[1]}")
        failure = run.failure
        assert failure is not None, "it ended too early"
        if (name := _running(run, processors, discovered)) is not None:
            discovered.failures[name] = failure
        elif len(discovered.results) + len(discovered.failures) == before:
            discovered.failure = failure
            return discovered
    discovered.failure = Failure("crashed", f"it ended early in {_MOST_PROCESSES} processes")
    return discovered


def _add(run: GoRun, processors: int, discovered: Discovered) -> None:
    """Add the benchmarks that came to an end."""
    for name in run.skipped:
        discovered.skipped.add(plain_name(name, processors))
    for printed, result in run.results.items():
        name = plain_name(printed, processors)
        if result.failure is None:
            discovered.results[name] = result
        elif run.is_complete or f"--- FAIL: {printed}" in run.process.output:
            reason = failure_reason(run.process.output, printed) or result.failure.message
            kept = run.process.output[-4000:]
            discovered.failures[name] = Failure(result.failure.kind, reason, kept)


def _running(run: GoRun, processors: int, discovered: Discovered) -> str | None:
    """Return the benchmark in which the process ended: the last one named, if it has no result."""
    names = [line.split()[0] for line in run.process.output.splitlines() if go_lines.is_name(line)]
    if not names:
        return None
    name = plain_name(names[-1], processors)
    is_done = name in discovered.results or name in discovered.failures
    # A function that ends between two sub-benchmarks is itself what fails.
    return name.partition("/")[0] if is_done else name


def plain_name(name: str, processors: int) -> str:
    """Return a printed name without the number of processors, which Go appends if it isn't 1."""
    return name.removesuffix(f"-{processors}") if processors != 1 else name


def printed_name(name: str, processors: int) -> str:
    """Return a name as it is printed."""
    return f"{name}-{processors}" if processors != 1 else name


def failure_reason(output: str, name: str) -> str:
    """Return what a benchmark that failed has logged; empty where that is nothing.

    It is logged after the line that says so, or before it where names come first.
    """
    before, line, after = output.partition(f"--- FAIL: {name}")
    if not line:
        return ""
    after = after.partition("\n")[2]
    logged = _LOGGED.match(after) or next(reversed([*_LOGGED.finditer(before)]), None)
    return clean_name(logged[1].strip()) if logged else ""
