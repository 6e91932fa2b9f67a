"""How much to measure, by name."""

from veperf.errors import UsageError
from veperf.model import Config

MIN_SAMPLE_NS = 5_000_000
PASSES = {"quick": 6, "standard": 12, "thorough": 24}
SAMPLES = {"quick": 5, "standard": 6, "thorough": 8}


def configure(
    profile: str, *, seed: int, timeout_s: float = 60.0, modules: tuple[str, ...] = ()
) -> Config:
    """The configuration that ``profile`` stands for.

    Raises:
        UsageError: there is no such profile, or the timeout is not positive.
    """
    if profile not in PASSES:
        raise UsageError(f"no profile {profile!r}; choose one of {', '.join(PASSES)}")
    if not timeout_s > 0:
        raise UsageError(f"the timeout must be more than 0 seconds, not {timeout_s}")
    return Config(
        profile=profile,
        passes=PASSES[profile],
        samples=SAMPLES[profile],
        warmups=1,
        min_sample_ns=MIN_SAMPLE_NS,
        seed=seed,
        timeout_s=timeout_s,
        modules=modules,
    )
