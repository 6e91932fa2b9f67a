"""The write cache shows its changes, hides them from its parent, and writes them in order."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.cache import Cache, Changes
from veperf.workloads.transaction.iavl import Tree

KEYS = st.binary(min_size=1, max_size=1)
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=2)), max_size=30)
BOUNDS = st.none() | KEYS
Writes = list[tuple[bytes, bytes | None]]


class Recorder:
    """A store that records its reads and writes."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.writes: Writes = []

    def get(self, key: bytes) -> bytes | None:
        self.reads.append(key)
        return None

    def set(self, key: bytes, value: bytes) -> None:
        self.writes.append((key, value))

    def remove(self, key: bytes) -> None:
        self.writes.append((key, None))

    def apply(self, changes: Changes) -> None:
        self.writes += changes

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        return iter(())


def apply(store: Cache | Tree, model: dict[bytes, bytes], writes: Writes) -> None:
    for key, value in writes:
        if value is None:
            store.remove(key)
            model.pop(key, None)
        else:
            store.set(key, value)
            model[key] = value


@given(WRITES, WRITES, WRITES, BOUNDS, BOUNDS)
def test_nested_caches_are_one_sorted_dictionary(
    base: Writes, outer: Writes, inner: Writes, start: bytes | None, end: bytes | None
) -> None:
    """Through two caches over a tree, reads and ranges are those of all changes in turn."""
    tree = Tree()
    model: dict[bytes, bytes] = {}
    apply(tree, model, base)
    block = Cache(tree)
    apply(block, model, outer)
    transaction = Cache(block)
    apply(transaction, model, inner)
    inside = [
        (key, model[key])
        for key in sorted(model)
        if (start is None or start <= key) and (end is None or key < end)
    ]

    assert inside == list(transaction.iterate(start, end))
    assert inside[::-1] == list(transaction.iterate(start, end, ascending=False))
    assert all(model.get(key) == transaction.get(key) for key, _ in base + outer + inner)


@given(WRITES, WRITES)
def test_the_parent_sees_nothing_before_the_write(base: Writes, changes: Writes) -> None:
    """It is unchanged until then; afterwards it has all changes."""
    tree = Tree()
    before: dict[bytes, bytes] = {}
    apply(tree, before, base)
    after = dict(before)
    cache = Cache(tree)
    apply(cache, after, changes)

    assert before == dict(tree.iterate())
    cache.write()
    assert after == dict(tree.iterate())


@given(WRITES)
def test_changes_are_flushed_once_and_in_the_order_of_their_keys(changes: Writes) -> None:
    """One write a key, the last one, sorted; a second flush writes nothing."""
    recorder = Recorder()
    cache = Cache(recorder)
    apply(cache, {}, changes)
    cache.write()
    cache.write()

    assert sorted(dict(changes).items()) == recorder.writes


@given(WRITES, WRITES)
def test_an_inner_cache_writes_to_the_outer_one(outer: Writes, inner: Writes) -> None:
    """The tree gets the changes that a single cache would have written."""
    recorder, alone = Recorder(), Recorder()
    block = Cache(recorder)
    apply(block, {}, outer)
    transaction = Cache(block)
    apply(transaction, {}, inner)
    transaction.write()
    block.write()
    single = Cache(alone)
    apply(single, {}, outer + inner)
    single.write()

    assert alone.writes == recorder.writes


def test_a_key_is_read_from_the_parent_once() -> None:
    """This holds for missing keys, too; a key that was written here is never read."""
    recorder = Recorder()
    cache = Cache(recorder)
    for key in (b"a", b"b", b"a"):
        cache.get(key)
    cache.set(b"c", b"v")
    cache.get(b"c")

    assert [b"a", b"b"] == recorder.reads


def test_changes_marked_written_stay_cached() -> None:
    """They are not written again; later changes are written alone."""
    recorder = Recorder()
    cache = Cache(recorder)
    cache.set(b"a", b"1")
    cache.remove(b"b")
    cache.mark_written()
    cache.set(b"c", b"2")
    cache.write()

    assert [(b"c", b"2")] == recorder.writes
    assert (b"1", None, b"2") == (cache.get(b"a"), cache.get(b"b"), cache.get(b"c"))
    assert ([], 3) == (recorder.reads, len(cache))
