"""A run from the question to the complete folder: measuring and archive brought together."""

import contextlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from veperf import registry
from veperf.archive import Archive, RunWriter, load_baselines
from veperf.errors import VeperfError
from veperf.measure.machine import describe_machine, describe_revision
from veperf.measure.passes import Passes, Progress
from veperf.measure.profiles import configure
from veperf.model import Case, Config, Machine, Run
from veperf.paths import project
from veperf.workloads.suites import SUITES


def benchmarks(
    select: Sequence[str] = (), modules: Sequence[str] = (), *, quick: bool = False
) -> tuple[Case, ...]:
    """The cases that ``select`` means, among the built-in suites and ``modules``.

    ``quick`` leaves those out that take long, unless they are named.

    Raises:
        UnknownBenchmarkError: a pattern matches nothing.
        UsageError: a module can't be imported.
    """
    return registry.select(registry.load([*SUITES.values(), *modules]), select, quick=quick)


def begin(
    select: Sequence[str],
    *,
    profile: str,
    archive: Archive,
    baselines: Path,
    seed: int | None = None,
    timeout_s: float = 60.0,
    modules: Sequence[str] = (),
) -> RunWriter:
    """Plan a run and make its folder, so that what can't work fails before anything is measured.

    Loops are taken from the machine's recorded baseline, so that both sides of a comparison
    measure the same stretch of work.

    Raises:
        UsageError: of any kind: an unknown benchmark, profile or module.
        DataError: a recorded baseline is broken.
        StorageError: the archive can't be written.
    """
    cases = benchmarks(select, modules, quick=profile == "quick")
    chosen = secrets.randbits(32) if seed is None else seed
    config = configure(profile, seed=chosen, timeout_s=timeout_s, modules=tuple(modules))
    machine = describe_machine()
    now = datetime.now(UTC)
    revision = describe_revision(project())
    return archive.begin(
        Run(
            id=f"{now:%Y%m%d-%H%M%S}-{revision.commit[:7] or 'nocommit'}-{secrets.token_hex(2)}",
            created=now.isoformat(timespec="seconds"),
            config=config,
            machine=machine,
            revision=revision,
            cases=cases,
            loops=_known_loops(cases, baselines, machine),
        )
    )


def finish(writer: RunWriter, progress: Progress) -> Run:
    """Make the passes that are missing and complete the run.

    Whatever interrupts it, Ctrl-C too, leaves the finished passes on disk, and says in a note on
    the exception how to go on from there.

    Raises:
        MeasureError: no worker can be started.
        StorageError: the archive can't be written any more.
    """
    run = writer.run
    with contextlib.closing(writer):
        modules = _modules(run.cases, run.config)
        registry.load(modules)  # what a worker can't import fails here, in words
        passes = Passes(
            config=run.config,
            modules=modules,
            cases=run.cases,
            progress=progress,
            loops=dict(run.loops),
            timeouts=_timeouts(run),
        )
        try:
            for one in passes.measure(writer.missing()):
                writer.add(one, passes.loops)
            return writer.complete()
        except (KeyboardInterrupt, VeperfError) as error:
            planned = run.config.passes
            error.add_note(
                f"{planned - len(writer.missing())} of {planned} passes are kept; "
                f"`veperf run --resume {run.id}` goes on"
            )
            raise


def _modules(cases: Sequence[Case], config: Config) -> tuple[str, ...]:
    needed = dict.fromkeys(SUITES[c.suite] for c in cases if c.suite in SUITES)
    return (*needed, *config.modules)


def _known_loops(cases: Sequence[Case], baselines: Path, machine: Machine) -> dict[str, int]:
    suites = sorted({case.suite for case in cases})
    wanted = {case.id for case in cases}
    return {
        series.case: series.loops
        for baseline in load_baselines(baselines, suites)
        if baseline.machine.name == machine.name
        for series in baseline.series
        if series.case in wanted
    }


def _timeouts(run: Run) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in run.passes:
        for result in one.results:
            if result.failure is not None and result.failure.kind == "timeout":
                found[result.case] = found.get(result.case, 0) + 1
    return found
