"""The tree equals a literal model of cosmos/iavl after any operations."""

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.iavl_model import ModelTree, nodes_of
from veperf.core.errors import DataError
from veperf.workloads.transaction.iavl import (
    ExportNode,
    Tree,
    export_nodes,
    import_nodes,
)

pytestmark = pytest.mark.usefixtures("core")

KEYS = st.binary(min_size=1, max_size=2) | st.integers(0, 40).map(lambda i: b"%02d" % i)


@pytest.mark.parametrize("seed", range(40))
def test_root_hashes_of_random_operations(seed: int) -> None:
    """Sets of new keys, updates and removals in four versions give the model's root hashes."""
    random = Random(seed)
    tree, model = Tree(), ModelTree()
    keys: list[bytes] = []
    actual, expected = [], []
    for _ in range(4):
        for _ in range(random.randint(0, 80)):
            draw = random.random()
            if keys and draw < 0.25:
                key = keys.pop(random.randrange(len(keys)))
                tree.remove(key)
                model.remove(key)
                continue
            key = random.choice(keys) if keys and draw < 0.5 else random.randbytes(3)
            value = random.randbytes(random.randrange(5))
            tree.set(key, value)
            model.set(key, value)
            keys = [*dict.fromkeys([*keys, key])]
        actual.append(tree.save_version()[0])
        expected.append(model.save_version())

    assert expected == actual


def grown(count: int, versions: int = 4) -> tuple[Tree, ModelTree]:
    tree, model = Tree(), ModelTree()
    random = Random(count)
    for _ in range(versions):
        for _ in range(count):
            key, value = b"%d" % random.randrange(2 * count), random.randbytes(2)
            for target in (tree, model):
                target.set(key, value)
        gone = b"%d" % random.randrange(2 * count)
        tree.remove(gone)
        model.remove(gone)
        tree.save_version()
        model.save_version()
    return tree, model


def test_the_export_is_that_of_the_model() -> None:
    """It has key, value, version and height of every node in post-order, for each version."""
    tree, model = grown(50)

    for version, root in model.saved.items():
        nodes = export_nodes(tree.at(version))
        assert nodes_of(root) == [(n.key, n.value, n.version, n.height) for n in nodes]


def test_an_empty_version_is_exported_as_nothing() -> None:
    """It is imported as an empty tree that can continue."""
    tree = Tree()
    tree.save_version()

    assert [] == list(export_nodes(tree))
    again = import_nodes([], 1)
    assert (tree.root_hash, 1) == (again.root_hash, again.version)


def test_unsaved_changes_are_not_exported() -> None:
    """The export is the last saved version."""
    tree, _ = grown(10)
    before = list(export_nodes(tree))
    tree.set(b"new", b"v")

    assert before == list(export_nodes(tree))


EXPORT = list(export_nodes(grown(12)[0]))


@pytest.mark.parametrize("length", range(1, len(EXPORT)))
def test_an_export_that_was_cut_off_is_refused(length: int) -> None:
    """A cut export is an error, or a whole tree with another root hash."""
    try:
        tree = import_nodes(islice(EXPORT, length), 4)
    except DataError:
        return

    assert tree.root_hash != import_nodes(EXPORT, 4).root_hash


@given(st.data())
def test_an_export_with_a_wrong_node_is_refused(data: st.DataObject) -> None:
    """Changing any field of a node gives an error, or another root hash."""
    place = data.draw(st.integers(0, len(EXPORT) - 1))
    old = EXPORT[place]
    new = ExportNode(
        data.draw(st.just(old.key) | KEYS),
        data.draw(st.sampled_from([old.value, None, b"other"])),
        data.draw(st.just(old.version) | st.integers(-1, 6)),
        data.draw(st.just(old.height) | st.integers(-1, 5)),
    )
    try:
        tree = import_nodes([*EXPORT[:place], new, *EXPORT[place + 1 :]], 4)
    except DataError:
        return

    assert (new == old) is (tree.root_hash == import_nodes(EXPORT, 4).root_hash)


@pytest.mark.parametrize(
    "nodes",
    [
        EXPORT[1:],
        EXPORT[::-1],
        [*EXPORT, EXPORT[0]],
        [EXPORT[-1]],
        [ExportNode(b"a", None, 1, 0)],
        [ExportNode(b"a", b"v", 5, 0)],
        [ExportNode(b"a", b"v", 0, 0)],
        [ExportNode(b"a", b"v", 1, 0), ExportNode(b"a", b"v", 1, 0), ExportNode(b"a", None, 1, 1)],
        [ExportNode(b"a", b"v", 1, 0), ExportNode(b"b", b"v", 1, 0), ExportNode(b"a", None, 1, 1)],
        [ExportNode(b"a", b"v", 1, 0), ExportNode(b"b", b"v", 1, 0), ExportNode(b"b", None, 1, 2)],
        [ExportNode(b"a", b"v", 1, 0), ExportNode(b"b", b"v", 2, 0), ExportNode(b"b", None, 1, 1)],
        [ExportNode(b"a", b"v", 1, 0), ExportNode(b"b", b"v", 1, 0), ExportNode(b"b", b"", 1, 1)],
    ],
)
def test_invalid_exports(nodes: list[ExportNode]) -> None:
    """Nodes are out of order, missing, left over, from the future, unbalanced or mislabelled."""
    with pytest.raises(DataError):
        import_nodes(nodes, 4)


def test_the_last_version_can_not_be_pruned() -> None:
    """Nor can a future one; a pruned version can't be read any more."""
    tree, _ = grown(5)
    for version in (4, 5):
        with pytest.raises(ValueError, match="last version"):
            tree.prune(version)
    tree.prune(2)

    assert [3, 4] == tree.versions
    with pytest.raises(LookupError, match="version 2"):
        tree.at(2)
