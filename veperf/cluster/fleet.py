"""What has become of a sweep of comparisons, put together."""

from veperf.archive.ab import read_ab
from veperf.archive.storage.opening import place_of
from veperf.archive.store import Archive
from veperf.cluster.plan import Pairs, Ref, Task
from veperf.cluster.record import Entry, Record, sweep_folder
from veperf.errors import DataError
from veperf.gate.fleet import FleetResult
from veperf.model import ABPlace, ABSide, Revision

PAGE = "index.html"


def fleet_of(archive: Archive, record: Record) -> FleetResult:
    """The comparisons of ``record``, of which some may be missing."""
    first = record.plan.tasks[0].job
    assert isinstance(first, Pairs), "a sweep of runs is no fleet"
    return FleetResult(
        sweep=record.sweep,
        base=_side(first.base),
        new=_side(first.head),
        places=tuple(_place(archive, record, task) for task in record.plan.tasks),
        page_at=place_of(sweep_folder(archive, record.sweep), PAGE),
    )


def write_page(archive: Archive, fleet: FleetResult) -> None:
    """Put the page that shows ``fleet`` beside its sweep.

    Raises:
        StorageError: it can't be written.
    """
    sweep_folder(archive, fleet.sweep).write(PAGE, fleet.page().encode())


def _place(archive: Archive, record: Record, task: Task) -> ABPlace:
    name = task.machine_class or "any class"
    if record.plan.spec.repeats > 1:
        name = f"{name} #{task.repeat + 1}"
    entry = record.entries.get(task.id) or Entry(task.id, "")
    if task.id not in record.done:
        return ABPlace(name, None, entry.failure or "no result yet")
    try:
        return ABPlace(name, read_ab(archive.storage, entry.found))
    except DataError as error:
        return ABPlace(name, None, str(error))


def _side(ref: Ref) -> ABSide:
    return ABSide(ref.name, Revision(ref.commit))
