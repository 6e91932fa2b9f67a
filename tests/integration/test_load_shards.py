"""Loads by several processes of this machine: all items once, and nothing that goes wrong hides."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from tests.support.processes import children, command_line
from veperf.core.load import LoadPlan, LoadSoFar
from veperf.core.run import CaseResult
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.remote.auth import generate_token
from veperf.loadtest.schedule import Schedule, arrival_times
from veperf.loadtest.sharded.coordinator import run_sharded_load
from veperf.loadtest.sharded.local_processes import LocalLauncher, local_launcher
from veperf.loadtest.sharded.messages import ShardedLoad

PLAN = LoadPlan(passes=1, seconds=3.0, warmup_s=0.5, shards=2)
LOAD = ShardedLoad(
    benchmark="apart/load",
    params={"rate": 200, "kind": "counter"},
    modules=("tests.support.remote_loads",),
    plan=PLAN,
    seed=11,
    timeout_s=60,
    token=generate_token(),
)


@pytest.fixture
def place() -> Iterator[LocalLauncher]:
    before = set(children(os.getpid()))
    with local_launcher() as result:
        yield result
    assert before >= set(children(os.getpid())), "a process was left behind"


def workers() -> list[int]:
    """The worker processes that this one has started."""
    return [pid for pid in children(os.getpid()) if "runner.worker" in command_line(pid)]


def put(
    load: ShardedLoad, place: LocalLauncher, watch: Callable[[LoadSoFar], bool] = lambda _: True
) -> CaseResult:
    return run_sharded_load("case", load, place, watch)[0]


def scheduled(load: ShardedLoad) -> int:
    """Items after the warm-up."""
    plan, rate = load.plan, float(load.params["rate"])
    schedule = Schedule(rate, plan.seconds, plan.warmup_s, plan.arrivals, load.seed)
    return sum(int((times >= schedule.warmup_ns).sum()) for times in arrival_times(schedule))


def once(act: Callable[[], object]) -> Callable[[LoadSoFar], bool]:
    """Watches a load, and does ``act`` the first time that it hears of it."""
    todo = [act]

    def watch(_: LoadSoFar) -> bool:
        if todo:
            todo.pop()()
        return True

    return watch


@pytest.mark.alone
def test_every_item_of_the_schedule_is_put_on_once(place: LocalLauncher) -> None:
    """Three shards together do what the schedule says, and each says how it did."""
    load = replace(LOAD, plan=replace(PLAN, shards=3))
    result, around = run_sharded_load("case", load, place, lambda _: True)

    assert scheduled(load) == Latencies.merged([result.latencies]).count
    assert 0 == result.figures["error_rate"]
    assert result.figures["cpu_count"] > 0
    assert [1, 2, 3] == [shard.number for shard in result.shards]
    for shard in result.shards:
        assert shard.offered is not None
        assert shard.clock_offset_ns is not None
        assert shard.clock_uncertainty_ns is not None
        assert abs(shard.clock_offset_ns) <= shard.clock_uncertainty_ns, "they share one clock"
    assert sum(s.offered or 0 for s in result.shards) == pytest.approx(result.figures["offered"])
    assert around is not None
    assert around.calibration_ns


@pytest.mark.alone
def test_a_shard_is_killed(place: LocalLauncher) -> None:
    """The load is invalid and says which shard and why; the other's figures are kept."""
    victims: list[int] = []

    def strike() -> None:
        victims.append(workers()[0])
        os.kill(victims[0], signal.SIGKILL)

    result = put(LOAD, place, once(strike))

    assert result.failure is not None
    assert "invalid" == result.failure.kind
    assert "it was lost: the worker process ended: killed by SIGKILL" in result.failure.message
    (lost,) = [shard for shard in result.shards if "it was lost" in shard.invalid]
    (kept,) = [shard for shard in result.shards if shard != lost]
    assert f"shard {lost.number} of 2 on {lost.host}" in result.failure.message
    assert lost.offered is None
    assert kept.offered == pytest.approx(result.figures["offered"])
    assert result.figures["latency_p50"] > 0


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["counter", "hanging"], ids=["asleep", "waiting for the target"])
def test_a_shard_is_held_up(kind: str, place: LocalLauncher) -> None:
    """A second without the CPU is a second in which the schedule was not kept: invalid.

    Whatever the shard did at that moment: the target has no part in it.
    """
    victims: list[int] = []

    def strike() -> None:
        victims.append(workers()[0])
        time.sleep(0.05)  # now it is not saying how it goes any more
        os.kill(victims[0], signal.SIGSTOP)
        threading.Timer(1.0, os.kill, (victims[0], signal.SIGCONT)).start()

    result = put(replace(LOAD, params={"rate": 200, "kind": kind}), place, once(strike))

    assert result.failure is not None
    assert "invalid" == result.failure.kind
    reasons = ("fell behind", "the machine was too busy")
    assert any(reason in result.failure.message for reason in reasons)
    assert any(reason in shard.invalid for shard in result.shards for reason in reasons)
    assert all(shard.offered is not None for shard in result.shards)
    assert result.figures["lag_p99"] > 500


@pytest.mark.parametrize(
    ("kind", "message"), [("dying", "ended with -9"), ("raising", "planted error")]
)
def test_the_target_is_lost(kind: str, message: str, place: LocalLauncher) -> None:
    """Nothing was measured, and the target is to blame; nobody waits for ever."""
    result = put(replace(LOAD, params={"rate": 200, "kind": kind}), place)

    assert result.failure is not None
    assert "crashed" == result.failure.kind
    assert result.failure.message.startswith("the target on ")
    assert message in result.failure.message
    assert {} == result.figures
    assert () == result.shards


@pytest.mark.alone
def test_a_load_that_is_ended(place: LocalLauncher) -> None:
    """Every shard ends it, and what they found until then is the result."""
    result = put(replace(LOAD, plan=replace(PLAN, seconds=600.0, warmup_s=0.0)), place,
                 lambda so_far: so_far.elapsed_s < 2)  # fmt: skip

    assert result.stopped_after_s is not None
    assert 1 < result.stopped_after_s < 60
    assert 2 == len(result.shards)
    assert result.figures["achieved"] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"benchmark": "apart/broken", "params": {}}, "planted: no target today"),
        ({"benchmark": "loads/busiest", "params": {}}, "it searches for a rate"),
        ({"benchmark": "no/such"}, "no/such is no load"),
        ({"modules": ("no.such.module",)}, "no.such.module can't be imported"),
    ],
)
def test_there_is_no_target(change: dict[str, object], message: str, place: LocalLauncher) -> None:
    """Why is said at once."""
    load = replace(LOAD, modules=("tests.support.remote_loads", "tests.support.loads"))
    result = put(replace(load, **change), place)

    assert result.failure is not None
    assert message in result.failure.message


@pytest.mark.alone
def test_another_load_s_token(place: LocalLauncher) -> None:
    """A target that runs already lets in who has its token, and nobody else."""
    target = replace(LOAD, plan=replace(PLAN, shards=1))
    addresses: list[str] = []
    events = threading.Event()

    def hear(message: object) -> None:
        addresses.extend([message.address] if hasattr(message, "address") else [])
        if addresses:
            events.set()

    from veperf.loadtest.sharded.messages import Assignment

    hand = place.start(Assignment(target, place.listen_address), hear)
    try:
        assert events.wait(60)
        stranger = replace(target, token=generate_token())
        refused, _ = run_sharded_load("case", stranger, place, lambda _: True, target=addresses[0])
        let_in, around = run_sharded_load(
            "case", target, place, lambda _: True, target=addresses[0]
        )
    finally:
        hand.kill()

    assert refused.failure is not None
    assert "token" in refused.failure.message
    assert around is not None
    assert scheduled(target) == Latencies.merged([let_in.latencies]).count


@pytest.mark.alone
def test_the_real_chain(place: LocalLauncher) -> None:
    """Transfers from two shards are all committed: each sends from accounts of its own."""
    load = replace(LOAD, benchmark="apart/chain", params={"rate": 200})
    result = put(load, place)

    assert scheduled(load) == Latencies.merged([result.latencies]).count
    assert 0 == result.figures["error_rate"]
    assert result.figures["cpu_sign"] > 0 if "cpu_sign" in result.figures else result.figures
