"""Runs of Go test binaries: the processes, what they print, and how they end."""

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veperf.abtest.processes import ProcessPlan, ProcessRun, run_process
from veperf.core.errors import DataError
from veperf.core.run import Failure
from veperf.formats import go_lines
from veperf.formats.imported import clean_name
from veperf.formats.source import shorten
from veperf.programs.printed_results import PrintedResult, read_results

_ENDS = ("PASS", "FAIL")
# A collector that is off comes back where a process has this much: a set-up may make any amount.
_NO_COLLECTIONS = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}


@dataclass(frozen=True, slots=True)
class GoRequest:
    """Benchmarks to run in one process."""

    bench: str
    benchtime: str
    processors: int
    count: int = 1
    skip: str = ""
    names_first: bool = False
    """True to print each name before its benchmark runs, so that it is known in which one the
    process ended."""
    has_collections: bool = True
    """False to do without garbage collections in a sample; Go makes one before each in any case."""

    @property
    def variables(self) -> dict[str, str]:
        """Variables of its environment, beside those that the user has set."""
        if self.has_collections or "GOGC" in os.environ:
            return {}
        return {name: value for name, value in _NO_COLLECTIONS.items() if name not in os.environ}

    @property
    def arguments(self) -> list[str]:
        """Arguments of the test binary."""
        return [
            "-test.run=^$",
            f"-test.bench={self.bench}",
            f"-test.benchtime={self.benchtime}",
            f"-test.count={self.count}",
            f"-test.cpu={self.processors}",
            "-test.benchmem",
            *([f"-test.skip={self.skip}"] if self.skip else []),
            *(["-test.v"] if self.names_first else []),
        ]


@dataclass(frozen=True, slots=True)
class GoRun:
    """Results of a process of a test binary, and how it ended."""

    process: ProcessRun
    results: Mapping[str, PrintedResult]
    """By the name of the benchmark as it is printed, without its package."""
    skipped: frozenset[str]
    is_complete: bool
    """True where the binary ended by itself, after its last benchmark."""

    @property
    def failure(self) -> Failure | None:
        """Failure of the process, with the reason that it printed."""
        failure = self.process.failure
        if failure is None and self.is_complete:
            return None
        text = f"{self.process.errors}\n{self.process.output}".strip()
        panic = go_lines.PANIC.search(text)
        if failure is None:
            return Failure("crashed", "it ended before its benchmarks did", text[-4000:])
        if panic is not None:
            return Failure("crashed", clean_name(panic[1]), text[-4000:])
        errors = self.process.errors.strip().splitlines()
        last = f": {shorten(clean_name(errors[-1]))}" if errors else ""
        return Failure(failure.kind, f"{failure.message}{last}", text[-4000:])


def run_binary(
    binary: Path,
    folder: Path,
    request: GoRequest,
    timeout_s: float,
    suites: Mapping[str, str],
    *,
    cpu: int | None = None,
) -> GoRun:
    """Run the test binary of a package in ``folder``, and read what it printed."""
    plan = ProcessPlan(
        timeout_s=timeout_s,
        keeps_output=True,
        may_go_on=request.names_first,
        cpu=cpu,
        folder=folder,
        variables=request.variables,
    )
    process = run_process([str(binary), *request.arguments], plan)
    lines = process.output.splitlines()
    results: Mapping[str, PrintedResult] = {}
    with contextlib.suppress(DataError):  # no results: the process says why, or nothing fits
        results = read_results(process.output, "go", suites)
    outcomes = filter(None, map(go_lines.OUTCOME.search, lines))
    return GoRun(
        process,
        {_name(id): result for id, result in results.items()},
        frozenset(outcome[2] for outcome in outcomes if outcome[1] == "SKIP"),
        any(line.strip() in _ENDS for line in lines),
    )


def _name(id: str) -> str:
    return id.partition("/")[2]


def exact_pattern(names: Sequence[str]) -> str:
    """Return the expression, as `-test.bench` takes it, that fits these benchmarks alone.

    Each part between slashes is an expression of its own, and `|` outside of them tells
    alternatives apart.
    """
    return "|".join("/".join(f"^{re.escape(part)}$" for part in name.split("/")) for name in names)
