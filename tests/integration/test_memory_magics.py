"""``%load_ext veperf`` and the notebook of memory, in kernels as people have them."""

from pathlib import Path

import nbformat
import pytest

from veperf.core import paths
from veperf.core.errors import NotebookError
from veperf.report.pages.notebook_parameters import JsonValue
from veperf.report.pages.notebook_runner import run_notebook

ROOT = Path(__file__).parents[2]


def notebook(folder: Path, *cells: str) -> Path:
    """One with these cells."""
    path = folder / "cells.ipynb"
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in ("%load_ext veperf", *cells)],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    nbformat.write(made, path)
    return path


def shown(path: Path) -> list[str]:
    """What each cell shows as plain text."""
    done = nbformat.read(path, as_version=4)
    return [
        output["data"]["text/plain"]
        for cell in done.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]


@pytest.mark.slow
def test_cells_are_timed_and_profiled(tmp_path: Path):
    """In the notebook's namespace; what a profiled cell changes is changed in its fork alone."""
    source = notebook(
        tmp_path,
        "kept, size = [], 7_000",
        "%%veperf_memory\nkept.append(bytearray(size))",
        "len(kept)",
        "%%veperf_time\nsum(range(size))",
        "import memray, os\n"
        "with memray.Tracker('records.bin'):\n"
        "    try:\n"
        "        get_ipython().run_cell_magic('veperf_memory', '', 'pass')\n"
        "    except RuntimeError as error:\n"
        "        said = str(error)\n"
        "said",
        "%%veperf_memory\nbytearray(size)",
        "%%veperf_memory\nimport asyncio\nawait asyncio.sleep(0)\nbytearray(size)",
        "%%veperf_memory --native --timeout 90s\nimport numpy as np\nnp.empty(size)",
        "%%veperf_memory\npass",
        "async def nothing(): pass\nwaits = False",
        "%%veperf_memory\nif waits: await nothing()",
        "import threading\n"
        "def in_a_thread():\n"
        "    thread = threading.Thread(target=lambda: bytearray(2_000_000))\n"
        "    thread.start()\n"
        "    thread.join()",
        "%%veperf_memory\nin_a_thread()",
        "%%veperf_memory --multithreaded\nin_a_thread()",
    )
    actual = shown(run_notebook(source, tmp_path / "out" / "done.ipynb", {}, timeout_s=120))

    profiled, kept, timed, refused, again, awaited, native, empty, unawaited, one, all_threads = (
        actual
    )
    assert "<cell>:1" in profiled
    assert "kept of a call: 6." in profiled
    assert "0" == kept
    assert "of CPU time at best" in timed
    assert "a Tracker is active" in refused
    assert "6.89\u202fKiB  2  <cell>:1 <module>" in again
    assert "6.89\u202fKiB  2  <cell>:3 <module>" in awaited
    assert "<cell>:2 <module>, in " in native
    for nothing in (empty, unawaited):
        assert "the cell: 0\u202fB in 0 allocations a call, 0\u202fB held at most" == nothing
    assert "1 other thread, not counted: add --multithreaded" in one
    assert "the cell: 1.9" in all_threads


def test_a_magic_refuses_what_it_doesn_t_know(tmp_path: Path):
    """And names what it takes."""
    source = notebook(tmp_path, "%%veperf_memory --threads\npass")

    with pytest.raises(NotebookError, match=r"takes --multithreaded, --native and .*: '--threads'"):
        run_notebook(source, tmp_path / "out" / "done.ipynb", {}, timeout_s=120)


def test_a_cell_that_raises_says_so(tmp_path: Path):
    """As its own error, not as one of veperf's workings."""
    cells = "%%veperf_memory\n1 / 0", "%%veperf_time\n1 / 0", "%%veperf_memory --timeout x\npass"
    for cell, words in zip(cells, (2 * ("ZeroDivisionError",) + ("not a duration",)), strict=True):
        done = tmp_path / "done.ipynb"
        with pytest.raises(NotebookError, match=words):
            run_notebook(notebook(tmp_path, cell), done, {}, timeout_s=120)
        (error,) = [
            output
            for cell in nbformat.read(done, as_version=4).cells
            for output in cell.get("outputs", [])
            if output.output_type == "error"
        ]
        said = "\n".join(error.traceback)
        assert words in said
        assert "veperf/" not in said
        assert ("not a duration" in words) != ('File "<cell>", line 1' in said)


@pytest.mark.slow
def test_the_notebook_runs_as_it_stands(tmp_path: Path):
    """On a small benchmark; its flamegraph lies beside the archive, and is linked from there."""
    parameters: dict[str, JsonValue] = {
        "benchmark": "bidding/price_calc",
        "rounds": 12,
        "archive": str(tmp_path),
    }
    source = paths.notebooks_folder() / "memory.ipynb"
    done = run_notebook(source, tmp_path / "out" / "done.ipynb", parameters, timeout_s=240)

    assert (tmp_path / "flamegraphs" / "bidding-price_calc.html").stat().st_size > 1_000_000
    texts = shown(done)
    assert texts[0].startswith("bidding/price_calc: ")
    assert "../flamegraphs/bidding-price_calc.html" in done.read_text()
    assert any("resident at the peak; the limit is 4\u202fGiB" in text for text in texts)
