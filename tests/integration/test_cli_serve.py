"""``veperf serve`` as a user types it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.remote_loads import numbered
from tests.support.remote_shard import put
from veperf.loadtest.remote.auth import TOKEN_VARIABLE
from veperf.loadtest.remote.remote_system import RemoteSystem
from veperf.loadtest.remote.shard_connection import ShardConnection, join_load
from veperf.loadtest.remote.target_socket import parse_target_address

ROOT = Path(__file__).parents[2]
WORDS = [sys.executable, "-m", "veperf", "serve"]
DESK = ["loads/desk", "--module", "tests.support.loads"]
OURS = ["apart/load", "--module", "tests.support.remote_loads"]
SUBJECT = "apart/load[kind=counter]"
PATIENCE_S = 60.0


def environment(token: str = "") -> dict[str, str]:
    actual = os.environ | {"PYTHONPATH": str(ROOT), TOKEN_VARIABLE: token}
    return {name: value for name, value in actual.items() if value}


@contextmanager
def serve(*words: str, token: str = "") -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*WORDS, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(token),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def join(address: str, token: str) -> ShardConnection:
    return join_load(parse_target_address(address), 0, 1, subject=SUBJECT, token=token)


def put_items(connection: ShardConnection, items: int) -> int:
    actual = put(connection, RemoteSystem(connection, numbered(0, 1), items), items)
    return len(actual.committed)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_one_load_after_the_other(how: signal.Signals) -> None:
    """Each on a fresh system, with the token that it drew, until it is ended: code 0."""
    with serve(*OURS) as process:
        address = line(process)
        name, _, token = line(process).partition("=")
        assert (TOKEN_VARIABLE, 32) == (name, len(token))
        assert SUBJECT in line(process)
        for items in (30, 20):
            # A system that is not fresh would have the second load's items as ones it had before.
            assert items == put_items(join(address, token), items)
            assert f"load over: 1 shard, {items} committed" == line(process)
        process.send_signal(how)
        output, errors = process.communicate(timeout=PATIENCE_S)

    assert ("", "", 0) == (output, errors, process.returncode)


def test_a_token_that_was_given_is_not_shown(tmp_path: Path) -> None:
    """By a socket in a folder, too, which is gone afterwards."""
    token, path = "a token that was given", tmp_path / "target.sock"
    with serve(*OURS, "--listen", f"unix://{path}", "--shards", "1", token=token) as process:
        assert f"unix://{path}" == line(process)
        assert SUBJECT in line(process)
        assert 10 == put_items(join(f"unix://{path}", token), 10)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE_S)

    assert token not in output + errors
    assert not path.exists()


def test_what_other_hosts_reach_says_how_to_tunnel() -> None:
    """With the port that it has; nothing is encrypted."""
    with serve(*OURS, "--listen", "tcp://0.0.0.0:0", token="t" * 16) as process:
        port = line(process).rpartition(":")[2]
        line(process)
        assert f"`ssh -N -L {port}:127.0.0.1:{port} " in line(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)


def test_it_can_be_ended_in_the_middle_of_a_load() -> None:
    """Code 130, and it says so; a load that is called off does not end it."""
    with serve(*OURS, token="t" * 16) as process:
        address = line(process)
        line(process)
        join(address, "t" * 16).close()
        assert "load called off: shard 0 was lost" in line(process)
        connection = join(address, "t" * 16)
        connection.wait_for_start()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE_S)
        connection.close()

    assert (130, "ended in the middle of a load\n") == (process.returncode, errors)


@pytest.mark.parametrize(
    ("words", "token", "message", "code"),
    [
        (["no/load"], "", "no load benchmark 'no/load'", 2),
        (["apart/broken", *OURS[1:]], "", "planted: no target today", 3),
        ([*OURS, "--listen", "localhost:80"], "", "is no address", 2),
        ([*OURS, "--listen", "tcp://192.0.2.1:0"], "t" * 16, "can't listen on", 2),
        ([*OURS, "--listen", "tcp://0.0.0.0:0"], "", 'export VEPERF_LOAD_TOKEN="$(', 2),
        ([*OURS, "--listen", "tcp://[::]:0"], "", "VEPERF_LOAD_TOKEN must be set", 2),
        ([*OURS, "--listen", "tcp://192.0.2.1:0"], "", "VEPERF_LOAD_TOKEN must be set", 2),
        ([*OURS, "--param", "kind=none"], "", "kind can't be 'none'", 2),
        ([*OURS, "--shards", "0"], "", "0 is not in the range", 2),
        (OURS, "short", "is too short", 2),
        (DESK, "", "system can't run in a process of its own", 2),
    ],
)
def test_what_can_not_be_served_is_refused(
    words: list[str], token: str, message: str, code: int
) -> None:
    """In words, with the code of who is to blame."""
    with serve(*words, token=token) as process:
        _, errors = process.communicate(timeout=PATIENCE_S)

    assert code == process.returncode
    assert message in errors
    assert "Traceback" not in errors
