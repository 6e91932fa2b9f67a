"""Which run this is: everything that a reader needs to place its figures."""

from collections.abc import Iterable
from statistics import median

from veperf.core import number_format
from veperf.core.case import Level
from veperf.core.run import Machine, Revision, Run
from veperf.core.verdict import Baseline

_SHORT = 10
IMPORTED = "imported"
"""The profile of runs that another tool measured."""


def sentence(run: Run) -> str:
    """A run in one line."""
    passes = number_format.count(len(run.passes), "process", "processes")
    if run.config.profile == IMPORTED:
        passes = f"{number_format.count(len(run.passes), 'repetition')}{_by(run)}"
    said = [
        f"Run {run.id}: {number_format.count(len(run.cases), 'case')} in {passes}",
        number_format.moment(run.created),
        revision(run.revision),
        run.machine.cpu_model or run.machine.system or "unknown machine",
        run.machine.python,
    ]
    return ", ".join(filter(None, said))


def facts(run: Run, baselines: Iterable[Baseline]) -> list[tuple[str, str]]:
    """What, where, when and how, as pairs of a term and its description."""
    return [
        ("Run", run.id),
        ("Measured", number_format.moment(run.created) + _by(run)),
        ("Code", revision(run.revision)),
        ("Machine", machine(run.machine)),
        ("Python", run.machine.python or "unknown"),
        ("Profile", profile(run)),
        ("Compared with", _compared(baselines, run) or "no baseline"),
        ("While measuring", conditions(run)),
        ("Yardstick", yardstick(run)),
    ]


def method(run: Run) -> list[tuple[str, str]]:
    """How the run was asked for, and the versions of what it ran with."""
    asked = run.config
    if asked.profile == IMPORTED:
        return [
            ("Profile", asked.profile),
            ("Measured by", run.source),
            ("Repetitions", str(asked.passes)),
            ("Commit", run.revision.commit or "unknown"),
            ("Run format", str(run.format)),
        ]
    return [
        ("Profile", asked.profile),
        ("Processes", str(asked.passes)),
        (
            "Samples in each",
            f"{asked.samples} after {number_format.count(asked.warmups, 'warm-up')}",
        ),
        ("Shortest sample", number_format.quantity(asked.min_sample_ns, "ns")),
        *((("Load", load_plan(run)),) if any(c.level is Level.LOAD for c in run.cases) else ()),
        ("Seed of the order", str(asked.seed)),
        ("Time allowed", f"{number_format.seconds(asked.timeout_s)} for a case in a process"),
        *((("Modules", ", ".join(asked.modules)),) if asked.modules else ()),
        ("Commit", run.revision.commit or "unknown"),
        ("Run format", str(run.format)),
        ("Versions", ", ".join(f"{k} {v}" for k, v in sorted(run.machine.versions.items()))),
    ]


def revision(found: Revision) -> str:
    """A commit, its branch, and whether there was more than it says."""
    if not found.commit:
        return "unknown commit"
    branch = f" on {found.branch}" if found.branch else ""
    dirty = ", with uncommitted changes" if found.dirty else ""
    return f"commit {found.commit[:_SHORT]}{branch}{dirty}"


def machine(found: Machine) -> str:
    """The processor, its cores, memory, and the system."""
    if not found.cpu_model:
        return f"{found.system or 'unknown'} (class {found.name})"
    memory = f", {number_format.quantity(found.memory_bytes, 'B', 2)}" if found.memory_bytes else ""
    return (
        f"{found.cpu_model}, {number_format.count(found.cores, 'core') if found.cores else 'cores unknown'}"
        f"{memory}, {found.system or 'system unknown'} "
        f"(class {found.name})"
    )


def profile(run: Run) -> str:
    """How much was asked for, and how much there is."""
    asked = run.config
    if asked.profile == IMPORTED:
        return f"imported: {number_format.count(asked.passes, 'repetition')}{_by(run)}"
    missing = len(run.passes) < asked.passes
    done = f", {len(run.passes)} of them done" if missing else ""
    done += f", {asked.memory_passes} of them for memory" if asked.memory_passes else ""
    if all(case.level is Level.LOAD for case in run.cases):
        return f"{asked.profile}: {load_plan(run)}{done}"
    return (
        f"{asked.profile}: {number_format.count(asked.passes, 'process', 'processes')}{done}, "
        f"{number_format.count(asked.samples, 'sample')} each after {number_format.count(asked.warmups, 'warm-up')}"
    )


def load_plan(run: Run) -> str:
    """How long load is put on, and in how many processes."""
    plan = run.config.load
    processes = number_format.count(run.config.passes_of(Level.LOAD), "process", "processes")
    return (
        f"{number_format.given(plan.seconds, 's')} after {number_format.given(plan.warmup_s, 's')} of warm-up, in "
        f"{processes}; {plan.arrivals} arrivals; trials of {number_format.given(plan.trial_s, 's')}"
    )


def conditions(run: Run) -> str:
    """Load, clock frequency, stolen time and duration over the passes of ``run``."""
    passes = run.passes
    if not passes:
        return "nothing was measured"
    if run.config.profile == IMPORTED:
        return "not recorded"
    loads = [load for p in passes for load in (p.load_before, p.load_after)]
    said = [f"load {number_format.number(min(loads), 2)} to {number_format.number(max(loads), 2)}"]
    if frequencies := [p.frequency_mhz for p in passes if p.frequency_mhz is not None]:
        said.append(f"{number_format.number(median(frequencies), 4)}{number_format.THIN}MHz")
    if stolen := max((p.steal_ratio or 0.0 for p in passes), default=0.0):
        said.append(f"up to {number_format.share(stolen)} of the CPU given to other machines")
    return ", ".join([*said, f"{number_format.seconds(sum(p.seconds for p in passes))} in all"])


def yardstick(run: Run) -> str:
    """The fixed piece of work: how long it took, and how much the passes differ in it."""
    times = [p.yardstick_ns for p in run.passes if p.yardstick_ns]
    if not times:
        return "not measured"
    spread = number_format.share(max(times) / min(times) - 1)
    return f"{number_format.quantity(median(times), 'ns')}, passes within {spread}"


def _by(run: Run) -> str:
    return "" if run.source == "veperf" else f" by {run.source}"


def _compared(baselines: Iterable[Baseline], run: Run) -> str:
    """Each recording once, with the suites that it is of."""
    suites: dict[str, list[str]] = {}
    for found in baselines:
        said = (
            f"{number_format.moment(found.recorded)}, {number_format.age(found.recorded, run.created)} older, "
            f"{revision(found.revision)}, {found.machine.name}"
        )
        suites.setdefault(said, []).append(found.suite)
    return " · ".join(
        f"{number_format.listed(of)} baseline{'s' if len(of) > 1 else ''} of {said}"
        for said, of in suites.items()
    )
