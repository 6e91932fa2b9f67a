"""A process that does not outlive the worker that started it, however that one ends."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_PATIENCE_S = 5.0

# Of its standard input the worker holds the other end. A program in place of a module: the code
# that is measured may be of a commit that has no such module.
_LEASHED = f"""
import os, runpy, signal, threading, time

def follow():
    os.read(0, 1)  # not by sys.stdin, whose lock the interpreter wants when it ends
    os.killpg(0, signal.SIGINT)
    time.sleep({_PATIENCE_S})
    os.killpg(0, signal.SIGKILL)

threading.Thread(target=follow, daemon=True).start()
runpy.run_module("veperf", run_name="__main__", alter_sys=True)
"""
# A step of CI has one summary: that of the command which hands the tasks out.
_NOT_FOR_TASKS = "GITHUB_STEP_SUMMARY"


def start(
    words: Sequence[str], folder: Path | None, output: IO[bytes], lock: int
) -> "subprocess.Popen[bytes]":
    """``veperf`` with ``words``, in ``folder``; what it says goes to ``output``.

    It holds the ``lock`` of the host as long as it lives.
    """
    return subprocess.Popen(  # noqa: S603 - no shell
        [sys.executable, "-c", _LEASHED, *words],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != _NOT_FOR_TASKS},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        pass_fds=(lock,),
        start_new_session=True,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """End ``process`` and what it started, in so far as it has not ended."""
    for how in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
            break
    if process.stdin is not None:
        process.stdin.close()
