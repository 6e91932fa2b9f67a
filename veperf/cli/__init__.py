"""The ``veperf`` command."""

from veperf.cli.main import main

__all__ = ["main"]
