"""The core that the workloads' kernels run in, chosen here alone: compiled, or Python's own.

The compiled one is there where a C compiler was when the package was installed
(``hatch_build.py``), and is used unless ``VEPERF_NATIVE=0`` (or false, no, off) is in the
environment, or it was compiled from other sources than those beside it. Both give the same results.
Each function with a compiled twin asks :func:`compiled_kernels` when it is called.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from veperf._native import digest_sources

_library: Any
try:
    from veperf._native import kernels as _library
except ImportError:  # no compiler was there
    _library = None


def _kernels_of_these_sources() -> Any:
    digest = digest_sources()
    if _library is None or digest is None or getattr(_library, "SOURCES", "") == digest:
        return _library
    # They may lack what Python's code calls, or take other arguments.
    warnings.warn(
        "the compiled kernels are not of the sources beside them, so Python's own code runs: "
        "compile them with `python hatch_build.py`, or install veperf again",
        RuntimeWarning,
        stacklevel=3,
    )
    return None


_built = _kernels_of_these_sources()

VARIABLE = "VEPERF_NATIVE"
OFF = "0"
_OFF_TOO = (OFF, "false", "no", "off")
NATIVE = "native"
PYTHON = "python"


class NoNativeCoreError(RuntimeError):
    """The compiled kernels were asked for, and were not built."""


def is_built() -> bool:
    """Return whether the compiled kernels are there, in use or not."""
    return _built is not None


_is_used = is_built() and os.environ.get(VARIABLE, "").strip().lower() not in _OFF_TOO
CORES = (NATIVE, PYTHON) if _is_used else (PYTHON, NATIVE) if is_built() else (PYTHON,)
"""The cores that can run here, the default first."""
_active: ContextVar[Any] = ContextVar("kernels", default=_built if _is_used else None)


def built_kernels() -> Any:
    """Return the module of compiled kernels, in use or not; None where they were not built."""
    return _built


def compiled_kernels() -> Any:
    """Return the module of compiled kernels, or None where Python's code is to run."""
    return _active.get()


def active_core() -> str:
    """Return the name of the core in use: "native" or "python"."""
    return PYTHON if _active.get() is None else NATIVE


def core_environment() -> dict[str, str]:
    """Return the environment in which another process of veperf has the core in use."""
    return os.environ | {VARIABLE: OFF if _active.get() is None else ""}


@contextmanager
def use_core(name: str) -> Iterator[None]:
    """Use the core of that name within the context, in this thread.

    Raises:
        NoNativeCoreError: it was not built.
        ValueError: there is no core of that name.
    """
    if name not in (NATIVE, PYTHON):
        raise ValueError(f"a core is {NATIVE} or {PYTHON}, not {name}")
    if name == NATIVE and not is_built():
        raise NoNativeCoreError(
            "the compiled kernels are not built: install a C compiler, then "
            "`pip install` veperf again"
        )
    token = _active.set(_built if name == NATIVE else None)
    try:
        yield
    finally:
        _active.reset(token)
