"""``profile_cpu``: the CPU time of a benchmark or of any callable, by function and line."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.core.case import Level
from veperf.core.errors import UsageError
from veperf.core.registry import SUITES, find_case, select_cases
from veperf.ipc.isolated_process import run_in_fork, run_in_fresh_process
from veperf.profiling.cpu.call_tree import CpuSamples, function_shares, line_samples, source_line
from veperf.profiling.cpu.flamegraph import flamegraph_html, flamegraph_text
from veperf.profiling.cpu.sampler import CpuProfileRequest, sample_warmed_up

if TYPE_CHECKING:
    import pandas as pd

_MAX_SECONDS = 600.0
_START_S = 60.0
# Sampling stops after four times the CPU time; a busy machine takes longer.
_TIMEOUT_FACTOR = 10


@dataclass(frozen=True, slots=True, repr=False)
class CpuProfile:
    """The CPU time of ``what``, by function and line."""

    what: str
    """Id of the benchmark's case, or the callable's name."""
    sampled: CpuSamples

    def frame(self) -> "pd.DataFrame":
        """Return a row for each function; ``own`` and ``total`` are shares of the whole, 0 to 1."""
        import pandas as pd

        whole = max(1, self.sampled.samples)
        rows = [
            {
                "function": share.frame.name,
                "module": share.frame.module,
                "own": share.own / whole,
                "total": share.total / whole,
            }
            for share in function_shares(self.sampled.stacks)
        ]
        return pd.DataFrame(rows, columns=["function", "module", "own", "total"])

    def lines(self) -> "pd.DataFrame":
        """Return a row for each line, the largest first; ``own`` is its share, from 0 to 1."""
        import pandas as pd

        whole = max(1, self.sampled.samples)
        rows = [
            {
                "own": n / whole,
                "where": f"{frame.module}:{line}",
                "source": source_line(frame, line),
            }
            for frame, line, n in line_samples(self.sampled.stacks)
        ]
        return pd.DataFrame(rows, columns=["own", "where", "source"])

    def collapsed(self) -> str:
        """Return the stacks in the format of other flamegraph tools (speedscope), a line each."""
        return "".join(
            ";".join(f"{f.module}:{f.name}".replace(";", ":") for f in stack.frames)
            + f" {stack.samples}\n"
            for stack in self.sampled.stacks
            if stack.frames
        )

    def __repr__(self) -> str:
        return flamegraph_text(self.what, self.sampled)

    def _repr_html_(self) -> str:
        return flamegraph_html(self.what, self.sampled)


def profile_cpu(
    subject: str | Callable[[], object],
    *,
    seconds: float = 2.0,
    modules: Sequence[str] = (),
) -> CpuProfile:
    """Sample the stack of ``subject`` while it runs, in a process of its own.

    >>> veperf.cpu.profile("transaction/validation").lines()
    >>> veperf.cpu.profile(lambda: sorted(range(10_000)), seconds=1)

    A benchmark gets a fresh Python process. A callable gets a fork of this one, so that its side
    effects stay there. It is called many times; an ``async def`` is run to its end each time. Works
    on Linux and other Unix systems.

    Args:
        subject: the id of a benchmark or of one of its cases, or a callable without parameters.
        seconds: CPU time to sample, with 250 to 1,000 samples a second.
        modules: more modules with benchmarks.

    Raises:
        UnknownBenchmarkError: there is no such benchmark.
        UsageError: it is a load, or the arguments make no sense.
        MeasureError: the work raised, exited, crashed or hung, or it is a generator.
    """
    if not 0 < seconds <= _MAX_SECONDS:
        raise UsageError(f"seconds must be in (0, {_MAX_SECONDS:g}], not {seconds}")
    timeout_s = _START_S + math.ceil(_TIMEOUT_FACTOR * seconds)
    if not isinstance(subject, str):
        if not callable(subject):
            raise UsageError(f"expected a benchmark's id or a callable, not {subject!r}")
        call = subject
        samples = run_in_fork(
            lambda: sample_warmed_up(call, seconds), CpuSamples, timeout_s=timeout_s
        )
        return CpuProfile(getattr(call, "__qualname__", type(call).__qualname__), samples)
    case = find_case(select_cases([subject], modules), subject)
    if case.level is Level.LOAD:
        raise UsageError(f"{subject} is a load, which has no call to sample")
    suite = (SUITES[case.suite],) if case.suite in SUITES else ()
    request = CpuProfileRequest((*suite, *modules), case.benchmark, case.params, seconds)
    samples = run_in_fresh_process(
        "veperf.profiling.cpu.child", request, CpuSamples, timeout_s=timeout_s
    )
    return CpuProfile(case.id, samples)
