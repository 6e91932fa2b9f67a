"""A real Slurm of one node, this machine: munged, slurmctld and slurmd on ports of their own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_PATIENCE_S = 60.0
_CONFIGURATION = """
ClusterName=veperf
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} Features=small State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
"""


def is_slurm_installed() -> bool:
    """Whether Debian's slurm-wlm and munge are there."""
    return all(shutil.which(name, path=_PATH) for name in _PROGRAMS)


@contextmanager
def slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Start it, and give the environment in which ``sbatch`` finds it."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    controller, node = _free_ports(2)
    (folder / "slurm.conf").write_text(
        _CONFIGURATION.format(
            host=socket.gethostname().split(".")[0],
            user=_user(),
            folder=folder,
            controller=controller,
            node=node,
            cores=os.cpu_count(),
        )
    )
    environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _PATH}
    munge = [
        f"--{name}={folder / file}"
        for name, file in {
            "key-file": "munge.key",
            "socket": "munge.sock",
            "pid-file": "munged.pid",
            "log-file": "munged.log",
            "seed-file": "munged.seed",
        }.items()
    ]
    with ExitStack() as stack:
        for words in (
            ["munged", "--force", "--foreground", *munge],
            ["slurmctld", "-D"],
            ["slurmd", "-D"],
        ):
            _start(stack, folder, words, environment)
            if words[0] == "munged":
                _until(lambda: (folder / "munge.sock").exists())
        _until(lambda: b"idle" in _output(["sinfo", "-h", "-o", "%T"], environment))
        yield environment


def _start(stack: ExitStack, folder: Path, words: list[str], environment: dict[str, str]) -> None:
    log = stack.enter_context((folder / f"{words[0]}.out").open("wb"))
    program = shutil.which(words[0], path=_PATH)
    assert program
    process = subprocess.Popen(
        [program, *words[1:]],
        env=os.environ | environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _output(words: list[str], environment: dict[str, str]) -> bytes:
    return subprocess.run(
        words, env=os.environ | environment, capture_output=True, check=False
    ).stdout


def _until(condition) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "Slurm did not start"
        time.sleep(0.2)


def _user() -> str:
    import getpass

    return getpass.getuser()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
