"""Instructions of two shell commands, from their start to their end, under valgrind's callgrind."""

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from veperf.abtest import callgrind
from veperf.abtest.count_verdict import CountedCase
from veperf.abtest.pair import LETTERS, OUT_OF_TIME, SideLetter
from veperf.core.errors import MeasureError
from veperf.core.run import Failure
from veperf.ipc.child_process import describe_exit, end_process_group
from veperf.measure.worker_client import as_failure

_SLOWDOWN = 10
_RUNS = 2
_MAX_OUTPUT_BYTES = 20_000


def count_commands(
    commands: Mapping[SideLetter, str], timeout_s: float, until: float | None = None
) -> CountedCase:
    """Count the instructions of both commands, each twice, over all their processes.

    ``timeout_s`` is the limit for a run at full speed; under valgrind it has ten times as long,
    but never longer than ``until`` (``time.monotonic``), the end of the time budget for counting.

    Raises:
        MeasureError: valgrind is not installed.
    """
    counted = CountedCase()
    for letter in LETTERS:
        counts: list[float] = []
        for _ in range(_RUNS):
            left_s = math.inf if until is None else until - time.monotonic()
            count = _run(commands[letter], max(0.0, min(_SLOWDOWN * timeout_s, left_s)))
            if isinstance(count, Failure) and until is not None and time.monotonic() >= until:
                return CountedCase(missing=OUT_OF_TIME)
            if isinstance(count, Failure):
                counted.fail(letter, count)
                return counted
            counts.append(count)
        counted.values[letter] = tuple(counts)
    return counted


def _run(command: str, timeout_s: float) -> int | Failure:
    with tempfile.TemporaryDirectory(prefix="veperf-") as name, tempfile.TemporaryFile() as errors:
        folder = Path(name)
        process = subprocess.Popen(  # noqa: S603 - the user's shell command
            callgrind.counted_command(command, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=os.environ | callgrind.FIXED_ENVIRONMENT,
            start_new_session=True,
        )
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            end_process_group(process)
            return Failure("timeout", f"not done within {timeout_s:g} s under valgrind")
        except BaseException:
            end_process_group(process)
            raise
        if process.returncode != 0:
            errors.seek(max(0, errors.tell() - _MAX_OUTPUT_BYTES))
            output = errors.read().decode(errors="replace")
            message = f"{describe_exit(process.returncode)} under valgrind"
            return Failure("raised", message, output)
        try:
            return sum(callgrind.process_counts(folder))
        except MeasureError as error:
            return as_failure(error)
