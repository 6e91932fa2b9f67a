"""The house's own rules hold, and their checks can fail."""

from pathlib import Path

import pytest

from tests import house


@pytest.mark.parametrize(
    "check",
    [house.wrong_imports, house.notebook_faults, house.environment_faults, house.lock_faults],
)
def test_the_house_is_in_order(check):
    """Every rule holds for this tree."""
    assert [] == list(check())


def test_a_wrong_import_is_found(tmp_path: Path):
    """A workload that measures, or a judge that reads files, is named with its line."""
    package = tmp_path / "veperf"
    (package / "judge").mkdir(parents=True)
    (package / "judge" / "bad.py").write_text("import math\nfrom veperf.archive import Archive\n")
    (package / "workloads").mkdir()
    (package / "workloads" / "core.py").write_text("from veperf import registry\n")
    (package / "workloads" / "benchmarks.py").write_text("from veperf import registry\n")

    found = list(house.wrong_imports(package))

    assert [
        "veperf/judge/bad.py:2: judge must not import veperf.archive",
        "veperf/workloads/core.py:1: workloads must not import veperf.core.registry",
    ] == found


def test_a_dependency_that_conda_lacks_is_found(tmp_path: Path):
    """A name or bound that only one of the two files has is a fault."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.11"\ndependencies = ["lmdb>=1.5", "click>=8"]\n'
    )
    (tmp_path / "environment.yml").write_text(
        "dependencies:\n  - python>=3.11\n  - python-lmdb>=1.4\n  - pip\n"
    )

    found = list(house.environment_faults(tmp_path))

    assert ["click", "python-lmdb"] == [fault.split()[1] for fault in found]


def test_an_address_in_the_lock_is_found(tmp_path: Path):
    """A lock with an index address or an unpinned line is a fault."""
    (tmp_path / "requirements.lock").write_text("--index-url https://example.org\nclick>=8\n")

    assert 3 == len(list(house.lock_faults(tmp_path)))
