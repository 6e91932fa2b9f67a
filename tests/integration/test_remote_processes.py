"""A target in a process of its own, and shards in others: nothing lost, nothing twice."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.support.clusters import until
from tests.support.processes import is_running
from tests.support.remote_loads import PLACE, blocks
from tests.support.remote_shard import MODULES, Found, offer_all, put
from veperf.core import registry
from veperf.core.case import Params
from veperf.core.errors import MeasureError
from veperf.loadtest.remote.auth import TOKEN_VARIABLE, generate_token
from veperf.loadtest.remote.benchmark import load_subject
from veperf.loadtest.remote.remote_system import RemoteSystem
from veperf.loadtest.remote.shard_connection import ShardConnection, join_load
from veperf.loadtest.remote.target_process import TargetProcess, TargetSpec

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
TCP = "tcp://127.0.0.1:0"
COUNTER: Params = {"rate": 200, "kind": "counter"}
registry.load_registry(MODULES)


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes find the tests' modules."""
    monkeypatch.chdir(ROOT)


def spec(benchmark: str, params: Params, shards: int, address: str = TCP) -> TargetSpec:
    return TargetSpec(benchmark, params, MODULES, shards, address)


def join(
    target: TargetProcess, target_spec: TargetSpec, token: str, shard: int = 0
) -> ShardConnection:
    """A connection from here."""
    return join_load(
        target.wait_until_listening(PATIENCE_S),
        shard,
        target_spec.shards,
        subject=load_subject(target_spec.benchmark, target_spec.params),
        token=token,
    )


def system_of(connection: ShardConnection, target_spec: TargetSpec, items: int) -> RemoteSystem:
    task = registry.REGISTRY.benchmarks[target_spec.benchmark].setup(**target_spec.params)
    assert isinstance(task, registry.LoadTask)
    assert task.remote is not None
    return RemoteSystem(connection, task.remote.source(0, target_spec.shards), items)


def start_shards(
    address: str, target_spec: TargetSpec, token: str, items: int
) -> "list[subprocess.Popen[bytes]]":
    words = [target_spec.benchmark, msgspec.json.encode(target_spec.params).decode(), str(items)]
    return [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.remote_shard",
                address,
                str(k),
                str(target_spec.shards),
                *words,
            ],
            env=os.environ | {TOKEN_VARIABLE: token},
            stdout=subprocess.PIPE,
        )
        for k in range(target_spec.shards)
    ]


def found_by(shard: "subprocess.Popen[bytes]") -> Found:
    message, _ = shard.communicate(timeout=PATIENCE_S)
    assert 0 == shard.returncode
    return msgspec.json.decode(message, type=Found)


def step_on(system: RemoteSystem) -> None:
    """For ever, or until the target has had enough."""
    while True:
        system.step()


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_every_item_comes_back_exactly_once(kind: str, tmp_path: Path) -> None:
    """From two shards at once, in the order of each; the target has the same count."""
    address = f"unix://{tmp_path}/target.sock" if kind == "unix" else TCP
    target_spec, token, items = spec("apart/load", COUNTER, 2, address), generate_token(), 30_000
    with TargetProcess(target_spec, token) as target:
        shards = start_shards(
            str(target.wait_until_listening(PATIENCE_S)), target_spec, token, items
        )
        outcomes = [found_by(shard) for shard in shards]
        served = target.wait_until_served(PATIENCE_S)

    for item in outcomes:
        assert items == len(item.committed)
        assert sorted(set(item.committed)) == item.committed
        assert ({}, ()) == (item.failed, item.lost)
        assert {"count": 2 * items} == item.costs
    assert (2, 2 * items, 0, ()) == (served.shards, served.committed, served.failed, served.lost)


def test_three_shards_of_transfers_are_all_committed() -> None:
    """In whatever order they come together: each sender is one shard's."""
    target_spec, token, items = spec("apart/chain", {"rate": 200}, 3), generate_token(), 400
    with TargetProcess(target_spec, token) as target:
        shards = start_shards(
            str(target.wait_until_listening(PATIENCE_S)), target_spec, token, items
        )
        outcomes = [found_by(shard) for shard in shards]
        served = target.wait_until_served(PATIENCE_S)

    assert [items] * 3 == [len(set(item.committed)) for item in outcomes]
    assert [{}] * 3 == [item.failed for item in outcomes]
    assert (3 * items, 0) == (served.committed, served.failed)
    assert {"hash", "decode", "verify", "execute", "commit"} <= outcomes[0].costs.keys()


def test_the_chain_ends_in_the_same_state_as_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same transfers in the same blocks have the same root hash as without a wire."""
    roots = []
    for name in ("here", "apart"):
        monkeypatch.setenv(PLACE, str(tmp_path / name))
        if name == "here":
            system = blocks().system(300)
            offer_all(system, 300)
            system.close()
        else:
            target_spec, token = spec("apart/blocks", {}, 1), generate_token()
            with TargetProcess(target_spec, token) as target:
                connection = join(target, target_spec, token)
                put(connection, system_of(connection, target_spec, 300), 300)
                target.wait_until_served(PATIENCE_S)
        roots.append((tmp_path / name).read_bytes())

    assert 32 == len(roots[0])
    assert roots[0] == roots[1]


def test_clocks_of_one_host_agree() -> None:
    """Both processes read the same clocks: the offset is 0, or what a shard's clock is wrong by."""
    wrong_ns, wrong_wall_ns = -3_600_000_000_123, 77_000_000
    for shift, wall_shift in ((0, 0), (wrong_ns, wrong_wall_ns)):

        def clock(shift: int = shift) -> int:
            return time.perf_counter_ns() + shift

        def wall(shift: int = wall_shift) -> int:
            return time.time_ns() + shift

        target_spec, token = spec("apart/load", COUNTER, 1), generate_token()
        with TargetProcess(target_spec, token) as target:
            connection = join_load(
                target.wait_until_listening(PATIENCE_S),
                0,
                1,
                subject=load_subject(target_spec.benchmark, target_spec.params),
                token=token,
                clock=clock,
                wall=wall,
            )
            before = time.perf_counter_ns()
            start = connection.wait_for_start() - shift
            system = system_of(connection, target_spec, 1)
            system.costs()
            system.close()

        for outcomes in (connection.clock, connection.clock_after):
            assert outcomes is not None
            assert abs(outcomes.offset_ns + shift) <= outcomes.uncertainty_ns
            assert abs(outcomes.wall_offset_ns + wall_shift) <= outcomes.uncertainty_ns
            assert outcomes.uncertainty_ns < 100_000_000
        assert before < start < before + PATIENCE_S * 1e9


@pytest.mark.parametrize(
    ("kind", "words"),
    [("dying", "is gone"), ("raising", "ValueError: planted error")],
)
def test_a_target_that_dies_ends_the_load(kind: str, words: str) -> None:
    """At once and with the reason, for the shard and for who started it."""
    target_spec, token = spec("apart/load", {"rate": 200, "kind": kind}, 1), generate_token()
    with TargetProcess(target_spec, token) as target:
        connection = join(target, target_spec, token)
        system = system_of(connection, target_spec, 100_000)
        with pytest.raises(MeasureError, match=words):
            put(connection, system, 100_000)
        with pytest.raises(MeasureError, match=r"the target process ended with (-9|3: .*planted)"):
            target.wait_until_served(PATIENCE_S)


def test_a_target_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process keeps its connections: only its silence shows."""
    monkeypatch.setattr("veperf.loadtest.remote.remote_system._SILENCE_S", 0.5)
    monkeypatch.setattr("veperf.loadtest.remote.shard_connection._ANSWER_S", 0.5)
    monkeypatch.setattr("veperf.loadtest.remote.shard_connection._OTHERS_S", 0.5)
    monkeypatch.setattr("veperf.loadtest.remote.target_process._PATIENCE_S", 0.1)
    target_spec, token = spec("apart/load", COUNTER, 1), generate_token()
    with TargetProcess(target_spec, token) as target:
        connection = join(target, target_spec, token)
        with contextlib.closing(system_of(connection, target_spec, 10)) as system:
            connection.wait_for_start()
            os.kill(target.pid, signal.SIGSTOP)
            assert system.offer(0)
            with pytest.raises(MeasureError, match="has not answered"):
                step_on(system)
            with pytest.raises(MeasureError, match="has not answered"):
                system.costs()


@pytest.mark.alone
def test_a_target_that_is_slow_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take its time with an item, as long as it answers when it is asked."""
    monkeypatch.setattr("veperf.loadtest.remote.remote_system._SILENCE_S", 3.0)
    monkeypatch.setattr("veperf.loadtest.remote.remote_system._PING_AFTER_S", 0.1)
    target_spec, token = spec("apart/load", {"rate": 200, "kind": "hanging"}, 1), generate_token()
    with TargetProcess(target_spec, token) as target:
        connection = join(target, target_spec, token)
        with contextlib.closing(system_of(connection, target_spec, 100)) as system:
            connection.wait_for_start()
            assert all(system.offer(tag) for tag in range(100))
            committed: list[int] = []
            while len(committed) <= 50:
                committed += system.step().committed
            assert system.offer(100)
            deadline = time.monotonic() + 3.5
            while time.monotonic() < deadline:
                committed += system.step().committed
            system.costs()

    assert 100 not in committed


def test_a_target_that_can_not_be_made_says_why() -> None:
    """To its shards and to who started it."""
    target_spec, token = spec("apart/broken", {}, 1), generate_token()
    with TargetProcess(target_spec, token) as target:
        with pytest.raises(MeasureError):
            join(target, target_spec, token)
        with pytest.raises(MeasureError, match="planted: no target today"):
            target.wait_until_served(PATIENCE_S)


@pytest.mark.parametrize(
    ("target_spec", "words"),
    [
        (spec("bidding/load", {}, 1), "bidding/load is no load"),
        (TargetSpec("apart/load", COUNTER, ("no.such.module",), 1, TCP), "no.such.module"),
        (spec("apart/load", {"rate": 1, "kind": "none"}, 1), "KeyError: 'none'"),
        (spec("apart/load", COUNTER, 1, "tcp://192.0.2.1:0"), "can't listen on tcp://192.0.2.1:0"),
    ],
)
def test_a_target_that_can_not_start_says_why(target_spec: TargetSpec, words: str) -> None:
    """Instead of its address."""
    with (
        TargetProcess(target_spec, generate_token()) as target,
        pytest.raises(MeasureError, match=words),
    ):
        target.wait_until_listening(PATIENCE_S)


def test_a_target_does_not_outlive_who_started_it() -> None:
    """Its standard input is closed when that is killed, and nothing is left."""
    code = (
        "import sys, time\n"
        "from tests.integration.test_remote_processes import *\n"
        "target = TargetProcess(spec('apart/load', COUNTER, 1), generate_token())\n"
        "print(target.wait_until_listening(60), target.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        _, pid = parent.stdout.readline().split()
        assert Path(f"/proc/{int(pid)}").exists()
        parent.kill()
    until(lambda: not is_running(int(pid)))


def test_a_target_ends_when_told_to() -> None:
    """By SIGTERM it tidies up: its shards hear why, and its socket is gone."""
    target_spec, token = spec("apart/load", COUNTER, 1), generate_token()
    with TargetProcess(target_spec, token) as target:
        connection = join(target, target_spec, token)
        with contextlib.closing(system_of(connection, target_spec, 10)) as system:
            connection.wait_for_start()
            os.kill(target.pid, signal.SIGTERM)
            with pytest.raises(MeasureError, match="stopped by a signal"):
                step_on(system)
        with pytest.raises(MeasureError, match="stopped by a signal"):
            target.wait_until_served(PATIENCE_S)
    assert not Path(f"/proc/{target.pid}").exists()
