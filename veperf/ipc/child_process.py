"""Child processes: modules at the other end of a socket, ``veperf`` commands, and exit codes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

OWN_FOLDER = Path(__file__).resolve().parents[2]
"""Folder that holds the package of this process."""
_GRACE_PERIOD_S = 5.0

# The parent holds the other end of its standard input, which closes however the parent ends. The
# program is passed as text: the measured code may be of a commit that has no such module.
_ENDS_WITH_PARENT = f"""
import os, runpy, signal, threading, time

def follow():
    os.read(0, 1)  # not by sys.stdin, whose lock the interpreter wants when it ends
    os.killpg(0, signal.SIGINT)
    time.sleep({_GRACE_PERIOD_S})
    os.killpg(0, signal.SIGKILL)

threading.Thread(target=follow, daemon=True).start()
runpy.run_module("veperf", run_name="__main__", alter_sys=True)
"""
# A CI step has one summary: that of the command that distributes the tasks.
_NOT_INHERITED = "GITHUB_STEP_SUMMARY"


def importing_veperf(folder: Path = OWN_FOLDER) -> str:
    """Return the line of Python that imports the veperf in ``folder``, whatever else is first.

    A user's folder of that name, in which the command stands, would be imported in its place.
    """
    return f"import sys; sys.path.insert(0, {str(folder)!r}); import veperf; del sys.path[0]\n"


def module_command(module: str) -> list[str]:
    """Return the command line of ``python -m module``, a module of this process's veperf."""
    run = f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return [sys.executable, "-c", f"{importing_veperf()}{run}"]


def start_socket_process(
    module: str, environment: Mapping[str, str] | None = None
) -> "tuple[subprocess.Popen[bytes], socket.socket]":
    """Start ``python -m module`` with a socket as its standard input; return it and our end.

    It has this process's environment, or another one.

    The process should end when the socket is closed, so that a killed caller leaves none behind. It
    leads its own process group: Ctrl-C reaches only the caller.
    """
    parent_socket, child_socket = socket.socketpair()
    with child_socket:
        process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            module_command(module),
            stdin=child_socket.fileno(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )
    return process, parent_socket


def start_veperf(
    arguments: Sequence[str], folder: Path | None, output: IO[bytes], lock: int
) -> "subprocess.Popen[bytes]":
    """Start ``veperf`` with ``arguments`` in ``folder``; its output goes to ``output``.

    It holds the ``lock`` of the host as long as it lives.
    """
    return subprocess.Popen(  # noqa: S603 - no shell
        [sys.executable, "-c", _ENDS_WITH_PARENT, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != _NOT_INHERITED},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        pass_fds=(lock,),
        start_new_session=True,
    )


def end_process_group(process: "subprocess.Popen[bytes]") -> None:
    """End ``process`` and the processes that it started, if they have not ended."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_PERIOD_S)
            break
    if process.stdin is not None:
        process.stdin.close()


def describe_exit(code: int) -> str:
    """Return an exit code in words; negative codes are signals."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # real-time signals have no name
        return f"killed by signal {-code}"
