"""Run a notebook from start to end and say for certain whether it got there.

papermill does the running. What it writes into the cells can't be believed afterwards: when the
kernel dies, all of them say "completed". So a notebook counts as executed only where this module
has written so into its metadata, last of all.
"""

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from veperf.archive.files import storage_error
from veperf.core.errors import KernelError, NotebookError, UsageError
from veperf.core.escape import visible
from veperf.core.logs import quiet
from veperf.report.pages.notebook_parameters import JSON, brace, check_parameters

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill import PapermillExecutionError

_START_TIMEOUT_S = 60
_LINES_OF_TRACEBACK = 15


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, JSON],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    progress: bool = False,
) -> Path:
    """Run ``notebook`` with ``parameters`` and keep the result in ``output``, which is returned.

    ``timeout_s`` is for all cells together. ``cwd`` is where the kernel starts, by default the
    folder of ``output``. Whatever goes wrong, ``output`` keeps the cells that did run.

    Raises:
        ParameterError: a parameter that the notebook does not have, or of the wrong type.
        KernelError: there is no kernel, or it died.
        NotebookError: a cell raised or stopped the notebook, or time ran out.
        UsageError: there is no such notebook.
        StorageError: ``output`` can't be written.
    """
    from veperf.report.pages import kernel
    from veperf.report.pages.notebook_file import read_notebook, write_notebook

    kernel.require(read_notebook(notebook).metadata.get("kernelspec", {}).get("name", ""))
    checked = check_parameters(notebook, parameters)
    folder = Path(tempfile.mkdtemp(prefix="veperf-"))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with quiet():
            done = _run(
                notebook, output, checked, timeout_s, cwd or output.parent, folder, progress
            )
    except OSError as error:
        raise storage_error(output, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    done.metadata["veperf"] = {"executed": True}
    write_notebook(output, done)
    return output


def executed(notebook: Path) -> bool:
    """Whether :func:`execute` has run all of ``notebook``."""
    from veperf.report.pages.notebook_file import read_notebook

    try:
        found = read_notebook(notebook)
    except UsageError:
        return False
    return bool(found.metadata.get("veperf", {}).get("executed", False))


def _run(
    notebook: Path,
    output: Path,
    parameters: dict[str, JSON],
    timeout_s: float,
    cwd: Path,
    folder: Path,
    progress: bool,
) -> "NotebookNode":
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError, execute_notebook

    from veperf.report.pages import kernel

    try:
        done: NotebookNode = execute_notebook(
            brace(notebook.absolute()),
            brace(output.absolute()),
            parameters,
            kernel_name=kernel.NAME,
            language="python",
            progress_bar=progress,
            start_timeout=_START_TIMEOUT_S,
            kernel_manager_class=kernel.ThisInterpreter,
            config=kernel.config(folder),
            resources={"metadata": {"path": str(cwd.absolute())}},
            timeout_func=_time_left(monotonic() + timeout_s),
            # The default of 4 s is too little for figures from a kernel on a busy machine.
            iopub_timeout=30,
        )
    except PapermillExecutionError as error:
        raise NotebookError(_of_cell(notebook, output, error)) from error
    except CellTimeoutError as error:
        raise NotebookError(
            f"{notebook.name} was not done after {timeout_s:g} s; what it had done by then is in "
            f"{output}; allow it more time, or measure less"
        ) from error
    except (DeadKernelError, RuntimeError) as error:
        raise KernelError(
            f"the kernel died while {notebook.name} was running, which is mostly for want of "
            f"memory or by a crash in native code ({error}); what it had done by then is in "
            f"{output}{_last_words(kernel.last_words(folder))}"
        ) from error
    _refuse_early_exit(done, notebook, output)
    return done


def _time_left(deadline: float) -> Callable[[object], int]:
    """How long a cell may take so that all of them end by ``deadline``; nbclient wants int."""
    return lambda _cell: max(1, math.ceil(deadline - monotonic()))


def _of_cell(notebook: Path, output: Path, error: "PapermillExecutionError") -> str:
    lines = visible("\n".join(error.traceback)).splitlines()
    shown = "\n".join(f"    {line}" for line in lines[-_LINES_OF_TRACEBACK:])
    return (
        f"cell In [{error.exec_count}] of {notebook.name} raised {error.ename}: "
        f"{visible(error.evalue)}\n{shown}\nAll of it is in {output}"
    )


def _last_words(file: Path) -> str:
    lines = visible(file.read_text(errors="replace")).splitlines() if file.exists() else []
    return "".join(f"\n    {line}" for line in lines[-_LINES_OF_TRACEBACK:])


def _refuse_early_exit(done: "NotebookNode", notebook: Path, output: Path) -> None:
    """A cell that calls ``exit(0)`` ends the notebook, and papermill finds nothing wrong."""
    for cell in done.cells:
        if cell.metadata.get("papermill", {}).get("exception"):
            raise NotebookError(
                f"cell In [{cell.execution_count}] of {notebook.name} ended the notebook before "
                f"its last cell; what it had done by then is in {output}"
            )
