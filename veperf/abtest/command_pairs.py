"""Two shell commands in pairs, so that programs in any language can be compared."""

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

from veperf.abtest.pair import LETTERS, Letter, Measured, turns
from veperf.core.ab import CommandValue
from veperf.core.case import Case
from veperf.core.run import CaseResult, Failure, Sample
from veperf.measure import address_layout

_KEPT_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class CommandPairs:
    """Runs two commands in turn, after one run each that does not count."""

    commands: Mapping[Letter, str]
    value: CommandValue
    """What counts of them."""
    runs: int
    """Of each command in a pair."""
    timeout_s: float
    """For one run of one command."""

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[Measured, None, None]:
        """Make pair ``index`` of the one case there is."""
        (case,) = cases
        runs: dict[Letter, list[_Run]] = {"a": [], "b": []}
        warmups = 1 if index == 0 else 0
        for side in turns(index, warmups + self.runs):
            run = _run(self.commands[side], self.timeout_s, printed=self.value == "printed")
            if run.failure is not None:
                results = {s: CaseResult(case.id) for s in LETTERS}
                results[side] = CaseResult(case.id, failure=run.failure)
                yield Measured(case, results["a"], results["b"])
                return
            runs[side].append(run)
        a, b = (self._result(case, runs[side][warmups:]) for side in LETTERS)
        yield Measured(case, a, b)

    def _result(self, case: Case, runs: "Sequence[_Run]") -> CaseResult:
        if self.value == "time":
            return CaseResult(case.id, samples=tuple(run.sample for run in runs))
        values = [run.sample.cpu_ns if self.value == "cpu" else run.printed for run in runs]
        mean = sum(value for value in values if value is not None) / len(values)
        return CaseResult(case.id, figures={case.metrics[0].name: mean})


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of one command."""

    sample: Sample
    printed: float = math.nan
    failure: Failure | None = None


def _run(command: str, timeout_s: float, *, printed: bool) -> _Run:
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
        # The shell and all that it starts make a group, so that a time-out ends the whole.
        began = time.perf_counter_ns()
        process = subprocess.Popen(  # noqa: S602 - a shell command is what was asked for
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=said if printed else subprocess.DEVNULL,
            stderr=complaints,
            env=os.environ | address_layout.drawn(secrets.randbits(32)),
            start_new_session=True,
        )
        timed_out = threading.Event()

        def give_up() -> None:
            timed_out.set()
            _end(process.pid)

        timer = threading.Timer(timeout_s, give_up)
        timer.start()
        try:
            # Unlike Popen.wait, it tells the CPU time of the command and its children.
            _, status, usage = os.wait4(process.pid, 0)
            wall_ns = time.perf_counter_ns() - began
        except BaseException:
            _end(process.pid)
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
            how = f"exit code {process.returncode}"
            return _Run(sample, failure=Failure("raised", how, _tail(complaints)))
        return _Run(sample) if not printed else _with_value(sample, _tail(said))


def _with_value(sample: Sample, said: str) -> _Run:
    lines = said.strip().splitlines()
    try:
        return _Run(sample, float(lines[-1]))
    except (IndexError, ValueError):
        last = repr(lines[-1][:80]) if lines else "nothing"
        failure = Failure("invalid", f"the last line printed must be a number, not {last}", said)
        return _Run(sample, failure=failure)


def _end(group: int) -> None:
    """End what is left of a process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _KEPT_BYTES))
    return file.read().decode(errors="replace")
