"""A target says what machine it is on to who has its token; what it says is looked at first."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.remote_loads import numbered
from tests.support.remote_shard import put
from veperf.archive.store import Archive
from veperf.core.errors import MeasureError
from veperf.core.run import Machine
from veperf.ipc.channel import FrameReader, make_frame
from veperf.loadtest.remote.auth import TARGET, TOKEN_VARIABLE, generate_token, make_proof
from veperf.loadtest.remote.benchmark import load_subject
from veperf.loadtest.remote.messages import (
    PROTOCOL,
    Greeting,
    MachineInfo,
    ProbeRequest,
    encode,
    from_shard,
)
from veperf.loadtest.remote.remote_system import RemoteSystem
from veperf.loadtest.remote.shard_connection import join_load, probe_machine
from veperf.loadtest.remote.target_socket import parse_target_address
from veperf.measure.machine import describe_machine

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
TOKEN = generate_token()
SUBJECT = load_subject("apart/load", {"kind": "counter"})
ELSEWHERE = Machine("other-8c", "Other CPU", 8, 1 << 34, "Linux 6", "CPython 3.11", {"numpy": "2"})
VEPERF = (sys.executable, "-m", "veperf")
OURS = ("apart/load", "--module", "tests.support.remote_loads")


@contextmanager
def serving() -> Iterator[str]:
    """A ``veperf serve``; its address."""
    with subprocess.Popen(
        [*VEPERF, "serve", *OURS],
        env=os.environ | {TOKEN_VARIABLE: TOKEN}, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def saying(answer: Callable[[ProbeRequest], bytes]) -> Iterator[str]:
    """A target that answers its one visitor so; its address."""

    def receive() -> None:
        peer, _ = listener.accept()
        reader, visits = FrameReader(4_096), list[memoryview]()
        with peer:
            peer.sendall(make_frame(encode(Greeting(PROTOCOL, bytes(16)))))
            while not visits:
                visits = reader.feed(peer.recv(65_536))
            visit = from_shard(visits[0])
            assert isinstance(visit, ProbeRequest)
            peer.sendall(make_frame(answer(visit)))
            peer.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=receive)
        thread.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(PATIENCE_S)


def card(machine: Machine) -> Callable[[ProbeRequest], bytes]:
    """An answer of who has the token."""
    return lambda visit: encode(MachineInfo(machine, make_proof(TOKEN, TARGET, visit.nonce)))


def test_a_visit_is_no_part_of_a_load() -> None:
    """Before the shards are there, and between them: the load is what it would be without."""
    with serving() as text:
        address = parse_target_address(text)
        assert describe_machine() == probe_machine(address, TOKEN, PATIENCE_S)
        with pytest.raises(MeasureError, match="token is not this target's"):
            probe_machine(address, generate_token(), PATIENCE_S)
        connection = join_load(address, 0, 1, subject=SUBJECT, token=TOKEN)
        assert describe_machine() == probe_machine(address, TOKEN, PATIENCE_S)
        machine = put(connection, RemoteSystem(connection, numbered(0, 1), 100), 100)

    assert 100 == len(machine.committed)
    assert connection.host_conditions is not None
    assert connection.host_conditions.calibration_ns > 0


def test_what_another_machine_says() -> None:
    """Is believed of who has the token, in all its fields."""
    with saying(card(ELSEWHERE)) as address:
        assert ELSEWHERE == probe_machine(parse_target_address(address), TOKEN, PATIENCE_S)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _: encode(MachineInfo(ELSEWHERE, bytes(32))), "another token"),
        (card(replace(ELSEWHERE, name="\x1b[2Jpwned")), "sent an invalid description"),
        (card(replace(ELSEWHERE, name="")), "sent an invalid description"),
        (card(replace(ELSEWHERE, versions={"a\nb": "1"})), "sent an invalid description"),
        (card(replace(ELSEWHERE, system="x" * 5_000)), "sent an invalid message"),
        (card(replace(ELSEWHERE, cores="many")), "sent an invalid message"),
        (lambda _: b"\x91" * 4_000, "sent an invalid message"),
        (lambda _: b"\xff", "sent an invalid message"),
    ],
)  # fmt: skip
def test_what_can_not_be_believed(answer: Callable[[ProbeRequest], bytes], message: str) -> None:
    """Is refused in words."""
    with (
        saying(answer) as address,
        pytest.raises(MeasureError, match=message),
    ):
        probe_machine(parse_target_address(address), TOKEN, PATIENCE_S)


@pytest.mark.alone
def test_the_run_is_of_the_target_s_machine(tmp_path: Path) -> None:
    """Whatever this one is: its name, and how busy it was, come from the target."""
    with serving() as address:
        done = subprocess.run(
            [*VEPERF, "load", *OURS, "--archive", str(tmp_path), "--seconds", "1",
             "--warmup", "0", "--shards", "1", "--target", address],
            env=os.environ | {TOKEN_VARIABLE: TOKEN}, capture_output=True, text=True, cwd=ROOT,
            check=False, timeout=PATIENCE_S,
        )  # fmt: skip

    assert done.returncode in (0, 3), done.stderr
    run = Archive(tmp_path).load()
    assert describe_machine() == run.machine
    assert run.passes[0].yardstick_ns
