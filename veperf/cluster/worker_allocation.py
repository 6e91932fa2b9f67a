"""Allocate a scheduler's workers to the processes of a load: one each, so that none waits."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from msgspec import Struct

from veperf.cluster.sweep_plan import WORKER_RESOURCE, class_resource
from veperf.core.errors import MeasureError


class WorkerSlot(Struct, frozen=True):
    """A free worker."""

    address: str
    host: str
    resources: frozenset[str] = frozenset()


class WorkerAllocation(Struct, frozen=True):
    """The workers of a load."""

    target: WorkerSlot | None
    """None where the target is not started by the scheduler."""
    shards: tuple[WorkerSlot, ...]


def free_slots(workers: Mapping[str, Mapping[str, Any]], busy: Collection[str]) -> list[WorkerSlot]:
    """Return the workers that measure and are idle.

    Args:
        workers: a scheduler's information on its workers, by address.
        busy: addresses of those that have something to do.
    """
    return [
        WorkerSlot(address, str(worker["host"]), frozenset(worker["resources"]))
        for address, worker in sorted(workers.items())
        if worker["resources"].get(WORKER_RESOURCE) and address not in busy
    ]


def allocate_workers(
    free: Sequence[WorkerSlot], shards: int, *, with_target: bool, target_class: str = ""
) -> WorkerAllocation:
    """Return a worker for each shard, on as many hosts as possible, and one for the target.

    The target has a host of its own, if there are enough.

    Args:
        free: the workers to choose from.
        shards: how many of them there are.
        with_target: whether the target needs one.
        target_class: the machine class of the target; empty where any will do.

    Raises:
        MeasureError: there are too few.
    """
    needed = shards + with_target
    if len(free) < needed:
        members = f"{shards} shards" + (" and their target" if with_target else "")
        raise MeasureError(
            f"{members} need {needed} free workers, one each; the scheduler has {len(free)} "
            f"(workers measure when they are started with --resources '{WORKER_RESOURCE}=1')"
        )
    if not with_target:
        return WorkerAllocation(None, tuple(_spread(free))[:shards])
    able = [
        slot for slot in free if not target_class or class_resource(target_class) in slot.resources
    ]
    if not able:
        raise MeasureError(
            f"no free worker of machine class {target_class!r} is there for the target; one has "
            f"--resources '{WORKER_RESOURCE}=1 {class_resource(target_class)}=1'"
        )
    workers_of_host = Counter(slot.host for slot in free)
    target = min(able, key=lambda slot: workers_of_host[slot.host])
    others = [slot for slot in free if slot.host != target.host]
    beside = [slot for slot in free if slot.host == target.host and slot != target]
    return WorkerAllocation(target, tuple(chain(_spread(others), beside))[:shards])


def _spread(slots: Sequence[WorkerSlot]) -> Iterator[WorkerSlot]:
    """Yield one slot of each host, then another of each, and so on."""
    by_host: dict[str, list[WorkerSlot]] = {}
    for slot in slots:
        by_host.setdefault(slot.host, []).append(slot)
    rounds = zip_longest(*by_host.values())
    return (slot for round_ in rounds for slot in round_ if slot is not None)
