"""Processes that veperf starts import the veperf that started them."""

import subprocess
import time
from pathlib import Path

import pytest
from msgspec import Struct

from veperf.ipc.child_process import module_command
from veperf.measure.protocol import MeasureCalibration
from veperf.measure.worker_client import CURRENT_CODE, Worker


@pytest.fixture
def shadowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder of that name, such as one for its benchmarks."""
    (tmp_path / "veperf").mkdir()
    (tmp_path / "veperf" / "__init__.py").write_text("raise RuntimeError('another veperf')\n")
    (tmp_path / "mine.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_worker_measures(shadowed: Path) -> None:
    """Its modules are those of the parent."""
    with Worker(hash_seed=1, layout_seed=1, code=CURRENT_CODE) as worker:
        reply = worker.ask(MeasureCalibration(), deadline=time.monotonic() + 60)

    assert isinstance(reply, Struct)
    assert "" == worker.output


def test_a_module_runs_with_its_arguments(shadowed: Path) -> None:
    """As by ``python -m``: as the main module, and the project's modules can be imported."""
    done = subprocess.run(
        [*module_command("veperf"), "list", "transaction/hash_compute", "--module", "mine"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (0, "") == (done.returncode, done.stderr)
    assert "transaction/hash_compute" in done.stdout
