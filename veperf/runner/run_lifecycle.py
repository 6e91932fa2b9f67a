"""Plan a run, measure it and complete its folder: measuring and archive brought together."""

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
from veperf.core.option_fields import keyword_options
from veperf.core.options import LoadOptions, RunOptions
from veperf.core.paths import project_folder
from veperf.core.registry import ON_REQUEST, SUITES, select_cases
from veperf.core.run import Config, Machine, Run
from veperf.loadtest.custom_case import RATE, custom_load_case, sharded_case
from veperf.loadtest.remote.benchmark import set_up_remote_load
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.sharded.local_processes import local_launcher
from veperf.loadtest.sharded.passes import Placement, ShardedPasses
from veperf.measure.machine import describe_machine, describe_revision
from veperf.measure.passes import Passes, PassProgress
from veperf.measure.run_profiles import configure


@keyword_options
def begin_run(
    select: Sequence[str], *, options: RunOptions, archive: Archive, baselines: Path
) -> RunWriter:
    """Plan a run and make its folder, so that what can't work fails before anything is measured.

    Loops are taken from the machine's recorded baseline, so that both sides of a comparison
    measure the same stretch of work.

    Raises:
        UsageError: of any kind: an unknown benchmark, profile or module.
        DataError: a recorded baseline is broken.
        StorageError: the archive can't be written.
    """
    cases = select_cases(select, options.modules, quick=options.profile == "quick")
    config = configure(
        options.profile,
        seed=_seed(options.seed),
        timeout_s=options.timeout_s,
        modules=options.modules,
        memory=options.memory,
    )
    return _begin(cases, replace(config, select=tuple(select)), archive, baselines)


def check_shards(benchmark: str, params: Mapping[str, str], modules: Sequence[str] = ()) -> None:
    """Check that a load can be put on by shards, before any of them is started.

    Raises:
        UsageError: it can't; or there is no such load.
        MeasureError: it can't be set up.
    """
    case = custom_load_case(registry.load_registry([*SUITES.values(), *modules]), benchmark, params)
    with set_up_remote_load(case.benchmark, case.params):
        pass


@keyword_options
def begin_load(
    benchmark: str,
    params: Mapping[str, str],
    *,
    options: LoadOptions,
    archive: Archive,
    baselines: Path,
    machine: Machine | None = None,
) -> RunWriter:
    """Plan a run that is a single load, and make its folder.

    ``machine`` is that of the target where the load comes from shards, and else this one.

    Raises:
        UsageError: there is no such load benchmark, or its parameters describe no valid load.
        DataError: a recorded baseline is broken.
        StorageError: the archive can't be written.
    """
    modules = options.modules
    case = custom_load_case(registry.load_registry([*SUITES.values(), *modules]), benchmark, params)
    plan = LoadPlan(
        passes=1,
        seconds=options.seconds,
        warmup_s=options.warmup_s,
        arrivals=options.arrivals,
        shards=options.shards,
    )
    rate = case.params.get(RATE, 1)  # where it is not to be chosen, it is the benchmark's affair
    Schedule(float(rate), plan.seconds, plan.warmup_s)
    if plan.shards:
        case = sharded_case(case, plan.shards)
    config = configure(
        "quick", seed=_seed(options.seed), timeout_s=options.timeout_s, modules=modules
    )
    config = replace(config, profile="load", passes=1, load=plan, select=(benchmark,))
    return _begin([case], config, archive, baselines, machine)


def _seed(seed: int | None) -> int:
    return secrets.randbits(32) if seed is None else seed


def _begin(
    cases: Sequence[Case],
    config: Config,
    archive: Archive,
    baselines: Path,
    machine: Machine | None = None,
) -> RunWriter:
    machine = machine or describe_machine()
    now = datetime.now(UTC)
    revision = describe_revision(project_folder())
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


def finish_run(
    writer: RunWriter, progress: PassProgress, placement: Placement | None = None
) -> Run:
    """Make the passes that are missing and complete the run.

    Whatever interrupts it, Ctrl-C too, leaves the finished passes on disk, and says in a note on
    the exception how to go on from there.

    Args:
        writer: of the run.
        progress: shows how far it is.
        placement: of the shards, if the load comes from shards; this machine when not given.

    Raises:
        MeasureError: no worker can be started.
        StorageError: the archive can't be written any more.
        UsageError: the run's load was on a target elsewhere.
    """
    run = writer.run
    with contextlib.closing(writer), contextlib.ExitStack() as stack:
        modules = _modules(run.cases, run.config)
        registry.load_registry(modules)  # what a worker can't import fails here, with a message
        passes: Passes | ShardedPasses
        if run.config.load.shards:
            placement = placement or stack.enter_context(_on_this_machine(run))
            passes = ShardedPasses(run.config, modules, run.cases, progress, placement)
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
            for pass_ in passes.measure(writer.missing()):
                writer.add(pass_, passes.loops)
            return writer.complete()
        except (KeyboardInterrupt, VeperfError) as error:
            if note := writer.resume_hint():
                error.add_note(note)
            raise


@contextlib.contextmanager
def _on_this_machine(run: Run) -> Iterator[Placement]:
    machine = describe_machine()
    if machine.name != run.machine.name:
        raise UsageError(
            f"the load of run {run.id} was on a target elsewhere ({run.machine.name}); "
            "put it on again with `veperf load`"
        )
    with local_launcher() as launcher:
        yield Placement(launcher, machine)


def _with_memory(case: Case) -> Case:
    if case.level is Level.LOAD or TIME not in case.metrics:
        return case
    return replace(case, metrics=(*case.metrics, *MEMORY_METRICS))


def _in_time(case: Case) -> Case:
    """``case`` without the targets that only a run with memory answers."""
    targets = {m: target for m, target in case.targets.items() if m not in MEMORY_NAMES}
    return replace(case, targets=targets)


def _modules(cases: Sequence[Case], config: Config) -> tuple[str, ...]:
    known = SUITES | ON_REQUEST
    needed = dict.fromkeys(known[c.suite] for c in cases if c.suite in known)
    return (*needed, *config.modules)


def _code(cases: Sequence[Case]) -> dict[str, str]:
    known = registry.REGISTRY.benchmarks
    ids = dict.fromkeys(case.benchmark for case in cases)
    return {id: code for id in ids if (code := known[id].code)}


def _known_loops(cases: Sequence[Case], baselines: Path, machine: Machine) -> dict[str, int]:
    suites = sorted({case.suite for case in cases})
    ids = {case.id for case in cases}
    return {
        series.case: series.loops
        for baseline in load_baselines(baselines, suites)
        if baseline.machine.name == machine.name
        for series in baseline.series
        if series.case in ids and series.metric not in MEMORY_NAMES  # measured in other passes
    }


def _timeouts(run: Run) -> dict[str, int]:
    timeouts: dict[str, int] = {}
    for pass_ in run.passes:
        for result in pass_.results:
            if result.failure is not None and result.failure.kind == "timeout":
                timeouts[result.case] = timeouts.get(result.case, 0) + 1
    return timeouts
