"""Sampling of Go benchmarks that allocate: no sample has a garbage collection, or each has many."""

from pathlib import Path

import pytest

from tests.unit.programs.test_go_runs import PATH, SUITES, built
from veperf.core.case import Case, Level
from veperf.programs.go_binaries import GoRequest, run_binary
from veperf.programs.go_sampling import Sampling, SamplingChooser, allocated
from veperf.programs.printed_results import PrintedResult

MEGABYTE = 1 << 20


def chosen(folder: Path, ns: float, bytes_per_operation: float, loops: int = 20) -> Sampling:
    """The sampling of a benchmark of so many nanoseconds and bytes an operation."""
    package = built(folder, {"BenchmarkA": ns})
    case = Case("a/BenchmarkA", "BenchmarkA", "a", Level.MICRO, PATH)
    calibration = PrintedResult(case, loops=loops)
    chooser = SamplingChooser(20.0, SUITES)
    return chooser.choose(package, "BenchmarkA", 1, calibration, bytes_per_operation)


@pytest.mark.parametrize(
    ("bytes_per_operation", "iterations"),
    [(0, 2000), (8, 2000), (4096, 1024), (MEGABYTE, 4), (5 * MEGABYTE, 1), (60 * MEGABYTE, 1)],
)
def test_a_sample_stays_below_the_first_collection(
    tmp_path: Path, bytes_per_operation: float, iterations: int
) -> None:
    """2 ms of operations of 1 us, or what allocates 4 MB, whichever is less."""
    actual = chosen(tmp_path, 1000.0, bytes_per_operation, loops=2000)

    assert (iterations, False) == (actual.iterations, actual.has_collections)


def test_a_sample_that_allocates_much_has_its_collections(tmp_path: Path) -> None:
    """So many that one more or less is no difference, and memory does not run out."""
    assert chosen(tmp_path, 1e9, 100 * MEGABYTE, loops=1).has_collections


def test_the_larger_side_counts(tmp_path: Path) -> None:
    """As printed, and nothing where it isn't."""
    case = Case("a/BenchmarkA", "BenchmarkA", "a", Level.MICRO, PATH)

    assert 24.0 == allocated(PrintedResult(case, {"B/op": [16.0, 24.0]}))
    assert 0.0 == allocated(PrintedResult(case, {"time": [5.0]}))


@pytest.mark.parametrize(
    ("own", "has_collections", "expected"),
    [
        ({}, False, {"GOGC": "off", "GOMEMLIMIT": "1GiB"}),
        ({}, True, {"GOGC": "", "GOMEMLIMIT": ""}),
        ({"GOGC": "50"}, False, {"GOGC": "50", "GOMEMLIMIT": ""}),
        ({"GOMEMLIMIT": "64MiB"}, False, {"GOGC": "off", "GOMEMLIMIT": "64MiB"}),
    ],
)
def test_the_collector_is_off_where_the_user_has_not_set_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: dict[str, str],
    has_collections: bool,
    expected: dict[str, str],
) -> None:
    """In the environment of the binary, with a limit to memory that a set-up may reach."""
    for name in ("GOGC", "GOMEMLIMIT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    binary = tmp_path / "binary"
    binary.write_text('#!/bin/sh\necho "GOGC=$GOGC GOMEMLIMIT=$GOMEMLIMIT"\n', encoding="utf-8")
    binary.chmod(0o755)
    request = GoRequest("BenchmarkA", "5x", 1, has_collections=has_collections)

    run = run_binary(binary, tmp_path, request, 20.0, SUITES)

    assert " ".join(f"{n}={v}" for n, v in expected.items()) == run.process.output.strip()
