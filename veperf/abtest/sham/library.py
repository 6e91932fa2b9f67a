"""The library in a folder: a version of it, written so that a worker can import and measure it."""

import os
import random
from pathlib import Path

from veperf.abtest.sham.edits import Version, initial_version
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import ABSide
from veperf.measure.worker_client import CodeSource

SUITE = "sham"
"""Suite of its benchmarks, one for each kind of work."""
MODULE = "sham_library.benchmarks"
"""Module that registers them."""

_SOURCE = Path(__file__).with_name("work.py")
_VEPERF = Path(__file__).parents[3]
_BENCHMARKS = '''"""Each kind of work as a benchmark."""

from functools import partial

from sham_library import work
from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


def register(kind):
    def set_up():
        return Task(partial(kind, work.TURNS[kind.__name__]))

    set_up.__doc__ = kind.__doc__
    benchmark(f"sham/{kind.__name__}", level=Level.MICRO)(set_up)


for kind in work.KINDS:
    register(kind)
'''


def draw_base(generator: random.Random) -> Version:
    """Return a version that is the base of one comparison, drawn at random."""
    return initial_version(_SOURCE.read_text(encoding="utf-8"), generator)


def write_version(version: Version, folder: Path, name: str) -> PreparedSide:
    """Write ``version`` as a package into the new ``folder``; ``name`` is shown for it.

    Both sides' folders should have paths of the same length: a path, too, lies in memory.
    """
    package = folder / MODULE.partition(".")[0]
    package.mkdir(parents=True)
    sources = {"__init__": "", "work": version.source, "benchmarks": _BENCHMARKS}
    for module, source in {**version.others, **sources}.items():
        (package / f"{module}.py").write_text(source, encoding="utf-8")
    paths = [str(_VEPERF), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    environment = {"PYTHONPATH": os.pathsep.join(paths)}
    return PreparedSide(ABSide(name), CodeSource(folder=folder, environment=environment))
