"""``%%veperf_time`` and ``%%veperf_memory``: time and memory of a notebook's cell."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from veperf.core.errors import UsageError
from veperf.core.sizes import count
from veperf.measure.clock import calibrate, take_sample
from veperf.profiling.memory import charts
from veperf.profiling.memory.profile import MemoryProfile, profile

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MIN_SAMPLE_NS = 5_000_000
_SAMPLES = 8
_STEPS = (("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9))


class CellTime(Struct, frozen=True):
    """What a cell takes, each time that it is run."""

    best_cpu_ns: float
    """CPU time of the thread, mean of the two lowest samples."""
    median_ns: float
    """Wall time."""
    worst_ns: float
    loops: int
    """In a sample."""
    samples: int

    def __repr__(self) -> str:
        return (
            f"{_time(self.best_cpu_ns)} of CPU time at best; wall time {_time(self.median_ns)} "
            f"typically, {_time(self.worst_ns)} at worst ({self.samples} samples of {self.loops})"
        )

    def _repr_html_(self) -> str:
        return charts.paragraph(repr(self))


def register(shell: "InteractiveShell") -> None:
    """Add the magics to ``shell``; ``%load_ext veperf`` does."""

    def veperf_time(line: str, cell: str) -> CellTime:
        """Run the cell again and again in this kernel: what it takes each time."""
        return time_cell(_callable(shell, line, cell))

    def veperf_memory(line: str, cell: str) -> MemoryProfile:
        """Run the cell again and again in a fork: what it allocates. Names it sets stay there."""
        return profile(_callable(shell, line, cell))

    for magic in (veperf_time, veperf_memory):
        # IPython's types take a function of one's own for a method.
        shell.register_magic_function(magic, "cell", magic.__name__)  # type: ignore[arg-type]


def time_cell(call: Callable[[], object]) -> CellTime:
    """Calibrate so that a sample lasts 5 ms at least, and take 8, after one to warm up.

    Raises:
        Whatever ``call`` does.
    """
    loops = calibrate(call, _MIN_SAMPLE_NS, multithreaded=False)
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


def _callable(shell: "InteractiveShell", line: str, cell: str) -> Callable[[], object]:
    """The cell as a callable that runs it in the notebook's namespace."""
    if line.strip():
        raise UsageError(f"the magic takes no arguments: {line.strip()!r}")
    source = shell.transform_cell(cell)  # type: ignore[no-untyped-call]  # IPython is half typed
    code = compile(source, "<cell>", "exec")
    namespace = shell.user_ns

    def run_cell() -> None:
        exec(code, namespace)  # noqa: S102 - the cell is what its author wants to run

    run_cell.__qualname__ = "the cell"
    return run_cell


def _time(value_ns: float) -> str:
    unit, scale = next((s for s in reversed(_STEPS) if value_ns >= s[1]), _STEPS[0])
    return f"{count(value_ns / scale)} {unit}"


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """``%load_ext veperf``: the cell magics ``%%veperf_time`` and ``%%veperf_memory``."""
    register(shell)
