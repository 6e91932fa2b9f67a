"""Identity and method of a run: its code, machine, conditions and parameters."""

from collections.abc import Iterable, Sequence
from statistics import median

from veperf.core.baseline import Baseline
from veperf.core.case import Level
from veperf.core.run import Machine, Revision, Run
from veperf.core.text import (
    THIN,
    format_age,
    format_duration,
    format_exact,
    format_number,
    format_percent,
    format_quantity,
    format_time,
    join_words,
    plural,
)

_SHORT = 10
_MOST_NAMES, _NAMES_LISTED = 12, 3
IMPORTED = "imported"
"""The profile of runs that another tool measured."""


def run_sentence(run: Run) -> str:
    """Return a run in one line."""
    passes = plural(len(run.passes), "process", "processes")
    if run.config.profile == IMPORTED:
        passes = f"{plural(len(run.passes), 'repetition')}{_source_suffix(run)}"
    parts = [
        f"Run {run.id}: {plural(len(run.cases), 'case')} in {passes}",
        format_time(run.created),
        revision_text(run.revision),
        run.machine.cpu_model or run.machine.system or "unknown machine",
        run.machine.python,
    ]
    return ", ".join(filter(None, parts))


def run_details(run: Run, baselines: Iterable[Baseline]) -> list[tuple[str, str]]:
    """Return code, machine, time and conditions of a run, as terms with their descriptions."""
    return [
        ("Run", run.id),
        ("Measured", format_time(run.created) + _source_suffix(run)),
        ("Code", revision_text(run.revision)),
        ("Machine", machine_text(run.machine)),
        ("Python", _python_text(run.machine)),
        ("Profile", profile_text(run)),
        ("Compared with", _baselines_text(baselines, run) or "no baseline"),
        ("While measuring", conditions_text(run)),
        ("Calibration run", calibration_text(run)),
    ]


def _python_text(machine: Machine) -> str:
    core = machine.versions.get("core")
    return (machine.python or "unknown") + (f", {core} core" if core else "")


def method_details(run: Run) -> list[tuple[str, str]]:
    """Return the parameters of a run and the versions of the software, as terms."""
    config = run.config
    if config.profile == IMPORTED:
        return [
            ("Profile", config.profile),
            ("Measured by", run.source),
            *((("Read", run.reading),) if run.reading else ()),
            ("Repetitions", str(config.passes)),
            ("Commit", run.revision.commit or "unknown"),
            ("Run format", str(run.format)),
        ]
    return [
        ("Profile", config.profile),
        ("Processes", str(config.passes)),
        ("Samples in each", f"{config.samples} after {plural(config.warmups, 'warm-up')}"),
        ("Shortest sample", format_quantity(config.min_sample_ns, "ns")),
        *(
            (("Load", load_plan_text(run)),)
            if any(c.level is Level.LOAD for c in run.cases)
            else ()
        ),
        ("Seed", str(config.seed)),
        ("Time limit", f"{format_duration(config.timeout_s)} for a case in a process"),
        *((("Modules", ", ".join(config.modules)),) if config.modules else ()),
        ("Commit", run.revision.commit or "unknown"),
        ("Run format", str(run.format)),
        ("Versions", ", ".join(f"{k} {v}" for k, v in sorted(run.machine.versions.items()))),
    ]


def revision_text(revision: Revision) -> str:
    """Return a commit, its branch, and a note about uncommitted changes."""
    if not revision.commit:
        return "unknown commit"
    branch = f" on {revision.branch}" if revision.branch else ""
    dirty = ", with uncommitted changes" if revision.dirty else ""
    return f"commit {revision.commit[:_SHORT]}{branch}{dirty}"


def machine_text(machine: Machine) -> str:
    """Return the processor, its cores, memory, and the system."""
    if not machine.cpu_model:
        return f"{machine.system or 'unknown'} (class {machine.name})"
    memory = f", {format_quantity(machine.memory_bytes, 'B', 2)}" if machine.memory_bytes else ""
    cores = plural(machine.cores, "core") if machine.cores else "cores unknown"
    system = machine.system or "system unknown"
    return f"{machine.cpu_model}, {cores}{memory}, {system} (class {machine.name})"


def profile_text(run: Run) -> str:
    """Return the profile, with the number of processes and samples."""
    config = run.config
    if config.profile == IMPORTED:
        return f"imported: {plural(config.passes, 'repetition')}{_source_suffix(run)}"
    missing = len(run.passes) < config.passes
    done = f", {len(run.passes)} of them done" if missing else ""
    done += f", {config.memory_passes} of them for memory" if config.memory_passes else ""
    if all(case.level is Level.LOAD for case in run.cases):
        return f"{config.profile}: {load_plan_text(run)}{done}"
    return (
        f"{config.profile}: {plural(config.passes, 'process', 'processes')}{done}, "
        f"{plural(config.samples, 'sample')} each after {plural(config.warmups, 'warm-up')}"
    )


def load_plan_text(run: Run) -> str:
    """Return the duration of a load, its arrivals, and the number of processes."""
    plan = run.config.load
    processes = plural(run.config.load_passes, "process", "processes")
    search = f"trials of {format_exact(plan.trial_s, 's')}" if plan.by_trials else ""
    if plan.backlog_s:
        confirmed = f"sustained rates confirmed for {format_exact(plan.confirm_s, 's')}"
        search = "; ".join(filter(None, [search, confirmed]))
    least = f", {plan.least_arrivals:,} arrivals at least," if plan.least_arrivals else ""
    return (
        f"{format_exact(plan.seconds, 's')}{least} after {format_exact(plan.warmup_s, 's')} of "
        f"warm-up, in {processes}; {plan.arrivals} arrivals; {search}"
    )


def conditions_text(run: Run) -> str:
    """Return load, clock frequency, stolen time and duration over the passes of ``run``."""
    passes = run.passes
    if not passes:
        return "nothing was measured"
    if run.config.profile == IMPORTED:
        return "not recorded"
    loads = [load for p in passes for load in (p.load_before, p.load_after)]
    parts = [f"load {format_number(min(loads), 2)} to {format_number(max(loads), 2)}"]
    if frequencies := [p.frequency_mhz for p in passes if p.frequency_mhz is not None]:
        parts.append(f"{format_number(median(frequencies), 4)}{THIN}MHz")
    if stolen := max((p.steal_ratio or 0.0 for p in passes), default=0.0):
        parts.append(f"up to {format_percent(stolen)} of the CPU given to other machines")
    return ", ".join([*parts, f"{format_duration(sum(p.seconds for p in passes))} in total"])


def calibration_text(run: Run) -> str:
    """Return the time of the calibration runs, and how much it varied between the passes."""
    times = [p.yardstick_ns for p in run.passes if p.yardstick_ns]
    if not times:
        return "not measured"
    spread = format_percent(max(times) / min(times) - 1)
    return f"{format_quantity(median(times), 'ns')}, varied by {spread} between passes"


def _source_suffix(run: Run) -> str:
    return "" if run.source == "veperf" else f" by {run.source}"


def _age(baseline: Baseline, run: Run) -> str:
    """Return the age of ``baseline`` when ``run`` was made, in words."""
    if run.id in (baseline.run, *baseline.sessions):
        return "recorded from this run"
    older = format_age(baseline.recorded, run.created)
    newer = format_age(run.created, baseline.recorded)
    return f"{newer} newer" if baseline.recorded > run.created else f"{older} older"


def _baselines_text(baselines: Iterable[Baseline], run: Run) -> str:
    """Return each recording once, with its suites, or the first of many packages."""
    suites: dict[str, list[str]] = {}
    for baseline in baselines:
        recording = (
            f"{format_time(baseline.recorded)}, {_age(baseline, run)}, "
            f"{revision_text(baseline.revision)}, {baseline.machine.name}"
        )
        suites.setdefault(recording, []).append(baseline.suite)
    return " · ".join(
        f"{_listing(of)} baseline{'s' if len(of) > 1 else ''} of {recording}"
        for recording, of in suites.items()
    )


def _listing(suites: Sequence[str]) -> str:
    """Return the names of suites, of many the first ones and the number of the others."""
    if len(suites) <= _MOST_NAMES:
        return join_words(suites)
    return f"{', '.join(suites[:_NAMES_LISTED])} and {len(suites) - _NAMES_LISTED:,} more"
