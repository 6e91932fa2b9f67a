"""Memory layouts that are drawn."""

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from veperf.measure import layout_randomization

_WHERE = "print(id(bytes(1000)) % 4096)"


@given(st.integers(0, 2**32 - 1))
def test_a_layout_is_repeatable_and_small(seed: int) -> None:
    """The same seed gives the same environment, which no system refuses."""
    (text,) = layout_randomization.random_layout(seed).values()

    assert {layout_randomization.VARIABLE: text} == layout_randomization.random_layout(seed)
    assert 512 <= len(text) < 8192


def test_what_a_process_allocates_moves() -> None:
    """Large objects begin at many places of a cache line, not at the one that their code gives."""

    def place(seed: int) -> int:
        environment = (
            os.environ | {"PYTHONHASHSEED": "0"} | layout_randomization.random_layout(seed)
        )
        command = [sys.executable, "-c", _WHERE]
        return int(subprocess.check_output(command, env=environment)) % 64

    assert 3 <= len({place(seed) for seed in range(16)})
