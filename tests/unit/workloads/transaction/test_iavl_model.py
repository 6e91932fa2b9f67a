"""The tree equals a literal model of cosmos/iavl after any operations."""

from itertools import islice
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.iavl_model import ModelNode, ModelTree, hash_of, nodes_of
from veperf.core.errors import DataError
from veperf.workloads.transaction.iavl import (
    ExportNode,
    Tree,
    export_nodes,
    import_nodes,
    prove_key,
    verify_membership,
    verify_non_membership,
)

KEYS = st.binary(min_size=1, max_size=2) | st.integers(0, 40).map(lambda i: b"%02d" % i)
VALUES = st.binary(max_size=3)


def content(node: ModelNode | None) -> dict[bytes, bytes]:
    return {key: value for key, value, *_ in nodes_of(node) if value is not None}


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


class Versions(RuleBasedStateMachine):
    """A tree and its model, with the same operations applied to both."""

    def __init__(self) -> None:
        super().__init__()
        self.tree, self.model = Tree(), ModelTree()
        self.now: dict[bytes, bytes] = {}

    @rule(key=KEYS, value=VALUES)
    def set(self, key: bytes, value: bytes) -> None:
        assert (key in self.now) == self.tree.set(key, value)
        self.model.set(key, value)
        self.now[key] = value

    @rule(key=KEYS)
    def remove_any(self, key: bytes) -> None:
        assert self.now.pop(key, None) == self.tree.remove(key)
        self.model.remove(key)

    @precondition(lambda self: self.now)
    @rule(data=st.data())
    def remove_one(self, data: st.DataObject) -> None:
        self.remove_any(data.draw(st.sampled_from(sorted(self.now))))

    @rule(changes=st.dictionaries(KEYS, st.none() | VALUES, max_size=20))
    def apply_sorted(self, changes: dict[bytes, bytes | None]) -> None:
        """Apply all at once to the tree, one by one to the model."""
        self.tree.apply(sorted(changes.items()))
        for key, value in sorted(changes.items()):
            if value is None:
                self.model.remove(key)
                self.now.pop(key, None)
            else:
                self.model.set(key, value)
                self.now[key] = value

    @rule()
    def save(self) -> None:
        expected = self.model.save_version()
        assert (expected, self.model.version) == self.tree.save_version()

    @rule()
    def look(self) -> None:
        """Hashing the working version early must not change what it becomes."""
        assert len(self.tree.root_hash) == 32

    @precondition(lambda self: self.tree.version > 1)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        version = data.draw(st.integers(0, self.tree.version - 1))
        self.tree.prune(version)
        for old in [v for v in self.model.saved if v <= version]:
            del self.model.saved[old]

    @precondition(lambda self: self.tree.version)
    @rule()
    def go_on_from_an_import(self) -> None:
        """Unsaved changes are lost, as in a restart of the chain."""
        version = self.tree.version
        self.tree = import_nodes(export_nodes(self.tree), version)
        self.model.root = self.model.saved[version]
        self.model.saved = {version: self.model.root}
        self.now = content(self.model.root)

    @rule(key=KEYS)
    def prove(self, key: bytes) -> None:
        if not self.now or not all(self.now.values()):
            return
        root, proof = self.tree.root_hash, prove_key(self.tree, key)
        value = self.now.get(key, b"")
        assert (key in self.now) is verify_membership(root, proof, key, value)
        assert (key not in self.now) is verify_non_membership(root, proof, key)

    @invariant()
    def reads_are_those_of_a_dictionary(self) -> None:
        assert sorted(self.now.items()) == list(self.tree.iterate())
        assert len(self.now) == len(self.tree)

    @invariant()
    def kept_versions_are_whole(self) -> None:
        saved = [version for version in self.tree.versions if version]
        assert sorted(self.model.saved) == saved
        for version in saved:
            root = self.model.saved[version]
            old = self.tree.at(version)
            assert hash_of(root) == old.root_hash
            assert content(root) == dict(old.iterate())


TestVersions = Versions.TestCase
TestVersions.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


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
