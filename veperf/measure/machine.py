"""Facts about the machine, its state and tuning, and the revision of the measured code."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

from veperf._native.core import active_core
from veperf.core.run import Machine, Revision

# Packages that the workloads use: a new version of one of these can change a figure.
_PACKAGES = ("veperf", "numpy", "coincurve", "pynacl", "protobuf", "lmdb", "msgspec")


def describe_machine() -> Machine:
    """Return the facts about the machine that this process runs on."""
    model = _cpu_model()
    cores = _usable_cores()
    return Machine(
        name=f"{_slug(model)}-{cores}c",
        cpu_model=model,
        cores=cores,
        memory_bytes=_memory_bytes(),
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions={name: v for name in _PACKAGES if (v := _version(name))}
        | {"core": active_core()},  # compiled kernels or Python's own code
    )


def describe_revision(folder: Path) -> Revision:
    """Return the commit checked out in ``folder``; empty where that is no git checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return Revision()
    return Revision(
        commit=commit,
        branch=_git(folder, "branch", "--show-current") or "",
        dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
    )


def load_average() -> float:
    """Return the load average over the last minute."""
    return os.getloadavg()[0]


def frequency_mhz() -> float | None:
    """Return the mean current clock frequency over the cores in MHz; None where unknown."""
    cores = re.findall(r"^cpu MHz\s*:\s*([\d.]+)", _read("/proc/cpuinfo"), re.MULTILINE)
    return sum(map(float, cores)) / len(cores) if cores else None


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU time of the machine since boot, in ticks."""

    total: int
    steal: int

    @classmethod
    def now(cls) -> Self:
        """Read from /proc/stat (proc(5)); zeros where there is none."""
        fields = [int(f) for f in _read("/proc/stat").partition("\n")[0].split()[1:9]]
        return cls(sum(fields), fields[7] if len(fields) > 7 else 0)

    def steal_ratio(self, later: Self) -> float | None:
        """Return the share of CPU time between the two that the hypervisor gave to others."""
        total = later.total - self.total
        return (later.steal - self.steal) / total if total > 0 else None


def _cpu_model() -> str:
    info = _read("/proc/cpuinfo")

    def field(name: str) -> str:
        match = re.search(rf"^{name}\s*:\s*(.+)$", info, re.MULTILINE)
        return match[1].strip() if match else ""

    name = field("model name") or platform.processor() or platform.machine()
    # Hypervisors call every CPU "Xeon Processor": family and model distinguish them.
    family, model = field("cpu family"), field("model")
    return f"{name}, family {family} model {model}" if family and model else name


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *words: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        [git, "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _slug(text: str) -> str:
    plain = re.sub(r"\((r|tm)\)|@.*?(?=,|$)|\bcpu\b", "", text.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


_GOVERNORS = "devices/system/cpu/cpu*/cpufreq/scaling_governor"
_QUOTA = "fs/cgroup/cpu.max"


@dataclass(frozen=True, slots=True)
class MachineTuning:
    """Settings of the machine that disturb measurements and can be changed. Known on Linux only."""

    governors: tuple[str, ...]
    """Frequency governors of the cores, each once; empty where unknown."""
    quota_cores: float | None
    """CPU time that the container may use, in cores; None where there is no limit."""

    @classmethod
    def now(cls, sys: Path = Path("/sys")) -> Self:
        """Read from sysfs (cpufreq, cgroup v2)."""
        governors = {_read(path).strip() for path in sys.glob(_GOVERNORS)} - {""}
        return cls(tuple(sorted(governors)), _quota_cores(_read(sys / _QUOTA)))


def _quota_cores(text: str) -> float | None:
    """Parse ``cpu.max``, quota and period in µs: ``150000 100000`` is 1.5 cores."""
    try:
        quota, period = map(int, text.split())
        return quota / period
    except (ValueError, ZeroDivisionError):  # "max", or no such file
        return None
