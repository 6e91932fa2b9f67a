"""The table of the formats that can be read, and the detection of a file's format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from veperf.core.errors import CorruptFileError, DataError, UsageError
from veperf.core.text import join_words
from veperf.formats import criterion, folders
from veperf.formats.asv import is_asv_file, read_asv
from veperf.formats.bencher import is_bencher_file, read_bencher
from veperf.formats.benchmark_dotnet import is_benchmark_dotnet_report, read_benchmark_dotnet
from veperf.formats.catch2 import is_catch2_file, read_catch2
from veperf.formats.criterion_text import is_criterion_text, read_criterion_text
from veperf.formats.github_action import (
    is_github_action_file,
    read_bigger_is_better,
    read_github_action,
    read_smaller_is_better,
)
from veperf.formats.go_events import is_go_json, read_go_json
from veperf.formats.go_test import is_go_text, read_go_text
from veperf.formats.google_benchmark import is_google_benchmark_file, read_google_benchmark
from veperf.formats.gungraun import (
    is_gungraun_summary,
    is_gungraun_text,
    read_gungraun_summary,
    read_gungraun_text,
)
from veperf.formats.hyperfine import (
    is_hyperfine_csv,
    is_hyperfine_file,
    read_hyperfine,
    read_hyperfine_csv,
)
from veperf.formats.imported import ParsedRun, clean_name
from veperf.formats.imported_run import ImportedRun, build_run
from veperf.formats.jmh import is_jmh_file, read_jmh
from veperf.formats.k6 import is_k6_points, is_k6_summary, read_k6_points, read_k6_summary
from veperf.formats.known_files import describe_file
from veperf.formats.libtest import is_libtest, read_libtest
from veperf.formats.load_reports import (
    is_vegeta_report,
    is_virtengine_load,
    read_vegeta_report,
    read_virtengine_load,
)
from veperf.formats.pyperf import is_pyperf_file, read_pyperf
from veperf.formats.pytest_benchmark import is_pytest_benchmark_file, read_pytest_benchmark
from veperf.formats.rows import (
    is_csv_table,
    is_json_lines,
    is_parquet_table,
    read_csv_table,
    read_json_lines,
    read_parquet_table,
)
from veperf.formats.source import SourceFile, SourceFolder, is_existing_folder, load_source
from veperf.formats.vegeta_text import is_vegeta_text, read_vegeta_text
from veperf.formats.vitest import is_vitest_file, read_vitest
from veperf.formats.wrk import is_wrk_text, read_wrk_text


@dataclass(frozen=True, slots=True)
class InputFormat:
    """A format: its name, a test whether a file has it, and a reader."""

    name: str
    matches: Callable[[SourceFile], bool]
    read: Callable[[SourceFile], ParsedRun] | None = None
    read_by: Callable[[SourceFile, str], list[ParsedRun]] | None = None
    """Reader in place of ``read`` for files with several runs, split by a configuration key."""

    def runs(self, source: SourceFile, by: str) -> list[ParsedRun]:
        """Read the runs in a file.

        Raises:
            UsageError: ``by`` is given, but the format has no configuration keys.
        """
        if self.read_by is not None:
            return self.read_by(source, by)
        if by:
            raise UsageError(f"{self.name} files have no configuration that tells runs apart")
        assert self.read is not None
        return [self.read(source)]


@dataclass(frozen=True, slots=True)
class FolderFormat:
    """A format of folders: its name, a test whether a folder has it, and a reader."""

    name: str
    matches: Callable[[Path], bool]
    read: Callable[[SourceFolder, str], list[ParsedRun]]
    """Reader of the runs in a folder, told apart by a key if it is given."""


def _is_never_detected(_source: SourceFile) -> bool:
    return False


INPUT_FORMATS = (
    InputFormat("parquet", is_parquet_table, read_parquet_table),
    # Similar formats are in this order: the more distinctive one first.
    InputFormat("pytest-benchmark", is_pytest_benchmark_file, read_pytest_benchmark),
    InputFormat("pyperf", is_pyperf_file, read_pyperf),
    InputFormat("google-benchmark", is_google_benchmark_file, read_google_benchmark),
    InputFormat("asv", is_asv_file, read_asv),
    InputFormat("hyperfine", is_hyperfine_file, read_hyperfine),
    InputFormat("hyperfine-csv", is_hyperfine_csv, read_hyperfine_csv),
    InputFormat("criterion-sample", criterion.is_criterion_sample, criterion.read_criterion_sample),
    InputFormat(
        "criterion-estimates", criterion.is_criterion_estimates, criterion.read_criterion_estimates
    ),
    InputFormat("criterion-csv", criterion.is_criterion_csv, criterion.read_criterion_csv),
    InputFormat(
        "criterion-messages", criterion.is_criterion_messages, criterion.read_criterion_messages
    ),
    InputFormat("criterion", is_criterion_text, read_criterion_text),
    InputFormat("cargo-bench", is_libtest, read_libtest),
    InputFormat("gungraun", is_gungraun_text, read_gungraun_text),
    InputFormat("gungraun-json", is_gungraun_summary, read_gungraun_summary),
    InputFormat("jmh", is_jmh_file, read_jmh),
    InputFormat("benchmark-dotnet", is_benchmark_dotnet_report, read_benchmark_dotnet),
    InputFormat("catch2", is_catch2_file, read_catch2),
    InputFormat("vitest", is_vitest_file, read_vitest),
    InputFormat("k6", is_k6_summary, read_k6_summary),
    InputFormat("k6-points", is_k6_points, read_k6_points),
    InputFormat("vegeta", is_vegeta_report, read_vegeta_report),
    InputFormat("vegeta-text", is_vegeta_text, read_vegeta_text),
    InputFormat("virtengine-load", is_virtengine_load, read_virtengine_load),
    InputFormat("wrk", is_wrk_text, read_wrk_text),
    InputFormat("github-action", is_github_action_file, read_github_action),
    # Their content is the same: --format tells the direction.
    InputFormat("github-action-smaller", _is_never_detected, read_smaller_is_better),
    InputFormat("github-action-bigger", _is_never_detected, read_bigger_is_better),
    InputFormat("bencher", is_bencher_file, read_bencher),
    InputFormat("json-lines", is_json_lines, read_json_lines),
    InputFormat("csv", is_csv_table, read_csv_table),
    InputFormat("go-json", is_go_json, read_by=read_go_json),
    InputFormat("go", is_go_text, read_by=read_go_text),
)
INPUT_FORMAT_NAMES = tuple(format.name for format in INPUT_FORMATS)

FOLDER_FORMATS = (
    FolderFormat("criterion", criterion.is_criterion_folder, criterion.read_criterion_folder),
    FolderFormat("asv", folders.is_asv_folder, folders.read_asv_folder),
    FolderFormat(
        "pytest-benchmark",
        folders.is_pytest_benchmark_folder,
        folders.read_pytest_benchmark_folder,
    ),
    FolderFormat(
        "benchmark-dotnet",
        folders.is_benchmark_dotnet_folder,
        folders.read_benchmark_dotnet_folder,
    ),
    FolderFormat("gungraun", folders.is_gungraun_folder, folders.read_gungraun_folder),
)


def read_runs(
    data: bytes, name: str, *, format: str = "", by: str = "", title: str = ""
) -> tuple[ImportedRun, ...]:
    """Read the runs in a file: one, or for Go one for each value of the configuration key ``by``.

    Args:
        data: the whole file.
        name: name of the file, for messages and for formats that take names from it.
        format: one of ``INPUT_FORMAT_NAMES``; detected if empty.
        by: a configuration key of Go files, such as ``note`` or ``commit``, that tells runs apart.
        title: becomes part of the runs' ids.

    Raises:
        UsageError: there is no such format.
        DataError: the format can't be read, or there are no results.
        CorruptFileError: the file is damaged; the message says where.
    """
    return _runs(SourceFile(data, clean_name(name)), format, by, title)


def read_runs_from(
    path: Path, *, format: str = "", by: str = "", title: str = ""
) -> tuple[ImportedRun, ...]:
    """Read the runs in the file ``path``, or in a folder of ``FOLDER_FORMATS``.

    Raises:
        NoSuchFileError: there is none.
        UsageError, DataError, CorruptFileError: as ``read_runs``; also if it can't be read.
    """
    if is_existing_folder(path):
        folder = SourceFolder(path)
        fitting = (known for known in FOLDER_FORMATS if format in ("", known.name))
        chosen = next((known for known in fitting if known.matches(path)), None)
        if chosen is None:
            names = format or join_words([known.name for known in FOLDER_FORMATS])
            what = f"a folder without results of {names}"
            raise DataError(f"{folder.name}: {what}; name a file, or a folder further down")
        return tuple(
            build_run(run, folder.name, title, run.accounts or folder.accounts)
            for run in chosen.read(folder, by)
        )
    return _runs(load_source(path), format, by, title)


def _runs(source: SourceFile, format: str, by: str, title: str) -> tuple[ImportedRun, ...]:
    known = {known_format.name: known_format for known_format in INPUT_FORMATS}
    if format and format not in known:
        raise UsageError(f"no format {format!r}; known are {', '.join(INPUT_FORMAT_NAMES)}")
    input_format = known[format] if format else detect_format(source)
    if input_format is None:
        raise _unknown_format(source)
    try:
        runs = input_format.runs(source, by)
        return tuple(build_run(run, source.name, title, [source.account]) for run in runs)
    except DataError as error:
        actual = detect_format(source) if format else None
        if actual is None or actual.name == format:
            raise
        raise type(error)(f"{error}; by its content it is a file of {actual.name}") from error


def detect_format(source: SourceFile) -> InputFormat | None:
    """Return the format of a file by its content, or None if it is unknown."""
    return next((format for format in INPUT_FORMATS if format.matches(source)), None)


def _unknown_format(source: SourceFile) -> DataError:
    """Return the error for a file without a known format, which may be empty or damaged JSON."""
    if not source.text.strip():
        return DataError(f"{source.name}: it is empty")
    if what := describe_file(source):
        return DataError(f"{source.name}: {what}")
    if source.text.lstrip()[0] in "{[":
        try:
            _ = source.document
        except CorruptFileError as error:
            return error
    names = ", ".join(INPUT_FORMAT_NAMES)
    return DataError(f"{source.name}: unknown format; name it by --format: {names}")
