"""Commands that lead on from an answer: measure it again, or show where the time or memory goes."""

import shlex

from veperf.core.case import MEMORY_NAMES, TIME, Level
from veperf.core.run import Run
from veperf.core.sustained_rate import THROUGHPUT
from veperf.core.verdict import TargetStatus, TargetVerdict

_LONGER = {"quick": "standard", "standard": "thorough"}
"""Profile that measures more than another one."""


def next_step_for_target(verdict: TargetVerdict, run: Run) -> str:
    """Return the command that finds out more about a target that is missed or has no answer.

    Of a time it shows where the CPU time goes, by function and line; of a load its latencies and
    stages; of memory the lines that allocate. What has no answer is measured again: a sustained
    rate for longer, unless a busy machine made its loads void. Empty where another tool measured.
    """
    case = next((case for case in run.cases if case.id == verdict.case), None)
    if case is None:  # its benchmark was left out, or is unknown where its suite is not
        return measure_again(run, verdict.case or verdict.target.id.partition("/")[0])
    is_missed = verdict.status in (TargetStatus.FAIL, TargetStatus.WARN)
    if is_missed and verdict.metric in MEMORY_NAMES:
        return _command(run, "memory", case.id)
    if is_missed and verdict.metric == TIME.name:
        return cpu_profile_step(run, case.id)
    void = (r.failure is not None and r.failure.kind == "invalid"
            for pass_ in run.passes for r in pass_.results if r.case == case.id)  # fmt: skip
    if verdict.metric == THROUGHPUT and (is_missed or not any(void)):
        return measure_again(run, case.id, profile=_LONGER.get(run.config.profile, ""))
    if is_missed and case.level is Level.LOAD and case.id == case.benchmark:
        return _command(run, "load", case.id)
    return measure_again(run, case.id)


def cpu_profile_step(run: Run, case: str) -> str:
    """Return the command that samples the CPU time of ``case``, as ``next_step_for_target``."""
    return _command(run, "profile", case)


def measure_again(run: Run, select: str, *, profile: str = "") -> str:
    """Return the command that measures ``select``, a case or suite, as ``next_step_for_target``.

    ``profile`` says how much to measure; the default when empty.
    """
    return _command(run, "run", select, *(["--profile", profile] if profile else []))


def _command(run: Run, command: str, *words: str) -> str:
    if run.source != "veperf":
        return ""
    modules = [word for module in run.config.modules for word in ("--module", module)]
    return shlex.join(["veperf", command, *words, *modules])
