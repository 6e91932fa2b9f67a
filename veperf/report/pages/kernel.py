"""The kernel that notebooks run in: always this interpreter, over Unix sockets.

A kernel spec named python3 in a user's home may start another Python, without veperf or with
another version; so none is looked up. Unix sockets in a private folder need no ports.
Imports jupyter_client: import this module only where a notebook is about to run.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

from veperf.core.errors import KernelError

NAME = "python3"
# A socket's path may have 107 bytes on Linux, and jupyter_client appends "/kernel-ipc-1".
_LONGEST_FOLDER = 90
# Names are deleted; imported modules stay, which is what the next notebook gains.
_EMPTY_NAMESPACE = "get_ipython().reset(new_session=True)"
_ANSWER_S = 30


class ThisInterpreter(AsyncKernelManager):
    """Starts ipykernel under ``sys.executable``, whatever kernel specs are installed."""

    last_client: AsyncKernelClient | None = None

    def client(  # type: ignore[override]  # as the async base class
        self, **settings: object
    ) -> AsyncKernelClient:
        """Return a client of the kernel; the one before is closed."""
        if self.last_client is not None:
            self.last_client.stop_channels()
        self.last_client = super().client(**settings)
        return self.last_client

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
        """Start the kernel with its stderr in a file, which matters only if it dies.

        None of veperf's own streams are its: where one is closed, a socket would get its number.
        """
        with _stderr_file(Path(self.connection_file).parent).open("wb") as file:
            await super().start_kernel(
                extra_arguments=extra_arguments,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
            )


class Kernel:
    """A kernel for several notebooks, one after the other, each in an empty namespace.

    It starts with the first of them. Threads have kernels of their own: a kernel is used and
    closed by the thread that made it.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="veperf-"))
        short = len(str(self._folder)) <= _LONGEST_FOLDER
        self.manager = ThisInterpreter(
            transport="ipc" if short else "tcp",
            connection_file=str(self._folder / "kernel.json"),
            # A cell that is stuck in native code does not answer; don't wait long for it.
            shutdown_wait_time=2.0,
        )

    @property
    def stderr(self) -> str:
        """The stderr of the kernel, which matters only if it dies."""
        file = _stderr_file(self._folder)
        return file.read_text(errors="replace") if file.exists() else ""

    def clear(self) -> None:
        """Empty the namespace; the next cell is In [1] again.

        Raises:
            RuntimeError, TimeoutError: the kernel is dead, or does not answer.
        """
        if self.manager.last_client is not None:
            run_sync(_clear)(self.manager, self.manager.last_client)

    def close(self) -> None:
        """End the kernel, and delete its files."""
        try:
            if self.manager.last_client is not None:
                self.manager.last_client.stop_channels()
            if self.manager.has_kernel:
                run_sync(self.manager.shutdown_kernel)()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


async def _clear(manager: ThisInterpreter, client: AsyncKernelClient) -> None:
    if not await manager.is_alive():
        raise RuntimeError("it has ended")
    await client.execute(
        _EMPTY_NAMESPACE, silent=True, store_history=False, reply=True, timeout=_ANSWER_S
    )


def _stderr_file(folder: Path) -> Path:
    return folder / "stderr.txt"


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
