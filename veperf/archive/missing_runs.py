"""Facts and figures of the runs that a summary lacks, read from packs and from folders."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from veperf.archive.completion_order import read_stamps
from veperf.archive.manifest import COMPLETE
from veperf.archive.pack_figures import RunFigures, packed_figures
from veperf.archive.store import Archive
from veperf.archive.summary_tables import facts_table, of_runs
from veperf.core.errors import DataError

_RUNS_AT_ONCE = 200
"""Runs that are parsed before they are written: the most that a killed process loses."""
_ROWS_AT_ONCE = 400_000
"""Figures of packs that are read before they are written."""

Progress = Callable[[int, int], None]
"""Called with the number of runs read so far, and the number to read."""


@dataclass(frozen=True, slots=True)
class CompleteRuns:
    """The complete runs of an archive, and when their manifests were written, in ns."""

    unpacked: Mapping[str, int]
    packed: Mapping[str, int]
    packs: Mapping[str, int]
    """When the manifests of packs were written."""

    @property
    def all(self) -> dict[str, int]:
        """All of them."""
        return {**self.packed, **self.unpacked}


def read_missing(
    archive: Archive,
    missing: Mapping[str, int],
    complete: CompleteRuns,
    left_out: dict[str, str],
    progress: Progress,
) -> Iterator[RunFigures]:
    """Yield facts and figures of the runs that are ``missing``, those that packs have first."""
    rest, total = dict(missing), len(missing)
    stamps: Mapping[str, int] = {}
    if not rest.keys() <= complete.unpacked.keys():
        batch = RunFigures()
        for name in archive.packs.names():
            batch.extend(_of_pack(archive, name, rest))
            progress(total - len(rest), total)
            if batch.rows >= _ROWS_AT_ONCE:
                yield batch
                batch = RunFigures()
        if batch.runs:
            yield batch
        if not rest.keys() <= complete.unpacked.keys():
            stamps = archive.packs.order()
    done, remaining = total - len(rest), iter(rest.items())
    while runs := dict(islice(remaining, _RUNS_AT_ONCE)):
        figures = RunFigures()
        of_runs_now = {**stamps, **read_stamps(archive.storage, COMPLETE, runs)}
        for (run_id, completed_ns), run in zip(runs.items(), archive.read_each(runs), strict=True):
            if isinstance(run, DataError):
                left_out[run_id] = str(run)
            else:
                figures.add(run, completed_ns, of_runs_now[run_id])
            done += 1
            progress(done, total)
        if figures.runs:
            yield figures


def _of_pack(archive: Archive, name: str, missing: dict[str, int]) -> RunFigures:
    """Return what a pack has of the ``missing`` runs, and take these from them."""
    runs = archive.packs.runs_in(name)
    figures = RunFigures()
    if any(missing.get(run) == completed_ns for run, completed_ns in runs.items()):
        whole = packed_figures(archive.packs, name) or figures
        figures.runs = [run for run in whole.runs if missing.get(run.id) == run.completed_ns]
        ids = facts_table(figures.runs)["id"]
        figures.tables = [of_runs(table, ids) for table in whole.tables]
        for run in figures.runs:
            del missing[run.id]
    return figures


def progress_lines(show: Callable[[str], object], verb: str, every: int) -> Progress:
    """Return a progress that shows "read 2,000 of 5,000 runs" whenever ``every`` more are done."""
    steps = 0

    def progress(done: int, total: int) -> None:
        nonlocal steps
        if done // every > steps:
            steps = done // every
            show(f"{verb} {done:,} of {total:,} runs")

    return progress


def no_progress(done: int, total: int) -> None:
    """Ignore the progress."""
