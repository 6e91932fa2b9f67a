"""The run that is built from what a reader parsed of another tool's file."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from veperf.core.case import TIME, Case, Level
from veperf.core.columns import ColumnPasses, Repetitions
from veperf.core.direction import reader_notes
from veperf.core.errors import DataError
from veperf.core.run import Config, Failure, Machine, Revision, Run
from veperf.core.units import is_time
from veperf.formats.account import FileAccount, account_notes, summarise_accounts
from veperf.formats.imported import (
    MAX_REPETITIONS,
    ParsedBenchmark,
    ParsedRun,
    Provenance,
    clean_name,
    parse_utc,
    slug,
)

UNKNOWN_MACHINE = "unknown"


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """A run of another tool."""

    run: Run
    label: str = ""
    """Label that distinguishes it from other runs of its file."""
    accounts: tuple[FileAccount, ...] = ()
    """What became of the parts of each file that was read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of its reader."""
        return reader_notes(self.run)

    @property
    def values(self) -> int:
        """The number of values that were read."""
        passes = self.run.passes
        assert isinstance(passes, ColumnPasses)
        return sum(len(c.values) for case in passes.cases.values() for c in case.columns.values())


def build_run(
    parsed: ParsedRun, file: str, title: str = "", accounts: Iterable[FileAccount] = ()
) -> ImportedRun:
    """Build a run with a pass per repetition; ``title`` becomes part of its id.

    What the ``accounts`` of the files say was refused is among its notes, the first of all.

    Failure beats values: of a benchmark that failed every result has the failure, and its figures
    are for information only.

    Raises:
        DataError: it has no benchmark.
    """
    benchmarks = [b for b in parsed.benchmarks if b.repetitions or b.why_failed]
    accounts = tuple(accounts)
    reading = summarise_accounts(accounts)
    if not benchmarks:
        why = "; ".join(["", reading, *account_notes(accounts)]) if reading else ""
        problem = "no benchmark results found in it as a file of"
        raise DataError(f"{file}: {problem} {parsed.tool}{why}")
    for benchmark in benchmarks:
        if benchmark.faults:
            parsed.note(f"left out of {benchmark.name}: {', '.join(benchmark.faults)}")
        for metric in _zero_times(benchmark):
            parsed.note(f"{metric} of {benchmark.name} is 0 or less: a time that may be none")
        if len(benchmark.repetitions) > MAX_REPETITIONS:
            parsed.note(
                f"of {len(benchmark.repetitions)} repetitions of {benchmark.name}, "
                f"{MAX_REPETITIONS} evenly spread ones are kept"
            )
    now = datetime.now(UTC)
    created = (parse_utc(parsed.provenance.created) or now).isoformat(timespec="seconds")
    passes = _passes(benchmarks, created)
    suffix = slug(title) or slug(parsed.label) or slug(parsed.tool)
    run = Run(
        # To the microsecond, so that `last` is the last of several files in one call.
        id=f"{now:%Y%m%d-%H%M%S-%f}-{suffix}-{secrets.token_hex(2)}",
        created=created,
        config=Config("imported", len(passes), 1, 0, 0, 0, 0.0),
        machine=_machine(parsed.provenance),
        revision=_revision(parsed.provenance),
        cases=tuple(_case(benchmark) for benchmark in benchmarks),
        passes=passes,
        source=parsed.tool,
        notes=tuple(map(clean_name, (*account_notes(accounts), *parsed.notes))),
        reading=reading,
        settings={clean_name(key): clean_name(v) for key, v in parsed.settings.items()},
        alternation=parsed.alternation,
    )
    return ImportedRun(run, parsed.label, accounts)


def _zero_times(benchmark: ParsedBenchmark) -> list[str]:
    """Return the metrics in a unit of time that have values of 0 or less."""
    return [
        metric.name
        for metric in benchmark.metrics.values()
        if is_time(metric.unit)
        and any(value <= 0 for value in benchmark.repetitions.columns[metric.name].values)
    ]


def _machine(provenance: Provenance) -> Machine:
    # The CPU is enough; the system often names its kernel, which changes from day to day.
    parts = [
        slug(provenance.cpu_model) or slug(provenance.system),
        f"{provenance.cores}c" if provenance.cores else "",
    ]
    return Machine(
        name="-".join(filter(None, parts)).lower() or UNKNOWN_MACHINE,
        cpu_model=clean_name(provenance.cpu_model),
        cores=provenance.cores,
        memory_bytes=provenance.memory_bytes,
        system=clean_name(provenance.system),
        python=clean_name(provenance.python),
        host=clean_name(provenance.host),
    )


def _revision(provenance: Provenance) -> Revision:
    revision = provenance.revision
    return Revision(clean_name(revision.commit), clean_name(revision.branch), revision.dirty)


def _case(benchmark: ParsedBenchmark) -> Case:
    return Case(
        id=f"{benchmark.suite}/{benchmark.name}",
        benchmark=f"{benchmark.suite}/{benchmark.benchmark}",
        suite=benchmark.suite,
        level=Level.MICRO,
        what=benchmark.what,
        params=benchmark.params,
        metrics=tuple(benchmark.metrics.values()) or (TIME,),
    )


def _passes(benchmarks: Sequence[ParsedBenchmark], started: str) -> ColumnPasses:
    cases, failures = {}, {}
    for benchmark in benchmarks:
        case = f"{benchmark.suite}/{benchmark.name}"
        cases[case] = _evenly_spread(benchmark.repetitions)
        if reason := benchmark.why_failed:
            failures[case] = Failure("raised", clean_name(reason))
    return ColumnPasses(cases, failures, started)


def _evenly_spread(repetitions: Repetitions) -> Repetitions:
    size = len(repetitions)
    if size <= MAX_REPETITIONS:
        return repetitions
    spread = Repetitions()
    spread.extend(repetitions, (i * size // MAX_REPETITIONS for i in range(MAX_REPETITIONS)))
    return spread
