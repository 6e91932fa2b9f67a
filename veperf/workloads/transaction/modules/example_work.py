"""Example work on a chain of several modules: blocks of each kind of message, stores and gas."""

from collections.abc import Callable
from typing import Any

from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.codec import Coin, Send
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules import example_data, wire
from veperf.workloads.transaction.modules.blocks import (
    STORES,
    BlockContext,
    deliver_block,
    run_ante_handler,
    run_messages,
)
from veperf.workloads.transaction.modules.gas import GasMeter, MeteredStore
from veperf.workloads.transaction.modules.transactions import SignedTransaction, decode_signed
from veperf.workloads.transaction.multistore import MultiStore, verify_value

_ACCOUNTS = 1_000
BLOCK = 100
_TIME = 1_000_000
_RECIPIENTS = 10
CHANGES = 1_000


def _signed_by_all(message: Callable[[int], Any], sequence: int = 0, **how: Any) -> list[bytes]:
    """Return a transaction of each of the first accounts, so that all are of one block."""
    return [example_data.signed([message(i)], i, sequence, **how) for i in range(BLOCK)]


def _send(sender: int) -> Send:
    return example_data.example_send(sender, sender + 1, 1)


def _multi_send(sender: int) -> Any:
    return example_data.example_multi_send(sender, range(sender, sender + _RECIPIENTS), 1)


def _of_the_multisig() -> list[bytes]:
    sender = address_from_bytes(example_data.multisig_key().address())
    coins = (Coin(CHAIN.fee_denom, 1),)
    send = Send(sender, example_data.example_address(0), coins)
    return [example_data.multisigned([send], _ACCOUNTS, (0, 2), i) for i in range(BLOCK)]


_KINDS: dict[str, Callable[[], list[bytes]]] = {
    "send": lambda: _signed_by_all(_send),
    "send_amino": lambda: _signed_by_all(_send, mode=wire.SIGN_MODE_LEGACY_AMINO_JSON),
    "send_multisig": _of_the_multisig,
    "multi_send": lambda: _signed_by_all(_multi_send),
    "delegate": lambda: _signed_by_all(lambda i: example_data.delegation(i, 100)),
    # All are due at one time: the queue's record of it grows, and its gas, as in the SDK.
    "undelegate": lambda: _signed_by_all(
        lambda i: example_data.undelegation(i, 40), 1, fee=example_data.example_fee(1_000_000)
    ),
}


def _commit_valid(stores: MultiStore, raws: list[bytes]) -> None:
    results = deliver_block(stores, raws, CHAIN, _TIME).results
    assert all(result.code is Code.OK for result in results), "the examples are valid"


class MessageBlock:
    """A block of transactions with one message of a kind, as a whole and stage by stage.

    Each call begins with the same state, and each stage with what the one before returned.
    """

    def __init__(self, kind: str) -> None:
        self._stores = example_data.genesis(_ACCOUNTS)
        _commit_valid(self._stores, _KINDS["delegate"]() if kind == "undelegate" else [])
        self._raws = _KINDS[kind]()
        _commit_valid(_branch(self._stores), self._raws)
        self._block = BlockContext(CHAIN, self._stores.version + 1, _TIME)

    def deliver(self) -> bytes:
        """Deliver the whole block; return the app hash."""
        return deliver_block(_branch(self._stores), self._raws, CHAIN, _TIME).app_hash

    def decode(self, _: object) -> list[SignedTransaction]:
        """Decode all transactions."""
        return [decode_signed(raw) for raw in self._raws]

    def check(self, transactions: list[SignedTransaction]) -> "_Running":
        """Run the ante handler of each."""
        stores = _branch(self._stores)
        caches = {name: Cache(stores.trees[name]) for name in STORES}
        checked = [(item, GasMeter(item.fee.gas_limit)) for item in transactions]
        for transaction, meter in checked:
            run_ante_handler(caches, transaction, self._block, meter)
        return stores, caches, checked

    def run(self, running: "_Running") -> "_Running":
        """Run the messages of each."""
        _, caches, checked = running
        for transaction, meter in checked:
            run_messages(caches, transaction, self._block, meter)
        return running

    def commit(self, running: "_Running") -> bytes:
        """Write what changed, and commit it; return the app hash."""
        stores, caches, _ = running
        for cache in caches.values():
            cache.write()
        return stores.commit()[0]


_Running = tuple[MultiStore, dict[str, Cache], list[tuple[SignedTransaction, GasMeter]]]


def _branch(stores: MultiStore) -> MultiStore:
    return MultiStore({name: tree.branch() for name, tree in stores.trees.items()})


def _example_stores(count: int) -> MultiStore:
    """Return unsaved stores with the same number of keys in all, whatever their number."""
    names = [f"store{number:02d}" for number in range(count)]
    trees = {}
    for number, name in enumerate(names):
        keys = range(number, _ACCOUNTS * 10, count)
        trees[name] = Tree.from_sorted((b"key %08d" % key, b"value %d" % key) for key in keys)
    return MultiStore(trees)


def commit_stores(count: int) -> Callable[[], bytes]:
    """Write 1,000 of 10,000 values that are spread over several stores, and commit the app hash."""
    chain = _example_stores(count)
    chain.commit()
    changes: dict[str, list[tuple[bytes, bytes | None]]] = {}
    for name, tree in chain.trees.items():
        keys = [key for key, _ in tree.iterate()][:: 10_000 // CHANGES]
        changes[name] = [(key, b"changed") for key in keys]

    def call() -> bytes:
        branch = _branch(chain)
        for name, tree in branch.trees.items():
            tree.apply(changes[name])
        return branch.commit()[0]

    return call


def prove_value(count: int) -> Callable[[], bool]:
    """Prove a value to its store's root hash and that to the app hash, and verify both."""
    chain = _example_stores(count)
    hash_of_app, _ = chain.commit()
    name, tree = next(iter(chain.trees.items()))
    key, value = next(tree.iterate())

    def call() -> bool:
        return verify_value(hash_of_app, chain.prove(name, key), name, key, value)

    return call


def meter_gas(*, metered: bool) -> Callable[[], bytes | None]:
    """A write to a cache and a read of it, with the gas of both; ``metered=0`` is without."""
    tree = Tree()
    keys = [b"key %08d" % number for number in range(CHANGES)]

    def call() -> bytes | None:
        cache = Cache(tree)
        store = MeteredStore(cache, GasMeter(1 << 62)) if metered else cache
        value = None
        for key in keys:
            store.set(key, key)
            value = store.get(key)
        return value

    return call
