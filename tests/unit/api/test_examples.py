"""The examples that ``?`` shows: those that read are run, those that measure fit the functions."""

import ast
import doctest
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import veperf
from tests.support.ab_runs import ab_run, change
from tests.support.runs import timed_run
from veperf.archive.comparisons import save_ab
from veperf.archive.store import Archive
from veperf.core.verdict import ChangeStatus
from veperf.jupyter.explorer import Explorer

FUNCTIONS = {
    name: getattr(veperf, name)
    for name in [
        "ab",
        "benchmarks",
        "compare",
        "explore",
        "export",
        "history",
        "import_runs",
        "investigate",
        "load",
        "query",
        "read",
        "report_view",
        "resume",
        "run",
        "run_load",
        "runs",
        "site",
        "trends",
    ]
} | {"cpu.profile": veperf.cpu.profile, "memory.profile": veperf.memory.profile}
SLOW = {"benchmarks", "compare", "history", "site"}
"""They load all suites, or matplotlib."""
MEASURING = {"ab", "run", "run_load", "resume", "cpu.profile", "memory.profile"}
GO_BENCH = "BenchmarkHash-4 \t 100 \t 512.5 ns/op\nBenchmarkHash-4 \t 100 \t 510.0 ns/op\n"


def examples(function: Any) -> str:
    """The examples in the docstring, as one piece of code."""
    return "".join(e.source for e in doctest.DocTestParser().get_examples(function.__doc__ or ""))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The current folder, with an archive of two runs and files of other tools."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEPERF_ARCHIVE", str(tmp_path / "reports"))
    archive = Archive(tmp_path / "reports")
    names = ("transaction/hash_compute", "transaction/execution", "transaction/validation")
    for day in ("20261120", "20261121"):
        times = {name: [100.0 + n, 101.0, 102.0] for n, name in enumerate(names)}
        archive.save(timed_run(times, id=f"{day}-000000-abc1234"))
    save_ab(archive.storage, ab_run(change(names[0], ChangeStatus.OK)))
    (tmp_path / "bench.txt").write_text(GO_BENCH)
    (tmp_path / "times.csv").write_text("benchmark,value,unit\nshop/pay,12,items/s\n")


def calls(code: str) -> Iterator[tuple[str, ast.Call]]:
    """Each call of a public function."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).removeprefix("veperf.")
            if name in FUNCTIONS:
                yield name, node


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_has_examples_that_fit_it(name):
    """Each is called in its own docstring, by parameters that it has."""
    shown = list(calls(examples(FUNCTIONS[name])))

    assert name in {called for called, _ in shown}
    for called, node in shown:
        keywords = {str(keyword.arg): None for keyword in node.keywords}
        inspect.signature(FUNCTIONS[called]).bind(*node.args, **keywords)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in sorted(FUNCTIONS.keys() - MEASURING)
    ],
)
def test_examples_that_read_run(name, project):
    """In an archive with runs of the days that they name."""
    names: dict[str, Any] = {"veperf": veperf}

    exec(examples(FUNCTIONS[name]), names)

    for value in names.values():
        if isinstance(value, Explorer):
            value.close()
