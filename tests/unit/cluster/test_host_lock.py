"""One measurement at a time on a host."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from veperf.cluster.host_lock import exclusive_host_lock
from veperf.core.errors import MeasureError

_HOLDS = """
import sys, time
from pathlib import Path
from veperf.cluster.host_lock import exclusive_host_lock
with exclusive_host_lock(lambda: False, Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

_STARTS = """
import subprocess, sys
from pathlib import Path
from veperf.cluster.host_lock import exclusive_host_lock
with exclusive_host_lock(lambda: False, Path(sys.argv[1])) as lock:
    child = subprocess.Popen(["sleep", "600"], pass_fds=[lock], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


def test_only_one_holds_it(tmp_path: Path) -> None:
    """Whoever comes second waits until it gives up, or the first is gone, however that ended."""
    command = [sys.executable, "-c", _HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert b"held\n" == other.stdout.readline()
        patience = iter([False, False, True])
        with exclusive_host_lock(lambda: next(patience), tmp_path) as lock:
            assert lock is None
        other.kill()
        other.wait()
        with exclusive_host_lock(lambda: False, tmp_path) as lock:
            assert lock is not None


def test_what_outlives_its_worker_holds_it(tmp_path: Path) -> None:
    """Until it has ended, too."""
    command = [sys.executable, "-c", _STARTS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        worker.kill()
    patience = iter([False, True])
    with exclusive_host_lock(lambda: next(patience), tmp_path) as lock:
        assert lock is None
    os.kill(child, signal.SIGKILL)
    with exclusive_host_lock(lambda: False, tmp_path) as lock:
        assert lock is not None


def test_every_user_may_hold_it(tmp_path: Path) -> None:
    """Whoever was first, and whatever that one's umask is."""
    before = os.umask(0o077)
    try:
        with exclusive_host_lock(lambda: False, tmp_path):
            pass
    finally:
        os.umask(before)
    (lock,) = tmp_path.iterdir()

    assert 0o666 == lock.stat().st_mode & 0o777


def test_what_is_no_lock(tmp_path: Path) -> None:
    """Is an error that says where, in place of a lock that nobody shares."""
    (tmp_path / "veperf-measuring.lock").symlink_to(tmp_path / "elsewhere")

    with (
        pytest.raises(MeasureError, match=r"veperf-measuring\.lock"),
        exclusive_host_lock(lambda: False, tmp_path),
    ):
        pass
