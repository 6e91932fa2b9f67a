"""Leases: never two owners at once, and dead owners don't block."""

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

from veperf.archive.storage.lease import (
    FOLDER,
    Lease,
    LeaseTimes,
    LockOwner,
    current_process,
    is_alive,
    is_dead,
)
from veperf.archive.storage.location import Url
from veperf.archive.storage.objects import Objects
from veperf.archive.storage.remote import open_remote
from veperf.core.errors import StorageError

FAST = LeaseTimes(renew_s=0.05, lost_s=0.5, dead_s=1.0, poll_s=0.02)


@pytest.fixture
def objects() -> Objects:
    """A folder in memory."""
    return open_remote(Url("memory", secrets.token_hex(8))).objects


def claim(objects: Objects, holder: LockOwner, name: str = "other") -> None:
    """A claim that is never renewed."""
    data = msgspec.json.encode({"holder": holder, "renewed": 0})
    objects.at(FOLDER).put(name, data)


ELSEWHERE = LockOwner("another machine", 1, "1")


def test_a_dead_process_of_this_machine_blocks_nobody(objects: Objects):
    """The claim of a dead process is deleted by the next process that tries."""
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    pid = process.pid
    assert pid is not None
    process.join()
    claim(objects, LockOwner(current_process().machine, pid, "1"))

    lease = Lease.try_acquire(objects, LeaseTimes(dead_s=1e6))
    assert lease is not None
    lease.release()
    assert {} == objects.at(FOLDER).listing()


def test_a_process_that_nobody_waited_for_is_dead():
    """A zombie holds no lock, nor does another process with the same number."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    machine = current_process().machine
    begun = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    holder = LockOwner(machine, child.pid, begun)

    assert (True, False) == (is_alive(holder), is_dead(holder))
    assert is_dead(LockOwner(machine, child.pid, "1"))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert (False, True) == (is_alive(holder), is_dead(holder))
    child.communicate()
    assert is_dead(holder)
    assert not is_dead(LockOwner("another machine", child.pid, begun))
    assert is_dead(LockOwner(machine, 2**80, "1"))


def test_a_living_process_of_this_machine_is_seen(objects: Objects):
    """try_acquire need not wait for a renewal, only until the claim is surely an owner's."""
    claim(objects, current_process())

    assert Lease.try_acquire(objects, LeaseTimes(poll_s=0.02, renew_s=1e6, dead_s=1e6)) is None


def test_a_claim_from_elsewhere_that_nobody_renews_dies(objects: Objects):
    """A claim expires by the waiting process's own clock, and so does an invalid one."""
    claim(objects, ELSEWHERE)
    objects.at(FOLDER).put("nonsense", b"\xff{")
    objects.at(FOLDER).put("deep", b'{"holder":' + b"[" * 100_000)
    began = time.monotonic()

    lease = Lease.try_acquire(objects, FAST)
    assert lease is not None
    assert FAST.dead_s <= time.monotonic() - began
    lease.release()


def test_a_claim_from_elsewhere_that_is_renewed_lives(objects: Objects):
    """try_acquire returns None after it has seen a renewal."""
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
        assert Lease.try_acquire(objects, LeaseTimes(poll_s=0.02, dead_s=1e6)) is None
    finally:
        stop.set()
        renewing.join()


@pytest.mark.parametrize("asked", [Lease.acquire, Lease.try_acquire])
def test_a_long_wait_is_told_once(objects: Objects, asked: Callable[..., Lease]):
    """The notice names the lock and when it expires; there is none for a short wait."""
    notices: list[str] = []
    claim(objects, ELSEWHERE)
    with asked(objects, replace(FAST, patience_s=0.1), notices.append):
        pass
    (line,) = notices
    assert f"waiting for another process that holds {objects.url}/.lock;" in line
    assert "expires after 1 s" in line

    with asked(objects, replace(FAST, patience_s=0.1), notices.append):
        pass
    assert [line] == notices


def test_who_could_not_renew_loses_the_lock_and_says_so(objects: Objects):
    """A claim that others may have deleted does not come back."""
    lease = Lease.acquire(objects, LeaseTimes(renew_s=0.05, lost_s=0.0, dead_s=0.1, poll_s=0.02))
    time.sleep(0.2)

    with pytest.raises(StorageError, match="lost the lock"):
        lease.check()
    objects.at(FOLDER).delete(list(objects.at(FOLDER).listing()))
    time.sleep(0.2)
    assert {} == objects.at(FOLDER).listing()
    lease.release()


def test_never_two_at_once(objects: Objects):
    """Many threads acquire the same lock one by one."""
    inside, most, served = 0, 0, 0
    guard = threading.Lock()
    pace = LeaseTimes(poll_s=0.01)

    def work(_: int) -> None:
        nonlocal inside, most, served
        with Lease.acquire(objects, pace) as lease:
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
