"""Make reports/example: a small archive of real commits, with a planted step and a planted drift.

Everything in it is measured, each run with the code and the benchmarks of its own commit, checked
out in a clone. Beside them run two benchmarks in which something is planted, `example_planted`:
`example/quote` does its work twice in the last runs, and `example/pending` has a little more to do
in each run than in the one before. Run it from the project's folder; it takes a quarter of an hour,
and its figures are as noisy as the machine is busy. `--pages` renders what is there anew::

    .venv/bin/python -m benchmarks.example_archive [--pages]
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.example_planted import GROWN, TWICE
from veperf.archive.baselines import save_baseline
from veperf.archive.compaction import compact_archive
from veperf.archive.store import Archive
from veperf.core import paths
from veperf.core.policy import GatePolicy
from veperf.report.pages.render import render_report
from veperf.report.site.build import build_site
from veperf.verdicts.baseline import make_baseline

FOLDER = Path("reports/example")
_COMMITS, _AGAIN, _STEPPED = 26, 10, 17
"""Number of runs, one a commit, of those at the last one again, and of those that have the step."""
_PERCENT = 2.0
"""How much more each run has to order, in percent of the first."""
_SUITE = "example"
_PLANTED = "example_planted"
_MODULES = ("benchmarks.example_suite", _PLANTED)
_KNOWN = ["transaction/validation"]
_SERIES_S = 60
_PAGES = "--pages"
_KERNELS = ("veperf/_native", "hatch_build.py")


def main() -> int:
    """Measure a run a commit, record a baseline before the step, render; or render alone."""
    if sys.argv[1:] == [_PAGES]:
        render(Archive(FOLDER), FOLDER / "baselines")
        return 0
    shutil.rmtree(FOLDER, ignore_errors=True)
    baselines = FOLDER / "baselines"
    baselines.mkdir(parents=True)
    shutil.copy(paths.default_baselines_folder() / "targets.json", baselines)
    archive = Archive(FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        clone, beside = Path(folder) / "clone", Path(folder) / "beside"
        beside.mkdir()
        shutil.copy(f"benchmarks/{_PLANTED}.py", beside)
        _git("clone", "--quiet", ".", str(clone))
        commits = _commits(_COMMITS)
        commits += commits[-1:] * _AGAIN
        first_stepped = len(commits) - _STEPPED
        for number, commit in enumerate(commits):
            if number == first_stepped:
                save_baseline(baselines, make_baseline(archive.load(), _SUITE))
            _check_out(clone, commit)
            _measure(clone, beside, number, is_stepped=number >= first_stepped)
    render(archive, baselines)
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    print(f"{FOLDER}: {size:,} bytes in all")
    return 0


def render(archive: Archive, baselines: Path) -> None:
    """Pack the runs, and write the report of the last one and the site of all."""
    run = archive.load()
    for path in archive.folder.glob("2*/index.html"):  # written while it was measured
        path.unlink()
    (archive.folder / "index.html").touch()  # so that the report leads to the site
    policy = GatePolicy()
    render_report(run, archive.folder / run.id, baselines, _KNOWN, policy, with_notebooks=False)
    compact_archive(archive, keep=1)
    build_site(archive, baselines, baselines, _KNOWN, policy)
    shutil.rmtree(archive.folder / ".summary", ignore_errors=True)


def _commits(count: int) -> list[str]:
    """Return the last commits that stand alone, oldest first.

    Of those that were made within a minute, parts of one change, only the last one runs.
    """
    commits: list[str] = []
    later = float("inf")
    for line in _git("log", "--format=%H %ct").splitlines():
        commit, made = line.split()
        if later - int(made) > _SERIES_S:
            commits.append(commit)
        later = int(made)
    return commits[:count][::-1]


def _check_out(clone: Path, commit: str) -> None:
    """Put ``commit`` into the clone, and compile its kernels anew where these have changed."""
    before = _git("rev-parse", "HEAD", cwd=clone).strip()
    _git("checkout", "--quiet", "-B", "main", commit, cwd=clone)
    is_built = any((clone / "veperf" / "_native").glob("kernels.*.so"))
    is_changed = bool(_git("diff", "--name-only", before, commit, "--", *_KERNELS, cwd=clone))
    if (clone / "hatch_build.py").exists() and (is_changed or not is_built):
        subprocess.run([sys.executable, "hatch_build.py"], cwd=clone, check=True)


def _measure(clone: Path, beside: Path, number: int, *, is_stepped: bool) -> None:
    """Run the benchmarks in the clone, by the veperf that is checked out there."""
    environ = {**os.environ, "PYTHONPATH": f"{clone}{os.pathsep}{beside}"}
    environ[GROWN] = f"{_PERCENT * number:g}"
    if is_stepped:
        environ[TWICE] = "1"
    modules = [part for module in _MODULES for part in ("--module", module)]
    command = [sys.executable, "-m", "veperf", "run", _SUITE, *modules]
    command += ["--archive", str(FOLDER.resolve())]
    subprocess.run(command, cwd=clone, env=environ, check=True, stdout=subprocess.DEVNULL)


def _git(*arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
