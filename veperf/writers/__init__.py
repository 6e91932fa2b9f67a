"""Writers of other tools' formats: a run, or the verdict on it, for whoever reads on."""

from veperf.writers.formats import FORMATS, NAMES, Format, named, write, write_judged
from veperf.writers.judged import Judged, JudgedPairs, JudgedRun
from veperf.writers.markdown import MARKER, comment
from veperf.writers.written import Written

__all__ = [
    "FORMATS",
    "MARKER",
    "NAMES",
    "Format",
    "Judged",
    "JudgedPairs",
    "JudgedRun",
    "Written",
    "comment",
    "named",
    "write",
    "write_judged",
]
