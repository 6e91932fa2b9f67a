"""From a specification to tasks: every combination of what to measure and where."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import product
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from veperf.cluster.spec import AB, Spec, patterns, seconds_of

ONE_AT_A_TIME = "veperf"
"""The resource of which every worker has one, and every task takes one."""
HEAD = "HEAD"


class Ref(Struct, frozen=True):
    """A commit, and the name by which it was asked for."""

    name: str
    commit: str


class OneRun(Struct, frozen=True, tag="run"):
    """A run of one selection, as ``veperf run`` makes it."""

    pattern: str
    profile: str
    memory: bool
    ref: Ref | None
    """None where what the worker has installed is measured."""

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        return self.pattern if self.ref is None else f"{self.pattern} at {self.ref.name}"


class Pairs(Struct, frozen=True, tag="ab"):
    """A comparison of two commits, as ``veperf ab`` makes it."""

    patterns: tuple[str, ...]
    base: Ref
    head: Ref
    max_pairs: int
    fail_percent: float
    time_budget_s: float | None
    among: int
    """The comparisons of these commits that the sweep makes."""

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        return " ".join([f"{self.head.name} against {self.base.name}", *self.patterns])


Job: TypeAlias = OneRun | Pairs


class Task(Struct, frozen=True):
    """One job for one worker."""

    id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{0,64}\Z")]
    """The same for the same work of the same sweep, so that a sweep can go on."""
    job: Job
    modules: tuple[str, ...]
    seed: int
    timeout_s: float
    repeat: int
    machine_class: str
    """Empty where any worker will do."""

    @property
    def resources(self) -> dict[str, float]:
        """What of dask's resources it takes."""
        tag = {class_resource(self.machine_class): 0.001} if self.machine_class else {}
        return {ONE_AT_A_TIME: 1} | tag

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        place = f" on {self.machine_class}" if self.machine_class else ""
        return f"{self.job.words}{place} #{self.repeat + 1}"


class Plan(Struct, frozen=True):
    """A specification and its tasks."""

    spec: Spec
    tasks: tuple[Task, ...]


def class_resource(machine_class: str) -> str:
    """The resource that workers of a machine class have."""
    return f"class:{machine_class}"


def make_plan(spec: Spec, resolve: Callable[[str], str]) -> Plan:
    """The tasks of ``spec``, those of a repeat together, so that what is compared is close in time.

    Args:
        spec: what is asked for.
        resolve: the full commit id that a ref means at this moment: all tasks measure the same.

    Raises:
        UsageError: what ``resolve`` raises.
    """
    classes = tuple(dict.fromkeys(spec.machine_classes)) or ("",)
    jobs: tuple[Job, ...] = (
        tuple(_runs(spec, resolve)) if spec.ab is None else (_pairs(spec, spec.ab, resolve),)
    )
    each = product(range(spec.repeats), jobs, classes)
    return Plan(spec, tuple(_task(spec, *combination) for combination in each))


def _runs(spec: Spec, resolve: Callable[[str], str]) -> Iterator[OneRun]:
    refs = dict.fromkeys(Ref(name, resolve(name)) for name in spec.refs) or [None]
    for pattern, ref in product(patterns(spec), refs):
        yield OneRun(pattern, spec.profile, spec.memory, ref)


def _pairs(spec: Spec, asked: AB, resolve: Callable[[str], str]) -> Pairs:
    base, head = (Ref(name, resolve(name)) for name in (asked.base, asked.head or HEAD))
    return Pairs(
        patterns=patterns(spec),
        base=base,
        head=head,
        max_pairs=asked.max_pairs,
        fail_percent=asked.threshold,
        time_budget_s=seconds_of(asked),
        among=spec.repeats * max(1, len(set(spec.machine_classes))),
    )


def _task(spec: Spec, repeat: int, job: Job, machine_class: str) -> Task:
    task = Task(
        id="",
        job=job,
        modules=spec.modules,
        seed=(spec.seed + repeat) % (1 << 32),
        timeout_s=spec.timeout_s,
        repeat=repeat,
        machine_class=machine_class,
    )
    return msgspec.structs.replace(task, id=sha256(msgspec.json.encode(task)).hexdigest()[:16])
