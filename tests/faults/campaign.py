"""The campaigns by name, and how long each is."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults.bit_flips import flip_bits
from tests.faults.clocks_and_writers import jump_clocks, write_at_once
from tests.faults.full_disk import fill_at_each_write, limit_file_sizes, read_from_read_only
from tests.faults.ground import Tally
from tests.faults.kills import kill_at_random, kill_commands
from tests.faults.power_cuts import COMPILER, cut_power


class Campaign(NamedTuple):
    """A kind of fault, and how many of it the slow tests make."""

    run: Callable[[Path, int, int], Tally]
    trials: int


CAMPAIGNS = {
    "kills": Campaign(kill_at_random, 2),
    "commands": Campaign(kill_commands, 0),  # minutes: by hand alone
    "full-disk": Campaign(fill_at_each_write, 5),
    "cut-off": Campaign(limit_file_sizes, 2),
    "read-only": Campaign(read_from_read_only, 1),
    "bit-flips": Campaign(flip_bits, 200),
    "clock-jumps": Campaign(jump_clocks, 3),
    "writers": Campaign(write_at_once, 2),
    "power-cuts": Campaign(cut_power, 2 if COMPILER else 0),  # it compiles a recorder
}
