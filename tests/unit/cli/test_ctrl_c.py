"""Ctrl-C while the command is still loading, and after it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Presses Ctrl-C at the moment at which a module is first looked for.
PRESSING = """
import signal, sys

class Presser:
    def find_spec(self, name, path=None, target=None):
        if name == WHEN:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Presser())
sys.argv = ["veperf", "list", "transaction/hash_compute"]
from veperf.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("veperf.cli.main", ""),
        ("click", ""),
        ("msgspec", ""),
        ("veperf.cli.ab", ""),
        ("numpy", "veperf: stopped"),
    ],
)
def test_it_ends_without_a_traceback(module: str, words: str) -> None:
    """With 130, whatever is being imported."""
    code = PRESSING.replace("WHEN", repr(module))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (130, "", words) == (done.returncode, done.stdout, done.stderr.strip())


def test_the_modules_of_the_entry_import_none_of_veperf() -> None:
    """Until they are through there is nobody to catch it, so that they have to be short."""
    code = "import sys, veperf.cli; print(*sorted(m for m in sys.modules if m[:6] == 'veperf'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ["veperf", "veperf.cli"] == done.stdout.split()


@pytest.mark.parametrize("module", ["veperf.cli", "veperf.cli.main", "click"])
def test_python_m_is_deaf_from_its_first_line_on(module: str) -> None:
    """Also while the entry itself is loaded."""
    head = PRESSING.partition("sys.argv")[0].replace("WHEN", repr(module))
    code = f"{head}import runpy; runpy.run_module('veperf', run_name='__main__', alter_sys=True)"
    done = subprocess.run(
        [sys.executable, "-c", code, "list"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (130, "", "") == (done.returncode, done.stdout, done.stderr)


def test_who_ignores_it_goes_on() -> None:
    """As a shell has what it runs in the background ignore it."""
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{PRESSING}"
    done = subprocess.run(
        [sys.executable, "-c", code.replace("WHEN", "'click'")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (0, "") == (done.returncode, done.stderr)
    assert "transaction/hash_compute" in done.stdout
