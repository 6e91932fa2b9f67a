"""Performance analysis for VirtEngine: is it fast enough, is it slower than it was, and why.

>>> import veperf
>>> result = veperf.run("transaction")     # measure in fresh processes, keep in the archive
>>> result.verdict()                       # against the published targets and the baseline
>>> veperf.compare("20261120", "last")     # two runs
"""

from typing import TYPE_CHECKING, Any

from veperf.version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from veperf.api import (
        Comparison,
        RunResult,
        VerdictResult,
        benchmarks,
        compare,
        export,
        import_runs,
        investigate,
        load,
        present,
        query,
        read,
        resume,
        run,
        run_load,
        runs,
        site,
    )
    from veperf.comparator import Comparator
    from veperf.gate.check import SelfCheckResult, selfcheck
    from veperf.gate.fleet import FleetResult
    from veperf.gate.result import ABResult
    from veperf.gate.run import ab, ab_commands, load_ab
    from veperf.longrun import soak
    from veperf.sweeps import ab_fleet, load_fleet, load_sweep, resume_sweep, sweep
    from veperf.timeline import History, Trends, history, trends

# Where the names are that `veperf.api` does not have.
_ELSEWHERE = {
    **dict.fromkeys(
        (
            "ABResult",
            "FleetResult",
            "SelfCheckResult",
            "ab",
            "ab_commands",
            "load_ab",
            "selfcheck",
        ),
        "gate",
    ),
    **dict.fromkeys(("ab_fleet", "load_fleet", "load_sweep", "resume_sweep", "sweep"), "sweeps"),
    **dict.fromkeys(("History", "Trends", "history", "trends"), "timeline"),
    "Comparator": "comparator",
    "soak": "longrun",
}
_MODULES = ("cpu", "memory")

__all__ = [
    "ABResult",
    "Comparator",
    "Comparison",
    "FleetResult",
    "History",
    "RunResult",
    "SelfCheckResult",
    "Trends",
    "VerdictResult",
    "__version__",
    "ab",
    "ab_commands",
    "ab_fleet",
    "benchmarks",
    "compare",
    "export",
    "history",
    "import_runs",
    "investigate",
    "load",
    "load_ab",
    "load_fleet",
    "load_sweep",
    "present",
    "query",
    "read",
    "resume",
    "resume_sweep",
    "run",
    "run_load",
    "runs",
    "selfcheck",
    "site",
    "soak",
    "sweep",
    "trends",
]


def __getattr__(name: str) -> Any:
    # Lazily, so that a worker process and `veperf --help` pay for what they use.
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"veperf.{name}")
    if name in __all__:
        return getattr(import_module(f"veperf.{_ELSEWHERE.get(name, 'api')}"), name)
    raise AttributeError(f"module 'veperf' has no attribute {name!r}")


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """``%load_ext veperf``: the cell magics ``%%veperf_time`` and ``%%veperf_memory``."""
    from veperf.magics import register

    register(shell)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
