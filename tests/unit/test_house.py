"""The house's own rules hold, and their checks can fail."""

from pathlib import Path

import pytest

from tests import house


@pytest.mark.slow
@pytest.mark.parametrize("check", house.CHECKS, ids=lambda check: check.__name__)
def test_the_house_is_in_order(check):
    """Every rule holds for this tree."""
    assert [] == list(check())


def package_of(tmp_path: Path, files: dict[str, str]) -> Path:
    """A package ``veperf`` of these files."""
    for name, text in files.items():
        path = tmp_path / "veperf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "veperf"


def test_a_wrong_import_is_found(tmp_path: Path):
    """Statistics that read files, and workloads that measure, are named with their line."""
    package = package_of(
        tmp_path,
        {
            "archive/store.py": "",
            "core/registry.py": "",
            "stats/bad.py": "import math\nfrom veperf.archive.store import Archive\n",
            "workloads/core.py": "from veperf.core import registry\n",
            "workloads/benchmarks.py": "from veperf.core import registry\n",
        },
    )

    assert [
        "veperf/stats/bad.py:2: stats must not import veperf.archive.store",
        "veperf/workloads/core.py:1: workloads must not import veperf.core.registry",
    ] == list(house.wrong_imports(package))


@pytest.mark.parametrize(
    "statement",
    [
        "from ..cli import main",
        "from importlib import import_module\nimport_module('veperf.cli.main')",
        "__import__('veperf.cli.main')",
        "if True:\n    import veperf.cli.main",
        "def f():\n    from veperf import cli",
    ],
)
def test_an_import_in_disguise_is_found(statement: str, tmp_path: Path):
    """Relative, dynamic, conditional or late: an import against the direction is one."""
    package = package_of(
        tmp_path, {"cli/main.py": "", "cli/__init__.py": "", "core/a.py": statement}
    )

    assert 1 == len(list(house.wrong_imports(package)))


def test_the_door_imports_nothing_by_itself(tmp_path: Path):
    """Else every worker process and `veperf --help` would pay for it."""
    package = package_of(tmp_path, {"__init__.py": "from veperf.core import a\n", "core/a.py": ""})

    assert ["veperf/__init__.py:1: the door imports veperf.core.a before anybody uses it"] == list(
        house.wrong_imports(package)
    )


def test_a_circle_through_a_package_is_found(tmp_path: Path):
    """A package whose `__init__` imports a module that imports from the package."""
    package = package_of(
        tmp_path,
        {
            "core/x/__init__.py": "from veperf.core.y import b\n",
            "core/y.py": "from veperf.core.x import b\n",
            "core/r/__init__.py": "",
            "core/r/a.py": "from . import b\n",
            "core/r/b.py": "from . import a\n",
        },
    )

    assert 2 == len(list(house.cyclic_imports(package)))


def test_a_part_that_is_not_listed_is_a_fault(tmp_path: Path):
    """A new folder or a loose module may import nothing until the table has it."""
    package = package_of(
        tmp_path, {"__init__.py": "", "live.py": "", "extra/a.py": "import math\n"}
    )

    assert [
        "veperf/extra/a.py: extra is no part that ALLOWED lists",
        "veperf/live.py: live.py is no part that ALLOWED lists",
    ] == list(house.wrong_imports(package))


def test_a_table_that_cycles_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No part may stand on one that comes after it."""
    monkeypatch.setattr(house, "ALLOWED", {"core": ("stats",), "stats": ("core",)})

    (fault,) = house.wrong_imports(package_of(tmp_path, {"__init__.py": ""}))

    assert "core may not stand on stats" in fault


def test_modules_in_a_circle_are_found(tmp_path: Path):
    """Also where one of the imports is inside a function; imports for types alone don't count."""
    package = package_of(
        tmp_path,
        {
            "core/a.py": "from veperf.core import b\n",
            "core/b.py": "def f():\n    from veperf.core.a import x\n",
            "core/c.py": "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from veperf.core.d import D\n",
            "core/d.py": "from veperf.core.c import C\n",
        },
    )

    assert ["circular import: veperf.core.a -> veperf.core.b -> veperf.core.a"] == list(
        house.cyclic_imports(package)
    )


def test_an_import_in_a_function_must_put_off_something_heavy(tmp_path: Path):
    """pandas may wait, directly or behind a module of ours; the standard library may not."""
    package = package_of(
        tmp_path,
        {
            "core/a.py": "def f():\n    import pandas\n    from veperf.core.b import x\n",
            "core/b.py": "import scipy.stats\n",
            "core/c.py": "def f():\n    import json\n    from veperf.core.d import y\n",
            "core/d.py": "y = 1\n",
            "core/e.py": "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from veperf.core.d import y\n",
        },
    )

    assert ["veperf/core/c.py:2", "veperf/core/c.py:3"] == [
        fault.split(": ")[0] for fault in house.late_imports(package)
    ]


def test_words_that_say_nothing_are_found(tmp_path: Path):
    """Placeholder locals and parameters, and docstrings that open with a relative clause."""
    package = package_of(
        tmp_path,
        {
            "core/a.py": '"""Where things are."""\n\n\n'
            'def f(one):\n    """Whatever."""\n    found = one\n    return found\n',
            "core/b.py": '"""Onelike things; whatsoever."""\nresult = 1\n',
            "core/c.py": "import json as said\n\n\nclass C:\n    def found(self):\n"
            '        """that which is."""\n        self.shown = 1\n',
        },
    )

    assert [
        f"veperf/core/{place}" for place in ("a.py:4", "a.py:6", "c.py:1", "c.py:5", "c.py:7")
    ] == sorted(fault.split(": ")[0] for fault in house.placeholder_names(package))
    assert 3 == len(list(house.relative_docstrings(package)))


def test_a_public_name_that_stands_twice_is_found(tmp_path: Path):
    """Private names, entry points and benchmarks known by their id may repeat."""
    package = package_of(
        tmp_path,
        {
            "core/a.py": "def main(): ...\ndef _f(): ...\nclass Plan: ...\n",
            "stats/b.py": "def main(): ...\ndef _f(): ...\nclass Plan: ...\n",
            "workloads/x/benchmarks.py": "@benchmark('x/load')\ndef load(): ...\n",
            "workloads/y/benchmarks.py": "@benchmark('y/load')\ndef load(): ...\n",
        },
    )

    (fault,) = house.repeated_names(package)

    assert "Plan is defined in 2 modules" in fault


def test_a_crumb_belongs_into_its_importer(tmp_path: Path):
    """A small module that two import has a place of its own; one that only one imports has not."""
    package = package_of(
        tmp_path,
        {
            "core/small.py": "x = 1\n",
            "core/shared.py": "y = 1\n",
            "core/a.py": "from veperf.core.shared import y\nfrom veperf.core.small import x\n",
            "core/b.py": "from veperf.core.shared import y\n",
        },
    )

    assert ["veperf/core/small.py: so small, it belongs into veperf.core.a"] == list(
        house.crumbs(package)
    )


def test_a_dependency_that_conda_lacks_is_found(tmp_path: Path):
    """A name or bound that only one of the two files has is a fault."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.11"\ndependencies = ["lmdb>=1.5", "click>=8"]\n'
    )
    (tmp_path / "environment.yml").write_text(
        "dependencies:\n  - python>=3.11\n  - python-lmdb>=1.4\n  - pip\n"
    )

    actual = list(house.environment_faults(tmp_path))

    assert ["click", "python-lmdb"] == [fault.split()[1] for fault in actual]


def test_an_address_in_the_lock_is_found(tmp_path: Path):
    """A lock with an index address or an unpinned line is a fault."""
    (tmp_path / "requirements.lock").write_text("--index-url https://example.org\nclick>=8\n")

    assert 3 == len(list(house.lock_faults(tmp_path)))
