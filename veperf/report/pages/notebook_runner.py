"""Run a notebook, and record reliably whether it ran to its end.

papermill runs it. The states that it writes into the cells are not reliable: when the kernel dies,
all of them are "completed". So a notebook counts as executed only where this module has written
so into its metadata, as the last step.
"""

import contextlib
import math
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from veperf.archive.files import file_write_error
from veperf.archive.storage.local import LocalStorage
from veperf.core.errors import KernelError, NotebookError, ReportError
from veperf.core.escape import make_visible
from veperf.core.log_suppression import NOTEBOOK_LOGGERS, suppress_logging
from veperf.report.pages.notebook_parameters import JsonValue, check_parameters, escape_braces

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill import PapermillExecutionError
    from papermill.engines import NotebookExecutionManager

    from veperf.report.pages.kernel import Kernel

_START_TIMEOUT_S = 60
_LINES_OF_TRACEBACK = 15


def run_notebook(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, JsonValue],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    progress: bool = False,
    kernel: "Kernel | None" = None,
    archive: Path | None = None,
) -> Path:
    """Run ``notebook`` with ``parameters``, write the result to ``output`` and return it.

    ``output`` is written whole or not at all: papermill writes to a private file. ``timeout_s`` is
    for all cells together. ``cwd`` is where the kernel starts, by default the folder of ``output``.
    After an error ``output`` holds the cells that did run. ``kernel`` is one that has run other
    notebooks in the same folder; a new one when not given. Where ``output`` is in an ``archive``,
    no link in that is followed.

    Raises:
        ParameterError: a parameter that the notebook does not have, or of the wrong type.
        KernelError: there is no kernel, or it died.
        NotebookError: a cell raised or stopped the notebook, or time ran out.
        UsageError: there is no such notebook.
        StorageError: ``output`` can't be written.
    """
    from veperf.report.pages.kernel import Kernel, require_kernel
    from veperf.report.pages.notebook_file import notebook_bytes, read_notebook

    require_kernel(read_notebook(notebook).metadata.get("kernelspec", {}).get("name", ""))
    checked = check_parameters(notebook, parameters)
    root = archive or output.parent
    target = LocalStorage(root).at(str(output.parent.relative_to(root)))
    target.require_writable()

    def save(executed: "NotebookNode") -> None:
        executed.metadata["papermill"]["output_path"] = str(output.absolute())
        target.write(output.name, notebook_bytes(executed))

    with (
        suppress_logging(*NOTEBOOK_LOGGERS),
        tempfile.TemporaryDirectory(prefix="veperf-") as private,
        contextlib.ExitStack() as stack,
    ):
        saved = Path(private, "executed.ipynb")
        shared = kernel or stack.enter_context(Kernel())
        try:
            done = _run(
                notebook, output, saved, checked, timeout_s, cwd or output.parent, shared, progress
            )
        except ReportError:
            if saved.exists():
                save(read_notebook(saved))
            raise
        except OSError as error:
            raise file_write_error(saved, error) from error
    done.metadata["veperf"] = {"executed": True}
    save(done)
    return output


def _run(
    notebook: Path,
    output: Path,
    saved: Path,
    parameters: dict[str, JsonValue],
    timeout_s: float,
    cwd: Path,
    kernel: "Kernel",
    progress: bool,
) -> "NotebookNode":
    """Execute ``notebook``, which papermill writes to ``saved``; messages name ``output``."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError, execute_notebook

    from veperf.report.pages.kernel import NAME

    try:
        kernel.clear()
        done: NotebookNode = execute_notebook(
            escape_braces(notebook.absolute()),
            escape_braces(saved),
            parameters,
            engine_name=_saving_once(),
            kernel_name=NAME,
            language="python",
            progress_bar=progress,
            start_timeout=_START_TIMEOUT_S,
            km=kernel.manager,
            resources={"metadata": {"path": str(cwd.absolute())}},
            timeout_func=_time_left(monotonic() + timeout_s),
            # The default of 4 s is too little for figures from a kernel on a busy machine.
            iopub_timeout=30,
        )
    except PapermillExecutionError as error:
        raise NotebookError(_cell_error(notebook, output, error)) from error
    except CellTimeoutError as error:
        raise NotebookError(
            f"{notebook.name} did not finish within {timeout_s:g} s; the cells that ran are in "
            f"{output}; allow it more time, or measure less"
        ) from error
    except (DeadKernelError, RuntimeError, TimeoutError) as error:
        raise KernelError(
            f"the kernel died while {notebook.name} was running, mostly because of too little "
            f"memory or a crash in native code ({error}); the cells that ran are in "
            f"{output}{_kernel_stderr(kernel.stderr)}"
        ) from error
    _refuse_early_exit(done, notebook, output)
    return done


@cache
def _saving_once() -> str:
    """Return the name of papermill's engine, less that it saves after each cell, which takes long.

    It saves when the notebook ends, whatever ends it.
    """
    from papermill.engines import NBClientEngine, papermill_engines

    class SavingOnce(NBClientEngine):  # type: ignore[misc]  # papermill has no types
        @classmethod
        def execute_managed_notebook(
            cls, nb_man: "NotebookExecutionManager", kernel_name: str, **settings: object
        ) -> None:
            path, nb_man.output_path = nb_man.output_path, None
            try:
                super().execute_managed_notebook(nb_man, kernel_name, **settings)
            finally:
                nb_man.output_path = path

    name = "veperf"
    papermill_engines.register(name, SavingOnce)
    return name


def _time_left(deadline: float) -> Callable[[object], int]:
    """Return the time limit of a cell so that all end by ``deadline``; nbclient needs int."""
    return lambda _cell: max(1, math.ceil(deadline - monotonic()))


def _cell_error(notebook: Path, output: Path, error: "PapermillExecutionError") -> str:
    lines = make_visible("\n".join(error.traceback)).splitlines()
    traceback = "\n".join(f"    {line}" for line in lines[-_LINES_OF_TRACEBACK:])
    return (
        f"cell In [{error.exec_count}] of {notebook.name} raised {error.ename}: "
        f"{make_visible(error.evalue)}\n{traceback}\nThe whole traceback is in {output}"
    )


def _kernel_stderr(text: str) -> str:
    lines = make_visible(text).splitlines()
    return "".join(f"\n    {line}" for line in lines[-_LINES_OF_TRACEBACK:])


def _refuse_early_exit(done: "NotebookNode", notebook: Path, output: Path) -> None:
    """Raise where a cell called ``exit(0)``, which papermill takes for success."""
    for cell in done.cells:
        if cell.metadata.get("papermill", {}).get("exception"):
            raise NotebookError(
                f"cell In [{cell.execution_count}] of {notebook.name} ended the notebook before "
                f"its last cell; the cells that ran are in {output}"
            )
