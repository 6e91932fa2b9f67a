"""A run from the question to the complete folder: measuring and archive brought together."""

import contextlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from veperf.archive.baselines import load_baselines
from veperf.archive.store import Archive
from veperf.archive.writer import RunWriter
from veperf.core import registry
from veperf.core.case import MEMORY_METRICS, MEMORY_NAMES, TIME, Case, Level
from veperf.core.errors import UsageError, VeperfError
from veperf.core.load import LoadPlan
from veperf.core.paths import project
from veperf.core.run import Config, Machine, Run
from veperf.loadtest.custom_case import RATE, by_shards, load_case
from veperf.loadtest.remote.benchmark import apart_of
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.sharded.local_processes import here
from veperf.loadtest.sharded.passes import Ground, ShardedPasses
from veperf.measure.machine import describe_machine, describe_revision
from veperf.measure.passes import Passes, Progress
from veperf.measure.profiles import configure
from veperf.workloads.suites import ON_REQUEST, SUITES


def benchmarks(
    select: Sequence[str] = (), modules: Sequence[str] = (), *, quick: bool = False
) -> tuple[Case, ...]:
    """The cases that ``select`` means, among the built-in suites and ``modules``.

    ``quick`` leaves those out that take long, unless they are named.

    Raises:
        UnknownBenchmarkError: a pattern matches nothing.
        UsageError: a module can't be imported.
    """
    named = [suite for suite in ON_REQUEST if any(p.partition("/")[0] == suite for p in select)]
    wanted = [*SUITES.values(), *(ON_REQUEST[suite] for suite in named), *modules]
    cases = registry.select(registry.load(wanted), select, quick=quick)
    return tuple(c for c in cases if c.suite not in ON_REQUEST or c.suite in named)


def begin(
    select: Sequence[str],
    *,
    profile: str,
    archive: Archive,
    baselines: Path,
    seed: int | None = None,
    timeout_s: float = 60.0,
    modules: Sequence[str] = (),
    memory: bool = False,
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
    config = configure(
        profile, seed=_seed(seed), timeout_s=timeout_s, modules=tuple(modules), memory=memory
    )
    return _begin(cases, config, archive, baselines)


def check_shards(benchmark: str, params: Mapping[str, str], modules: Sequence[str] = ()) -> None:
    """Find out whether a load can be put on by shards, before any of them is there.

    Raises:
        UsageError: it can't; or there is no such load.
        MeasureError: it can't be set up.
    """
    case = load_case(registry.load([*SUITES.values(), *modules]), benchmark, params)
    with apart_of(case.benchmark, case.params):
        pass


def begin_load(
    benchmark: str,
    params: Mapping[str, str],
    plan: LoadPlan,
    *,
    archive: Archive,
    baselines: Path,
    seed: int | None = None,
    timeout_s: float = 60.0,
    modules: Sequence[str] = (),
    machine: Machine | None = None,
) -> RunWriter:
    """Plan a run that is a single load, and make its folder.

    ``machine`` is that of the target where the load comes from shards, and else this one.

    Raises:
        UsageError: of any kind: no such load, or none that can be put on anything.
        DataError: a recorded baseline is broken.
        StorageError: the archive can't be written.
    """
    case = load_case(registry.load([*SUITES.values(), *modules]), benchmark, params)
    rate = case.params.get(RATE, 1)  # where it is not to be chosen, it is the benchmark's affair
    Schedule(float(rate), plan.seconds, plan.warmup_s)
    if plan.shards:
        case = by_shards(case, plan.shards)
    config = configure("quick", seed=_seed(seed), timeout_s=timeout_s, modules=tuple(modules))
    config = replace(config, profile="load", passes=1, load=plan)
    return _begin([case], config, archive, baselines, machine)


def _seed(given: int | None) -> int:
    return secrets.randbits(32) if given is None else given


def _begin(
    cases: Sequence[Case],
    config: Config,
    archive: Archive,
    baselines: Path,
    machine: Machine | None = None,
) -> RunWriter:
    machine = machine or describe_machine()
    now = datetime.now(UTC)
    revision = describe_revision(project())
    return archive.begin(
        Run(
            id=f"{now:%Y%m%d-%H%M%S}-{revision.commit[:7] or 'nocommit'}-{secrets.token_hex(4)}",
            created=now.isoformat(timespec="seconds"),
            config=config,
            machine=machine,
            revision=revision,
            cases=tuple(_with_memory(c) if config.memory_passes else _in_time(c) for c in cases),
            loops=_known_loops(cases, baselines, machine),
            code=_code(cases),
        )
    )


def finish(writer: RunWriter, progress: Progress, ground: Ground | None = None) -> Run:
    """Make the passes that are missing and complete the run.

    Whatever interrupts it, Ctrl-C too, leaves the finished passes on disk, and says in a note on
    the exception how to go on from there.

    Args:
        writer: of the run.
        progress: is told how it goes.
        ground: where shards put the load on, if they are to; this machine where it is not said.

    Raises:
        MeasureError: no worker can be started.
        StorageError: the archive can't be written any more.
        UsageError: the run's load was on a target elsewhere.
    """
    run = writer.run
    with contextlib.closing(writer), contextlib.ExitStack() as stack:
        modules = _modules(run.cases, run.config)
        registry.load(modules)  # what a worker can't import fails here, in words
        passes: Passes | ShardedPasses
        if run.config.load.shards:
            ground = ground or stack.enter_context(_on_this_machine(run))
            passes = ShardedPasses(run.config, modules, run.cases, progress, ground)
        else:
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
            if note := writer.how_to_go_on():
                error.add_note(note)
            raise


@contextlib.contextmanager
def _on_this_machine(run: Run) -> Iterator[Ground]:
    machine = describe_machine()
    if machine.name != run.machine.name:
        raise UsageError(
            f"the load of run {run.id} was on a target elsewhere ({run.machine.name}); "
            "put it on again with `veperf load`"
        )
    with here() as place:
        yield Ground(place, machine)


def _with_memory(case: Case) -> Case:
    if case.level is Level.LOAD or TIME not in case.metrics:
        return case
    return replace(case, metrics=(*case.metrics, *MEMORY_METRICS))


def _in_time(case: Case) -> Case:
    """The case less the targets that only a run with memory answers."""
    targets = {m: target for m, target in case.targets.items() if m not in MEMORY_NAMES}
    return replace(case, targets=targets)


def _modules(cases: Sequence[Case], config: Config) -> tuple[str, ...]:
    known = SUITES | ON_REQUEST
    needed = dict.fromkeys(known[c.suite] for c in cases if c.suite in known)
    return (*needed, *config.modules)


def _code(cases: Sequence[Case]) -> dict[str, str]:
    found = registry.REGISTRY.benchmarks
    wanted = dict.fromkeys(case.benchmark for case in cases)
    return {id: code for id in wanted if (code := found[id].code)}


def _known_loops(cases: Sequence[Case], baselines: Path, machine: Machine) -> dict[str, int]:
    suites = sorted({case.suite for case in cases})
    wanted = {case.id for case in cases}
    return {
        series.case: series.loops
        for baseline in load_baselines(baselines, suites)
        if baseline.machine.name == machine.name
        for series in baseline.series
        if series.case in wanted and series.metric not in MEMORY_NAMES  # measured in other passes
    }


def _timeouts(run: Run) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in run.passes:
        for result in one.results:
            if result.failure is not None and result.failure.kind == "timeout":
                found[result.case] = found.get(result.case, 0) + 1
    return found
