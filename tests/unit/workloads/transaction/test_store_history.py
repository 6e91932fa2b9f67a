"""A store has the tree's history after any operations in any order, and after any stop."""

from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.iavl_model import ModelTree
from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.transaction.iavl import Tree, export_nodes, import_nodes
from veperf.workloads.transaction.tree_store import Store

KEYS = st.integers(0, 60).map(lambda i: b"%02d" % i)
VALUES = st.binary(max_size=3)
OPERATIONS = st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=25)


class Chain(RuleBasedStateMachine):
    """A chain on disk that is stopped, replayed and pruned, and the literal model of its tree."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.keep: int | None = None
        self.open()
        self.model = ModelTree()
        self.roots: dict[int, bytes] = {}
        self.oldest, self.last = 1, 0

    def open(self) -> None:
        self.store = Store(Path(self.folder.name), max_bytes=1 << 24, keep=self.keep)
        self.tree = self.store.load()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(operations=OPERATIONS)
    def one_by_one(self, operations: list[tuple[bytes, bytes | None]]) -> None:
        """Set and remove in any order, with repeats."""
        for key, value in operations:
            if value is None:
                self.tree.remove(key)
                self.model.remove(key)
            else:
                self.tree.set(key, value)
                self.model.set(key, value)

    @rule(changes=st.dictionaries(KEYS, st.none() | VALUES, max_size=25))
    def at_once(self, changes: dict[bytes, bytes | None]) -> None:
        """Apply sorted changes, as a block does; one by one in the model."""
        self.tree.apply(sorted(changes.items()))
        for key, value in sorted(changes.items()):
            if value is None:
                self.model.remove(key)
            else:
                self.model.set(key, value)

    @rule()
    def look(self) -> None:
        """Hashing the working version early changes nothing."""
        assert len(self.tree.root_hash) == 32

    @rule()
    def branch_off(self) -> None:
        """A branch has the unsaved changes."""
        self.tree = self.tree.branch()

    @rule()
    def commit(self) -> None:
        root_hash = self.model.save_version()
        self.last = self.model.version
        self.roots[self.last] = root_hash
        assert (root_hash, self.last) == self.store.commit(self.tree)
        if self.keep is not None:
            (oldest, *_) = self.store.versions
            assert self.oldest <= oldest <= max(self.oldest, self.last - self.keep + 1)
            self.oldest = oldest

    @rule(keep=st.none() | st.integers(1, 5))
    def stop_and_go_on(self, keep: int | None) -> None:
        """Unsaved changes are lost in a restart."""
        self.store.close()
        self.keep = keep
        self.open()
        self.set_model_to(self.last)

    @precondition(lambda self: self.last == 1 or self.last > self.oldest)
    @rule()
    def go_back_one_version(self) -> None:
        """The next commit replaces the last."""
        self.tree = self.store.load(self.last - 1) if self.last > 1 else Tree()
        self.set_model_to(self.last - 1)

    @precondition(lambda self: self.tree.version == self.last > 1)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        version = data.draw(st.integers(0, self.last - 1))
        self.store.prune(version)
        self.oldest = max(self.oldest, version + 1)

    @rule()
    def load_all(self) -> None:
        for version in self.store.versions:
            tree = self.store.load(version)
            assert (self.roots[version], version) == (tree.root_hash, tree.version)

    @invariant()
    def versions_are_those_that_are_kept(self) -> None:
        assert list(range(self.oldest, self.last + 1)) == self.store.versions

    def set_model_to(self, version: int) -> None:
        self.model.version = version
        self.model.root = self.model.saved[version] if version else None


TestChain = Chain.TestCase
TestChain.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """Make a store of twelve versions with several snapshots; return it with their root hashes."""
    folder = tmp_path_factory.mktemp("chain")
    with Store(folder, max_bytes=1 << 22) as store:
        tree = store.load()
        roots = []
        for height in range(12):
            for i in range(8):
                tree.set(b"%02d" % (height * i % 30), b"%d" % height)
            tree.remove(b"%02d" % height)
            roots.append(store.commit(tree)[0])
    return folder, roots


@pytest.mark.slow
@given(st.data())
@settings(deadline=None, max_examples=150)
def test_no_damaged_record_is_believed(
    chain: tuple[Path, list[bytes]], data: st.DataObject
) -> None:
    """A lost, altered, cut or swapped record gives an error, or the committed version."""
    original, roots = chain
    with TemporaryDirectory() as name:
        copyfile(original / "data.mdb", Path(name) / "data.mdb")
        with lmdb.open(name, map_size=1 << 22) as environment, environment.begin(write=True) as t:
            records = [(bytes(key), bytes(value)) for key, value in t.cursor()]
            key, value = data.draw(st.sampled_from(records))
            place = data.draw(st.integers(0, len(value) - 1))
            damage = data.draw(
                st.sampled_from([None, value[:place], value + b"\0"])
                | st.integers(0, 255).map(lambda b: value[:place] + bytes([b]) + value[place + 1 :])
                | st.sampled_from([value for _, value in records])
                | st.binary(max_size=50)
            )
            if damage is None:
                t.delete(key)
            else:
                t.put(key, damage)
        try:
            store = Store(Path(name), max_bytes=1 << 22)
        except DataError:
            return
        with store:
            for version in store.versions:
                try:
                    tree = store.load(version)
                except CorruptFileError:
                    continue
                assert roots[version - 1] == tree.root_hash
                assert tree.root_hash == import_nodes(export_nodes(tree), version).root_hash
