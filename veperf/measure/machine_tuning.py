"""How the machine is set up, where that makes measurements restless. Linux only; else unknown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

_GOVERNORS = "devices/system/cpu/cpu*/cpufreq/scaling_governor"
_QUOTA = "fs/cgroup/cpu.max"


@dataclass(frozen=True, slots=True)
class Tuning:
    """Settings of the machine that an administrator can change."""

    governors: tuple[str, ...]
    """How the cores choose their clock frequency, each policy once; empty where it is unknown."""
    quota_cores: float | None
    """CPU time that the container may use, in cores; None where there is no limit."""

    @classmethod
    def now(cls, sys: Path = Path("/sys")) -> Self:
        """Read from sysfs (cpufreq, cgroup v2)."""
        found = {_text(path) for path in sys.glob(_GOVERNORS)} - {""}
        return cls(tuple(sorted(found)), _quota_cores(_text(sys / _QUOTA)))


def _quota_cores(text: str) -> float | None:
    """``cpu.max`` has the time that may be used in each period, in µs: ``150000 100000``."""
    try:
        quota, period = map(int, text.split())
        return quota / period
    except (ValueError, ZeroDivisionError):  # "max", or no such file
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
