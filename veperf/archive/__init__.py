"""Runs, baselines and targets on disk: written once and whole, checked when read."""
