"""Make reports/example: a small archive with a planted regression, to look at without measuring.

Everything in it is measured: some runs as they are, the last one with a benchmark that does its
work twice. Run it from the project's folder on a quiet machine, it takes a minute::

    .venv/bin/python -m benchmarks.example_archive
"""

import os
import shutil
import sys
from pathlib import Path

import veperf
from benchmarks.example_suite import PLANTED
from veperf.archive.baselines import save_baseline
from veperf.archive.compaction import compact_archive
from veperf.archive.store import Archive
from veperf.core import paths
from veperf.report.pages.render import render_report
from veperf.verdicts.baseline import make_baseline

FOLDER = Path("reports/example")
_RUNS = 3
_SUITE, _MODULE = "example", "benchmarks.example_suite"
_KNOWN = ["transaction/validation"]


def main() -> int:
    """Measure, record a baseline in between, plant, measure again, render."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    baselines = FOLDER / "baselines"
    baselines.mkdir(parents=True)
    shutil.copy(paths.default_baselines_folder() / "targets.json", baselines)
    for _ in range(_RUNS):
        result = _run(baselines)
    save_baseline(baselines, make_baseline(result.run, _SUITE))
    os.environ[PLANTED] = "1"
    result = _run(baselines)
    (FOLDER / "index.html").touch()  # so that the report leads to the site
    page = render_report(result.run, result.folder, baselines, _KNOWN)
    for notebook in page.parent.glob("*.ipynb"):
        notebook.unlink()  # as large as all the rest
    compact_archive(Archive(FOLDER), keep=1)
    veperf.site(FOLDER, baselines, _KNOWN)
    shutil.rmtree(FOLDER / ".summary", ignore_errors=True)
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    print(f"{page}: {size:,} bytes in all")
    return 0


def _run(baselines: Path) -> veperf.RunResult:
    return veperf.run(_SUITE, archive=FOLDER, baselines=baselines, modules=[_MODULE])


if __name__ == "__main__":
    sys.exit(main())
