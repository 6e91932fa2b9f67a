"""Runs and verdicts as pages, tables, charts and notebooks' cells."""
