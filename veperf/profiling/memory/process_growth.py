"""Growth of the process over many calls of which nothing is recorded: what its allocators hold."""

import gc
import sys
import time
from array import array
from collections.abc import Callable, Mapping
from itertools import repeat

from msgspec import Struct

from veperf.profiling.memory.growth import MOST_OF_A_BLOCK, Kept, kept_of_a_call
from veperf.profiling.memory.locations import Location
from veperf.profiling.memory.process_probes import read_resident

_STRETCHES = 60
_SECONDS, _LONGEST_S = 1.0, 3.0
"""Of calls that are more than the stretches; of fewer, one a stretch."""
_MOST_CALLS = 500
"""In a stretch."""
_LEAST_BYTES, _LEAST_BLOCKS = 256 * 2**10, 4
"""Growth of less may be the allocators' own."""
_DOUBT = 2
"""A line whose blocks would be so many times what the process grew by keeps them no longer."""
_ENOUGH_STRETCHES = 6
"""Of fewer, blocks that did not grow contradict nothing."""
_MOST_BYTES = 2**30
"""Calls end where memory has grown by so much, or where they take longer than before."""


class ProcessGrowth(Struct, frozen=True):
    """The growth of a process over calls that nothing records, garbage collected."""

    calls: int
    resident_bytes: float
    """Growth of resident memory, files left out, whoever asked for it; 0 if it did not grow
    throughout, or by less than 256 KiB."""
    blocks: float
    """Growth of the blocks of Python's own allocator; 0 if they did not grow throughout."""
    stretches: int = 0
    """Times that it was read after some calls."""

    @property
    def beyond_blocks(self) -> float:
        """Growth of resident memory in bytes that Python's own blocks don't account for.

        They have 512 bytes at most.
        """
        return max(self.resident_bytes - self.blocks * MOST_OF_A_BLOCK, 0.0)

    def confirmed(self, kept: Mapping[Location, Kept], calls: int) -> dict[Location, Kept]:
        """Return what lines ``kept`` of a call in a recording of so many, if it goes on.

        What fills up, such as a list of free objects within the interpreter, looks like a leak for
        some hundred calls. Lines that would have made far more blocks than the process has are left
        out, if these calls are no fewer than the recorded ones. A block that grows is not judged.
        """
        if self.calls < calls or self.stretches < _ENOUGH_STRETCHES:
            return dict(kept)
        most = max(self.blocks, _LEAST_BLOCKS) * _DOUBT / self.calls
        return {line: each for line, each in kept.items() if each.blocks <= most}


def watch_calls(call: Callable[[], object], seconds: float) -> ProcessGrowth | None:
    """Make many calls, of so many ``seconds`` each, and return how the process grew.

    None if there is no time for three calls. They take 1 s, or up to 3 s where calls are long.

    Raises:
        MeasureError: this system has no resident memory to read.
        Whatever ``call`` does.
    """
    each = min(int(_SECONDS / (seconds * _STRETCHES)), _MOST_CALLS)
    stretches = _STRETCHES if each else min(int(_LONGEST_S / seconds), _STRETCHES)
    if stretches < 3:
        return None
    # Kept in place: a list of numbers would be growth itself.
    resident, blocks = (array("q", bytes(8 * (stretches + 1))) for _ in range(2))
    gc.collect()
    ended, deadline = 0, time.monotonic() + _LONGEST_S
    for stretch in range(stretches + 1):
        resident[stretch] = read_resident().own_bytes
        blocks[stretch] = sys.getallocatedblocks()
        is_enough = resident[stretch] - resident[0] > _MOST_BYTES or time.monotonic() > deadline
        if stretch == stretches or is_enough:
            break
        for _ in repeat(None, max(each, 1)):
            call()
        gc.collect()
        ended = stretch + 1
    resident_growth, more_blocks = (
        ended * kept_of_a_call(levels[: ended + 1]) for levels in (resident, blocks)
    )
    return ProcessGrowth(
        calls=ended * max(each, 1),
        resident_bytes=resident_growth if resident_growth >= _LEAST_BYTES else 0.0,
        blocks=more_blocks if more_blocks >= _LEAST_BLOCKS else 0.0,
        stretches=ended,
    )
