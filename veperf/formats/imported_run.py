"""The run that is built from what a reader parsed of another tool's file."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from veperf.core.case import TIME, Case, Level
from veperf.core.direction import reader_notes
from veperf.core.errors import DataError
from veperf.core.run import (
    CaseResult,
    Config,
    Failure,
    Machine,
    Pass,
    Revision,
    Run,
    Sample,
)
from veperf.core.units import is_time
from veperf.formats.account import FileAccount, account_notes, summarise_accounts
from veperf.formats.imported import (
    MAX_REPETITIONS,
    ParsedBenchmark,
    ParsedRun,
    Provenance,
    Repetition,
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
        return sum(len(result.figures) for pass_ in self.run.passes for result in pass_.results)


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
        and any(r.figures.get(metric.name, 1) <= 0 for r in benchmark.repetitions)
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


def _passes(benchmarks: Sequence[ParsedBenchmark], created: str) -> tuple[Pass, ...]:
    selected = [(benchmark, _evenly_spread(benchmark.repetitions)) for benchmark in benchmarks]
    results: list[list[CaseResult]] = [[] for _ in range(max(1, *(len(r) for _, r in selected)))]
    for benchmark, repetitions in selected:
        case = f"{benchmark.suite}/{benchmark.name}"
        reason = benchmark.why_failed
        failure = Failure("raised", clean_name(reason)) if reason else None
        for index, repetition in enumerate(repetitions):
            results[index].append(_result(case, repetition, failure))
        if failure and not repetitions:
            results[0].append(CaseResult(case, failure=failure))
    return tuple(
        Pass(
            index=index,
            started=created,
            seconds=0.0,
            load_before=0.0,
            load_after=0.0,
            frequency_mhz=None,
            steal_ratio=None,
            yardstick_ns=None,
            results=tuple(pass_results),
        )
        for index, pass_results in enumerate(results)
    )


def _evenly_spread(repetitions: list[Repetition]) -> list[Repetition]:
    size = len(repetitions)
    if size <= MAX_REPETITIONS:
        return repetitions
    return [repetitions[i * size // MAX_REPETITIONS] for i in range(MAX_REPETITIONS)]


def _result(case: str, repetition: Repetition, failure: Failure | None) -> CaseResult:
    loops = min(max(1, repetition.loops), 1 << 53)
    wall_ns = repetition.figures.get(TIME.name, 0.0) * loops
    samples: tuple[Sample, ...] = ()
    if failure is None and 1 <= wall_ns < 1 << 62:
        samples = (Sample(round(wall_ns), None, None),)
    return CaseResult(
        case,
        loops=loops,
        samples=samples,
        figures=repetition.figures,
        failure=failure,
        summaries=repetition.summaries,
    )
