"""Between-version noise of a machine class, as its sham-edit battery found it."""

from typing import Annotated

from msgspec import Meta, Struct

from veperf.core.run import Machine

# Format history of a record of between-version noise:
#   1  the first
VERSION_NOISE_FORMAT = 1

Deviation = Annotated[float, Meta(ge=0, le=10)]
Count = Annotated[int, Meta(ge=0)]


class KindNoise(Struct, frozen=True):
    """Between-version noise of one kind of work, or of all kinds together.

    A standard deviation of the log ratio between versions that do the same work, beyond what pairs
    explain: 0.01 is about 1 %.
    """

    kind: str
    """Benchmark's id; empty for all kinds together."""
    deviation: Deviation
    low: Deviation
    high: Deviation
    confidence: Annotated[float, Meta(gt=0, lt=1)]
    comparisons: Count

    @property
    def added(self) -> float:
        """Deviation that verdicts must overcome: 0 where there may be none."""
        return self.deviation if self.low > 0 else 0.0


class VersionNoise(Struct, frozen=True):
    """Record of one battery: the noise of all kinds of work together, and of each."""

    measured: str
    """UTC, ISO 8601."""
    machine: Machine
    overall: KindNoise
    kinds: tuple[KindNoise, ...]
    format: int = VERSION_NOISE_FORMAT
