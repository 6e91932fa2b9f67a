"""The compiled tree is Python's tree: the same nodes, bytes and errors, whatever is done to it."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.stores import dump, make_store, write_block
from veperf._native.core import NATIVE, PYTHON, compiled_kernels, is_built, use_core
from veperf.workloads.transaction.iavl import Tree, export_nodes, import_nodes, prove_key
from veperf.workloads.transaction.iavl.encoding import encode_changes, encode_slice, subtrees_behind
from veperf.workloads.transaction.tree_store import Store

pytestmark = pytest.mark.skipif(not is_built(), reason="no compiled kernels")

# Keys that agree in the first 8 bytes, that are the beginning of others, and long ones.
KEYS = st.one_of(
    st.binary(max_size=2),
    st.integers(0, 60).map(lambda i: b"account/%d" % i),
    st.integers(0, 3).map(lambda i: bytes(8 + i)),
    st.just(b"k" * 300),
)
VALUES = st.one_of(st.binary(max_size=3), st.just(bytes(70)), st.just(b"v" * 70_000))
CHANGES = st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=40)
SORTED = st.dictionaries(KEYS, st.none() | VALUES, max_size=40).map(lambda x: sorted(x.items()))


def new_trees() -> tuple[Tree, Tree]:
    """An empty tree in each core."""
    with use_core(PYTHON):
        python = Tree()
    with use_core(NATIVE):
        return python, Tree()


@pytest.fixture(scope="module")
def kernels() -> Any:
    """The compiled kernels."""
    with use_core(NATIVE):
        return compiled_kernels()


def nodes(tree: Tree) -> list[tuple[Any, ...]]:
    """All that there is to know of the nodes of the working tree."""
    found, pending = [], [tree.root] if tree.root is not None else []
    while pending:
        node = pending.pop()
        found.append((node.key, node.value, node.version, node.height, node.size, node.hash))
        if node.height:
            pending += [node.left, node.right]
    return found


def one_by_one(tree: Tree, changes: list[tuple[bytes, bytes | None]]) -> list[object]:
    """What each change returns."""
    return [tree.remove(k) if v is None else tree.set(k, v) for k, v in changes]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CHANGES, SORTED, st.booleans()), max_size=5))
def test_any_history_gives_the_same_nodes(history: list[tuple[Any, Any, bool]]) -> None:
    """Sets, removals and batches, saved and unsaved, hashed early or not."""
    python, native = new_trees()
    for single, batch, is_looked_at in history:
        assert one_by_one(python, single) == one_by_one(native, single)
        if is_looked_at:
            assert python.root_hash == native.root_hash
        python.apply(batch)
        native.apply(batch)
        assert list(python.iterate()) == list(native.iterate())
        assert python.changes == native.changes
        assert python.save_version() == native.save_version()
        assert nodes(python) == nodes(native)
        assert list(export_nodes(python)) == list(export_nodes(native))
    for version in python.versions:
        assert nodes(python.at(version)) == nodes(native.at(version))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(KEYS, VALUES), st.data())
def test_bytes_are_the_same(content: dict[bytes, bytes], data: st.DataObject) -> None:
    """Snapshots in slices of any size, proofs, exports and what is built from them."""
    with use_core(PYTHON):
        python = Tree.from_sorted(sorted(content.items()))
    with use_core(NATIVE):
        native = Tree.from_sorted(sorted(content.items()))
    assert python.save_version() == native.save_version()
    assert nodes(python) == nodes(native)
    slices: list[bytes] = []
    if python.root is not None and native.root is not None:
        ends = data.draw(st.lists(st.integers(0, 2 * len(content)), max_size=4))
        left: tuple[tuple[Any, ...], tuple[Any, ...]] = (python.root,), (native.root,)
        for start, end in pairwise(sorted({0, *ends, 2 * len(content) - 1})):
            slices.append(encode_slice(left[0], end - start))
            assert slices[-1] == encode_slice(left[1], end - start)
            left = (subtrees_behind(left[0], end - start), subtrees_behind(left[1], end - start))
    later = data.draw(st.lists(CHANGES, max_size=8))
    sets = [encode_changes(changes) for changes in later]
    loaded = []
    for core in (PYTHON, NATIVE):
        with use_core(core):
            tree = Tree.load(slices, 1, sets)
            loaded.append((tree.root_hash, tree.version, tree.versions, nodes(tree)))
            again = import_nodes(export_nodes(tree), tree.version)
            assert nodes(tree) == nodes(again)
    assert loaded[0] == loaded[1]
    for tree in (python, native):
        tree.replay(sets)
        assert loaded[0][0] == tree.root_hash
    assert nodes(python) == nodes(native)
    if len(content) > 1 and all(content) and all(content.values()):
        for key in (*content, b"account/", b"\xff" * 9):
            with suppress(ValueError):
                assert prove_key(python.at(python.version), key) == prove_key(native, key)


def test_a_tree_keeps_its_core() -> None:
    """Branches, old versions and empty ones are of the core that made the tree."""
    for core, other in ((PYTHON, NATIVE), (NATIVE, PYTHON)):
        with use_core(core):
            tree = Tree()
            kind = type(tree)
        with use_core(other):
            tree.set(b"k", b"v")
            tree.save_version()
            tree.remove(b"k")
            tree.save_version()
            assert {kind} == {type(tree.at(version)) for version in tree.versions}
            assert kind is type(tree.branch())
            assert type(Tree(tree.at(1).root, 1)) is kind
            assert kind is not type(Tree())


def test_a_root_that_was_looked_at_stays() -> None:
    """Of a saved version, whatever happens to the tree, and after the tree is gone."""
    _, tree = new_trees()
    for i in range(200):
        tree.set(b"%d" % i, b"old")
    tree.save_version()
    root = tree.root
    assert root is not None
    before = nodes(tree)
    tree.apply(sorted((b"%d" % i, b"new" if i % 3 else None) for i in range(200)))
    tree.replay([encode_changes([(b"%d" % i, b"newer")]) for i in range(200)])
    del tree
    gc.collect()

    assert before == nodes(Tree(root, 1))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda tree: tree.set("k", b"v"), TypeError),
        (lambda tree: tree.set(b"k", bytearray(b"v")), TypeError),
        (lambda tree: tree.set(b"k", None), TypeError),
        (lambda tree: tree.apply([(b"b", b""), (b"a", b"")]), ValueError),
        (lambda tree: tree.apply([(b"a", b""), (b"a", b"")]), ValueError),
        (lambda tree: tree.from_sorted([(b"b", b""), (b"a", b"")]), ValueError),
        (lambda tree: tree.replay([b"\x91\x92\xc4\x01k"]), ValueError),
        (lambda tree: tree.replay([b"\xdd\xff\xff\xff\xff"]), ValueError),
        (lambda tree: tree.load([b"\x91\x01"], 1), ValueError),
        (lambda tree: tree.load([b"\xc1"], 1), ValueError),
        (lambda tree: tree.at(7), LookupError),
    ],
)
def test_errors_are_the_same(call: Callable[[Tree], object], error: type[Exception]) -> None:
    """And the tree is as it was."""
    for tree in new_trees():
        tree.set(b"k", b"v")
        before = tree.branch().save_version()
        with use_core(NATIVE if type(tree) is not Tree else PYTHON), pytest.raises(error):
            call(tree)

        assert (before, [(b"k", b"v")]) == (tree.save_version(), list(tree.iterate()))


def answer(core: str, slices: list[bytes], sets: list[bytes]) -> object:
    """What a core makes of the bytes: root hash and nodes, or its words of refusal."""
    with use_core(core):
        try:
            tree = Tree.load(slices, 1, sets)
        except ValueError as error:
            return str(error)
        return tree.root_hash, nodes(tree)


NUMBERS = [
    b"\x07",
    *(head + b"\x07" for head in (b"\xcc", b"\xcd\0", b"\xd0", b"\xd1\0", b"\xd2\0\0\0")),
]
LEAF = b"\x07\xc4\x01k\xc4\x01v"


@pytest.mark.parametrize("leaf", [b"\x93", b"\xdc\0\x03", b"\xdd\0\0\0\x03"])
@pytest.mark.parametrize("number", NUMBERS)
def test_msgpack_of_other_writers(leaf: bytes, number: bytes) -> None:
    """Arrays and numbers in wider forms than needed are the same ones."""
    slices = [b"\x91" + leaf + number + LEAF[1:], b"\xdc\0\0"]

    assert answer(PYTHON, [b"\x91\x93" + LEAF], []) == answer(PYTHON, slices, [])
    assert answer(PYTHON, slices, []) == answer(NATIVE, slices, [])


@pytest.mark.parametrize(
    "number", [b"\xff", b"\xd0\x80", b"\xd3" + b"\xff" * 8, b"\xcf" + b"\xff" * 8]
)
def test_a_version_is_a_natural_number(number: bytes) -> None:
    """A negative one, and one past 64 bits with a sign, are of no commit."""
    slices = [b"\x91\x93" + number + LEAF[1:]]

    assert "is no version" in str(answer(PYTHON, slices, []))
    assert answer(PYTHON, slices, []) == answer(NATIVE, slices, [])


def test_replaying_nothing() -> None:
    """Changes that are not saved stay so."""
    for tree in new_trees():
        tree.set(b"k", b"v")

        tree.replay([])
        assert ([(b"k", b"v")], [0]) == (list(tree.changes), tree.versions)


def test_kernels_refuse_what_is_no_tree(kernels: Any) -> None:
    """Other objects, other numbers of arguments, and nodes that nobody may make."""
    leaf = kernels.tree_leaf(b"k", b"v", 1)
    second = kernels.tree_inner(leaf, kernels.tree_leaf(b"l", b"v", 1), 1)
    third = kernels.tree_inner(second, kernels.tree_leaf(b"m", b"v", 1), 1)
    refused = [
        lambda: kernels.tree_get("root", b"k"),
        lambda: kernels.tree_get(leaf),
        lambda: kernels.tree_set(leaf, b"k", b"v", "1"),
        lambda: kernels.tree_set(leaf, b"k", b"v", 1 << 63),
        lambda: kernels.tree_apply(leaf, [b"kv"], 1),
        lambda: kernels.tree_apply(leaf, [(b"k",)], 1),
        lambda: kernels.tree_inner(third, leaf, 1),
        lambda: kernels.tree_load(([],), (), 1),
        lambda: kernels.tree_from_sorted([(b"k", None)], 1),
        lambda: type(leaf)(),
        lambda: setattr(leaf, "key", b"other"),
    ]
    for call in refused:
        with pytest.raises((TypeError, ValueError, OverflowError, AttributeError)):
            call()


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_an_error_or_a_tree(kernels: Any, data: st.DataObject) -> None:
    """The same in both cores, in a snapshot or in a change set."""
    content = data.draw(st.dictionaries(st.binary(max_size=2), st.binary(max_size=2), max_size=9))
    root = kernels.tree_from_sorted(sorted(content.items()), 1)
    snapshot = kernels.tree_slice((root,), 99) if root else b"\x90"
    damaged = []
    for whole in (snapshot, encode_changes(sorted(content.items()))):
        place = data.draw(st.integers(0, len(whole)))
        cut = data.draw(st.integers(0, 3))
        damaged.append(whole[:place] + data.draw(st.binary(max_size=4)) + whole[place + cut :])
    for slices, sets in (((damaged[0],), ()), ((snapshot,), (damaged[1],)), ((), tuple(damaged))):
        assert answer(PYTHON, list(slices), list(sets)) == answer(NATIVE, list(slices), list(sets))


@given(st.binary(max_size=300))
def test_hashes(kernels: Any, data: bytes) -> None:
    """With the processor's instructions and without."""
    assert {sha256(data).digest()} == {kernels.sha256(data, False), kernels.sha256(data, True)}


def test_a_store_is_the_same_bytes(tmp_path: Path) -> None:
    """Whichever core writes it, and either goes on with what the other left."""
    for core, other in ((PYTHON, NATIVE), (NATIVE, PYTHON)):
        with use_core(core):
            make_store(tmp_path / core, 12)
        with use_core(other), Store(tmp_path / core) as store:
            tree = store.load()
            for height in (13, 14):
                write_block(tree, height)
                store.commit(tree)

    assert dump(tmp_path / PYTHON) == dump(tmp_path / NATIVE)


def readers(saved: Tree, expected: list[tuple[bytes, bytes]], stop: Event) -> Iterator[Thread]:
    """Threads that read a saved version until they are stopped, and fail with it."""

    def read() -> None:
        while not stop.is_set():
            assert expected == list(saved.iterate())
            assert all(saved.get(key) == value for key, value in expected[::7])
            assert saved.branch().save_version()[0] == saved.root_hash

    for _ in range(2):
        yield Thread(target=read)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_threads_share_a_tree() -> None:
    """Others read a saved version, and wait for the one that is being changed and hashed."""
    _, tree = new_trees()
    _, alone = new_trees()
    random = Random(5)
    keys = [b"%d" % i for i in range(2_000)]
    for each in (tree, alone):
        each.apply(sorted((key, b"0") for key in keys))
        each.save_version()
    stop = Event()
    saved = tree.at(1)
    threads = [*readers(saved, list(saved.iterate()), stop)]
    threads.append(Thread(target=lambda: [tree.get(b"7") for _ in iter(stop.is_set, True)]))
    for thread in threads:
        thread.start()
    try:
        for version in range(20):
            changes = sorted((key, b"%d" % version) for key in random.sample(keys, 500))
            single = random.choice(keys)
            for each in (tree, alone):
                each.apply(changes)
                each.set(single, b"")
                each.remove(b"%d" % version)
            assert alone.save_version() == tree.save_version()
            tree.prune(tree.version - 1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert nodes(alone) == nodes(tree)
