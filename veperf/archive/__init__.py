"""Runs, baselines and targets on disk: written once and whole, checked when read."""

from veperf.archive.baselines import load_baselines, load_targets, save_baseline
from veperf.archive.store import LAST, Archive, RunWriter

__all__ = ["LAST", "Archive", "RunWriter", "load_baselines", "load_targets", "save_baseline"]
