"""Profiles: named configurations of how much to measure."""

import math

from msgspec.structs import replace

from veperf.core.errors import UsageError
from veperf.core.load import LoadPlan
from veperf.core.options import RunOptions
from veperf.core.run import Config
from veperf.core.target import MIN_PROCESSES

MIN_SAMPLE_NS = 5_000_000
# A quick look: more than one, so that each process is seen beside another.
SHORT_PASSES = 2
PASSES = {"quick": 6, "standard": 12, "thorough": 24}
# Counts hardly vary between processes: the fewest that a target can be judged by.
MEMORY_PASSES = MIN_PROCESSES
# Points of curves answer no target: in quick they show the shape of the curve.
CURVE_PASSES = {"quick": 2, "standard": 6, "thorough": 24}
SAMPLES = {"quick": 5, "standard": 6, "thorough": 8}
_BACKLOG_S = 1.5
LOAD = {
    "quick": LoadPlan(
        passes=3,
        seconds=1.5,
        # One of a hundred lies beyond the 99th percentile.
        least_arrivals=100,
        warmup_s=0.25,
        trial_s=1.5,
        by_trials=False,
        backlog_s=1.0,
        confirm_s=10.0,
    ),
    "standard": LoadPlan(
        passes=3, seconds=10.0, warmup_s=2.0, trial_s=3.0, backlog_s=_BACKLOG_S, confirm_s=30.0
    ),
    "thorough": LoadPlan(
        passes=6, seconds=10.0, warmup_s=2.0, trial_s=3.0, backlog_s=_BACKLOG_S, confirm_s=30.0
    ),
}


def configure(
    profile: str,
    *,
    seed: int,
    timeout_s: float = RunOptions.timeout_s,
    modules: tuple[str, ...] = (),
    time: bool = True,
    memory: bool = False,
    is_whole: bool = False,
    processes: int | None = None,
    min_time_s: float | None = None,
    short: bool = False,
    time_budget_s: float | None = None,
) -> Config:
    """Return the configuration of ``profile``, with passes for ``time`` and for ``memory``.

    Where ``is_whole``, nothing was selected: points of curves are measured in fewer passes, unless
    a number of ``processes`` was asked for, or what fits into a time budget. ``min_time_s`` makes
    samples longer, never shorter.

    Raises:
        UsageError: there is no such profile, or the timeout is not positive.
    """
    if profile not in PASSES:
        raise UsageError(f"no profile {profile!r}; choose one of {', '.join(PASSES)}")
    if not timeout_s > 0:
        raise UsageError(f"the timeout must be more than 0 seconds, not {timeout_s}")
    timed_passes = processes or (SHORT_PASSES if short else PASSES[profile])
    memory_passes = (processes or MEMORY_PASSES) if memory else 0
    curve_passes = 1 if short else CURVE_PASSES[profile]
    is_uneven = is_whole and processes is None and time_budget_s is None
    load = LOAD[profile]
    min_time_ns = math.ceil(1e9 * (min_time_s or 0.0))
    return Config(
        profile=profile,
        passes=(timed_passes if time else 0) + memory_passes,
        samples=SAMPLES[profile],
        warmups=1,
        min_sample_ns=max(MIN_SAMPLE_NS, math.ceil(min_time_ns / SAMPLES[profile])),
        seed=seed,
        timeout_s=timeout_s,
        modules=modules,
        load=load if processes is None else replace(load, passes=processes),
        memory_passes=memory_passes,
        curve_passes=curve_passes if is_uneven else None,
        min_time_ns=min_time_ns,
        time_budget_s=time_budget_s,
    )
