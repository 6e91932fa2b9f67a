"""Sampling of a Go benchmark: the iterations of a sample, and the samples of a process.

Go collects garbage before each sample, and then whenever 4 MB more are there (or as much again as
is in use). Whether a short sample has one collection or none is then decided by a few bytes, and
doubles its time: 10 % more work was seen as equal, and as 90 % more. So samples have none: the
collector is off, and a sample allocates no more than it would take for the first one, as fresh
memory costs time as well. What collections cost grows with B/op, which is judged by itself. Where
a single operation allocates so much that its samples have many, they are left in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from veperf.core.case import TIME
from veperf.programs.go_binaries import GoRequest, exact_pattern, run_binary
from veperf.programs.go_build import BuiltPackage
from veperf.programs.go_discovery import SAMPLE_NS, printed_name
from veperf.programs.printed_results import PrintedResult

SAMPLES = 20
"""Most samples in a process, without the first, which is a warm-up where there are several."""
_PROCESS_NS = 100_000_000
_PROBES = 5
_BYTES = "B/op"
_SAMPLE_BYTES = 4 << 20
"""Most that a sample allocates, but for one of a single iteration."""
_MOST_BYTES = 64 << 20
"""Beyond this a sample has collections, many of them."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Samples of a benchmark in a process, the same on both sides and in all pairs."""

    iterations: int
    count: int
    has_collections: bool = False

    @property
    def has_warm_up(self) -> bool:
        """True where the first sample is dropped."""
        return self.count > 1

    def request(self, name: str, processors: int) -> GoRequest:
        """Return the request for the benchmark of this name."""
        return GoRequest(
            bench=exact_pattern([name]),
            benchtime=f"{self.iterations}x",
            processors=processors,
            count=self.count,
            has_collections=self.has_collections,
        )


@dataclass(frozen=True, slots=True)
class SamplingChooser:
    """Chooses the sampling of benchmarks by a process of each, of the base."""

    timeout_s: float
    suites: Mapping[str, str]
    _starts_ns: dict[str, int] = field(default_factory=dict)
    """Time of a process that runs no benchmark, by package."""

    def choose(
        self,
        built: BuiltPackage,
        name: str,
        processors: int,
        calibration: PrintedResult,
        bytes_per_operation: float = 0.0,
    ) -> Sampling:
        """Return the sampling for a benchmark, of which Go chose the iterations of ``calibration``.

        Go's choice may be too small where other work took the CPU meanwhile; the lowest of a few
        samples is not. A process gets fewer samples where each of them takes a long set-up, and as
        many as take the time in which it starts in any case. ``bytes_per_operation`` is the larger
        number of both sides.
        """
        start_ns = self._start_ns(built, processors)
        has_collections = bytes_per_operation > _MOST_BYTES
        affordable = _SAMPLE_BYTES / max(bytes_per_operation, 1.0)
        most = calibration.loops if has_collections else max(1, int(affordable))
        loops = min(calibration.loops, most)
        probe = Sampling(loops, _PROBES, has_collections).request(name, processors)
        folder = built.package.folder
        run = run_binary(built.binaries[0], folder, probe, self.timeout_s, self.suites)
        result = run.results.get(printed_name(name, processors))
        times = result.values.get(TIME.name, []) if result is not None else []
        if not times or min(times) <= 0:
            return Sampling(loops, 1, has_collections)
        iterations = min(max(1, round(SAMPLE_NS / min(times))), most)
        timed_ns = loops * sum(times) / len(times)
        other_ns = max(0.0, (run.process.sample.wall_ns - start_ns) / _PROBES - timed_ns)
        samples = round(max(_PROCESS_NS, start_ns) / (iterations * min(times) + other_ns))
        kept = min(SAMPLES, max(1, samples))
        return Sampling(iterations, kept + 1 if kept > 1 else kept, has_collections)

    def _start_ns(self, built: BuiltPackage, processors: int) -> int:
        path = built.package.path
        if path not in self._starts_ns:
            nothing = GoRequest("^$", "1x", processors)
            folder = built.package.folder
            run = run_binary(built.binaries[0], folder, nothing, self.timeout_s, self.suites)
            self._starts_ns[path] = run.process.sample.wall_ns
        return self._starts_ns[path]


def allocated(result: PrintedResult) -> float:
    """Return the bytes that an operation allocates, as printed; 0 where they are not."""
    return max(result.values.get(_BYTES, ()), default=0.0)
