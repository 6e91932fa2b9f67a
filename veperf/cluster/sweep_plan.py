"""Plan a sweep: turn its specification into tasks, one for each combination."""

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import pairwise, product
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

from veperf.cluster.installation import Installation
from veperf.cluster.spec import ABSpec, SweepSpec, spec_patterns
from veperf.core.errors import UsageError
from veperf.core.option_fields import Options, options_from, select_options, values_of
from veperf.core.options import ABOptions, RunOptions

WORKER_RESOURCE = "veperf"
"""Dask resource of which every worker has one, and every task takes one."""
CLASS_PREFIX = "class:"
HEAD = "HEAD"
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", re.ASCII)


class Ref(Struct, frozen=True):
    """A commit, and the name by which it was requested."""

    name: str
    commit: str


class RunJob(Struct, frozen=True, tag="run"):
    """A run of one selection, as ``veperf run`` makes it."""

    pattern: str
    options: RunOptions
    """Without the seed, which is that of the task."""
    ref: Ref | None
    """None where the code installed on the worker is measured."""

    @property
    def description(self) -> str:
        """A short name for people."""
        return self.pattern if self.ref is None else f"{self.pattern} at {self.ref.name}"


class ABJob(Struct, frozen=True, tag="ab"):
    """A comparison of two commits, as ``veperf ab`` makes it."""

    patterns: tuple[str, ...]
    base: Ref
    head: Ref
    options: ABOptions
    """Without the seed, which is that of the task."""

    @property
    def description(self) -> str:
        """A short name for people."""
        return " ".join([f"{self.head.name} against {self.base.name}", *self.patterns])


Job: TypeAlias = RunJob | ABJob


class SweepTask(Struct, frozen=True):
    """A job for a worker."""

    id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{0,64}\Z")]
    """The same for the same work of the same sweep, so that a sweep can go on."""
    job: Job
    seed: int
    repeat: int
    machine_class: str
    """Empty where any worker will do."""

    @property
    def resources(self) -> dict[str, float]:
        """Dask resources that it takes."""
        tag = {class_resource(self.machine_class): 0.001} if self.machine_class else {}
        return {WORKER_RESOURCE: 1} | tag

    @property
    def description(self) -> str:
        """A short name for people."""
        place = f" on {self.machine_class}" if self.machine_class else ""
        return f"{self.job.description}{place} #{self.repeat + 1}"


class SweepPlan(Struct, frozen=True):
    """A specification and its tasks."""

    spec: SweepSpec
    tasks: tuple[SweepTask, ...]
    installation: Installation | None = None
    """Of the host that planned it, which those that run its tasks by number must match."""

    @property
    def spec_hash(self) -> str:
        """A hash of the specification, by which a changed one is noticed; 16 hex digits."""
        return hash_spec(self.spec)


def hash_spec(spec: SweepSpec) -> str:
    """Return a hash of all that ``spec`` asks for; 16 hex digits."""
    return sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()[:16]


def class_resource(machine_class: str) -> str:
    """Return the dask resource that workers of a machine class have."""
    return f"{CLASS_PREFIX}{machine_class}"


def plan_sweep(spec: SweepSpec, resolve: Callable[[str], str]) -> SweepPlan:
    """Return the tasks of ``spec``; those of a repeat are together, to be close in time.

    Args:
        spec: the specification of the sweep.
        resolve: returns the full id of a ref's commit at this moment: all tasks measure the same.

    Raises:
        UsageError: as ``resolve`` does.
    """
    classes = tuple(dict.fromkeys(spec.machine_classes)) or ("",)
    jobs: tuple[Job, ...] = (
        tuple(_run_jobs(spec, resolve)) if spec.ab is None else (_ab_job(spec, spec.ab, resolve),)
    )
    combinations = product(range(spec.repeats), jobs, classes)
    return SweepPlan(spec, tuple(_task(spec, *combination) for combination in combinations))


def _run_jobs(spec: SweepSpec, resolve: Callable[[str], str]) -> Iterator[RunJob]:
    refs = dict.fromkeys(Ref(name, resolve(name)) for name in spec.refs) or [None]
    for pattern, ref in product(spec_patterns(spec), refs):
        yield RunJob(pattern, select_options(RunOptions, values_of(spec) | {"seed": None}), ref)


def _ab_job(spec: SweepSpec, sides: ABSpec, resolve: Callable[[str], str]) -> ABJob:
    base, head = (Ref(name, resolve(name)) for name in (sides.base, sides.head or HEAD))
    comparisons = spec.repeats * max(1, len(set(spec.machine_classes)))
    each = {"seed": None, "comparisons": comparisons}
    options = select_options(ABOptions, values_of(spec) | values_of(sides) | each)
    return ABJob(spec_patterns(spec), base, head, options)


def _task(spec: SweepSpec, repeat: int, job: Job, machine_class: str) -> SweepTask:
    task = SweepTask(
        id="",
        job=job,
        seed=(spec.seed + repeat) % (1 << 32),
        repeat=repeat,
        machine_class=machine_class,
    )
    return msgspec.structs.replace(task, id=sha256(msgspec.json.encode(task)).hexdigest()[:16])


def parse_task_numbers(text: str, count: int) -> tuple[int, ...]:
    """Parse numbers of tasks, counted from 0, such as ``3`` or ``0-4,7``; none twice.

    Raises:
        UsageError: it is no such list, or there are only ``count`` tasks.
    """
    numbers: dict[int, None] = {}
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise UsageError(f"{text!r} is no number of a task; give one, or several as in 0-4,7")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < count:
            raise UsageError(
                f"there is no task {part.strip()}: the sweep has {count} tasks, "
                f"{format_task_numbers(range(count))}"
            )
        numbers |= dict.fromkeys(range(first, last + 1))
    return tuple(numbers)


def format_task_numbers(numbers: Iterable[int]) -> str:
    """Return ascending numbers as Slurm and ``parse_task_numbers`` take them: ``0-4,7``."""
    ascending = list(numbers)
    starts = [n for before, n in pairwise([-2, *ascending]) if n != before + 1]
    ends = [n for n, after in pairwise([*ascending, -2]) if after != n + 1]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def upgrade_plan(table: dict[str, Any]) -> SweepPlan:
    """Convert a stored plan of a time when options had no type of their own.

    Slowdowns were in percent (``threshold``, ``fail_percent``), and modules and timeout stood
    beside the job.

    Raises:
        KeyError, TypeError, UsageError, msgspec.ValidationError: it is no such plan.
    """
    spec: dict[str, Any] = dict(table["spec"])
    if sides := spec.get("ab"):
        sides["fail_over"] = f"{sides.pop('threshold')}%"
        if not sides["time_budget"]:
            del sides["time_budget"]
    tasks = []
    for task in table["tasks"]:
        job = dict(task["job"])
        settings = job | {"modules": task.pop("modules"), "timeout_s": task.pop("timeout_s")}
        kind: type[Options] = RunOptions
        if job["type"] == "ab":
            settings["fail_over"] = f"{job['fail_percent']}%"
            settings["comparisons"] = job["among"]
            kind = ABOptions
        job["options"] = values_of(select_options(kind, settings))
        tasks.append(msgspec.convert(task | {"job": job}, SweepTask))
    return SweepPlan(options_from(SweepSpec, spec), tuple(tasks))
