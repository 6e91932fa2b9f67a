"""Readers of other tools' benchmark files: each into the same kind of run."""

from veperf.interop.build import UNKNOWN_MACHINE, Imported
from veperf.interop.formats import NAMES, detect, read, read_path
from veperf.interop.go_targets import aim, go_benchmarks, refuse_strangers, strangers, unlisted

__all__ = [
    "NAMES",
    "UNKNOWN_MACHINE",
    "Imported",
    "aim",
    "detect",
    "go_benchmarks",
    "read",
    "read_path",
    "refuse_strangers",
    "strangers",
    "unlisted",
]
