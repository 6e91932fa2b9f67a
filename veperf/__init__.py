"""Performance analysis for VirtEngine: is it fast enough, is it slower than it was, and why.

>>> import veperf
>>> result = veperf.run("transaction")     # measure in fresh processes, keep in the archive
>>> result.verdict()                       # against the published targets and the baseline
>>> veperf.compare("20261120", "last")     # two runs
"""

from typing import TYPE_CHECKING, Any

from veperf.version import __version__

if TYPE_CHECKING:
    from veperf.api import (
        Comparison,
        RunResult,
        VerdictResult,
        benchmarks,
        compare,
        import_runs,
        load,
        present,
        query,
        read,
        resume,
        run,
        run_load,
        runs,
    )

__all__ = [
    "Comparison",
    "RunResult",
    "VerdictResult",
    "__version__",
    "benchmarks",
    "compare",
    "import_runs",
    "load",
    "present",
    "query",
    "read",
    "resume",
    "run",
    "run_load",
    "runs",
]


def __getattr__(name: str) -> Any:
    # Lazily, so that a worker process and `veperf --help` pay for what they use.
    if name in __all__:
        from veperf import api

        return getattr(api, name)
    raise AttributeError(f"module 'veperf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
