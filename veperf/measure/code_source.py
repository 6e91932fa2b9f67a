"""Where the code that a worker runs comes from."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_WORKER = "veperf.runner.worker"


@dataclass(frozen=True, slots=True)
class Side:
    """An interpreter and where it imports from."""

    interpreter: str = sys.executable
    folder: Path | None = None
    """Where workers start, which is what they import from first; None is the current folder."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that are other than here."""
    hidden: tuple[str, ...] = ()
    """Folders on the interpreter's path, real ones, that hold the other side's code."""

    def command(self) -> list[str]:
        """The words that start a worker, less its arguments."""
        if not self.hidden:
            return [self.interpreter, "-m", _WORKER]
        script = (
            "import os, runpy, sys\n"
            f"hidden = {self.hidden!r}\n"
            "sys.path[:] = [p for p in sys.path if os.path.realpath(p or '.') not in hidden]\n"
            f"runpy.run_module({_WORKER!r}, run_name='__main__', alter_sys=True)\n"
        )
        return [self.interpreter, "-c", script]


HERE = Side()
"""The code that is running."""
