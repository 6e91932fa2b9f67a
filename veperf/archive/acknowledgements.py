"""Regressions that somebody acknowledged, with a reason, kept beside the runs.

::

    <archive>/acknowledgements/<hash>.json    one each, written whole or not at all

An acknowledgement names a run, a case and a metric. It is about the change point in whose level
the run lies: the run is the first one after the change, or a later one before the next change. So
it stays with its change while more runs come in, and says nothing of a later one. One of a drift is
about the slow movement that the run is a part of, until the next change point. No gate asks for
either: they are what the site and the history show beside a regression.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from veperf.archive.merge import ALREADY_PRESENT, MergeResult
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.archive.storage.ordered_map import ordered_map
from veperf.archive.trend import Trend, TrendChange
from veperf.core.case import TIME
from veperf.core.errors import CorruptFileError, DataError, UnknownBenchmarkError, UsageError
from veperf.core.escape import one_line
from veperf.core.nearest_names import nearest_names
from veperf.core.run import Run

FOLDER = "acknowledgements"
LONGEST_REASON = 500
# Format history:
#   1  the first
_FORMAT = 1


class Acknowledgement(Struct, frozen=True):
    """The reason for which a regression is accepted, or known."""

    run: str
    case: str
    metric: str
    reason: str
    created: str
    """Time at which it was acknowledged, in UTC."""
    drift: bool = False
    """It is about a drift, not about a change point."""
    format: int = _FORMAT

    @property
    def file(self) -> str:
        """A name that is valid everywhere, whatever the names of cases are."""
        words = (self.run, self.case, self.metric, *(("drift",) if self.drift else ()))
        return f"{hashlib.sha256(chr(0).join(words).encode()).hexdigest()[:32]}.json"


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """The acknowledgements of an archive."""

    known: tuple[Acknowledgement, ...] = ()
    """By the time at which they were made, the oldest first."""
    left_out: tuple[str, ...] = ()
    """Why each file that can't be read is none."""

    def apply(self, trends: Iterable[Trend]) -> tuple[Trend, ...]:
        """Return ``trends``, what was acknowledged of them with the reason."""
        by_series: dict[tuple[str, str], list[Acknowledgement]] = {}
        for entry in self.known:
            by_series.setdefault((entry.case, entry.metric), []).append(entry)
        return tuple(
            _acknowledged(trend, by_series.get((trend.case, trend.metric), ())) for trend in trends
        )


def read_acknowledgements(archive: Storage) -> Acknowledgements:
    """Read the acknowledgements in ``archive``; files that are none are left out.

    Raises:
        StorageError: the place is inaccessible.
    """
    folder = archive.at(FOLDER)
    if not folder.exists():
        return Acknowledgements()
    try:
        names = [name for name in folder.names() if name.endswith(".json")]
    except CorruptFileError as error:
        return Acknowledgements((), (str(error),))

    def read(name: str) -> Acknowledgement | str:
        try:
            entry = read_stored_json(folder, name, Acknowledgement, newest_format=_FORMAT)
        except DataError as error:
            return str(error)
        if name != entry.file:
            return f"{folder.where(name)} is the acknowledgement of something else"
        return msgspec.structs.replace(entry, reason=_plain(entry.reason)[:LONGEST_REASON])

    entries = [*ordered_map(folder.concurrency, read, names)]
    known = [entry for entry in entries if isinstance(entry, Acknowledgement)]
    return Acknowledgements(
        tuple(
            sorted(known, key=lambda entry: (entry.created, entry.run, entry.case, entry.metric))
        ),
        tuple(entry for entry in entries if isinstance(entry, str)),
    )


def write_acknowledgement(
    archive: Storage, run: Run, case: str, reason: str, metric: str = "", *, drift: bool = False
) -> Acknowledgement:
    """Acknowledge the regression of ``case`` that ``run`` shows, instead of an earlier reason.

    ``metric`` is by default time where it was measured, else the case's first. With ``drift`` it is
    about the slow movement, else about the change point.

    Raises:
        UnknownBenchmarkError: the run has no such case or metric.
        UsageError: the reason is empty or too long.
        StorageError: the archive can't be written.
    """
    metric = acknowledged_metric(run, case, metric)
    text = _plain(reason)
    if not text or len(text) > LONGEST_REASON:
        raise UsageError(f"give a reason, of at most {LONGEST_REASON} characters")
    created = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S+00:00}"
    entry = Acknowledgement(run.id, case, metric, text, created, drift)
    write_stored_json(archive.at(FOLDER), entry.file, entry)
    return entry


def withdraw_acknowledgement(
    archive: Storage, run: Run, case: str, metric: str = "", *, drift: bool = False
) -> bool:
    """Delete an acknowledgement; return whether there was one.

    Raises:
        UnknownBenchmarkError: the run has no such case or metric.
        StorageError: the archive can't be written.
    """
    metric = acknowledged_metric(run, case, metric)
    name = Acknowledgement(run.id, case, metric, "", "", drift).file
    folder = archive.at(FOLDER)
    was_there = folder.has(name)
    folder.delete([name])
    return was_there


def merge_acknowledgements(archive: Storage, other: Storage) -> Iterator[MergeResult]:
    """Copy the acknowledgements of ``other``, one by one; of one in both, the later one stays.

    Raises:
        StorageError: the archive can't be written.
    """
    existing = {entry.file: entry for entry in read_acknowledgements(archive).known}
    added = read_acknowledgements(other)
    for reason in added.left_out:
        yield MergeResult(FOLDER, reason)
    for entry in added.known:
        own = existing.get(entry.file)
        if own is not None and own.created >= entry.created:
            yield MergeResult(entry.run, ALREADY_PRESENT)
            continue
        write_stored_json(archive.at(FOLDER), entry.file, entry)
        yield MergeResult(entry.run, "")


def acknowledged_metric(run: Run, case: str, metric: str = "") -> str:
    """Return ``metric`` of ``case``, or its default: time where it was measured, else the first.

    Raises:
        UnknownBenchmarkError: the run has no such case or metric.
    """
    metrics = {entry.id: [m.name for m in entry.metrics] for entry in run.cases}
    if case not in metrics:
        raise UnknownBenchmarkError(f"run {run.id} has no {case}{_hint(case, [*metrics])}")
    known = metrics[case]
    if metric and metric not in known:
        raise UnknownBenchmarkError(
            f"run {run.id} has no metric {metric!r} of {case}{_hint(metric, known)}"
        )
    return metric or (TIME.name if TIME.name in known or not known else known[0])


def change_of(trend: Trend, run: str) -> TrendChange | None:
    """Return the change point in whose level ``run`` lies; None where that has none before."""
    index = next((i for i, facts in enumerate(trend.runs) if facts.id == run), -1)
    before = [change for change in trend.change_points if change.point.index <= index]
    return before[-1] if before else None


def is_drifting(trend: Trend, run: str) -> bool:
    """Return whether ``trend`` drifts, and ``run`` is one of the runs over which it does."""
    drift = trend.drift
    return drift is not None and any(facts.id == run for facts in trend.runs[drift.index :])


def _acknowledged(trend: Trend, entries: Sequence[Acknowledgement]) -> Trend:
    if not entries:
        return trend
    by_index: dict[int, str] = {}
    drift_reason = ""
    for entry in entries:
        if entry.drift:
            drift_reason = entry.reason if is_drifting(trend, entry.run) else drift_reason
        elif (change := change_of(trend, entry.run)) is not None:
            by_index[change.point.index] = entry.reason
    changes = tuple(
        replace(change, acknowledged=by_index.get(change.point.index, ""))
        for change in trend.change_points
    )
    return replace(trend, change_points=changes, drift_acknowledged=drift_reason)


def _plain(reason: str) -> str:
    """Return a reason in one line, with single blanks."""
    return " ".join(one_line(reason).split())


def _hint(name: str, known: list[str]) -> str:
    close = nearest_names(name, known, most=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known[:5])}"
