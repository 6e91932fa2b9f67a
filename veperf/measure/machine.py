"""Facts about the machine, its state and the code that is measured."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

from veperf.core.run import Machine, Revision

# What the workloads rest on: a new version of one of these can change a figure.
_PACKAGES = ("veperf", "numpy", "coincurve", "pynacl", "protobuf", "lmdb", "msgspec")


def describe_machine() -> Machine:
    """The machine that this process runs on."""
    model = _cpu_model()
    cores = _usable_cores()
    return Machine(
        name=f"{_slug(model)}-{cores}c",
        cpu_model=model,
        cores=cores,
        memory_bytes=_memory_bytes(),
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions={name: v for name in _PACKAGES if (v := _version(name))},
    )


def describe_revision(folder: Path) -> Revision:
    """The commit checked out in ``folder``; empty where that is no git checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return Revision()
    return Revision(
        commit=commit,
        branch=_git(folder, "branch", "--show-current") or "",
        dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
    )


def load_average() -> float:
    """One-minute load average."""
    return os.getloadavg()[0]


def frequency_mhz() -> float | None:
    """Mean current clock frequency over the cores, where the system tells."""
    found = re.findall(r"^cpu MHz\s*:\s*([\d.]+)", _read("/proc/cpuinfo"), re.MULTILINE)
    return sum(map(float, found)) / len(found) if found else None


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """The machine's CPU time so far, in ticks."""

    total: int
    steal: int

    @classmethod
    def now(cls) -> Self:
        """Read from /proc/stat (proc(5)); zeros where there is none."""
        fields = [int(f) for f in _read("/proc/stat").partition("\n")[0].split()[1:9]]
        return cls(sum(fields), fields[7] if len(fields) > 7 else 0)

    def steal_ratio(self, later: Self) -> float | None:
        """Share of the time between the two that the hypervisor gave to others."""
        total = later.total - self.total
        return (later.steal - self.steal) / total if total > 0 else None


def _cpu_model() -> str:
    info = _read("/proc/cpuinfo")

    def field(name: str) -> str:
        found = re.search(rf"^{name}\s*:\s*(.+)$", info, re.MULTILINE)
        return found[1].strip() if found else ""

    name = field("model name") or platform.processor() or platform.machine()
    # Hypervisors like to call every CPU "Xeon Processor": family and model tell them apart.
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


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _slug(text: str) -> str:
    plain = re.sub(r"\((r|tm)\)|@.*?(?=,|$)|\bcpu\b", "", text.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
