"""Runs, baselines and targets on disk: written once and whole, checked when read."""

from veperf.archive.baselines import (
    load_baselines,
    load_retired,
    load_targets,
    recorded_runs,
    save_baseline,
    update_baseline,
)
from veperf.archive.store import LAST, Archive
from veperf.archive.writer import RunWriter

__all__ = [
    "LAST",
    "Archive",
    "RunWriter",
    "load_baselines",
    "load_retired",
    "load_targets",
    "recorded_runs",
    "save_baseline",
    "update_baseline",
]
