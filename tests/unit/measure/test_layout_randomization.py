"""Memory layouts that are drawn."""

import json
import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from veperf.measure import layout_randomization
from veperf.measure.layout_randomization import LayoutRandomizer

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


def _offsets(draw: str) -> set[tuple[int, ...]]:
    """Return places in their pools of a few new objects, in 12 processes of drawn layout."""
    script = (
        "import sys; from veperf.measure.layout_randomization import LayoutRandomizer;"
        f"layout = LayoutRandomizer(int(sys.argv[1])); {draw};"
        "print([id(x) % 4096 for x in ([], {}, 2.5 ** 70j, bytes(100), bytes(400), set())])"
    )
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    return {
        tuple(
            json.loads(
                subprocess.check_output([sys.executable, "-c", script, str(i)], env=environment)
            )
        )
        for i in range(10, 22)
    }


def test_what_pythons_own_allocator_serves_moves() -> None:
    """Small objects lie at nearly the same places in all processes, until a layout is drawn."""
    fixed, drawn = _offsets("pass"), _offsets("layout.draw(100)")

    assert len(fixed) < 10 <= len(drawn)


def test_a_new_layout_replaces_the_last() -> None:
    """The number of blocks stays bounded, however often a layout is drawn."""
    layout = LayoutRandomizer(3)
    before = sys.getallocatedblocks()
    numbers = []
    for _ in range(100):
        layout.draw(50)
        numbers.append(sys.getallocatedblocks() - before)

    # Half of at most 50 blocks in each of 32 classes and of 2 in each of 9, and a few of its own.
    assert max(numbers) <= 25 * 32 + 9 + 100
    assert max(numbers[50:]) <= max(numbers[:50]) + 200
    assert len(set(numbers)) > 10


def test_every_size_class_is_served() -> None:
    """An object of each size takes just the block that its class is named for."""
    for size in (*range(16, 513, 16), 600, 36_000):
        assert size == sys.getsizeof(layout_randomization._allocate(size))
