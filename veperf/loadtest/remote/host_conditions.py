"""What the target's host was like during a load."""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from veperf.measure.calibration import measure_yardstick
from veperf.measure.machine import CpuTimes, frequency_mhz, load_average

_Amount = Annotated[float, Meta(ge=0, le=1e15)]


class Surroundings(Struct, frozen=True):
    """As in ``model.Pass``."""

    load_before: _Amount
    load_after: _Amount
    frequency_mhz: _Amount | None
    steal_ratio: _Amount | None
    yardstick_ns: _Amount


def look_around() -> Callable[[], Surroundings]:
    """Look at this host before a load; what is returned is to be called after it."""
    load_before, yardstick_ns, ticks = load_average(), measure_yardstick(), CpuTimes.now()

    def look_again() -> Surroundings:
        return Surroundings(
            load_before=load_before,
            load_after=load_average(),
            frequency_mhz=frequency_mhz(),
            steal_ratio=ticks.steal_ratio(CpuTimes.now()),
            yardstick_ns=yardstick_ns,
        )

    return look_again
