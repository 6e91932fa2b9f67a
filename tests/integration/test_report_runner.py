"""Notebooks run from start to end, or said why not."""

import errno
import json
import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from veperf.core.errors import KernelError, NotebookError, ParameterError, StorageError, UsageError
from veperf.report.pages import kernel
from veperf.report.pages.notebook_parameters import JsonValue
from veperf.report.pages.notebook_runner import run_notebook

PARAMETERS = """\
text: str = "a"  # help
count: int = 1
share: float = 0.5
flag: bool = False
items: list = []
names: dict = {}
bare = 3
"""


@pytest.fixture
def make(tmp_path: Path):
    """Writes a notebook whose cells hold the given sources, parameters first."""

    def make(*sources: str, kernel_name: str = "python3") -> Path:
        cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
        cells += [new_code_cell(source) for source in sources]
        spec = {"name": kernel_name, "display_name": kernel_name, "language": "python"}
        path = tmp_path / "in {braces}.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), path)
        return path

    return make


def _is_executed(notebook: Path) -> bool:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return bool(content["metadata"].get("veperf", {}).get("executed"))


def _outputs(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for c in cells for o in c.get("outputs", ()))


def test_a_notebook_gets_its_parameters_in_this_interpreter(make, tmp_path, capfd):
    """Every kind of JSON value arrives unchanged, in our Python, where asked for, quietly."""
    values: dict[str, JsonValue] = {
        "text": 'quo"te \\ 3.10 {x}',
        "count": 7,
        "share": 2,
        "flag": True,
        "items": ["3.10", 1.5, None],
        "names": {"a": [1]},
        "bare": 4,
    }
    source = (
        "import os, sys\n"
        "print([text, count, share, flag, items, names, bare], type(share).__name__)\n"
        "print(sys.executable, os.getcwd())"
    )
    output = tmp_path / "out" / "{run}.ipynb"

    done = run_notebook(make(source), output, values, timeout_s=60, cwd=tmp_path)

    assert output == done
    assert _is_executed(output)
    arrived = [*(2.0 if k == "share" else v for k, v in values.items())]
    assert f"{arrived} float\n{sys.executable} {tmp_path}\n" == _outputs(output)
    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cuont": 1}, "no parameter 'cuont': did you mean count?"),
        ({"count": "1"}, "parameter count of .* is a int, not str"),
        ({"count": 1.5}, "is a int, not float"),
        ({"count": True}, "is a int, not bool"),
        ({"flag": 1}, "is a bool, not int"),
        ({"text": None}, "is a str, not NoneType"),
        ({"bare": "x"}, "is a int, not str"),
        ({"items": (1, 2)}, "holds a tuple"),
        ({"items": {"a": 1}}, "is a list, not dict"),
        ({"share": float("nan")}, "nan, which JSON lacks"),
        ({"items": [{"deep": float("inf")}]}, "inf, which JSON lacks"),
        ({"names": {1: 2}}, "keys are strings"),
    ],
)
def test_parameters_that_are_unknown_or_mistyped_are_refused(make, tmp_path, parameters, message):
    """Nothing runs and nothing is written; the message names the parameter and what is wrong."""
    output = tmp_path / "out.ipynb"

    with pytest.raises(ParameterError, match=message):
        run_notebook(make(), output, parameters, timeout_s=60)

    assert not output.exists()


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("1 / 0", NotebookError, r"In \[3\] of .* raised ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", NotebookError, r"In \[3\] of .* ended the notebook before"),
        ("import time; time.sleep(60)", NotebookError, "did not finish within 1 s"),
        ("import os, sys; sys.__stderr__.write('last words'); os._exit(1)", KernelError, "words"),
    ],
    ids=["raises", "exits", "hangs", "dies"],
)
def test_a_notebook_that_stops_is_never_taken_for_executed(make, tmp_path, source, error, message):
    """Error, early exit, hang and dead kernel are told apart; the notebook so far is kept."""
    output = tmp_path / "out.ipynb"
    timeout_s = 1 if "sleep" in source else 60

    with pytest.raises(error, match=message) as caught:
        run_notebook(
            make("print('before')", source, "print('after')"), output, {}, timeout_s=timeout_s
        )

    assert str(output) in str(caught.value)
    assert not _is_executed(output)
    assert ["before"] == [word for word in _outputs(output).split() if word in ("before", "after")]


def test_a_kernel_that_is_not_there_is_said_before_anything_runs(make, tmp_path, monkeypatch):
    """Another language's kernel, or no ipykernel: what to do about it, and nothing written."""
    output = tmp_path / "out.ipynb"

    with pytest.raises(KernelError, match="requires the kernel 'ir'"):
        run_notebook(make(kernel_name="ir"), output, {}, timeout_s=60)

    monkeypatch.setattr(kernel, "find_spec", lambda _name: None)
    with pytest.raises(KernelError, match="pip install ipykernel"):
        run_notebook(make(), output, {}, timeout_s=60)

    assert not output.exists()


def test_files_that_are_no_notebooks_and_folders_that_are_none(make, tmp_path):
    """A missing or broken notebook is a wrong question; an output that can't be written is not."""
    broken = tmp_path / "broken.ipynb"
    broken.write_text('{"cells": [')
    output = tmp_path / "out.ipynb"

    with pytest.raises(UsageError, match="there is no notebook"):
        run_notebook(tmp_path / "none.ipynb", output, {}, timeout_s=60)
    with pytest.raises(UsageError, match="is not a readable notebook"):
        run_notebook(broken, output, {}, timeout_s=60)
    with pytest.raises(StorageError, match="broken"):
        run_notebook(make(), broken / "out.ipynb", {}, timeout_s=60)


def test_a_full_disk_and_a_link_leave_what_was_there(make, tmp_path, monkeypatch):
    """The notebook is there whole or not at all, and what a link points to is not touched."""
    archive, elsewhere = tmp_path / "runs", tmp_path / "elsewhere.ipynb"
    (archive / "run").mkdir(parents=True)
    output, link = archive / "run" / "out.ipynb", archive / "run" / "link.ipynb"
    for path in (output, elsewhere):
        path.write_text("before")
    link.symlink_to(elsewhere)

    with kernel.Kernel() as shared:
        settings = {"timeout_s": 60, "kernel": shared, "archive": archive}
        with pytest.raises(StorageError, match="symbolic link"):
            run_notebook(make(), link, {}, **settings)
        monkeypatch.setattr(os, "fsync", _full)
        with pytest.raises(StorageError, match=r"out\.ipynb: the disk is full"):
            run_notebook(make(), output, {}, **settings)

    assert ["before", "before"] == [path.read_text() for path in (output, elsewhere)]
    assert {"out.ipynb", "link.ipynb"} == {path.name for path in output.parent.iterdir()}


def _full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_notebooks_in_one_kernel_know_nothing_of_each_other(make, tmp_path):
    """The second runs in the same process, from In [1], without the names of the first."""
    source = "import os; print(os.getpid(), sorted(n for n in globals() if n.startswith('own')))"

    with kernel.Kernel() as shared:
        for name, cells in (("1", ("own_name = 1", source)), ("2", (source,))):
            output = tmp_path / f"{name}.ipynb"
            run_notebook(make(*cells), output, {"count": 7}, timeout_s=60, kernel=shared)

    first, second = (_outputs(tmp_path / f"{name}.ipynb").split(maxsplit=1) for name in "12")
    cells = nbformat.read(tmp_path / "2.ipynb", as_version=4).cells
    assert first[0] == second[0]
    assert ["['own_name']\n", "[]\n"] == [first[1], second[1]]
    assert [1, 2, 3] == [cell.execution_count for cell in cells]


def test_a_kernel_that_died_runs_no_other_notebook(make, tmp_path):
    """What asks it for one more is told that it is dead, and leaves no process behind."""
    with kernel.Kernel() as shared:
        for _ in range(2):
            with pytest.raises(KernelError, match="died"):
                run_notebook(
                    make("import os; os._exit(1)"),
                    tmp_path / "o.ipynb",
                    {},
                    timeout_s=60,
                    kernel=shared,
                )
    assert not shared.manager.has_kernel
