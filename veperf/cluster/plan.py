"""From a specification to tasks: every combination of what to measure and where."""

from collections.abc import Callable
from hashlib import sha256
from itertools import product

import msgspec
from msgspec import Struct

from veperf.cluster.spec import Spec, patterns

ONE_AT_A_TIME = "veperf"
"""The resource of which every worker has one, and every task takes one."""


class Task(Struct, frozen=True):
    """One run of one selection on one worker."""

    id: str
    """The same for the same work of the same sweep, so that a sweep can go on."""
    pattern: str
    profile: str
    seed: int
    timeout_s: float
    modules: tuple[str, ...]
    memory: bool
    repeat: int
    machine_class: str
    """Empty where any worker will do."""
    commit: str
    """Empty where what the worker has installed is measured."""
    ref: str
    """The name by which the commit was asked for."""

    @property
    def resources(self) -> dict[str, float]:
        """What of dask's resources it takes."""
        tag = {class_resource(self.machine_class): 0.001} if self.machine_class else {}
        return {ONE_AT_A_TIME: 1} | tag

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        ref = f" at {self.ref}" if self.ref else ""
        place = f" on {self.machine_class}" if self.machine_class else ""
        return f"{self.pattern}{ref}{place} #{self.repeat + 1}"


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
    commits = [(resolve(ref), ref) for ref in spec.refs] or [("", "")]
    classes = spec.machine_classes or ("",)
    tasks = [
        _task(spec, pattern, repeat, machine_class, commit, ref)
        for repeat, pattern, (commit, ref), machine_class in product(
            range(spec.repeats), patterns(spec), dict.fromkeys(commits), dict.fromkeys(classes)
        )
    ]
    return Plan(spec, tuple(tasks))


def _task(spec: Spec, pattern: str, repeat: int, machine_class: str, commit: str, ref: str) -> Task:
    task = Task(
        id="",
        pattern=pattern,
        profile=spec.profile,
        seed=(spec.seed + repeat) % (1 << 32),
        timeout_s=spec.timeout_s,
        modules=spec.modules,
        memory=spec.memory,
        repeat=repeat,
        machine_class=machine_class,
        commit=commit,
        ref=ref,
    )
    return msgspec.structs.replace(task, id=sha256(msgspec.json.encode(task)).hexdigest()[:16])
