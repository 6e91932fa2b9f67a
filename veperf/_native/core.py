"""The core that the workloads' kernels run in, chosen here alone: compiled, or Python's own.

The compiled one is there where a C compiler was when the package was installed
(``hatch_build.py``), and is used unless ``VEPERF_NATIVE=0`` is in the environment. Both give the
same results. Each function with a compiled twin asks :func:`compiled_kernels` when it is called.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_built: Any
try:
    from veperf._native import kernels as _built
except ImportError:  # no compiler was there
    _built = None

VARIABLE = "VEPERF_NATIVE"
OFF = "0"
NATIVE = "native"
PYTHON = "python"


class NoNativeCoreError(RuntimeError):
    """The compiled kernels were asked for, and were not built."""


def is_built() -> bool:
    """Return whether the compiled kernels are there, in use or not."""
    return _built is not None


_is_used = is_built() and os.environ.get(VARIABLE) != OFF
CORES = (NATIVE, PYTHON) if _is_used else (PYTHON, NATIVE) if is_built() else (PYTHON,)
"""The cores that can run here, the default first."""
_active: ContextVar[Any] = ContextVar("kernels", default=_built if _is_used else None)


def compiled_kernels() -> Any:
    """Return the module of compiled kernels, or None where Python's code is to run."""
    return _active.get()


def active_core() -> str:
    """Return the name of the core in use: "native" or "python"."""
    return PYTHON if _active.get() is None else NATIVE


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
