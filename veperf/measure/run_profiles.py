"""Profiles: named configurations of how much to measure."""

from veperf.core.errors import UsageError
from veperf.core.load import LoadPlan
from veperf.core.options import RunOptions
from veperf.core.run import Config

MIN_SAMPLE_NS = 5_000_000
PASSES = {"quick": 6, "standard": 12, "thorough": 24}
# Counts hardly vary between processes: the fewest that a target can be judged by.
MEMORY_PASSES = 3
SAMPLES = {"quick": 5, "standard": 6, "thorough": 8}
LOAD = {
    "quick": LoadPlan(passes=3, seconds=3.0, warmup_s=1.0, trial_s=1.5),
    "standard": LoadPlan(passes=3, seconds=10.0, warmup_s=2.0, trial_s=3.0),
    "thorough": LoadPlan(passes=6, seconds=10.0, warmup_s=2.0, trial_s=3.0),
}


def configure(
    profile: str,
    *,
    seed: int,
    timeout_s: float = RunOptions.timeout_s,
    modules: tuple[str, ...] = (),
    memory: bool = False,
) -> Config:
    """Return the configuration of ``profile``, with passes that measure ``memory`` or without.

    Raises:
        UsageError: there is no such profile, or the timeout is not positive.
    """
    if profile not in PASSES:
        raise UsageError(f"no profile {profile!r}; choose one of {', '.join(PASSES)}")
    if not timeout_s > 0:
        raise UsageError(f"the timeout must be more than 0 seconds, not {timeout_s}")
    return Config(
        profile=profile,
        passes=PASSES[profile] + (MEMORY_PASSES if memory else 0),
        samples=SAMPLES[profile],
        warmups=1,
        min_sample_ns=MIN_SAMPLE_NS,
        seed=seed,
        timeout_s=timeout_s,
        modules=modules,
        load=LOAD[profile],
        memory_passes=MEMORY_PASSES if memory else 0,
    )
