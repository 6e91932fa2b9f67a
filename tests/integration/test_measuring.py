"""Real worker processes: what misbehaves costs only itself, and what is kept is right."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import is_running
from veperf.archive.store import Archive
from veperf.core.errors import UnknownBenchmarkError, UsageError, WorkerCrashedError
from veperf.core.registry import select_cases
from veperf.core.run import Run
from veperf.measure.protocol import OpenCase, StartWorker, TakeSample
from veperf.measure.worker_client import Worker
from veperf.progress.display import NoProgress
from veperf.runner import run_lifecycle

ROOT = Path(__file__).parents[2]
UNRULY = "tests.support.misbehaving"


@pytest.fixture(autouse=True)
def _import_from_the_root(monkeypatch):
    """Workers find the benchmarks of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def measure(archive: Path, *select: str, timeout_s: float = 30.0, seed: int = 1) -> Run:
    writer = run_lifecycle.begin_run(
        select,
        profile="quick",
        archive=Archive(archive),
        baselines=archive / "no baselines",
        seed=seed,
        timeout_s=timeout_s,
        modules=[UNRULY, "tests.support.affinity"],
    )
    return run_lifecycle.finish_run(writer, NoProgress())


@pytest.mark.alone
def test_what_misbehaves_costs_only_itself(tmp_path: Path):
    """Beside benchmarks that raise, crash, hang or write rubbish, the good one is whole."""
    run = measure(tmp_path, "unruly", timeout_s=3)

    kinds: dict[str, set[str]] = {}
    for item in run.passes:
        for result in item.results:
            kinds.setdefault(result.case, set()).add(result.failure.kind if result.failure else "")
    assert {
        "unruly/well_behaved": {""},
        "unruly/well_behaved[size=100]": {""},
        "unruly/raises_in_a_stage": {"raised", ""},  # Stages are measured in the first passes.
        "unruly/raises": {"raised"},
        "unruly/crashes": {"crashed"},
        "unruly/hangs": {"timeout"},
        "unruly/prints": {""},
        "unruly/writes_rubbish": {"protocol"},
    } == kinds
    assert 6 == len(run.passes)

    words = {r.case: r.failure for r in run.passes[0].results if r.failure}
    assert "planted <b>error</b>" in words["unruly/raises"].traceback
    assert "last words" in words["unruly/crashes"].traceback
    assert "exit code 7" in words["unruly/crashes"].message
    assert "misbehaving.py" in words["unruly/hangs"].traceback
    last = {r.case: r.failure for r in run.passes[-1].results if r.failure}
    assert "not tried again after 2 timeouts" in last["unruly/hangs"].message


@pytest.mark.slow
def test_each_case_has_its_cpus(tmp_path: Path):
    """Work of one thread stays on the CPU of its pass; multithreaded work may use them all."""
    run = measure(tmp_path, "affinity")

    assert {""} == {r.failure.kind if r.failure else "" for p in run.passes for r in p.results}
    for pass_ in run.passes:
        samples = {r.case: r.samples for r in pass_.results}
        assert {(pass_.cpu, False)} == {(s.cpu, s.migrated) for s in samples["affinity/one"]}
    assert {pass_.cpu for pass_ in run.passes} <= os.sched_getaffinity(0)


def test_loops_are_calibrated_once_and_the_order_is_the_seed_s(tmp_path: Path):
    """All passes share a case's loops; five samples each are kept; the plan is on record."""
    run = measure(tmp_path, "unruly/well_behaved")

    for case in run.cases:
        results = [r for p in run.passes for r in p.results if r.case == case.id]
        assert {run.loops[case.id]} == {r.loops for r in results}
        assert {5} == {len(r.samples) for r in results}
    assert run == Archive(tmp_path).load()
    assert all(p.yardstick_ns for p in run.passes)


def test_loops_come_from_the_machine_s_baseline(tmp_path: Path):
    """A run that will be compared measures the same stretch of work as its baseline did."""
    from veperf.archive.baselines import save_baseline
    from veperf.verdicts.baseline import make_baseline

    run = measure(tmp_path / "a", "unruly/well_behaved")
    save_baseline(tmp_path / "baselines", make_baseline(run, "unruly"))

    writer = run_lifecycle.begin_run(
        ["unruly/well_behaved"],
        profile="quick",
        archive=Archive(tmp_path / "b"),
        baselines=tmp_path / "baselines",
        modules=[UNRULY],
    )

    assert run.loops == writer.run.loops


def test_nothing_is_measured_when_the_question_is_wrong(tmp_path: Path):
    """An unknown benchmark, with the nearest ones named, or module fails before any folder."""
    with pytest.raises(UnknownBenchmarkError, match="did you mean unruly/raises"):
        measure(tmp_path, "unruly/raise")
    with pytest.raises(UsageError, match="nowhere can't be imported"):
        select_cases(modules=["nowhere"])
    assert [] == list(tmp_path.iterdir())


@pytest.mark.alone
def test_ctrl_c_keeps_finished_passes_and_leaves_no_worker(tmp_path: Path):
    """An interrupted command leaves whole passes, no process, and a run that can be resumed."""
    words = [sys.executable, "-m", "veperf", "run", "unruly/well_behaved", "unruly/hangs"]
    words += ["--module", UNRULY, "--archive", str(tmp_path), "--timeout", "2"]
    process = subprocess.Popen(
        words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    archive = Archive(tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*/passes/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    with process.stderr:
        output = process.stderr.read()

    assert 130 == process.wait(timeout=30)
    (unfinished,) = archive.incomplete_ids()
    assert f"veperf run --resume {unfinished}" in output
    assert "Traceback" not in output
    writer = archive.resume(unfinished)
    assert 6 > len(writer.missing())
    run = run_lifecycle.finish_run(writer, NoProgress())
    assert [unfinished] == archive.ids()
    assert list(range(6)) == [p.index for p in run.passes]


def test_a_worker_dies_with_its_parent():
    """Killing the measuring process outright leaves no worker behind."""
    script = (
        "import time\n"
        "from veperf.measure.worker_client import Worker\n"
        "from veperf.measure.protocol import StartWorker\n"
        "w = Worker(hash_seed=1)\n"
        "w.ask(StartWorker(()), deadline=time.monotonic() + 60)\n"
        "print(w._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(worker)


def test_a_worker_that_was_killed_is_a_crash_with_its_signal():
    """The message names the signal, and asking again does not hang."""
    with Worker(hash_seed=1) as worker:
        deadline = time.monotonic() + 60
        worker.ask(StartWorker((UNRULY,)), deadline=deadline)
        worker.ask(OpenCase("unruly/well_behaved", {"size": 3}, 1000, None), deadline=deadline)
        os.kill(worker._process.pid, signal.SIGKILL)
        with pytest.raises(WorkerCrashedError, match="SIGKILL"):
            worker.ask(TakeSample(), deadline=deadline)
