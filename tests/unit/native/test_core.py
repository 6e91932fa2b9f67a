"""The choice of the core."""

import os
import subprocess
import sys
from contextlib import suppress
from threading import Thread

import pytest

from veperf._native import core
from veperf._native.core import NATIVE, PYTHON, active_core, compiled_kernels, use_core
from veperf.measure.machine import describe_machine

needs_kernels = pytest.mark.skipif(not core.is_built(), reason="no compiled kernels")


def core_of_process(program: str, **environment: str) -> str:
    """What ``program`` prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


SHOW = "from veperf._native.core import *; print(active_core(), *CORES)"
WITHOUT = "import sys; sys.modules['veperf._native.kernels'] = None; "


def test_where_none_was_built() -> None:
    """Python's own code runs, and there is no other core."""
    assert "python python" == core_of_process(WITHOUT + SHOW)
    assert "python python" == core_of_process(WITHOUT + SHOW, VEPERF_NATIVE="1")


@needs_kernels
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((off, "python python native") for off in ("0", "false", "No", "OFF", " 0 ")),
        *((on, "native native python") for on in ("1", "", "true", "00")),
    ],
)
def test_switched_off(value: str, expected: str) -> None:
    """By the environment: the compiled core can run, but isn't the default."""
    assert expected == core_of_process(SHOW, VEPERF_NATIVE=value)


def test_kernels_of_other_sources_are_not_used() -> None:
    """As after a pull: they may lack functions, or take other arguments; a warning says so."""
    program = (
        "import sys, types, warnings\n"
        "former = types.ModuleType('veperf._native.kernels')\n"
        "former.SOURCES = '0' * 64\n"
        "sys.modules['veperf._native.kernels'] = former\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        " from veperf._native.core import *\n"
        "print(active_core(), *CORES, caught[0].message)"
    )

    answer = core_of_process(program)
    assert answer.startswith("python python the compiled kernels are not of the sources")
    assert "hatch_build.py" in answer


@needs_kernels
def test_one_within_the_other() -> None:
    """A core is in use until its block ends, by an error too, and in this thread alone."""
    default = active_core()
    seen: list[str] = []
    with use_core(PYTHON):
        assert compiled_kernels() is None
        with suppress(ZeroDivisionError), use_core(NATIVE):
            seen.append(active_core())
            raise ZeroDivisionError
        assert PYTHON == active_core()
        thread = Thread(target=lambda: seen.append(active_core()))
        thread.start()
        thread.join()

    assert [NATIVE, default, default] == [*seen, active_core()]


def test_no_such_core() -> None:
    """A name that is none is an error, not a default."""
    with pytest.raises(ValueError, match="fortran"), use_core("fortran"):
        pass


def test_asked_for_and_not_built() -> None:
    """The error says what to do."""
    program = WITHOUT + (
        "from veperf._native.core import *\n"
        "try:\n with use_core('native'): pass\n"
        "except NoNativeCoreError as error: print(error)"
    )

    assert "install a C compiler" in core_of_process(program)


def test_a_machine_says_which_core_it_runs() -> None:
    """Reports show it among the versions."""
    for name in core.CORES:
        with use_core(name):
            assert name == describe_machine().versions["core"]
