"""Growth of child processes, by id and name."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from veperf.ipc.isolated_process import run_in_fork
from veperf.profiling.memory.child_growth import ChildGrowth, ChildWatch

WAITS = "import sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"
GROWS = """
import sys
kept = []
while word := sys.stdin.buffer.read(1):
    kept.append(b"x" * (64 << 20))
    sys.stdout.buffer.write(word)
    sys.stdout.buffer.flush()
"""
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path):
    """Start Python with some arguments, until the end of the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def started(*words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tmp_path,
            bufsize=0,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.communicate()


def read(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    assert process.stdout.read(1)


def grow(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"x")
    read(process)


def growth_of(watch: ChildWatch, process: "subprocess.Popen[bytes]") -> list[ChildGrowth]:
    return [child for child in watch.grown() if child.pid == process.pid]


def test_the_child_that_grows_is_named_with_its_growth(start: Start):
    """And those that don't grow are not; what grew during the warm-up doesn't count."""
    growing, calm = start("-c", GROWS), start("-c", WAITS)
    grow(growing)
    read(calm)
    watch = ChildWatch()
    watch.read()
    grow(growing)
    before = watch.read(is_warm=False)
    grow(growing)
    after = watch.read()

    (child,) = growth_of(watch, growing)
    assert after - before == pytest.approx(64 << 20, abs=4 << 20)
    assert child.last_bytes - child.first_bytes == pytest.approx(64 << 20, abs=4 << 20)
    assert sum(c.last_bytes - c.first_bytes for c in growth_of(watch, calm)) < 1 << 20
    assert growing.pid == watch.grown()[0].pid


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("-c", WAITS, "--token", "secret"), "-c"),
        (("-X", "utf8", "-u", "service.py", "--token", "secret"), "service.py"),
        (("-m", "service", "--token", "secret"), "-m service"),
    ],
)
def test_a_name_has_the_program_and_nothing_that_may_be_secret(
    words: tuple[str, ...], name: str, start: Start, tmp_path: Path
):
    """A script or module in place of its interpreter."""
    (tmp_path / "service.py").write_text(WAITS)
    process = start(*words)
    read(process)
    watch = ChildWatch()
    watch.read()

    (child,) = [child for pid, child in watch._children.items() if pid == process.pid]
    assert f"{Path(sys.executable).name} {name}" == child.name


def test_a_fork_is_told_from_another_program():
    """It has the same words, and is none of them."""

    def in_child() -> str:
        import os

        pid = os.fork()
        if pid == 0:
            import time

            time.sleep(60)
            os._exit(0)
        watch = ChildWatch()
        watch.read()
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        return watch._children[pid].name

    assert "a fork of this process" == run_in_fork(in_child, str, timeout_s=60)


def test_a_child_that_has_ended_is_forgotten(start: Start):
    """Memory follows the number of those that live."""
    watch = ChildWatch()
    process = start("-c", WAITS)
    read(process)
    watch.read()
    assert process.pid in watch._children
    process.communicate()
    watch.read()

    assert process.pid not in watch._children
