"""From what a reader found to a run like any other."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from veperf.core.case import TIME, Case, Level
from veperf.core.errors import DataError
from veperf.core.run import CaseResult, Config, Failure, Machine, Pass, Revision, Run, Sample
from veperf.formats.collector import Collector, Facts, Gathered, Repetition, clean, slug

MAX_REPETITIONS = 10_000
UNKNOWN_MACHINE = "unknown"


@dataclass(frozen=True, slots=True)
class Imported:
    """A run from elsewhere, and what there is to say about reading it."""

    run: Run
    notes: tuple[str, ...]
    label: str = ""
    """What tells it from the other runs of its file."""

    @property
    def values(self) -> int:
        """Figures that were read."""
        return sum(len(result.figures) for made in self.run.passes for result in made.results)


def build(found: Collector, file: str, title: str = "") -> Imported:
    """A run with a pass for each repetition; ``title`` becomes part of its id.

    Raises:
        DataError: there is no benchmark in it.
    """
    benchmarks = [b for b in found.benchmarks if b.repetitions or b.failure]
    if not benchmarks:
        raise DataError(f"{file}: no benchmark results in it, read as {found.tool}")
    for one in benchmarks:
        if one.dropped:
            found.note(f"{one.dropped} values of {one.name} are no finite numbers: left out")
        if len(one.repetitions) > MAX_REPETITIONS:
            found.note(
                f"of {len(one.repetitions)} repetitions of {one.name}, {MAX_REPETITIONS} evenly "
                "spread ones are kept"
            )
    now = datetime.now(UTC)
    created = moment(found.facts.created) or now.isoformat(timespec="seconds")
    passes = _passes(benchmarks, created)
    named = slug(title) or slug(found.label) or slug(found.tool)
    run = Run(
        # To the microsecond, so that of several files in one call the last is `last`.
        id=f"{now:%Y%m%d-%H%M%S-%f}-{named}-{secrets.token_hex(2)}",
        created=created,
        config=Config("imported", len(passes), 1, 0, 0, 0, 0.0),
        machine=machine(found.facts),
        revision=_revision(found.facts),
        cases=tuple(_case(one) for one in benchmarks),
        passes=passes,
        source=found.tool,
    )
    return Imported(run, found.notes, found.label)


def moment(text: str) -> str:
    """An ISO 8601 time to the second, with its offset (UTC where it says none); or empty."""
    try:
        when = datetime.fromisoformat(text.strip()[:40])
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return when.astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def machine(facts: Facts) -> Machine:
    """The machine, of a class that is named after what is known of it."""
    # The CPU says it all; a system often names its kernel, which changes from day to day.
    known = [slug(facts.cpu_model) or slug(facts.system), f"{facts.cores}c" if facts.cores else ""]
    return Machine(
        name="-".join(filter(None, known)).lower() or UNKNOWN_MACHINE,
        cpu_model=clean(facts.cpu_model),
        cores=facts.cores,
        memory_bytes=facts.memory_bytes,
        system=clean(facts.system),
        python=clean(facts.python),
    )


def _revision(facts: Facts) -> Revision:
    given = facts.revision
    return Revision(clean(given.commit), clean(given.branch), given.dirty)


def case_id(one: Gathered) -> str:
    """The suite, a slash, and the name that the tool itself has for the benchmark."""
    return f"{one.suite}/{one.name}"


def _case(one: Gathered) -> Case:
    return Case(
        id=case_id(one),
        benchmark=f"{one.suite}/{one.benchmark}",
        suite=one.suite,
        level=Level.MICRO,
        what=one.what,
        params=one.params,
        metrics=tuple(one.metrics.values()) or (TIME,),
    )


def _passes(benchmarks: Sequence[Gathered], created: str) -> tuple[Pass, ...]:
    kept = [(case_id(one), one.failure, _thinned(one.repetitions)) for one in benchmarks]
    results: list[list[CaseResult]] = [[] for _ in range(max(1, *(len(k[2]) for k in kept)))]
    for case, failure, repetitions in kept:
        for index, repetition in enumerate(repetitions):
            results[index].append(_result(case, repetition))
        if failure:
            if len(repetitions) == len(results):
                results.append([])
            failed = Failure("raised", clean(failure))
            results[len(repetitions)].append(CaseResult(case, failure=failed))
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
            results=tuple(some),
        )
        for index, some in enumerate(results)
    )


def _thinned(repetitions: list[Repetition]) -> list[Repetition]:
    size = len(repetitions)
    if size <= MAX_REPETITIONS:
        return repetitions
    return [repetitions[i * size // MAX_REPETITIONS] for i in range(MAX_REPETITIONS)]


def _result(case: str, repetition: Repetition) -> CaseResult:
    loops = min(max(1, repetition.loops), 1 << 53)
    whole_ns = repetition.figures.get(TIME.name, 0.0) * loops
    samples: tuple[Sample, ...] = ()
    if math.isfinite(whole_ns) and 1 <= whole_ns < 1 << 62:
        samples = (Sample(round(whole_ns), None, None),)
    return CaseResult(case, loops=loops, samples=samples, figures=repetition.figures)
