"""The lock among machines: never two at once, and the dead don't block."""

import multiprocessing
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from veperf.archive.storage.lease import FOLDER, Holder, Lease, Pace, is_gone, lives, this_process
from veperf.archive.storage.location import Url
from veperf.archive.storage.objects import Objects
from veperf.archive.storage.remote import open_remote
from veperf.core.errors import StorageError

FAST = Pace(renew_s=0.05, lost_s=0.5, dead_s=1.0, look_s=0.02)


@pytest.fixture
def objects() -> Objects:
    """A folder in memory."""
    return open_remote(Url("memory", secrets.token_hex(8))).objects


def claim(objects: Objects, holder: Holder, name: str = "other") -> None:
    """One that nobody renews."""
    data = msgspec.json.encode({"holder": holder, "renewed": 0})
    objects.at(FOLDER).put(name, data)


ELSEWHERE = Holder("another machine", 1, "1")


def test_a_dead_process_of_this_machine_blocks_nobody(objects: Objects):
    """Its claim goes as soon as somebody looks."""
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    pid = process.pid
    assert pid is not None
    process.join()
    claim(objects, Holder(this_process().machine, pid, "1"))

    lease = Lease.tried(objects, Pace(dead_s=1e6))
    assert lease is not None
    lease.release()
    assert {} == objects.at(FOLDER).listing()


def test_a_process_that_nobody_waited_for_is_dead():
    """A zombie holds nothing; a number that is another process by now is not the same."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    machine = this_process().machine
    begun = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    holder = Holder(machine, child.pid, begun)

    assert (True, False) == (lives(holder), is_gone(holder))
    assert is_gone(Holder(machine, child.pid, "1"))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert (False, True) == (lives(holder), is_gone(holder))
    child.communicate()
    assert is_gone(holder)
    assert not is_gone(Holder("another machine", child.pid, begun))
    assert is_gone(Holder(machine, 2**80, "1"))


def test_a_living_process_of_this_machine_is_seen(objects: Objects):
    """Who only tries need not wait for a renewal, only until it is sure to be a holder's."""
    claim(objects, this_process())

    assert Lease.tried(objects, Pace(look_s=0.02, renew_s=1e6, dead_s=1e6)) is None


def test_a_claim_from_elsewhere_that_nobody_renews_dies(objects: Objects):
    """By the onlooker's own clock, whatever it says itself; so does one that is no claim."""
    claim(objects, ELSEWHERE)
    objects.at(FOLDER).put("nonsense", b"\xff{")
    objects.at(FOLDER).put("deep", b'{"holder":' + b"[" * 100_000)
    began = time.monotonic()

    lease = Lease.tried(objects, FAST)
    assert lease is not None
    assert FAST.dead_s <= time.monotonic() - began
    lease.release()


def test_a_claim_from_elsewhere_that_is_renewed_lives(objects: Objects):
    """Who tries is told so when it has seen a renewal."""
    claims, stop = objects.at(FOLDER), threading.Event()

    def renew() -> None:
        number = 0
        while not stop.wait(0.05):
            number += 1
            claims.put("other", msgspec.json.encode({"holder": ELSEWHERE, "renewed": number}))

    claim(objects, ELSEWHERE)
    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        assert Lease.tried(objects, Pace(look_s=0.02, dead_s=1e6)) is None
    finally:
        stop.set()
        renewing.join()


@pytest.mark.parametrize("asked", [Lease.waited_for, Lease.tried])
def test_a_long_wait_is_told_once(objects: Objects, asked: Callable[..., Lease]):
    """With the place of the lock, and when it is over at the latest; a short one is not."""
    told: list[str] = []
    claim(objects, ELSEWHERE)
    with asked(objects, replace(FAST, patience_s=0.1), told.append):
        pass
    (line,) = told
    assert f"waiting for whoever holds {objects.url}/.lock;" in line
    assert "over after 1 s" in line

    with asked(objects, replace(FAST, patience_s=0.1), told.append):
        pass
    assert [line] == told


def test_who_could_not_renew_loses_the_lock_and_says_so(objects: Objects):
    """And its claim does not come back once others took it for dead."""
    lease = Lease.waited_for(objects, Pace(renew_s=0.05, lost_s=0.0, dead_s=0.1, look_s=0.02))
    time.sleep(0.2)

    with pytest.raises(StorageError, match="lost the lock"):
        lease.check()
    objects.at(FOLDER).delete(list(objects.at(FOLDER).listing()))
    time.sleep(0.2)
    assert {} == objects.at(FOLDER).listing()
    lease.release()


def test_never_two_at_once(objects: Objects):
    """Many at the same lock: each gets it, one by one."""
    inside, most, served = 0, 0, 0
    guard = threading.Lock()
    pace = Pace(look_s=0.01)

    def work(_: int) -> None:
        nonlocal inside, most, served
        with Lease.waited_for(objects, pace) as lease:
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.005)
            lease.check()
            with guard:
                inside -= 1
                served += 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(18)))

    assert (1, 18) == (most, served)
    assert {} == objects.at(FOLDER).listing()
