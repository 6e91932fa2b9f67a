"""``profile``: where the CPU time of a benchmark or of any callable goes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.core.case import Case, Level
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.ipc.isolated_process import in_fork, in_fresh_process
from veperf.profiling.cpu.measure import LookAt, warmed_up
from veperf.profiling.cpu.stacks import Sampled, functions, lines, source
from veperf.runner import execute
from veperf.workloads.suites import SUITES

if TYPE_CHECKING:
    import pandas as pd

_MOST_SECONDS = 600.0
_TO_START_S = 60.0
# Sampling is told to give up waiting after four times the CPU time; a busy machine takes longer.
_MOST_TIMES = 10


@dataclass(frozen=True, slots=True, repr=False)
class CpuProfile:
    """Where the CPU time of ``what`` goes."""

    what: str
    """The id of the benchmark's case, or the callable's name."""
    sampled: Sampled

    def frame(self) -> "pd.DataFrame":
        """One row a function; ``own`` and ``total`` are shares of the whole, from 0 to 1."""
        import pandas as pd

        whole = max(1, self.sampled.samples)
        rows = [
            {
                "function": share.frame.name,
                "module": share.frame.module,
                "own": share.own / whole,
                "total": share.total / whole,
            }
            for share in functions(self.sampled.stacks)
        ]
        return pd.DataFrame(rows, columns=["function", "module", "own", "total"])

    def lines(self) -> "pd.DataFrame":
        """One row a line, the one that takes most first; ``own`` is a share from 0 to 1."""
        import pandas as pd

        whole = max(1, self.sampled.samples)
        rows = [
            {"own": n / whole, "where": f"{frame.module}:{line}", "source": source(frame, line)}
            for frame, line, n in lines(self.sampled.stacks)
        ]
        return pd.DataFrame(rows, columns=["own", "where", "source"])

    def collapsed(self) -> str:
        """The stacks as other tools' flamegraphs take them, such as speedscope's: a line each."""
        return "".join(
            ";".join(f"{f.module}:{f.name}".replace(";", ":") for f in stack.frames)
            + f" {stack.samples}\n"
            for stack in self.sampled.stacks
            if stack.frames
        )

    def __repr__(self) -> str:
        from veperf.profiling.cpu import flamegraph

        return flamegraph.plain(self.what, self.sampled)

    def _repr_html_(self) -> str:
        from veperf.profiling.cpu import flamegraph

        return flamegraph.html(self.what, self.sampled)


def profile(
    subject: str | Callable[[], object],
    *,
    seconds: float = 2.0,
    modules: Sequence[str] = (),
) -> CpuProfile:
    """Look at the stack of ``subject`` while it runs, in a process of its own.

    A benchmark gets a fresh Python process. A callable gets a fork of this one: what it changes
    is changed there alone. It is called many times. On Linux and other Unix systems.

    Args:
        subject: the id of a benchmark or of one of its cases, or a callable without parameters.
        seconds: of CPU time to look at; there are 250 to 1,000 looks in one.
        modules: more modules with benchmarks.

    Raises:
        UnknownBenchmarkError: there is no such benchmark.
        UsageError: it is a load, or the arguments make no sense.
        MeasureError: the work raised, exited, crashed or hung.
    """
    if not 0 < seconds <= _MOST_SECONDS:
        raise UsageError(f"0 to {_MOST_SECONDS:g} seconds can be looked at, not {seconds}")
    timeout_s = _TO_START_S + math.ceil(_MOST_TIMES * seconds)
    if not isinstance(subject, str):
        if not callable(subject):
            raise UsageError(f"a benchmark's id or a callable is wanted, not {subject!r}")
        call = subject
        found = in_fork(lambda: warmed_up(call, seconds), Sampled, timeout_s=timeout_s)
        return CpuProfile(getattr(call, "__qualname__", type(call).__qualname__), found)
    case = _case(subject, modules)
    wanted = (SUITES[case.suite],) if case.suite in SUITES else ()
    asked = LookAt((*wanted, *modules), case.benchmark, case.params, seconds)
    found = in_fresh_process("veperf.profiling.cpu.child", asked, Sampled, timeout_s=timeout_s)
    return CpuProfile(case.id, found)


def _case(name: str, modules: Sequence[str]) -> Case:
    found = execute.benchmarks([name], modules)
    case = next((one for one in found if one.id == name), None)
    if case is None:
        names = " or ".join(one.id for one in found[:3])
        raise UnknownBenchmarkError(f"{name!r} is not one benchmark; did you mean {names}?")
    if case.level is Level.LOAD:
        raise UsageError(f"{name} is a load, which has no call to look at")
    return case
