"""How the archive says that it waits: it prints nothing, but tells whoever opened it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

Tell: TypeAlias = Callable[[str], None]
"""Takes a line for people."""
PATIENCE_S = 2.0
"""Shorter waits are not told."""


def silent(line: str) -> None:
    """For who does not want to know."""


@dataclass(slots=True)
class Wait:
    """A wait of unknown length, which is told once."""

    tell: Tell
    line: str
    patience_s: float = PATIENCE_S
    _began: float = field(default_factory=time.monotonic, init=False)
    _is_told: bool = field(default=False, init=False)

    def look(self) -> None:
        """Tell it if it has become long; to be called now and then."""
        if not self._is_told and time.monotonic() - self._began > self.patience_s:
            self._is_told = True
            self.tell(self.line)
