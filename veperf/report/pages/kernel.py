"""The kernel that notebooks run in: always this interpreter, over Unix sockets.

A kernel spec named python3 in a user's home may start another Python, without veperf or with
another version; so none is looked up. Unix sockets in a private folder need no ports.
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
        """A spec that is not on disk and ignores the user's IPython start-up files."""
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
        """Start the kernel with its stderr in a file, which matters only if it dies."""
        with stderr_file(Path(self.connection_file).parent).open("wb") as file:
            await super().start_kernel(extra_arguments=extra_arguments, cwd=cwd, stderr=file)


def stderr_file(folder: Path) -> Path:
    """Return the file for the stderr of a kernel that was configured with ``folder``."""
    return folder / "stderr.txt"


def kernel_config(folder: Path) -> Config:
    """Return a configuration that keeps all of the kernel's files in ``folder``."""
    short = len(str(folder)) <= _LONGEST_FOLDER
    return Config(
        ThisInterpreter={
            "transport": "ipc" if short else "tcp",
            "connection_file": str(folder / "kernel.json"),
            # A cell that is stuck in native code does not answer; don't wait long for it.
            "shutdown_wait_time": 2.0,
        }
    )


def require_kernel(name: str) -> None:
    """Check that there is a kernel for a notebook that requires the one called ``name``.

    Raises:
        KernelError: it requires another kernel than Python's, or ipykernel is not installed.
    """
    if name not in ("", "python", NAME):
        raise KernelError(
            f"the notebook requires the kernel {name!r}, but veperf has only {NAME!r}: select "
            "it in JupyterLab and save the notebook"
        )
    if find_spec("ipykernel") is None:
        raise KernelError(
            f"there is no kernel: ipykernel is not installed for {sys.executable}; run "
            "`pip install ipykernel` there, or `make report`, which sets everything up"
        )
