"""``%%veperf_time`` and ``%%veperf_memory``: time and memory of a notebook's cell."""

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from veperf.core.errors import UsageError
from veperf.core.escape import as_html
from veperf.core.text import format_quantity
from veperf.measure.clock import calibrate_loops, take_sample
from veperf.profiling.memory.profile_memory import MemoryProfile, profile_memory

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MIN_SAMPLE_NS = 5_000_000
_SAMPLES = 8


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


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Add the magics to ``shell``; ``%load_ext veperf`` calls it."""

    def veperf_time(line: str, cell: str) -> CellTime:
        """Run the cell repeatedly in this kernel, and return its time."""
        return time_cell(_callable(shell, line, cell))

    def veperf_memory(line: str, cell: str) -> MemoryProfile:
        """Run the cell repeatedly in a fork, and return its allocations; its names stay there."""
        return profile_memory(_callable(shell, line, cell, may_await=True))

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


def _callable(
    shell: "InteractiveShell", line: str, cell: str, *, may_await: bool = False
) -> Callable[[], object]:
    """Return the cell as a callable that runs it in the notebook's namespace.

    A cell that awaits at its top level, if it may, returns a coroutine.
    """
    if line.strip():
        raise UsageError(f"the magic takes no arguments: {line.strip()!r}")
    source = shell.transform_cell(cell)  # type: ignore[no-untyped-call]  # IPython is half typed
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if may_await else 0
    code = compile(source, "<cell>", "exec", flags=flags)
    namespace = shell.user_ns

    def run_cell() -> object:
        # The cell is what its author wants to run; it returns None, or what is to be awaited.
        return eval(code, namespace)  # noqa: S307

    run_cell.__qualname__ = "the cell"
    return run_cell
