"""``%%veperf_time`` and ``%%veperf_memory``: time and memory of a notebook's cell."""

import ast
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import TYPE_CHECKING

from msgspec import Struct

from veperf.core.errors import UsageError, VeperfError
from veperf.core.escape import as_html, make_visible
from veperf.core.options import CaseOptions
from veperf.core.text import format_quantity
from veperf.core.units import parse_duration_s
from veperf.measure.clock import calibrate_loops, take_sample
from veperf.profiling.memory.profile_memory import CELL_NAME, MemoryProfile, profile_memory

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MIN_SAMPLE_NS = 5_000_000
_SAMPLES = 8
_MULTITHREADED, _NATIVE, _TIMEOUT = "--multithreaded", "--native", "--timeout"
_FILE = "<cell>"
"""Name of a cell's file in tracebacks."""
_FRAMES_BEFORE = re.compile(
    r"(Traceback \(most recent call last\):\n)"
    r'(?:  File (?!"<cell>").*\n(?:    .*\n)*)+(?=  File "<cell>")'
)
"""Frames of a traceback that come before the first one of the cell."""


class CellTime(Struct, frozen=True):
    """The time of a notebook cell."""

    best_cpu_ns: float
    """CPU time of the thread, mean of the two lowest samples, in ns."""
    median_ns: float
    """Median wall time, in ns."""
    worst_ns: float
    loops: int
    """Calls in a sample."""
    samples: int

    def __repr__(self) -> str:
        return (
            f"{format_quantity(self.best_cpu_ns, 'ns')} of CPU time at best; wall time "
            f"{format_quantity(self.median_ns, 'ns')} typically, "
            f"{format_quantity(self.worst_ns, 'ns')} at worst "
            f"({self.samples} samples of {self.loops})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{as_html(repr(self))}</p>"


def register_cell_magics(shell: "InteractiveShell") -> None:
    """Add the cell magics to ``shell``."""

    def veperf_time(line: str, cell: str) -> CellTime:
        """Run the cell repeatedly in this kernel, and return its time."""
        with error_of_the_cell():
            if line.split():
                raise UsageError(f"the magic takes no arguments: {line.strip()!r}")
            return time_cell(_callable(shell, cell))

    def veperf_memory(line: str, cell: str) -> MemoryProfile:
        """Run the cell repeatedly in a fork, and return its allocations; its names stay there.

        ``--multithreaded`` counts all threads, not only the calling one; ``--native`` names the
        functions of C that allocate; ``--timeout SECONDS`` is the time that it may take.
        """
        with error_of_the_cell():
            multithreaded, native, timeout_s = _memory_options(line)
            return profile_memory(
                _callable(shell, cell, may_await=True),
                multithreaded=multithreaded,
                native=native,
                timeout_s=timeout_s,
            )

    for magic in (veperf_time, veperf_memory):
        # IPython's types expect a method.
        shell.register_magic_function(magic, "cell", magic.__name__)  # type: ignore[arg-type]


def time_cell(call: Callable[[], object]) -> CellTime:
    """Return the time of ``call``: calibrated to samples of at least 5 ms, 8 after a warm-up.

    Raises:
        Any exception of ``call``.
    """
    loops = calibrate_loops(call, _MIN_SAMPLE_NS, multithreaded=False)
    take_sample(call, loops)
    samples = [take_sample(call, loops) for _ in range(_SAMPLES)]
    walls = sorted(sample.wall_ns / loops for sample in samples)
    cpus = sorted(sample.cpu_ns / loops for sample in samples if sample.cpu_ns is not None)
    return CellTime(
        best_cpu_ns=sum(cpus[:2]) / 2,
        median_ns=(walls[(_SAMPLES - 1) // 2] + walls[_SAMPLES // 2]) / 2,
        worst_ns=walls[-1],
        loops=loops,
        samples=_SAMPLES,
    )


def _memory_options(line: str) -> tuple[bool, bool, float]:
    """Return whether all threads count, whether native functions are named, and the time limit."""
    words = line.split()
    timeout_s = CaseOptions.timeout_s
    if _TIMEOUT in words:
        at = words.index(_TIMEOUT)
        value = "".join(words[at + 1 : at + 2])
        try:
            timeout_s = parse_duration_s(value)
        except UsageError as error:
            raise UsageError(f"{_TIMEOUT}: {error}") from None
        del words[at : at + 2]
    if unknown := [word for word in words if word not in (_MULTITHREADED, _NATIVE)]:
        raise UsageError(
            f"the magic takes {_MULTITHREADED}, {_NATIVE} and {_TIMEOUT} SECONDS: "
            f"{' '.join(unknown)!r}"
        )
    return _MULTITHREADED in words, _NATIVE in words, timeout_s


@contextmanager
def error_of_the_cell() -> Iterator[None]:
    """Let IPython show what is raised here with the frames of the cell alone, none of veperf's."""
    try:
        yield
    except Exception as error:
        lines = [make_visible(line) for line in _cell_traceback(error)]
        # As IPython has it for exceptions that come from other processes.
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
        raise


def _cell_traceback(error: Exception) -> list[str]:
    """Return the lines of a traceback that begins in the cell; of an error of veperf's, its words.

    An error in a fork has the fork's traceback, and what it wrote, as notes.
    """
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != _FILE:
        frames = frames.tb_next
    if frames is None and isinstance(error, VeperfError):
        notes = [_FRAMES_BEFORE.sub(r"\1", note) for note in getattr(error, "__notes__", [])]
        text = "\n".join([*map(str.rstrip, notes), f"{type(error).__name__}: {error}"])
    else:
        text = "".join(traceback.format_exception(type(error), error, frames))
    return text.splitlines()


def _callable(
    shell: "InteractiveShell", cell: str, *, may_await: bool = False
) -> Callable[[], object]:
    """Return the cell as a callable that runs it in the notebook's namespace.

    A cell that awaits at its top level, if it may, returns a coroutine.
    """
    source = shell.transform_cell(cell)  # type: ignore[no-untyped-call]  # IPython is half typed
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if may_await else 0
    code = compile(source, _FILE, "exec", flags=flags)
    # eval() would make such a function each time. As code of a module, it has no locals of its own.
    function = FunctionType(code, shell.user_ns, CELL_NAME)
    function.__qualname__ = CELL_NAME
    return function
