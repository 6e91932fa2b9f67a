"""Deterministic example state: keys of 32 bytes and values of 256, as VirtEngine's own tests have.

The values are hashes' output: like its random ones they don't compress, which is the most that a
snapshot's chunks can weigh. The keys are divided among the stores in the sizes of a chain's
modules: half of them accounts.
"""

from hashlib import sha256, shake_128

from veperf.workloads.transaction.iavl import Change, Tree
from veperf.workloads.transaction.multistore import app_hash

HEIGHT = 1
VALUE_BYTES = 256
STORES = {"bank": 2, "market": 1, "veid": 1}
"""The stores, each with its share of the keys in quarters."""


def state_key(index: int) -> bytes:
    """Return the key of the entry with this number, 32 bytes."""
    return sha256(b"key_%d" % index).digest()


def state_value(index: int, generation: int = 0) -> bytes:
    """Return the value of an entry, 256 bytes; another for each generation."""
    return shake_128(b"value_%d_%d" % (index, generation)).digest(VALUE_BYTES)


def example_store(keys: int, first: int = 0) -> Tree:
    """Return a store of the entries with the numbers from ``first`` on, saved as version 1."""
    numbers = range(first, first + keys)
    tree = Tree.from_sorted(sorted((state_key(i), state_value(i)) for i in numbers))
    tree.save_version()
    return tree


def example_state(keys: int) -> dict[str, Tree]:
    """Return a state of ``keys`` entries in all, saved at height 1."""
    state: dict[str, Tree] = {}
    first = parts = 0
    for name, share in STORES.items():
        parts += share
        end = keys * parts // sum(STORES.values())
        state[name] = example_store(end - first, first)
        first = end
    return state


def state_hash(state: dict[str, Tree]) -> bytes:
    """Return the app hash of the last saved version of ``state``."""
    return app_hash({name: tree.at(tree.version).root_hash for name, tree in state.items()})


def example_changes(keys: int, count: int) -> list[Change]:
    """Return new values for ``count`` entries of the first ``keys``, in the order of their keys."""
    numbers = [index * keys // count for index in range(count)]
    return sorted((state_key(index), state_value(index, 1)) for index in numbers)
