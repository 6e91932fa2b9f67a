"""Loads between clocks that differ: their offset is found, and does no harm.

What shards and target say of their clocks is held against what was planted: namespaces set
``CLOCK_MONOTONIC`` of a process ahead by seconds that the processes know nothing of.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.support.clusters import until
from tests.support.networks import hosts
from tests.support.networks.hosts import Host, network
from tests.support.time_namespaces import ahead_by, why_not
from veperf.archive.store import Archive
from veperf.core.load import LoadPlan
from veperf.core.run import CaseResult, Run
from veperf.loadtest.remote.auth import TOKEN_VARIABLE, generate_token
from veperf.loadtest.schedule import Schedule, SchedulePart, arrival_times
from veperf.loadtest.sharded.shard import ShardReport
from veperf.measure.protocol import RunShard

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
TOKEN = generate_token()
KEY = {TOKEN_VARIABLE: TOKEN}
VEPERF = (sys.executable, "-m", "veperf")
CLOCKED = ("apart/load", "--module", "tests.support.remote_loads", "--param", "kind=clocked")
TARGET_S, SHARDS_S = 100_000, (30_000, 0, 7_000_000)
"""By how much their clocks are ahead of ours; none is behind, which a machine that booted a short
time ago refuses: its clock would be negative."""
# A process that is busy elsewhere may look late at what has arrived; days show nevertheless.
LATE_NS = 250_000_000

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())
with_networks = pytest.mark.skipif(bool(hosts.why_not()), reason=hosts.why_not())


@contextmanager
def serving() -> Iterator[str]:
    """A target whose clock is ahead; its address."""
    with subprocess.Popen(
        [*ahead_by(TARGET_S), *VEPERF, "serve", *CLOCKED],
        env=os.environ | KEY, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def found_by(shard: "subprocess.Popen[bytes]") -> ShardReport:
    message, _ = shard.communicate(timeout=PATIENCE_S)
    assert 0 == shard.returncode
    return msgspec.json.decode(message, type=ShardReport)


def only_result(run: Run) -> CaseResult:
    (result,) = run.passes[0].results
    return result


def is_believed(invalid: str) -> bool:
    """A machine that is busy lets a shard fall behind; no clock is to blame for that."""
    return not invalid or "fell behind" in invalid or "the machine was too busy" in invalid


@pytest.mark.alone
def test_shards_and_target_whose_clocks_are_days_apart() -> None:
    """Each finds its offset to within what it says, and all start at one instant."""
    plan = LoadPlan(1, 1.5, 0.0, arrivals="constant", shards=len(SHARDS_S))
    with serving() as address:
        shards = []
        for number, ahead_s in enumerate(SHARDS_S):
            join = RunShard(
                "apart/load", {"rate": 200, "kind": "clocked"}, plan, 3, number, address, TOKEN, 60
            )
            command = [
                sys.executable,
                "-m",
                "tests.support.shard_process",
                msgspec.json.encode(join).decode(),
            ]
            words = [*ahead_by(ahead_s), *command] if ahead_s else command
            shards.append(subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT))
        reports = [found_by(shard) for shard in shards]

    for report, ahead_s in zip(reports, SHARDS_S, strict=True):
        for clock in (report.clock, report.clock_after):
            assert clock is not None
            planted_ns = (TARGET_S - ahead_s) * 10**9
            assert abs(clock.offset_ns - planted_ns) <= clock.uncertainty_ns
            assert abs(clock.wall_offset_ns) <= clock.uncertainty_ns, "they share the time of day"
        assert is_believed(report.invalid)
        assert report.result.latency is not None
        assert 0 < report.result.latency.max < PATIENCE_S * 1e3
    began = [began_ns(report) for report in reports]
    assert max(began) - min(began) < LATE_NS + max(late_ns(report) for report in reports)


def began_ns(report: ShardReport) -> float:
    """When the schedule began by the target's clock, as its first item from there arrived."""
    schedule: Schedule = report.result.schedule
    due_ns = next(int(times[0]) for times in arrival_times(schedule))
    return report.result.costs[f"first_{schedule.part.shard}"] - due_ns


def late_ns(report: ShardReport) -> float:
    """How late it was with any of its items, by its own account."""
    assert report.result.lag is not None
    return report.late_ns + report.result.lag.max * 1e6


def test_the_due_times_that_the_start_is_told_by() -> None:
    """Those of the shards are apart by what the rate says: 5 ms."""
    firsts = [
        int(next(iter(arrival_times(Schedule(200, 1, 0.0, "constant", 3, SchedulePart(k, 3)))))[0])
        for k in range(3)
    ]
    assert [5_000_000, 5_000_000] == [firsts[1] - firsts[0], firsts[2] - firsts[1]]


@pytest.mark.alone
def test_a_load_on_a_target_with_another_clock(tmp_path: Path) -> None:
    """`veperf load` says the offset, and latencies are none of its business."""
    with serving() as address:
        words = ("--shards", "2", "--target", address, "--seconds", "1.5", "--warmup", "0.5")
        done = subprocess.run(
            [*VEPERF, "load", *CLOCKED, *words, "--archive", str(tmp_path)],
            env=os.environ | KEY, capture_output=True, text=True, cwd=ROOT, check=False,
            timeout=PATIENCE_S,
        )  # fmt: skip

    assert done.returncode in (0, 3), done.stderr
    result = only_result(Archive(tmp_path).load())
    for shard in result.shards:
        assert shard.clock_offset_ns is not None
        assert shard.clock_uncertainty_ns is not None
        assert abs(shard.clock_offset_ns - TARGET_S * 10**9) <= shard.clock_uncertainty_ns
        assert is_believed(shard.invalid)
    assert 0 < result.figures["latency_max"] < PATIENCE_S * 1e3


@contextmanager
def serving_on(host: Host) -> Iterator[str]:
    """A target on ``host``, whose clock is ahead; its address."""
    address = f"tcp://{host.address}:7000"
    host.start(
        *ahead_by(TARGET_S), *VEPERF, "serve", *CLOCKED, "--listen", address, environment=KEY
    )
    until(lambda: address in log_of(host))
    yield address


def log_of(host: Host) -> str:
    return (host.folder / "log").read_text()


def load_from(host: Host, address: str, archive: Path, seconds: float) -> "subprocess.Popen[bytes]":
    """A load by two shards on ``host``."""
    words = ("--shards", "2", "--target", address, "--archive", str(archive))
    times = ("--seconds", str(seconds), "--warmup", "0")
    return host.start(*VEPERF, "load", *CLOCKED, *words, *times, environment=KEY)


@pytest.mark.alone
@with_networks
def test_a_load_over_a_line_with_a_delay(tmp_path: Path) -> None:
    """Of 5 ms each way: the offset is right to within its uncertainty, which says half of 10 ms."""
    archive = tmp_path / "archive"
    with (
        network(tmp_path, ("far", "near"), delay_s=0.005) as (far, near),
        serving_on(far) as address,
    ):
        load = load_from(near, address, archive, 2)
        assert load.wait(PATIENCE_S) in (0, 3), log_of(near)

    result = only_result(Archive(archive).load())
    assert [("near", 1), ("near", 2)] == [(shard.host, shard.number) for shard in result.shards]
    for shard in result.shards:
        assert shard.clock_offset_ns is not None
        assert shard.clock_uncertainty_ns is not None
        assert shard.clock_drift_ns is not None
        assert abs(shard.clock_offset_ns - TARGET_S * 10**9) <= shard.clock_uncertainty_ns
        assert 5_000_000 <= shard.clock_uncertainty_ns
        assert abs(shard.clock_drift_ns) <= 2 * PATIENCE_S * 1e9
        assert is_believed(shard.invalid) or "the link to the target is too slow" in shard.invalid
    assert 10 <= result.figures["latency_p50"] < PATIENCE_S * 1e3


@pytest.mark.alone
@with_networks
def test_the_line_is_cut_in_the_middle(tmp_path: Path) -> None:
    """The load ends without a result, and says why; the target notices, too, and serves on."""
    archive = tmp_path / "archive"
    with (
        network(tmp_path, ("far", "near")) as (far, near),
        serving_on(far) as address,
    ):
        load = load_from(near, address, archive, 600)
        until(lambda: 2 == log_of(far).count("first item of shard"))
        near.cut()
        assert 3 == load.wait(PATIENCE_S), log_of(near)
        until(lambda: "lost shards 0, 1" in log_of(far) or "lost shards 1, 0" in log_of(far))

    failure = only_result(Archive(archive).load()).failure
    assert failure is not None
    assert f"the target at {address} is gone" in failure.message
