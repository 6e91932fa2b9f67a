"""The tree behaves as a sorted dictionary with versions, and stays an AVL tree."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.iavl import Tree, TreeNode

pytestmark = pytest.mark.usefixtures("core")

KEYS = st.binary(min_size=1, max_size=2)
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=3)), max_size=60)
BOUNDS = st.none() | KEYS


def apply(tree: Tree, model: dict[bytes, bytes], writes: list[tuple[bytes, bytes | None]]) -> None:
    for key, value in writes:
        if value is None:
            assert model.pop(key, None) == tree.remove(key)
        else:
            assert (key in model) == tree.set(key, value)
            model[key] = value


def content(tree: Tree) -> dict[bytes, bytes]:
    return dict(tree.iterate())


def check_shape(node: TreeNode) -> tuple[bytes, bytes]:
    """Check order, sizes, heights and balance below ``node``; return its extreme keys."""
    if not node.height:
        assert 1 == node.size
        return node.key, node.key
    smallest, left_greatest = check_shape(node.left)
    right_smallest, greatest = check_shape(node.right)
    assert left_greatest < right_smallest == node.key
    assert node.left.size + node.right.size == node.size
    assert 1 + max(node.left.height, node.right.height) == node.height
    assert abs(node.left.height - node.right.height) <= 1
    return smallest, greatest


@given(st.lists(WRITES, max_size=4), BOUNDS, BOUNDS)
def test_it_is_a_sorted_dictionary(
    versions: list[list[tuple[bytes, bytes | None]]], start: bytes | None, end: bytes | None
) -> None:
    """Reads, lengths and ranges, both ways, are those of a dictionary, over several commits."""
    tree = Tree()
    model: dict[bytes, bytes] = {}
    for writes in versions:
        apply(tree, model, writes)
        inside = [
            (key, model[key])
            for key in sorted(model)
            if (start is None or start <= key) and (end is None or key < end)
        ]

        assert len(model) == len(tree)
        assert inside == list(tree.iterate(start, end))
        assert inside[::-1] == list(tree.iterate(start, end, ascending=False))
        assert all(model.get(key) == tree.get(key) for key, _ in writes)
        tree.save_version()


@given(st.lists(WRITES, max_size=4))
def test_it_stays_an_avl_tree(versions: list[list[tuple[bytes, bytes | None]]]) -> None:
    """After any writes every node is in order, balanced and measured right."""
    tree = Tree()
    for writes in versions:
        apply(tree, dict(tree.iterate()), writes)
        if tree.root is not None:
            check_shape(tree.root)
        tree.save_version()


@given(st.lists(WRITES, min_size=1, max_size=4))
def test_saved_versions_never_change(versions: list[list[tuple[bytes, bytes | None]]]) -> None:
    """Later writes change neither the content nor the root hash of an old version."""
    tree = Tree()
    model: dict[bytes, bytes] = {}
    saved = []
    for writes in versions:
        apply(tree, model, writes)
        root_hash, version = tree.save_version()
        saved.append((version, root_hash, dict(model)))

    for version, root_hash, old in saved:
        assert old == content(tree.at(version))
        assert root_hash == tree.at(version).root_hash


@given(WRITES, WRITES, WRITES)
def test_branches_do_not_see_each_other(
    before: list[tuple[bytes, bytes | None]],
    tree_changes: list[tuple[bytes, bytes | None]],
    branch_changes: list[tuple[bytes, bytes | None]],
) -> None:
    """A branch of unsaved changes and its origin are independent."""
    tree, alone = Tree(), Tree()
    model: dict[bytes, bytes] = {}
    apply(tree, model, before)
    apply(alone, {}, before)
    branch, other = tree.branch(), dict(model)
    apply(branch, other, branch_changes)
    apply(tree, model, tree_changes)
    apply(alone, content(alone), tree_changes)

    assert other == content(branch)
    assert model == content(tree)
    assert alone.save_version() == tree.save_version()


@given(WRITES)
def test_looking_at_the_root_hash_changes_nothing(
    writes: list[tuple[bytes, bytes | None]],
) -> None:
    """Asking for the working hash between writes gives the same root in the end."""
    watched, alone = Tree(), Tree()
    for write in writes:
        apply(watched, content(watched), [write])
        assert watched.root_hash
        apply(alone, content(alone), [write])

    assert alone.save_version() == watched.save_version()


@given(st.dictionaries(KEYS, st.binary(max_size=3), max_size=80))
def test_from_sorted_is_setting_breadth_first(items: dict[bytes, bytes]) -> None:
    """The tree that is built at once is one that setting the keys in some order gives."""
    built = Tree.from_sorted(sorted(items.items()))
    order = [min(items)] if items else []
    level = [built.root] if built.root is not None else []
    while level:
        inner = [node for node in level if node.height]
        order += [node.key for node in inner]
        level = [child for node in inner for child in (node.left, node.right)]
    grown = Tree()
    for key in order:
        grown.set(key, items[key])

    assert items == content(grown)
    assert grown.save_version() == built.save_version()


@pytest.mark.parametrize("keys", [[b"b", b"a"], [b"a", b"a"]])
def test_from_sorted_refuses_another_order(keys: list[bytes]) -> None:
    """Keys that descend or repeat are an error, not a broken tree."""
    with pytest.raises(ValueError, match="ascending"):
        Tree.from_sorted((key, b"") for key in keys)


def test_removing_a_key_that_is_not_there_changes_nothing() -> None:
    """The root hash of the next version is that of the last."""
    tree = Tree()
    for key in b"abcdef":
        tree.set(bytes([key]), b"v")
    before, _ = tree.save_version()

    assert tree.remove(b"x") is None
    assert before == tree.save_version()[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [(b"k", None), (b"k", "v"), ("k", b"v"), (None, b"v"), (bytearray(b"k"), b"v"), (b"k", 1)],
)
def test_only_bytes_get_into_a_tree(key: Any, value: Any) -> None:
    """Other types are rejected before anything is changed."""
    tree = Tree()
    tree.set(b"a", b"1")
    before = tree.root_hash
    with pytest.raises(TypeError, match="bytes"):
        tree.set(key, value)

    assert (before, 1, [(b"a", b"1")]) == (tree.root_hash, len(tree), list(tree.changes))


def test_an_unknown_version_is_an_error() -> None:
    """Only saved versions can be read."""
    with pytest.raises(LookupError, match="version 3"):
        Tree().at(3)


def test_iterating_goes_on_over_the_tree_as_it_was() -> None:
    """Writes during an iteration neither show in it nor break it."""
    tree = Tree()
    keys = [bytes([i]) for i in range(50)]
    for key in keys:
        tree.set(key, b"old")
    seen = []
    for key, value in tree.iterate():
        seen.append((key, value))
        tree.remove(key)
        tree.set(b"\xff" + key, b"new")

    assert [(key, b"old") for key in keys] == seen
    assert 50 == len(tree)


@given(WRITES, WRITES, WRITES)
def test_replaying_the_changes_gives_the_tree(
    before: list[tuple[bytes, bytes | None]],
    once: list[tuple[bytes, bytes | None]],
    more: list[tuple[bytes, bytes | None]],
) -> None:
    """They may have been applied one by one, sorted or in a branch."""
    tree = Tree()
    apply(tree, {}, before)
    tree.save_version()
    apply(tree, content(tree), once)
    tree.apply(sorted(dict(more).items()))
    branch = tree.branch()
    apply(branch, content(branch), once)
    again = tree.at(tree.version)
    for key, value in branch.changes:
        if value is None:
            again.remove(key)
        else:
            again.set(key, value)

    assert again.save_version() == branch.save_version()
    assert [] == branch.changes


@pytest.mark.parametrize("keys", [[b"b", b"a"], [b"a", b"a"]])
def test_apply_refuses_another_order(keys: list[bytes]) -> None:
    """Keys that descend or repeat are an error, and nothing is changed."""
    tree = Tree()
    with pytest.raises(ValueError, match="ascending"):
        tree.apply([(key, b"") for key in keys])

    assert (0, []) == (len(tree), tree.changes)
