"""Runs, comparisons and baselines, on disk or in object storage: written whole, then checked."""
