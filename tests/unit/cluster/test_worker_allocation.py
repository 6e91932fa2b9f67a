"""Who does what in a load on a cluster: one worker each, apart where that can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.cluster.worker_allocation import Seat, free_seats, take_seats
from veperf.core.errors import MeasureError

HOSTS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12)


def seats_on(hosts: list[str]) -> list[Seat]:
    return [Seat(f"tcp://{host}:{n}", host, frozenset({"veperf"})) for n, host in enumerate(hosts)]


@given(HOSTS, st.integers(1, 12), st.booleans())
def test_one_worker_each_or_an_error(hosts: list[str], shards: int, with_target: bool) -> None:
    """Nobody has two parts, and every part has somebody, unless there are too few: that is said."""
    free = seats_on(hosts)
    wanted = shards + with_target
    if wanted > len(free):
        with pytest.raises(MeasureError, match=f"need {wanted} free workers"):
            take_seats(free, shards, with_target=with_target)
        return
    found = take_seats(free, shards, with_target=with_target)

    taken = [*found.shards, *([found.target] if found.target else [])]
    assert wanted == len(taken) == len(set(taken))
    assert set(taken) <= set(free)


@given(HOSTS, st.integers(1, 12))
def test_the_target_is_alone_if_that_can_be(hosts: list[str], shards: int) -> None:
    """Shards are on its host only when those of the other hosts are too few."""
    free = seats_on(hosts)
    if shards >= len(free):
        return
    found = take_seats(free, shards, with_target=True)

    assert found.target is not None
    elsewhere = sum(seat.host != found.target.host for seat in free)
    beside = sum(seat.host == found.target.host for seat in found.shards)
    assert max(0, shards - elsewhere) == beside


@given(HOSTS, st.integers(1, 12))
def test_shards_are_spread(hosts: list[str], shards: int) -> None:
    """No host has two shards more than another that still has a worker free."""
    free = seats_on(hosts)
    if shards > len(free):
        return
    found = take_seats(free, shards, with_target=False)
    there = {host: hosts.count(host) for host in hosts}
    used = {host: sum(s.host == host for s in found.shards) for host in there}

    for count in used.values():
        assert all(count <= used[other] + 1 for other in there if used[other] < there[other])


def test_the_target_s_machine_class() -> None:
    """Is kept to, and missed where no free worker has it."""
    small, big = (
        Seat(f"tcp://h:{n}", "h", frozenset({"veperf", f"class:{name}"}))
        for n, name in enumerate(["small", "big"])
    )

    found = take_seats([small, big], 1, with_target=True, target_class="big")
    assert big == found.target
    with pytest.raises(MeasureError, match="machine class 'huge'"):
        take_seats([small, big], 1, with_target=True, target_class="huge")


def test_workers_that_are_not_free() -> None:
    """Those that have something to do, and those that don't measure, are left out."""
    workers = {
        "tcp://h:1": {"host": "h", "resources": {"veperf": 1.0}},
        "tcp://h:2": {"host": "h", "resources": {"veperf": 1.0}},
        "tcp://h:3": {"host": "h", "resources": {}},
    }

    assert [Seat("tcp://h:2", "h", frozenset({"veperf"}))] == free_seats(workers, {"tcp://h:1"})
