"""``veperf ab`` in a terminal: a table that is drawn again while it goes on."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.alone
def test_a_terminal_shows_what_is_going_on(tmp_path: Path):
    """How many pairs of what are undecided, and it is gone when the result is printed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "veperf", "ab", "--command-a", "sleep 0.05", "--command-b",
         "sleep 0.05", "--time-budget", "2s", "--archive", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"},
    ) as process:  # fmt: skip
        os.close(theirs)
        rendered = drained(ours)
        output = process.stdout.read().decode() if process.stdout else ""

    assert "1 of 1 undecided" in rendered
    assert "command" in rendered
    assert "undecided" not in output
    assert "kept in ab-" in output


def drained(descriptor: int) -> str:
    """All that is written to a terminal until its other end is closed, less its colours."""
    actual = b""
    while True:
        try:
            chunk = os.read(descriptor, 65_536)
        except OSError:  # so does Linux say that nobody holds the other end any more
            chunk = b""
        if not chunk:
            os.close(descriptor)
            return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", actual.decode())
        actual += chunk
