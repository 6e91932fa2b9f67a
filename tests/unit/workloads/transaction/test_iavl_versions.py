"""The tree and its saved versions equal a literal model of cosmos/iavl after any operations."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.iavl_model import ModelNode, ModelTree, hash_of, nodes_of
from veperf._native.core import NATIVE, PYTHON, is_built, use_core
from veperf.workloads.transaction.iavl import (
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


class Versions(RuleBasedStateMachine):
    """A tree and its model, with the same operations applied to both."""

    core = PYTHON

    def __init__(self) -> None:
        super().__init__()
        with use_core(self.core):
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
        with use_core(self.core):
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


class NativeVersions(Versions):
    """The same in the compiled core."""

    core = NATIVE


TestVersions = Versions.TestCase
TestVersions.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
if is_built():
    TestNativeVersions = NativeVersions.TestCase
    TestNativeVersions.settings = TestVersions.settings
