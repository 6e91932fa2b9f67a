"""Who does what in a load on a cluster: one worker each, apart where that can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.cluster.load import WorkerSlot, allocate_workers, free_slots
from veperf.core.errors import MeasureError

HOSTS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12)


def seats_on(hosts: list[str]) -> list[WorkerSlot]:
    return [
        WorkerSlot(f"tcp://{host}:{n}", host, frozenset({"veperf"})) for n, host in enumerate(hosts)
    ]


@given(HOSTS, st.integers(1, 12), st.booleans())
def test_one_worker_each_or_an_error(hosts: list[str], shards: int, with_target: bool) -> None:
    """Nobody has two parts, and every part has somebody, unless there are too few: that is said."""
    free = seats_on(hosts)
    needed = shards + with_target
    if needed > len(free):
        with pytest.raises(MeasureError, match=f"need {needed} free workers"):
            allocate_workers(free, shards, with_target=with_target)
        return
    allocation = allocate_workers(free, shards, with_target=with_target)

    taken = [*allocation.shards, *([allocation.target] if allocation.target else [])]
    assert needed == len(taken) == len(set(taken))
    assert set(taken) <= set(free)


@given(HOSTS, st.integers(1, 12))
def test_the_target_is_alone_if_that_can_be(hosts: list[str], shards: int) -> None:
    """Shards are on its host only when those of the other hosts are too few."""
    free = seats_on(hosts)
    if shards >= len(free):
        return
    allocation = allocate_workers(free, shards, with_target=True)

    assert allocation.target is not None
    elsewhere = sum(seat.host != allocation.target.host for seat in free)
    beside = sum(seat.host == allocation.target.host for seat in allocation.shards)
    assert max(0, shards - elsewhere) == beside


@given(HOSTS, st.integers(1, 12))
def test_shards_are_spread(hosts: list[str], shards: int) -> None:
    """No host has two shards more than another that still has a worker free."""
    free = seats_on(hosts)
    if shards > len(free):
        return
    allocation = allocate_workers(free, shards, with_target=False)
    there = {host: hosts.count(host) for host in hosts}
    used = {host: sum(s.host == host for s in allocation.shards) for host in there}

    for count in used.values():
        assert all(count <= used[other] + 1 for other in there if used[other] < there[other])


def test_the_target_s_machine_class() -> None:
    """Is kept to, and missed where no free worker has it."""
    small, big = (
        WorkerSlot(f"tcp://h:{n}", "h", frozenset({"veperf", f"class:{name}"}))
        for n, name in enumerate(["small", "big"])
    )

    allocation = allocate_workers([small, big], 1, with_target=True, target_class="big")
    assert big == allocation.target
    with pytest.raises(MeasureError, match="machine class 'huge'"):
        allocate_workers([small, big], 1, with_target=True, target_class="huge")


def test_workers_that_are_not_free() -> None:
    """Those that have something to do, and those that don't measure, are left out."""
    workers = {
        "tcp://h:1": {"host": "h", "resources": {"veperf": 1.0}},
        "tcp://h:2": {"host": "h", "resources": {"veperf": 1.0}},
        "tcp://h:3": {"host": "h", "resources": {}},
    }

    assert [WorkerSlot("tcp://h:2", "h", frozenset({"veperf"}))] == free_slots(
        workers, {"tcp://h:1"}
    )
