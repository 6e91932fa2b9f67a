"""The ``veperf`` command, a module a subcommand."""

from veperf.cli.main import main

__all__ = ["main"]
