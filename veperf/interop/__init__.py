"""Readers of other tools' benchmark files: each into the same kind of run."""

from veperf.interop.build import UNKNOWN_MACHINE, Imported
from veperf.interop.formats import NAMES, detect, read, read_path

__all__ = ["NAMES", "UNKNOWN_MACHINE", "Imported", "detect", "read", "read_path"]
