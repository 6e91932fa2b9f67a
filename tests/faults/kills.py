"""kill -9 at a random moment of each kind of work: nothing is lost or half, and it can be repeated.

The work runs in processes forked from a server that has everything imported, so that the kill hits
the work and not the imports. `veperf run` and `veperf report` with their workers and kernels are
whole commands, and killed with their process group.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from msgspec.structs import replace

from tests.faults.ground import (
    BASELINES,
    ELSEWHERE,
    OLDER,
    RUNS,
    Tally,
    fresh_copy,
    known_baseline,
    known_run,
    require_sound,
)
from veperf.archive.baselines import load_baselines, load_retired, save_baseline
from veperf.archive.compaction import compact_archive
from veperf.archive.merge import merge_runs
from veperf.archive.migration import migrate_archive
from veperf.archive.store import Archive
from veperf.core.paths import default_baselines_folder
from veperf.core.policy import GatePolicy
from veperf.report.pages.render import render_report
from veperf.report.site.build import build_site

_ROOT = Path(__file__).parents[2]


def _run(folder: Path) -> None:
    archive = Archive(folder)
    run = known_run(50)
    loops = {result.case: result.loops for result in run.passes[0].results}
    if archive.is_complete(run.id):
        return
    if run.id in archive.incomplete_ids():
        writer = archive.resume(run.id)
    else:
        writer = archive.begin(replace(run, passes=(), loops={}))
    with writer:
        for index in writer.missing():
            writer.add(run.passes[index], loops)
        writer.run = replace(writer.run, loops=run.loops)
        writer.complete()


def _report(folder: Path) -> None:
    archive, policy = Archive(folder), GatePolicy()
    run = archive.load()
    render_report(
        run, folder / run.id, default_baselines_folder(), (), policy, with_notebooks=False
    )


def _site(folder: Path) -> None:
    baselines = default_baselines_folder()
    build_site(Archive(folder), baselines, baselines, (), GatePolicy())


def _compact(folder: Path) -> None:
    for keep in (3, 1, 0):
        compact_archive(Archive(folder), keep=keep)


def _import(folder: Path) -> None:
    list(merge_runs(Archive(folder), Archive(folder.parent / "elsewhere")))


def _baseline(folder: Path) -> None:
    for day in (2, 3, 4):
        save_baseline(folder / BASELINES, known_baseline(day), reason=f"day {day}")


def _migrate(folder: Path) -> None:
    list(migrate_archive(Archive(folder)))


def _init(folder: Path) -> None:
    from click.testing import CliRunner

    from veperf.cli.init import init_command

    project = folder / "flamegraphs" / "project"  # a folder that holds no run
    project.mkdir(parents=True, exist_ok=True)
    os.chdir(project)
    (project / ".git").mkdir(exist_ok=True)
    result = CliRunner().invoke(init_command, catch_exceptions=False)
    assert result.exit_code == 0, result.output


WORK: dict[str, Callable[[Path], None]] = {
    "run": _run,
    "report": _report,
    "site": _site,
    "compact": _compact,
    "import": _import,
    "baseline update": _baseline,
    "migrate": _migrate,
    "init": _init,
}


def _work(name: str, folder: Path, started: Connection) -> None:
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the process is killed
    started.send_bytes(b"")
    WORK[name](folder)
    started.send_bytes(b"")


def _kill_at(name: str, folder: Path, delay_s: float) -> float | None:
    """Do the work and kill it after ``delay_s``; return its duration if it was quicker."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "pyarrow.parquet", "duckdb"])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(name, folder, there), daemon=True)
    process.start()
    there.close()
    here.recv_bytes()
    began = time.perf_counter()
    is_done = here.poll(delay_s)
    took_s = time.perf_counter() - began
    try:
        if is_done:
            here.recv_bytes()
    except EOFError:
        raise AssertionError(f"{name} failed in {folder}") from None
    finally:
        process.kill()
        process.join()
        here.close()
    return took_s if is_done else None


def kill_at_random(parent: Path, seed: int, count: int) -> Tally:
    """Kill each kind of work ``count`` times.

    Raises:
        AssertionError: something is lost or half written, or the work can't be repeated.
    """
    tally = Tally("kill -9")
    dice = Random(seed)
    for name in WORK:
        folder = fresh_copy(parent, "killed", older=name == "migrate")
        took_s = _kill_at(name, folder, 60.0)
        assert took_s is not None, f"{name} takes too long"
        for trial in range(count):
            folder = fresh_copy(parent, "killed", older=name == "migrate")
            delay_s = dice.uniform(0, took_s)
            was_done = _kill_at(name, folder, delay_s) is not None
            tally.outcomes["done before the kill" if was_done else f"killed in {name}"] += 1
            try:
                require_sound(folder, set(range(RUNS)))
                assert _kill_at(name, folder, 60.0) is not None, "it does not end when repeated"
                _require_done(name, folder)
            except AssertionError as error:
                raise AssertionError(
                    f"{name} killed after {delay_s:.4f} s (trial {trial}, seed {seed}): {error}"
                ) from error
    return tally


def _require_done(name: str, folder: Path) -> None:
    days = require_sound(folder, set(range(RUNS)))
    if name == "run":
        assert 50 in days
    if name == "import":
        assert days >= set(ELSEWHERE)
    if name == "compact":
        assert Archive(folder).unpacked() == {}
    if name == "migrate":
        assert all(b'"checksum"' in path.read_bytes() for k in OLDER for path in folder.glob(k))
    if name == "baseline update":
        (recorded,) = load_baselines(folder / BASELINES, ["demo"])
        retired = load_retired(folder / BASELINES, ["demo"])
        runs = [former.baseline.run for former in retired]
        assert recorded.run == known_run(4).id
        # The work begins anew with the first of its days, which then replaces a later one.
        assert runs[:2] == [known_run(day).id for day in range(2)]
        assert {known_run(day).id for day in range(4)} <= set(runs)
        assert all(a != b for a, b in pairwise(runs))


def kill_commands(parent: Path, seed: int, count: int) -> Tally:
    """Kill `veperf run`, resumed until it is done, and `veperf report` with its kernel.

    Raises:
        AssertionError: as ``kill_at_random``.
    """
    tally = Tally("kill -9 of whole commands")
    dice = Random(seed)
    archive = parent / "commands"
    select = ("transaction/hash_compute", "--processes", "2", "--min-time", "0.01s")
    for _ in range(count):
        words = ["run", *select]
        for _ in range(4):
            if _command(archive, words, dice.uniform(1.0, 8.0)):
                break
            tally.outcomes["killed in veperf run"] += 1
            assert Archive(archive).faults() == {}
            words = ["run", "--resume"] if Archive(archive).incomplete_ids() else words
        else:
            assert _command(archive, words, 120.0), "it does not end when repeated"
        run = Archive(archive).load()
        before = (archive / run.id / "run.json").read_bytes()
        for delay_s in (*(dice.uniform(1.0, 12.0) for _ in range(3)), 120.0):
            if not _command(archive, ["report", run.id], delay_s):
                tally.outcomes["killed in veperf report"] += 1
            for page in (archive / run.id).glob("[!.]*.html"):
                assert page.read_text(encoding="utf-8").rstrip().endswith("</html>"), page
            assert before == (archive / run.id / "run.json").read_bytes()
            assert Archive(archive).faults() == {}
    return tally


def _command(archive: Path, words: list[str], delay_s: float) -> bool:
    """Run a command; return whether it ended by itself before ``delay_s``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "veperf", *words, "--archive", str(archive)],
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False
    return process.returncode in (0, 1)
