"""One measurement at a time on a host."""

import subprocess
import sys
from pathlib import Path

from veperf.cluster.host import alone

_HOLDS = """
import sys, time
from pathlib import Path
from veperf.cluster.host import alone
with alone(lambda: False, Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_only_one_holds_it(tmp_path: Path) -> None:
    """Whoever comes second waits until it gives up, or the first is gone, however that ended."""
    command = [sys.executable, "-c", _HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert b"held\n" == other.stdout.readline()
        patience = iter([False, False, True])
        with alone(lambda: next(patience), tmp_path) as got_it:
            assert not got_it
        other.kill()
        other.wait()
        with alone(lambda: False, tmp_path) as got_it:
            assert got_it
