"""TODO."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.open import open_archive
from veperf.archive.store import Archive
from veperf.core import paths
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Verdict

if TYPE_CHECKING:
    pass

Folder = str | Path | None


def archive_at(folder: Folder) -> Archive:
    return open_archive(folder)


def baselines_folder(folder: Folder) -> Path:
    return Path(folder) if folder else paths.baselines()


def recorded_baselines(run: Run, folder: Path) -> tuple[Baseline, ...]:
    return load_baselines(folder, sorted({case.suite for case in run.cases}))


def judge_run(
    run: Run,
    folder: Path,
    recorded: Sequence[Baseline],
    known_misses: Collection[str],
) -> Verdict:
    from veperf.verdicts.verdict import verdict as judge_verdict

    return judge_verdict(run, load_targets(paths.targets(folder)), recorded, known_misses)
