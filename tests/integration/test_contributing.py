"""The recipes of CONTRIBUTING.md work: each is applied to a copy of the project and run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import house
from tests.support.clone import ROOT, clone

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = re.findall(
    r"^## (Add [^\n]*)\n.*?^```diff\n(.*?)^```\n.*?^```console\n(.*?)^```\n", TEXT, re.M | re.S
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the commands of each recipe print, all recipes applied in order; and the copy."""
    copy = clone(tmp_path_factory.mktemp("copy"))
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    environment = os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "200"}
    printed = {"copy": str(copy)}
    for title, diff, commands in RECIPES:
        subprocess.run(
            ["git", "apply", "--unidiff-zero", "-"], cwd=copy, input=diff, text=True, check=True
        )
        for line in re.findall(r"^\$ (.*)$", commands, re.M):
            process = subprocess.run(
                [sys.executable, "-m", *shlex.split(line)],
                cwd=copy, env=environment, capture_output=True, text=True, timeout=240, check=False,
            )  # fmt: skip
            assert 0 == process.returncode, f"{line}: {process.stdout}{process.stderr}"
            printed[title] = printed.get(title, "") + process.stdout
    return printed


def test_there_is_a_recipe_for_each_thing_that_people_add():
    """Each has the files to touch and the commands to see it."""
    assert [
        "a benchmark",
        "a target",
        "a suite",
        "a file format",
        "a report section",
        "an option",
    ] == [title.removeprefix("Add ") for title, _, _ in RECIPES]


@pytest.mark.slow
def test_a_benchmark_is_listed_and_measured(outputs):
    """With its parameter's other value as a case of its own."""
    assert "transaction/address_text[batch=1]" in outputs["Add a benchmark"]


@pytest.mark.slow
def test_a_target_is_judged(outputs):
    """By its id, in the verdict that the run prints."""
    assert "transaction/address_text" in outputs["Add a target"]
    assert "1 of 1 target met" in outputs["Add a target"]


@pytest.mark.slow
def test_a_suite_has_its_own_page(outputs):
    """Beside the overview, in the run's folder."""
    assert 1 == len(list(Path(outputs["copy"], "reports").glob("*/order_book.html")))


@pytest.mark.slow
def test_a_format_is_written_and_read(outputs):
    """What was exported is imported as the same number of values: a process each."""
    lines = Path(outputs["copy"], "times.txt").read_text(encoding="utf-8").splitlines()

    assert {"order_book/insert", "order_book/insert[orders=100]"} == {
        line.split("\t")[0] for line in lines
    }
    assert "2 benchmarks, 12 values" in outputs["Add a file format"]


@pytest.mark.slow
def test_a_section_is_on_the_page(outputs):
    """In the HTML of the last run's report."""
    pages = list(Path(outputs["copy"], "reports").glob("*/index.html"))

    assert any("The least steady cases" in page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.slow
def test_an_option_reaches_the_command_and_the_notebooks(outputs):
    """The command does what it says; the notebooks and the stub have it."""
    copy = Path(outputs["copy"])

    assert "processes" not in outputs["Add an option"]
    assert "brief: bool = False" in (copy / "notebooks" / "run.py").read_text(encoding="utf-8")
    assert "brief: bool = False" in (copy / "veperf" / "__init__.pyi").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_tests_still_pass(outputs):
    """Those that hold what the recipes touch, in the copy."""
    touched = (
        "formats/test_round_trips.py", "formats/test_writers.py", "formats/test_writers_hostile.py",
        "api", "core", "report", "workloads/transaction/test_transaction_benchmarks.py",
        "test_notebooks.py", "test_stubs.py",
    )  # fmt: skip
    process = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-m", "not slow and not alone", "-x",
            "--hypothesis-profile", "quick", *(f"tests/unit/{name}" for name in touched),
        ],
        cwd=outputs["copy"], env=os.environ | {"PYTHONPATH": outputs["copy"]},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip

    assert 0 == process.returncode, process.stdout


@pytest.mark.slow
def test_the_house_is_still_in_order(outputs):
    """What the recipes add keeps to the rules."""
    package = Path(outputs["copy"], "veperf")
    rules = (
        house.wrong_imports,
        house.cyclic_imports,
        house.late_imports,
        house.placeholder_names,
        house.repeated_names,
        house.relative_docstrings,
        house.crumbs,
    )

    assert [] == [fault for rule in rules for fault in rule(package)]
