"""Which of a scheduler's workers do what in a load: one each, so that none waits for another."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from msgspec import Struct

from veperf.cluster.plan import ONE_AT_A_TIME, class_resource
from veperf.core.errors import MeasureError


class Seat(Struct, frozen=True):
    """One worker."""

    address: str
    host: str
    classes: frozenset[str] = frozenset()
    """The resources that it has."""


class Seats(Struct, frozen=True):
    """Who does what."""

    target: Seat | None
    """None where the target is no business of the scheduler's."""
    shards: tuple[Seat, ...]


def free_seats(workers: Mapping[str, Mapping[str, Any]], busy: Collection[str]) -> list[Seat]:
    """The workers that measure and have nothing to do.

    Args:
        workers: what a scheduler says of its workers, by address.
        busy: addresses of those that have something to do.
    """
    return [
        Seat(address, str(worker["host"]), frozenset(worker["resources"]))
        for address, worker in sorted(workers.items())
        if ONE_AT_A_TIME in worker["resources"] and address not in busy
    ]


def take_seats(
    free: Sequence[Seat], shards: int, *, with_target: bool, target_class: str = ""
) -> Seats:
    """A worker for each shard, on as many hosts as can be, and one for the target, apart from them.

    Args:
        free: the workers that there are for it.
        shards: how many of them there are.
        with_target: whether the target needs one.
        target_class: the machine class that the target is to be of; empty where any will do.

    Raises:
        MeasureError: there are too few.
    """
    wanted = shards + with_target
    if len(free) < wanted:
        what = f"{shards} shards" + (" and their target" if with_target else "")
        raise MeasureError(
            f"{what} need {wanted} free workers, one each; the scheduler has {len(free)} (workers "
            f"measure when they are started with --resources '{ONE_AT_A_TIME}=1')"
        )
    if not with_target:
        return Seats(None, tuple(_spread(free))[:shards])
    able = [
        seat for seat in free if not target_class or class_resource(target_class) in seat.classes
    ]
    if not able:
        raise MeasureError(
            f"no free worker of machine class {target_class!r} is there for the target; one has "
            f"--resources '{ONE_AT_A_TIME}=1 {class_resource(target_class)}=1'"
        )
    alone = _crowd(free)
    target = min(able, key=lambda seat: alone[seat.host])
    others = [seat for seat in free if seat.host != target.host]
    beside = [seat for seat in free if seat.host == target.host and seat != target]
    return Seats(target, tuple(chain(_spread(others), beside))[:shards])


def _crowd(seats: Sequence[Seat]) -> dict[str, int]:
    """How many workers each host has."""
    counts: dict[str, int] = {}
    for seat in seats:
        counts[seat.host] = counts.get(seat.host, 0) + 1
    return counts


def _spread(seats: Sequence[Seat]) -> Iterator[Seat]:
    """``seats``, one of each host, then another of each, and so on."""
    by_host: dict[str, list[Seat]] = {}
    for seat in seats:
        by_host.setdefault(seat.host, []).append(seat)
    rounds = zip_longest(*by_host.values())
    return (seat for one_of_each in rounds for seat in one_of_each if seat is not None)
