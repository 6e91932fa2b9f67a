"""Records with stacks, joined with the true ones: only what the work itself allocates counts.

memray needs a profile function to know the stacks, and for it the interpreter makes an object of
each frame. The records with stacks are therefore those without, and frame objects among them. Of a
size that both recordings have equally often, all blocks are the work's; they are the fixed points.
Between two of them, the other sizes are aligned in order, allocations and releases together, from
the end: a frame's object comes before all that its function allocates.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from memray import AllocationRecord, AllocatorType
from msgspec import Struct

from veperf.profiling.memory.capture import FREES, OWN_THREAD

_NEVER_FRAMES = frozenset(AllocatorType) - FREES - {AllocatorType.PYMALLOC_MALLOC}
"""Allocators by which the interpreter makes no frame's object."""

Key = tuple[int, int]
"""Size and allocator of a block; of its release, the size is inverted (``~size``), below 0."""


class Alignment(Struct, frozen=True):
    """The allocations that are the work's own."""

    own: bytes
    """For each allocation in the records with stacks, 1 if it is the work's own."""
    unplaced: tuple[Key, ...]
    """Blocks that only the records without stacks have."""


def read_events(records: Iterable[AllocationRecord | None], *, multithreaded: bool) -> list[Key]:
    """Return the counted allocations in order, and the releases of their blocks.

    Those of the first call are left out: it makes objects that later ones take from the
    interpreter's free lists.
    """
    first_call = True
    held: dict[int, Key] = {}
    events: list[Key] = []
    # Each key is one object, so that an event takes no more than a reference.
    keys: dict[Key, Key] = {}
    for record in records:
        if record is None:
            first_call = False
        elif first_call:
            continue
        elif record.allocator in FREES:
            if (key := held.pop(record.address, None)) is not None:
                release = ~key[0], key[1]
                events.append(keys.setdefault(release, release))
        elif multithreaded or record.tid == OWN_THREAD:
            key = record.size, int(record.allocator)
            key = keys.setdefault(key, key)
            held[record.address] = key
            events.append(key)
    return events


def align(counted: Sequence[Key], traced: Sequence[Key]) -> Alignment:
    """Find the allocations of ``traced`` that are those of ``counted``.

    Of each size there are as many as ``counted`` has; those that ``traced`` lacks are unplaced.
    """
    true_counts, present = _allocations(counted), _allocations(traced)
    places = _places(traced)
    own = {
        place
        for key, count in present.items()
        if count <= true_counts[key]
        for place in places[key]
    }
    doubtful = {key for key, count in present.items() if 0 < true_counts[key] < count}
    if doubtful:
        # Equal numbers: the n-th of one recording is the n-th of the other.
        fixed = {key for key, count in present.items() if count == true_counts[key]}
        own |= _aligned_in_order(
            _stretches(counted, fixed, doubtful), _stretches(traced, fixed, doubtful)
        )
        _even_out(own, doubtful, true_counts, places)
    unplaced = true_counts - present
    _place_resized(own, unplaced, traced)
    return Alignment(
        own=bytes(place in own for place, (size, _) in enumerate(traced) if size >= 0),
        unplaced=tuple(unplaced.elements()),
    )


def _place_resized(own: set[int], unplaced: Counter[Key], traced: Sequence[Key]) -> None:
    """Add allocations to ``own`` that no frame causes, for ``unplaced`` ones of another size.

    A block that grows from call to call has no size twice, in whichever recording.
    """
    waiting: dict[int, list[Key]] = defaultdict(list)
    for key in unplaced.elements():
        if key[1] in _NEVER_FRAMES:
            waiting[key[1]].append(key)
    for place, (size, allocator) in enumerate(traced):
        if size >= 0 and place not in own and waiting.get(allocator):
            own.add(place)
            unplaced[waiting[allocator].pop()] -= 1


def _allocations(events: Sequence[Key]) -> Counter[Key]:
    return Counter(key for key in events if key[0] >= 0)


def _places(events: Sequence[Key]) -> dict[Key, list[int]]:
    places: dict[Key, list[int]] = defaultdict(list)
    for place, key in enumerate(events):
        places[key].append(place)
    return places


Mark = tuple[Key, int]
"""A fixed point: its key, and its number among those of the key."""


def _stretches(
    events: Sequence[Key], fixed: set[Key], doubtful: set[Key]
) -> dict[Mark | None, list[tuple[int, Key]]]:
    """Return the places and keys of doubtful events, by the fixed point that they follow."""
    numbers: Counter[Key] = Counter()
    mark: Mark | None = None
    stretches: dict[Mark | None, list[tuple[int, Key]]] = defaultdict(list)
    for place, key in enumerate(events):
        if key in fixed:
            mark = key, numbers[key]
            numbers[key] += 1
        elif (max(key[0], ~key[0]), key[1]) in doubtful:
            stretches[mark].append((place, key))
    return stretches


def _aligned_in_order(
    counted: dict[Mark | None, list[tuple[int, Key]]],
    traced: dict[Mark | None, list[tuple[int, Key]]],
) -> set[int]:
    """Return the places of allocations in ``traced`` that follow each other as in ``counted``."""
    own: set[int] = set()
    for mark, events in counted.items():
        rest = iter(reversed(traced.get(mark, [])))
        for _, key in reversed(events):
            place = next((place for place, other in rest if other == key), None)
            if place is None:
                break
            if key[0] >= 0:
                own.add(place)
    return own


def _even_out(
    own: set[int], doubtful: set[Key], true_counts: Counter[Key], places: dict[Key, list[int]]
) -> None:
    """Complete ``own`` to as many of each doubtful key as are true_counts, by the last ones."""
    for key in doubtful:
        missing = true_counts[key] - sum(place in own for place in places[key])
        free = [place for place in reversed(places[key]) if place not in own]
        own.update(free[: max(0, missing)])
