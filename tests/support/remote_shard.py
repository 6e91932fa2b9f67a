"""A shard that offers items as fast as it may: ``python -m tests.support.remote_shard``, for tests.

Arguments: address, shard, shards, benchmark, its parameters as JSON, how many items. The token is
in the environment. What it found goes to standard output, as JSON.
"""

import sys

import msgspec
from msgspec import Struct

from veperf.core import registry
from veperf.core.registry import System
from veperf.loadtest.remote.auth import token_from_environment
from veperf.loadtest.remote.benchmark import load_subject, set_up_remote_load
from veperf.loadtest.remote.clock_offset import ClockOffset
from veperf.loadtest.remote.remote_system import RemoteSystem
from veperf.loadtest.remote.shard_connection import ShardConnection, join_load
from veperf.loadtest.remote.target_socket import parse_target_address

MODULES = ("tests.support.remote_loads",)


class Found(Struct, frozen=True):
    """What became of a shard's items."""

    committed: list[int]
    failed: dict[int, str]
    turned_away: int
    costs: dict[str, float]
    clock: ClockOffset
    clock_after: ClockOffset
    lost: tuple[int, ...]


def offer_all(system: System, items: int) -> tuple[list[int], dict[int, str], int]:
    """Offer tags until ``items`` were taken and are finished; what is turned away has a new tag."""
    committed: list[int] = []
    failed: dict[int, str] = {}
    tag = taken = 0
    while len(committed) + len(failed) < items:
        while taken < items:
            tag += 1
            if not system.offer(tag - 1):
                break
            taken += 1
        done = system.step()
        committed += done.committed
        failed |= done.failed
    return committed, failed, tag - taken


def put(connection: ShardConnection, system: RemoteSystem, items: int) -> Found:
    """All that a shard does."""
    try:
        connection.wait_for_start()
        committed, failed, turned_away = offer_all(system, items)
        costs = dict(system.costs())
    finally:
        system.close()
    assert connection.clock_after is not None
    clocks = connection.clock, connection.clock_after
    return Found(committed, failed, turned_away, costs, *clocks, connection.lost)


def main() -> None:
    """See above."""
    address, shard, shards, benchmark, params_json, items = sys.argv[1:]
    registry.load_registry(MODULES)
    params = msgspec.json.decode(params_json)
    with set_up_remote_load(benchmark, params) as apart:
        connection = join_load(
            parse_target_address(address),
            int(shard),
            int(shards),
            subject=load_subject(benchmark, params),
            token=token_from_environment(),
        )
        source = apart.source(int(shard), int(shards))
        outcome = put(connection, RemoteSystem(connection, source, int(items)), int(items))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
