"""Soak tests: a load for minutes or hours, while memory is watched."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from veperf.core import registry
from veperf.core.errors import INTERRUPTED, UsageError
from veperf.core.load import LoadPlan
from veperf.core.option_fields import keyword_options
from veperf.core.options import SoakOptions
from veperf.core.registry import SUITES
from veperf.ipc.child_process import importing_veperf
from veperf.ipc.isolated_process import decode_result, read_line
from veperf.loadtest.custom_case import custom_load_case
from veperf.profiling.memory.budget import MemoryBudget, require_budget
from veperf.runner.soak_process import SoakRequest
from veperf.runner.soak_readings import SoakReadings
from veperf.runner.soak_verdict import SoakResult, judge_soak

_SHORTEST_S = 10.0
_PR_SET_PDEATHSIG = 1


@keyword_options
def soak(
    benchmark: str = "transaction/load",
    params: Mapping[str, float | str] | None = None,
    *,
    options: SoakOptions,
    budget: MemoryBudget | None = None,
    flamegraph: str | Path | None = None,
) -> SoakResult:
    """Put one load on a system in a fresh process for so many minutes, and watch its memory.

    Garbage is collected before each of 100 to 600 readings of the memory at rest, which holds the
    load up for a moment. The memory that all this takes does not grow with its length. Ctrl-C ends
    the load, and what was read until then is judged.

    Where a leak is suspected at the end, a fifth of the time, a minute at most, is put on at a
    quarter of the rate and recorded by memray: ``soaked.evidence`` names the lines and the objects
    that keep memory, and how much of the growth that explains.

    Other work on the machine spoils latency, which a soak doesn't ask about, and not memory. Memory
    is not judged where the system had another load than was asked for.

    Args:
        benchmark: id of a load benchmark.
        params: values that override the benchmark's defaults, such as ``{"rate": 500}``.
        options: how long, and more; each field is a keyword as well.
        budget: limits; those of targets.json when not given, of which that on pauses is open
            without harm: few items leave Python no reason to collect before the readings do.
        flamegraph: an HTML file to write where a leak is suspected, of what is left.

    Raises:
        UsageError: there is no such load, or it makes no sense.
        MeasureError: the process raised, crashed or ended.
        StorageError: the flamegraph can't be written.
    """
    seconds = options.minutes * 60
    if not _SHORTEST_S <= seconds < 1e7:
        raise UsageError(f"a soak takes {_SHORTEST_S:g} seconds at least, not {seconds:g}")
    modules = (*SUITES.values(), *options.all_modules)
    texts = {name: str(value) for name, value in (params or {}).items()}
    case = custom_load_case(registry.load_registry(modules), benchmark, texts)
    plan = LoadPlan(passes=1, seconds=seconds, warmup_s=0.0)
    page = str(Path(flamegraph).absolute()) if flamegraph is not None else ""
    allowed = require_budget(budget)
    request = SoakRequest(modules, case, plan, options.seed, allowed.growth_margin, page)
    return judge_soak(case, _soak_in_process(request), allowed, asks_pauses=budget is not None)


# Before the load and after it, Ctrl-C drops everything, from the first import on. A parent that is
# killed must not leave the load behind; to write to its terminal is no reason to stop.
_SOAK_PROCESS = f"""
import ctypes, os, signal, sys
signal.signal(signal.SIGINT, lambda *_: os._exit({INTERRUPTED}))
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, signal.SIGKILL)
{importing_veperf()}
from veperf.runner.soak_process import main
main()
"""
_SAME_CTRL_C_S = 0.5
"""A terminal, `timeout` and shells may send one Ctrl-C twice within so long."""


def _soak_in_process(request: SoakRequest) -> SoakReadings:
    """Soak in a process that shares this one's terminal: it shows the progress."""
    answers, child_end = os.pipe()
    words = [sys.executable, "-c", _SOAK_PROCESS, str(child_end)]
    handles_ctrl_c = threading.current_thread() is threading.main_thread()
    with subprocess.Popen(  # noqa: S603 - fixed words, no shell
        words,
        stdin=subprocess.PIPE,
        pass_fds=(child_end,),
        process_group=0 if handles_ctrl_c else None,
    ) as process:
        os.close(child_end)
        try:
            with _passing_ctrl_c_on(process) if handles_ctrl_c else contextlib.nullcontext():
                assert process.stdin is not None, "it is a pipe"
                with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                    stdin.write(msgspec.json.encode(request))
                line = read_line(answers)
        finally:
            os.close(answers)
            process.kill()
    if not line and process.returncode in (INTERRUPTED, -signal.SIGINT):
        raise KeyboardInterrupt
    return decode_result(line, process.returncode, SoakReadings)


@contextmanager
def _passing_ctrl_c_on(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Pass each Ctrl-C on to the process under load, which ends the load.

    It has a process group of its own, so that it gets each from here alone, whoever sent it.
    """
    passed_s = -_SAME_CTRL_C_S

    def pass_on(*_: object) -> None:
        nonlocal passed_s
        before_s, passed_s = passed_s, time.monotonic()
        if passed_s - before_s >= _SAME_CTRL_C_S:
            process.send_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, pass_on)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
