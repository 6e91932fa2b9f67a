"""The kernels of the tree withstand sanitizers and valgrind, and running out of memory."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "veperf" / "_native" / "src"
DRIVER = ROOT / "tests" / "support" / "kernels" / "tree_driver.c"
CC = shutil.which(os.environ.get("CC", "cc"))
COMMAND = ["-std=c99", "-g", "-fwrapv", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CC is None, reason="no C compiler")]


def compile_driver(source: Path, folder: Path, *options: str) -> Path:
    assert CC is not None
    program = folder / "driver"
    command = [CC, *COMMAND, *options, str(source), "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def test_sanitizers_find_nothing(tmp_path: Path) -> None:
    """Addresses, leaks and undefined behaviour, in calls that a plain list checks."""
    program = compile_driver(
        DRIVER, tmp_path, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"
    )

    subprocess.run([program, "1", "20"], check=True)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")
def test_valgrind_finds_nothing(tmp_path: Path) -> None:
    """No byte that was not written decides anything, and nothing is lost."""
    program = compile_driver(DRIVER, tmp_path, "-O2")
    valgrind = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full"]

    subprocess.run([*valgrind, program, "2", "1"], check=True)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("balance > 1)", "balance > 2)"),
        ("set_least(as_inner(*path.slots[i]), parent->least);", "(void)0;"),
        ("n->head.is_hashed = 0;", "(void)0;"),
        ("if (is_shared(*slot)) {", "if (0) {"),
    ],
)
def test_a_wrong_tree_is_noticed(right: str, wrong: str, tmp_path: Path) -> None:
    """The driver does check: balance, keys, stale hashes and what versions share."""
    for path in SOURCES.glob("*.h"):
        shutil.copy(path, tmp_path)
    edit = tmp_path / "tree_edit.h"
    text = edit.read_text()
    assert right in text
    edit.write_text(text.replace(right, wrong, 1))
    source = shutil.copy(DRIVER, tmp_path)
    program = compile_driver(Path(source), tmp_path, "-O1")

    done = subprocess.run([program, "1", "5"], check=False, capture_output=True, timeout=100)
    assert 0 != done.returncode
