"""Every format that can be read, and how to tell which one a file has."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from veperf.core.errors import CorruptFileError, DataError, UsageError
from veperf.formats import (
    asv,
    criterion,
    go_test,
    google_benchmark,
    hyperfine,
    pyperf,
    pytest_benchmark,
    rows,
)
from veperf.formats.collector import Collector, clean
from veperf.formats.imported_run import Imported, build
from veperf.formats.source import Source, is_folder, load


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name, whether a file looks like it, and what reads it."""

    name: str
    matches: Callable[[Source], bool]
    read: Callable[[Source], Collector] | None = None
    read_by: Callable[[Source, str], list[Collector]] | None = None
    """In place of ``read`` where a configuration in the file can tell several runs apart."""

    def runs(self, source: Source, by: str) -> list[Collector]:
        """What is in the file.

        Raises:
            UsageError: there is no configuration in such files that ``by`` could name.
        """
        if self.read_by is not None:
            return self.read_by(source, by)
        if by:
            raise UsageError(f"{self.name} files have no configuration that tells runs apart")
        assert self.read is not None
        return [self.read(source)]


FORMATS = (
    # Those that look alike in this order: the one with the surer sign first.
    Format("pytest-benchmark", pytest_benchmark.matches, pytest_benchmark.read),
    Format("pyperf", pyperf.matches, pyperf.read),
    Format("google-benchmark", google_benchmark.matches, google_benchmark.read),
    Format("asv", asv.matches, asv.read),
    Format("hyperfine", hyperfine.matches, hyperfine.read),
    Format("criterion-sample", criterion.is_sample, criterion.read_sample),
    Format("criterion-estimates", criterion.is_estimates, criterion.read_estimates),
    Format("criterion-csv", criterion.is_csv, criterion.read_csv),
    Format("criterion-messages", criterion.is_messages, criterion.read_messages),
    Format("json-lines", rows.is_lines, rows.read_lines),
    Format("csv", rows.is_csv, rows.read_csv),
    Format("go-json", go_test.is_events, read_by=go_test.read_events),
    Format("go", go_test.is_text, read_by=go_test.read_text),
)
NAMES = tuple(one.name for one in FORMATS)


def detect(data: bytes, name: str = "") -> str:
    """The name of the format that ``data`` has; empty where it looks like none.

    Raises:
        CorruptFileError: there is too much of it.
    """
    found = _detect(Source(data, clean(name)))
    return found.name if found else ""


def read(
    data: bytes, name: str, *, format: str = "", by: str = "", title: str = ""
) -> tuple[Imported, ...]:
    """The runs in a file: one, or for Go one for each value of the configuration key ``by``.

    Args:
        data: the whole file.
        name: of the file, for messages and where a format takes names from it.
        format: one of ``NAMES``; found out when not given.
        by: a configuration key of Go files, such as ``note`` or ``commit``, that tells runs apart.
        title: becomes part of the runs' ids.

    Raises:
        UsageError: there is no such format.
        DataError: it has no format that can be read, or no results.
        CorruptFileError: it is broken; the message says where.
    """
    return _runs(Source(data, clean(name)), format, by, title)


def read_path(
    path: Path, *, format: str = "", by: str = "", title: str = ""
) -> tuple[Imported, ...]:
    """The runs in the file ``path``, or in a folder of criterion's.

    Raises:
        UsageError, DataError, CorruptFileError: as ``read``; also where it can't be read.
    """
    if is_folder(path):
        return (build(criterion.read_folder(path), str(path), title),)
    return _runs(load(path), format, by, title)


def _runs(source: Source, format: str, by: str, title: str) -> tuple[Imported, ...]:
    known = {one.name: one for one in FORMATS}
    if format and format not in known:
        raise UsageError(f"no format {format!r}; known are {', '.join(NAMES)}")
    found = known[format] if format else _detect(source)
    if found is None:
        raise _unknown(source)
    return tuple(build(run, source.name, title) for run in found.runs(source, by))


def _detect(source: Source) -> Format | None:
    return next((one for one in FORMATS if one.matches(source)), None)


def _unknown(source: Source) -> DataError:
    """Why no format fits: broken JSON is said to be that."""
    if not source.text.strip():
        return DataError(f"{source.name}: it is empty")
    if source.text.lstrip()[0] in "{[":
        try:
            _ = source.document
        except CorruptFileError as error:
            return error
    return DataError(
        f"{source.name}: no format that can be read; --format names one of {', '.join(NAMES)}"
    )
