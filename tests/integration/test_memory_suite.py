"""The memory suite in a run, ``veperf memory`` and ``veperf soak``, as people call them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support import allocating
from veperf.archive.baselines import load_targets
from veperf.archive.store import Archive
from veperf.cli.main import veperf
from veperf.core.case import Case
from veperf.core.errors import UsageError
from veperf.core.verdict import TargetStatus
from veperf.ipc.isolated_process import run_in_fresh_process
from veperf.measure.passes import Passes
from veperf.profiling.memory.budget import MemoryBudget
from veperf.profiling.memory.leak_rule import LeakStatus
from veperf.profiling.memory.measuring_process import (
    IdleProcess,
    MeasureIdle,
    RoundsResult,
    RunRounds,
)
from veperf.progress.display import NoProgress
from veperf.runner import run_lifecycle
from veperf.runner.soak import soak
from veperf.verdicts.targets import judge_targets

ROOT = Path(__file__).parents[2]
HUNGRY = ["tests.support.allocating"]


@pytest.fixture(autouse=True)
def _import_from_the_root(monkeypatch):
    """Fresh processes find the benchmarks of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def begin(archive: Path, *select: str, memory: bool = False):
    writer = run_lifecycle.begin_run(
        select, profile="quick", archive=Archive(archive), baselines=archive / "none",
        seed=1, memory=memory,
    )  # fmt: skip
    writer.close()
    return writer.run


def test_the_suite_answers_every_target_of_memory(tmp_path: Path):
    """Each by one of its cases."""
    run = begin(tmp_path, "memory")
    targets = load_targets(ROOT / "data" / "baselines")

    expected = {t.id for t in targets.targets if t.id.startswith("memory/")}
    assert expected == {target for case in run.cases for target in case.targets.values()}


def test_a_whole_run_has_it_in_passes_of_its_own(tmp_path: Path):
    """And each point of a curve in two passes, drawn from the seed."""
    run = begin(tmp_path)
    config = run.config

    def passes_of(case: Case) -> list[int]:
        return [index for index in range(config.passes) if config.is_measured(case, index)]

    counted = [case for case in run.cases if case.suite == "memory"]
    assert {1, 3} == {len(passes_of(case)) for case in counted}
    assert min(map(min, map(passes_of, counted))) == config.timed_passes
    curves = [c for c in run.cases if c.is_curve_point and c.is_timed]
    assert {2} == {len(passes_of(case)) for case in curves}
    assert set(range(config.timed_passes)) == {i for case in curves for i in passes_of(case)}
    answering = [case for case in run.cases if case.targets and case.is_timed]
    assert {config.timed_passes} == {len(passes_of(case)) for case in answering}


def test_a_run_of_memory_alone_times_nothing(tmp_path: Path):
    """And a suite that was asked for has all of its cases in every pass."""
    assert 0 == begin(tmp_path, "memory").config.timed_passes
    assert begin(tmp_path, "bidding").config.curve_passes is None


@pytest.mark.parametrize("memory", [False, True])
def test_idle_memory_is_a_figure_of_the_run(tmp_path: Path, memory: bool):
    """Whether other memory is measured or not; the target is judged."""
    run = begin(tmp_path, "memory/idle", memory=memory)
    (done,) = Passes(
        run.config, ("veperf.profiling.memory_suite",), run.cases, NoProgress()
    ).measure([0])

    (result,) = done.results
    assert {"idle_heap", "idle_objects", "idle_blocks"} == result.figures.keys()
    assert result.figures["idle_objects"] < result.figures["idle_blocks"]
    assert () == result.samples
    assert 10 * 2**20 < result.figures["idle_heap"] < 256 * 2**20
    targets = load_targets(ROOT / "data" / "baselines")
    verdicts = {v.target.id: v for v in judge_targets(run, targets)}
    assert TargetStatus.ERROR == verdicts["memory/idle_heap"].status


def test_an_idle_process_holds_what_it_loaded():
    """More modules, more memory."""
    bare, full = (
        run_in_fresh_process(
            "veperf.profiling.memory.child", MeasureIdle(modules), IdleProcess, timeout_s=60
        )
        for modules in ((), ("veperf.workloads.transaction.benchmarks", "scipy.stats"))
    )

    assert full.rss_bytes > bare.rss_bytes + 2**20
    assert full.blocks > bare.blocks + 10_000


def test_rounds_tell_peaks_and_growth():
    """A benchmark that keeps a block a round is found out; one that doesn't is clean."""

    def rounds(case: str, number: int) -> RoundsResult:
        asked = RunRounds(tuple(HUNGRY), (case,), number)
        return run_in_fresh_process(
            "veperf.profiling.memory.child", asked, RoundsResult, timeout_s=60
        )

    clean = rounds("hungry/eats", 30)
    assert clean.leak.status is LeakStatus.CLEAN
    assert clean.stats.peak_rss_bytes >= clean.stats.rss.max
    assert clean.stats.gc_cycles[2] < 30
    leaky = rounds("hungry/keeps", 3_000)
    assert leaky.leak.growth is not None
    assert leaky.leak.growth > 0.05


@pytest.mark.alone
def test_the_command_profiles_and_compares(tmp_path: Path):
    """A recorded profile is what later ones are held to; a flamegraph is a file of its own."""
    base = ["memory", "hungry/eats", "--module", HUNGRY[0], "--baselines", str(tmp_path)]
    run = CliRunner().invoke

    first = run(veperf, [*base, "--record", "--flamegraphs", str(tmp_path / "graphs")])
    assert 0 == first.exit_code, first.output
    assert "recorded in" in first.output
    assert (tmp_path / "graphs" / "hungry-eats.html").stat().st_size > 1_000_000
    again = run(veperf, base)
    assert 0 == again.exit_code
    assert "same" in again.output
    recorded = tmp_path / "memory" / "hungry" / "eats.json"
    stored = json.loads(recorded.read_text())
    stored["footprint"]["allocations"] /= 2
    recorded.write_text(json.dumps(stored))
    more = run(veperf, base)
    assert 1 == more.exit_code
    assert "more" in more.output


@pytest.mark.alone
def test_a_load_that_leaks_fails_the_soak():
    """And so does a limit that is passed; the one without a leak is not suspected."""
    calm = soak("hungry/soaked", minutes=0.2, modules=HUNGRY, budget=MemoryBudget(objects=10))
    assert LeakStatus.SUSPECTED != calm.leak.status
    assert calm.leaks.keys() == {"resident memory", "Python objects"}
    assert len(calm.soaked.rss) >= 10
    assert ["objects"] == [item.limit_name for item in calm.violations]
    assert not calm.passed

    leaky = soak("hungry/soaked", {"kept": 20_000}, minutes=0.5, modules=HUNGRY)
    assert ["leak_growth"] == [item.limit_name for item in leaky.violations]
    assert LeakStatus.SUSPECTED == leaky.leak.status
    assert not leaky.passed
    grown = 500 * 30 * 20_000
    rest = leaky.soaked.rss[0][1]
    assert leaky.leaks["resident memory"].growth == pytest.approx(grown / rest, rel=0.3)
    assert "a leak is suspected" in repr(leaky)
    assert "stroke-dasharray" in leaky._repr_html_()
    assert calm.soaked.evidence is None
    evidence = leaky.soaked.evidence
    assert evidence is not None
    assert ("offer", "tests/support/allocating.py") == (
        evidence.sites[0].function,
        evidence.sites[0].file,
    )
    assert "_Leaking._kept" in leaky._repr_html_()


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["child", "malloc", "thread"])
def test_a_leak_that_no_line_of_python_explains_is_found(kind: str):
    """Native memory by what is left to explain, others by process and number of threads."""
    result = soak("leaking/load", {"kind": kind}, minutes=0.25, modules=["tests.support.leaking"])

    assert result.failed
    evidence = result.soaked.evidence
    sites = () if evidence is None else evidence.sites
    assert [] == [site for site in sites if site.file.startswith("veperf/")]
    if kind == "child":
        (child,) = result.soaked.grown_children
        assert f"process {child.pid} (python" in repr(result)
        assert "memory of child processes grew by at least" in repr(result)
        return
    assert evidence is not None
    assert (kind == "malloc") is bool(evidence.unexplained_bytes)
    assert (kind == "thread") is ("threads became more" in repr(result))


@pytest.mark.parametrize("minutes", [0, 0.1, float("nan"), float("inf"), 1e9])
def test_a_soak_of_no_length_is_refused(minutes):
    """In words."""
    with pytest.raises(UsageError, match=r"10 seconds at least|minutes must be more"):
        soak("hungry/soaked", minutes=minutes, modules=HUNGRY)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("after", "is_judged", "send"),
    [
        (b"setting up", False, os.killpg),
        (b" of 10:00", True, os.killpg),
        (b" of 10:00", True, os.kill),
    ],
    ids=["before it began", "by a terminal", "to the command alone"],
)
def test_ctrl_c_ends_a_soak_and_judges_it(
    after: bytes, is_judged: bool, send: Callable[[int, int], None], tmp_path: Path
):
    """With the exit code of an interrupt, and nothing left running; before it began, in silence."""
    words = ["soak", "hungry/soaked", "--minutes", "10", "--module", HUNGRY[0], "--json", "s.json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "veperf", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        while after not in process.stderr.readline():
            assert process.poll() is None
        send(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert 130 == process.returncode, err
    assert is_judged is (tmp_path / "s.json").exists()
    if is_judged:
        assert b"growth of memory was not measured" in out
        stored = json.loads((tmp_path / "s.json").read_text())
        assert stored["soaked"]["stats"]["duration_s"] < 60
    else:
        assert b"" == out
        assert b"Traceback" not in err
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_hungry_loads_are_real():
    """The planted leak is what the tests think it is."""
    system = allocating.soaked(rate=1, kept=5).system(10)
    assert system.offer(0)
    assert [0] == list(system.step().committed)
    system.close()
