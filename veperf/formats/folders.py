"""Folders in which tools keep their results: asv, pytest-benchmark, Gungraun, BenchmarkDotNet.

asv has a file a commit and environment in ``results/MACHINE``, beside a ``machine.json``, and
pytest-benchmark a numbered file for each run that was saved in ``.benchmarks/MACHINE``: each file
is a run, labelled with its name. Gungraun has a ``summary.json`` a benchmark below
``target/gungraun``, BenchmarkDotNet a report a class in ``BenchmarkDotNet.Artifacts/results``:
together they are one run. Links to folders are not followed.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from veperf.core.errors import DataError, UsageError
from veperf.formats import benchmark_dotnet, gungraun
from veperf.formats.asv import MACHINE_FILE, is_asv_file, read_asv
from veperf.formats.imported import ParsedRun
from veperf.formats.pytest_benchmark import read_pytest_benchmark
from veperf.formats.source import SourceFile, SourceFolder, each_file

_MOST_RUNS = 1_000
_MOST_FILES = 10_000
_SAVED = re.compile(r"\d{4,9}_.{1,200}\.json", re.ASCII)
_SUMMARY = "summary.json"
_HEAD_BYTES = 2_000
_REPORT = re.compile(r"(.{1,250}-report)((?:-full|-brief)?(?:-compressed)?|-.{1,100})\.json")
_REPORT_KINDS = ("-full", "-full-compressed", "-brief", "-brief-compressed")
"""Kinds of reports on the same benchmarks, the one with the most in it first."""


def is_asv_folder(folder: Path) -> bool:
    """Return whether a file of results stands beside a ``machine.json``."""
    return next(_asv_files(folder), None) is not None


def is_pytest_benchmark_folder(folder: Path) -> bool:
    """Return whether a file in it is named as pytest-benchmark names saved runs."""
    return next(_saved_files(folder), None) is not None


def is_gungraun_folder(folder: Path) -> bool:
    """Return whether a summary of a benchmark is in it."""
    return next(_summary_files(folder), None) is not None


def is_benchmark_dotnet_folder(folder: Path) -> bool:
    """Return whether a file in it is named as BenchmarkDotNet names reports."""
    return next(_report_files(folder), None) is not None


def read_asv_folder(folder: SourceFolder, by: str) -> list[ParsedRun]:
    """Read each file of results as a run, the oldest commit first.

    Raises:
        UsageError: ``by`` is another key than ``file``, which is what tells the runs apart.
        DataError: there are too many.
    """
    return _runs(folder, by, _asv_files(folder.path), _read_asv_results)


def read_pytest_benchmark_folder(folder: SourceFolder, by: str) -> list[ParsedRun]:
    """Read each saved run, the oldest first.

    Raises:
        UsageError, DataError: as ``read_asv_folder``.
    """
    return _runs(folder, by, _saved_files(folder.path), read_pytest_benchmark)


def read_gungraun_folder(folder: SourceFolder, by: str) -> list[ParsedRun]:
    """Read all summaries as one run.

    Raises:
        UsageError: ``by`` is given; nothing tells runs apart.
        DataError: there are too many.
    """
    _require_no_key(folder, by)
    run = ParsedRun(gungraun.TOOL)
    for path in _limited(folder, _summary_files(folder.path), _MOST_FILES):
        gungraun.add_gungraun_summaries(run, folder.load(path))
    return [run]


def read_benchmark_dotnet_folder(folder: SourceFolder, by: str) -> list[ParsedRun]:
    """Read the reports on all classes as one run; of several on a class that with the most in it.

    Raises:
        UsageError, DataError: as ``read_gungraun_folder``.
    """
    _require_no_key(folder, by)
    run = ParsedRun(benchmark_dotnet.TOOL)
    chosen: dict[Path, tuple[int, Path]] = {}
    for path in _limited(folder, _report_files(folder.path), _MOST_FILES):
        match = _REPORT.fullmatch(path.name)
        kind = match[2] if match else ""
        rank = _REPORT_KINDS.index(kind) if kind in _REPORT_KINDS else len(_REPORT_KINDS)
        place = path.with_name(match[1] if match else path.name)
        chosen[place] = min(chosen.get(place, (rank, path)), (rank, path))
    for _, path in chosen.values():
        benchmark_dotnet.add_benchmark_dotnet(run, folder.load(path))
    return [run]


def _read_asv_results(source: SourceFile) -> ParsedRun | None:
    return read_asv(source) if is_asv_file(source) else None


def _runs(
    folder: SourceFolder,
    by: str,
    paths: Iterator[Path],
    read: Callable[[SourceFile], ParsedRun | None],
) -> list[ParsedRun]:
    if by not in ("", "file"):
        raise UsageError(f"{folder.name}: its runs are told apart by file, not by {by}: --by file")
    runs: list[ParsedRun] = []
    for path in _limited(folder, paths, _MOST_RUNS):
        source = folder.load(path)
        run = read(source)
        if run is not None:
            run.label = path.stem
            run.accounts = [source.account]
            runs.append(run)
    return sorted(runs, key=lambda run: run.provenance.created)


def _require_no_key(folder: SourceFolder, by: str) -> None:
    if by:
        raise UsageError(f"{folder.name} is one run: there is no {by} that tells runs apart")


def _limited(folder: SourceFolder, paths: Iterator[Path], most: int) -> list[Path]:
    limited: list[Path] = []
    for path in paths:
        if len(limited) == most:
            raise DataError(
                f"{folder.name}: more than {most:,} files of results; name some of them"
            )
        limited.append(path)
    return limited


def _asv_files(folder: Path) -> Iterator[Path]:
    for path in each_file(folder):
        if (
            path.suffix == ".json"
            and path.name != MACHINE_FILE
            and (path.parent / MACHINE_FILE).is_file()
        ):
            yield path


def _saved_files(folder: Path) -> Iterator[Path]:
    return (path for path in each_file(folder) if _SAVED.fullmatch(path.name))


def _summary_files(folder: Path) -> Iterator[Path]:
    return (path for path in each_file(folder) if path.name == _SUMMARY and _is_summary(path))


def _is_summary(path: Path) -> bool:
    """Return whether a file begins as Gungraun's summaries do; False if it can't be read."""
    try:
        with path.open("rb") as file:
            return b'"benchmark_exe"' in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _report_files(folder: Path) -> Iterator[Path]:
    return (path for path in each_file(folder) if _REPORT.fullmatch(path.name))
