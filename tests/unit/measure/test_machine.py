"""Facts about the machine agree with what others say of it."""

import os
import platform
import subprocess
from pathlib import Path

import pytest

from veperf.measure.clock import measure_calibration_run
from veperf.measure.machine import CpuTimes, describe_machine, describe_revision


def test_machine_facts_agree_with_the_standard_library():
    """Cores, Python and system are those that the standard library names."""
    machine = describe_machine()

    assert len(os.sched_getaffinity(0)) == machine.cores
    assert f"CPython {platform.python_version()}" == machine.python
    assert platform.release() in machine.system
    assert set(machine.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert machine.name.endswith(f"-{machine.cores}c")


def test_revision_of_a_checkout_and_of_no_checkout(tmp_path: Path):
    """A commit and whether files differ from it; nothing where there is no git."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(tmp_path), *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    assert "" == describe_revision(tmp_path).commit

    git("init", "-q", "-b", "trunk")
    (tmp_path / "file").write_text("1")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "first")
    clean = describe_revision(tmp_path)
    (tmp_path / "file").write_text("2")
    dirty = describe_revision(tmp_path)

    assert (git("rev-parse", "HEAD"), "trunk", False) == (clean.commit, clean.branch, clean.dirty)
    assert dirty.dirty


def test_steal_is_a_share_of_the_time_between_two_looks():
    """5 ticks of 100 stolen is 5 %; no time between them is no answer."""
    assert 0.05 == CpuTimes(1000, 10).steal_ratio(CpuTimes(1100, 15))
    assert CpuTimes(1000, 10).steal_ratio(CpuTimes(1000, 10)) is None


@pytest.mark.alone
def test_the_calibration_run_takes_some_time():
    """It is a positive number of nanoseconds."""
    assert measure_calibration_run() > 0
