"""The kernel that notebooks run in: always this interpreter, over Unix sockets.

A kernel spec named python3 in a user's home may well start another Python, without veperf in it
or with another veperf; so none is looked up. Unix sockets in a folder of our own need no ports.
Imports jupyter_client: import this module only where a notebook is about to run.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets.config import Config

from veperf.core.errors import KernelError

NAME = "python3"
# A socket's path may have 107 bytes on Linux, and jupyter_client appends "/kernel-ipc-1".
_LONGEST_FOLDER = 90


class ThisInterpreter(AsyncKernelManager):
    """Starts ipykernel under ``sys.executable``, whatever kernel specs are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A spec that exists nowhere on disk, apart from the user's own IPython start-up files."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            env={"IPYTHONDIR": str(Path(self.connection_file).parent)},
            display_name="Python 3",
            language="python",
            interrupt_mode="signal",
        )

    async def start_kernel(  # type: ignore[override]  # as in the async base class
        self, *, extra_arguments: list[str], cwd: str
    ) -> None:
        """Start it with its stderr in a file: its last words matter only if it dies."""
        with last_words(Path(self.connection_file).parent).open("wb") as file:
            await super().start_kernel(extra_arguments=extra_arguments, cwd=cwd, stderr=file)


def last_words(folder: Path) -> Path:
    """Where a kernel that was configured with ``folder`` writes what it has no cell for."""
    return folder / "stderr.txt"


def config(folder: Path) -> Config:
    """What to configure a client with so that the kernel's files are all in ``folder``."""
    short = len(str(folder)) <= _LONGEST_FOLDER
    return Config(
        ThisInterpreter={
            "transport": "ipc" if short else "tcp",
            "connection_file": str(folder / "kernel.json"),
            # A cell that is stuck in native code does not answer; don't wait long for it.
            "shutdown_wait_time": 2.0,
        }
    )


def require(name: str) -> None:
    """Make sure that there is a kernel for a notebook that asks for the one called ``name``.

    Raises:
        KernelError: it asks for another one than Python's, or ipykernel is not installed.
    """
    if name not in ("", "python", NAME):
        raise KernelError(
            f"the notebook asks for the kernel {name!r}, but veperf has only {NAME!r}: choose "
            "that one in JupyterLab and save the notebook"
        )
    if find_spec("ipykernel") is None:
        raise KernelError(
            f"there is no kernel: ipykernel is not installed for {sys.executable}; run "
            "`pip install ipykernel` there, or `make report`, which sets everything up"
        )
