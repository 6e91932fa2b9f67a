"""Pairs of runs of two shell commands, to compare programs in any language.

Commands that keep no more than one CPU busy, as their warm-up runs show, take turns on one CPU, so
that CPUs of different speeds are not compared.
"""

import contextlib
import math
import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from veperf.abtest.pair import LETTERS, PairResult, SideLetter, alternate_sides
from veperf.core.ab_records import CommandValue
from veperf.core.case import Case
from veperf.core.run import CaseResult, Failure, Sample
from veperf.measure import layout_randomization
from veperf.measure.cpus import choose_cpu, stay_off, stay_on, usable_cpus
from veperf.stats.process_values import ONE_THREAD_RATIO

_MAX_OUTPUT_BYTES = 20_000


@dataclass(slots=True)
class CommandPairs:
    """Runs two commands in turn, after a warm-up run of each."""

    commands: Mapping[SideLetter, str]
    value: CommandValue
    """Value of a command that is compared."""
    runs: int
    """Runs of each command in a pair."""
    timeout_s: float
    """Time limit for one run of one command."""
    _needs_one_cpu: bool = False

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure pair ``index`` of the one case."""
        (case,) = cases
        runs: dict[SideLetter, list[_Run]] = {"a": [], "b": []}
        warmups = 1 if index == 0 else 0
        cpu = choose_cpu(usable_cpus(), index)
        for number, side in enumerate(alternate_sides(index, warmups + self.runs)):
            if index == 0 and number == 2 * warmups:
                self._needs_one_cpu = all(map(_keeps_one_cpu, (runs["a"][0], runs["b"][0])))
            run = _run(
                self.commands[side],
                self.timeout_s,
                printed=self.value == "printed",
                cpu=cpu if self._needs_one_cpu else None,
            )
            if run.failure is not None:
                results = {s: CaseResult(case.id) for s in LETTERS}
                results[side] = CaseResult(case.id, failure=run.failure)
                yield PairResult(case, results["a"], results["b"])
                return
            runs[side].append(run)
        kept = {side: runs[side][warmups:] for side in LETTERS}
        a, b = (self._result(case, kept[side]) for side in LETTERS)
        seconds = sum(run.sample.wall_ns for side in LETTERS for run in kept[side]) / 1e9
        yield PairResult(case, a, b, seconds)

    def _result(self, case: Case, runs: "Sequence[_Run]") -> CaseResult:
        if self.value == "time":
            return CaseResult(case.id, samples=tuple(run.sample for run in runs))
        values = [run.sample.cpu_ns if self.value == "cpu" else run.printed for run in runs]
        mean = sum(value for value in values if value is not None) / len(values)
        return CaseResult(case.id, figures={case.metrics[0].name: mean})


@dataclass(frozen=True, slots=True)
class _Run:
    """Result of a run of a command."""

    sample: Sample
    printed: float = math.nan
    failure: Failure | None = None


def _keeps_one_cpu(run: _Run) -> bool:
    return (run.sample.cpu_ns or 0) <= ONE_THREAD_RATIO * run.sample.wall_ns


def _run(command: str, timeout_s: float, *, printed: bool, cpu: int | None) -> _Run:
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        stay_off(cpu),
    ):
        # The shell and all processes that it starts are a group, so that a timeout ends them all.
        with stay_on(cpu):  # it inherits this thread's CPUs
            began = time.perf_counter_ns()
            process = subprocess.Popen(  # noqa: S602 - the user's shell command
                command,
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=output if printed else subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | layout_randomization.random_layout(secrets.randbits(32)),
                start_new_session=True,
            )
        timed_out = threading.Event()

        def end_late() -> None:
            timed_out.set()
            _kill_group(process.pid)

        timer = threading.Timer(timeout_s, end_late)
        timer.start()
        try:
            # Unlike Popen.wait, it returns the CPU time of the command and its children.
            _, status, usage = os.wait4(process.pid, 0)
            wall_ns = time.perf_counter_ns() - began
        except BaseException:
            _kill_group(process.pid)
            process.wait()
            raise
        finally:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_ns = round((usage.ru_utime + usage.ru_stime) * 1e9)
        sample = Sample(wall_ns, cpu_ns, usage.ru_nivcsw)
        if timed_out.is_set():
            return _Run(sample, failure=Failure("timeout", f"not done within {timeout_s:g} s"))
        if process.returncode != 0:
            message = f"exit code {process.returncode}"
            return _Run(sample, failure=Failure("raised", message, _tail(errors)))
        return _Run(sample) if not printed else _with_value(sample, _tail(output))


def _with_value(sample: Sample, output: str) -> _Run:
    lines = output.strip().splitlines()
    try:
        return _Run(sample, float(lines[-1]))
    except (IndexError, ValueError):
        last = repr(lines[-1][:80]) if lines else "nothing"
        failure = Failure("invalid", f"the last line printed must be a number, not {last}", output)
        return _Run(sample, failure=failure)


def _kill_group(group: int) -> None:
    """Kill the processes left of a group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _MAX_OUTPUT_BYTES))
    return file.read().decode(errors="replace")
