"""Root hashes are those of cosmos/iavl."""

import json
from pathlib import Path

import pytest

from tests.support.go_random import GoRandom
from veperf.workloads.transaction.iavl import EMPTY_ROOT_HASH, Tree

pytestmark = pytest.mark.usefixtures("core")

ROOTS = Path(__file__).parents[3] / "vectors" / "iavl_roots.json"


def test_roots_of_recorded_operations() -> None:
    """Random sets and removals over several commits give the recorded root hashes."""
    versions = json.loads(ROOTS.read_text())["versions"]
    tree = Tree()
    roots = []
    for version in versions:
        for name, key, *value in version["operations"]:
            if name == "set":
                tree.set(bytes.fromhex(key), bytes.fromhex(value[0]))
            else:
                tree.remove(bytes.fromhex(key))
        roots.append(tree.save_version()[0].hex())

    assert [version["root_hash"] for version in versions] == roots


def test_roots_of_iavls_own_tree_hash_test() -> None:
    """The four golden hashes of TestTreeHash in cosmos/iavl (tree_test.go)."""
    random = GoRandom(49872768940)
    tree = Tree()
    keys: list[bytes] = []
    roots = []
    for _ in range(4):
        for _ in range(4096):
            if keys and random.float64() <= 0.2:
                tree.remove(keys.pop(random.intn(len(keys))))
            elif keys and random.float64() <= 0.4:
                key = keys[random.intn(len(keys))]
                tree.set(key, random.read(16))
            else:
                key = random.read(16)
                tree.set(key, random.read(16))
                keys.append(key)
        roots.append(tree.save_version()[0].hex())

    assert [
        "58ec30fa27f338057e5964ed9ec3367e59b2b54bec4c194f10fde7fed16c2a1c",
        "91ad3ace227372f0064b2d63e8493ce8f4bdcbd16c7a8e4f4d54029c9db9570c",
        "92c25dce822c5968c228cfe7e686129ea281f79273d4a8fcf6f9130a47aa5421",
        "e44d170925554f42e00263155c19574837a38e3efed8910daccc7fa12f560fa0",
    ] == roots


def test_an_empty_tree_commits_to_the_hash_of_nothing() -> None:
    """Every version of a tree without keys has SHA256(""), as in TestVersionedEmptyTree."""
    tree = Tree()
    tree.set(b"k", b"v")
    tree.remove(b"k")

    empty = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert (empty, 1) == tree.save_version()
    assert (empty, 2) == tree.save_version()
    assert empty == EMPTY_ROOT_HASH


def test_setting_the_same_value_again_makes_a_new_leaf() -> None:
    """A value that is set again changes the root hash, since the leaf gets the new version."""
    tree = Tree()
    tree.set(b"k", b"v")
    first, _ = tree.save_version()
    same, _ = tree.save_version()
    tree.set(b"k", b"v")
    again, _ = tree.save_version()

    assert first == same
    assert first != again
