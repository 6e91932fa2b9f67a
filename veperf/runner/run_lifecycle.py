"""Plan a run, measure it and complete its folder: measuring and archive brought together."""

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from msgspec.structs import replace

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.store import Archive
from veperf.archive.writer import RunWriter
from veperf.core import registry
from veperf.core.case import MEMORY_METRICS, MEMORY_NAMES, TIME, Case, Level
from veperf.core.errors import UsageError, VeperfError
from veperf.core.load import LoadPlan
from veperf.core.option_fields import keyword_options
from veperf.core.options import LoadOptions, RunOptions
from veperf.core.paths import project_folder
from veperf.core.project import project_selection
from veperf.core.registry import MEMORY_SUITE, SUITES, select_cases
from veperf.core.run import Config, Machine, Run
from veperf.core.sustained_rate import trials_by_process
from veperf.core.text import join_words, plural
from veperf.core.units import convert, is_time
from veperf.loadtest.custom_case import RATE, custom_load_case, sharded_case
from veperf.loadtest.remote.benchmark import set_up_remote_load
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.sharded.local_processes import local_launcher
from veperf.loadtest.sharded.passes import Placement, ShardedPasses
from veperf.measure.cpus import processes_at_once
from veperf.measure.machine import describe_machine, describe_revision
from veperf.measure.pass_budget import PassBudget
from veperf.measure.passes import Passes, PassProgress
from veperf.measure.run_profiles import SHORT_PASSES, configure
from veperf.progress.estimate import Job

RunWatcher: TypeAlias = Callable[[Run, str], None]
"""Called with a run and its passes so far, and why there are no more; empty while it goes on."""


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
    named, select = select, project_selection(select)
    selected = select_cases(
        select,
        options.all_modules,
        levels=options.levels,
        expression=options.expression,
        quick=options.profile == "quick",
    )
    short = _shorten(selected) if options.short else None
    selected = short.cases if short else selected
    cases = tuple(map(_with_memory if options.memory else _in_time, selected))
    config = configure(
        options.profile,
        seed=_seed(options.seed),
        timeout_s=options.timeout_s,
        modules=options.all_modules,
        time=any(case.is_timed or case.level is Level.LOAD for case in cases),
        memory=any(case.is_counted for case in cases),
        is_whole=not (named or options.levels or options.expression),
        processes=options.processes,
        min_time_s=options.min_time_s,
        short=options.short,
        time_budget_s=options.time_budget_s,
    )
    if options.levels or options.expression:
        select = [case.id for case in selected]
    config = replace(config, select=tuple(select))
    return _begin(cases, config, archive, baselines, short=short)


@dataclass(frozen=True, slots=True)
class _Shortened:
    """Cases of a short run, and what it leaves out, with a note."""

    cases: tuple[Case, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _shorten(cases: Sequence[Case]) -> _Shortened:
    """Leave out those of ``cases`` that are loads or measure no time.

    Raises:
        UsageError: none is left.
    """
    timed = tuple(case for case in cases if case.is_timed and case.level is not Level.LOAD)
    out = [case for case in cases if case not in timed]
    loads = sum(case.level is Level.LOAD for case in out)
    words = [plural(loads, "load")] * bool(loads)
    words += [f"{plural(len(out) - loads, 'case')} of memory"] * (len(out) > loads)
    if not timed:
        raise UsageError(f"nothing is left: short leaves out {join_words(words)}")
    without = f", without {join_words(words)}" if words else ""
    processes = plural(SHORT_PASSES, "process", "processes")
    note = f"a short run for a quick look, {processes}{without}: it answers no target"
    left_out = {case.id: tuple(case.targets.values()) for case in out if case.targets}
    return _Shortened(timed, left_out, (note,))


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
    modules = options.all_modules
    case = custom_load_case(registry.load_registry([*SUITES.values(), *modules]), benchmark, params)
    plan = LoadPlan(
        passes=1,
        seconds=options.seconds,
        warmup_s=options.warmup_s,
        arrivals=options.arrivals,
        shape=options.shape,
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
    short: "_Shortened | None" = None,
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
            cases=tuple(cases),
            # Those of a baseline are for samples of the profile's length.
            loops={} if config.min_time_ns else _known_loops(cases, baselines, machine),
            code=_code(cases),
            notes=short.notes if short else (),
            left_out=dict(short.left_out) if short else {},
        )
    )


def plan_budget(run: Run, earlier: Mapping[Job, float]) -> PassBudget | None:
    """Return what chooses the cases of ``run`` by its time budget; None where it has none.

    ``earlier`` has durations of cases in earlier runs, in seconds.
    """
    return None if run.config.time_budget_s is None else PassBudget(run, earlier)


def memory_at_once(config: Config, budget: PassBudget | None = None) -> int:
    """Return how many passes that measure memory ``finish_run`` makes at a time."""
    return processes_at_once(config.memory_passes) if budget is None else 1


def finish_run(
    writer: RunWriter,
    progress: PassProgress,
    placement: Placement | None = None,
    budget: PassBudget | None = None,
    on_pass: RunWatcher | None = None,
    limits: Mapping[str, float] = MappingProxyType({}),
) -> Run:
    """Make the passes that are missing and complete the run.

    Whatever interrupts it, Ctrl-C too, leaves the finished passes on disk, and says in a note on
    the exception how to go on from there.

    Args:
        writer: of the run.
        progress: shows how far it is.
        placement: of the shards, if the load comes from shards; this machine when not given.
        budget: chooses what is measured, where the run has a time budget.
        on_pass: called before the first pass, after each, and when the run is interrupted.
        limits: as of ``Passes``; ``time_limits`` reads them.

    Raises:
        MeasureError: no worker can be started.
        StorageError: the archive can't be written any more.
        UsageError: the run's load was on a target elsewhere.
    """
    run, watch = writer.run, on_pass or _watch_nothing
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
                trials={c: tuple(chain(*trials)) for c, trials in trials_by_process(run).items()},
                budget=budget,
                limits=limits,
            )
        try:
            watch(run, "")
            for pass_ in passes.measure(writer.missing()):
                writer.add(pass_, passes.loops)
                watch(writer.run, "")
            if budget is not None:
                writer.run = budget.conclude(writer.run)
            return writer.complete()
        except (KeyboardInterrupt, VeperfError) as error:
            note = writer.resume_hint()
            if note:
                error.add_note(note)
            watch(writer.run, note or "it is kept elsewhere")
            raise


def time_limits(cases: Sequence[Case], baselines: Path) -> dict[str, float]:
    """Return the published limits of time in ns by case; none where ``baselines`` can't be read."""
    try:
        limits = {target.id: target for target in load_targets(baselines).targets}
        return {
            case.id: convert(target.limit, target.unit, "ns")
            for case in cases
            if (target := limits.get(case.targets.get(TIME.name, ""))) and is_time(target.unit)
        }
    except VeperfError:
        return {}  # the verdict says so


def _watch_nothing(run: Run, stopped: str) -> None:
    pass


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
    if case.level is Level.LOAD or not case.is_timed:
        return case
    return replace(case, metrics=(*case.metrics, *MEMORY_METRICS))


def _in_time(case: Case) -> Case:
    """``case`` without the targets that only a run with memory answers."""
    targets = {m: target for m, target in case.targets.items() if m not in MEMORY_NAMES}
    return replace(case, targets=targets)


def _modules(cases: Sequence[Case], config: Config) -> tuple[str, ...]:
    known = SUITES | {"memory": MEMORY_SUITE}
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
