"""Runs from the question to the archive: the worker process, benchmarks, soaks, load servers."""
