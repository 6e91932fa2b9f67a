"""Example work on a chain of several modules: blocks of each kind of message, stores and gas."""

from collections.abc import Callable, Sequence
from typing import Any

from veperf.workloads.transaction.address import Address, address_from_bytes
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.codec import Coin, Send
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules import example_data, wire
from veperf.workloads.transaction.modules import example_virtengine as virtengine
from veperf.workloads.transaction.modules.ante import run_ante_handler, signature_checks
from veperf.workloads.transaction.modules.blocks import (
    deliver_block,
    open_caches,
    run_messages,
    write_caches,
)
from veperf.workloads.transaction.modules.context import BlockContext
from veperf.workloads.transaction.modules.example_traffic import RECIPIENTS, Signing
from veperf.workloads.transaction.modules.gas import GasMeter, MeteredStore
from veperf.workloads.transaction.modules.identity import UPLOADS_PER_BLOCK
from veperf.workloads.transaction.modules.messages import Message
from veperf.workloads.transaction.modules.transactions import SignedTransaction, decode_signed
from veperf.workloads.transaction.multistore import MultiStore, verify_value
from veperf.workloads.transaction.signature import verify_signature

_ACCOUNTS = 1_000
BLOCK = UPLOADS_PER_BLOCK
"""Transactions of a block: as many as it may have uploads."""
_TIME = 1_000_000
CHANGES = 1_000
_BIDS = 3
"""Bids on an order when one is accepted."""

_Blocks = list[list[bytes]]
"""Transactions by block."""


def _all_sign(message: Callable[[int], Message], **how: Any) -> _Blocks:
    """Return a block with a transaction of each of the first accounts."""
    return [[example_data.signed([message(i)], i, **how) for i in range(BLOCK)]]


def _send(sender: int) -> Send:
    return example_data.example_send(sender, sender + 1, 1)


def _of_the_multisig() -> _Blocks:
    sender: Address = address_from_bytes(example_data.multisig_key().address())
    coins = (Coin(CHAIN.fee_denom, 1),)
    send = Send(sender, example_data.example_address(0), coins)
    return [[example_data.multisigned([send], _ACCOUNTS, (0, 2), i) for i in range(BLOCK)]]


def _in_turn(*steps: Callable[[int], Sequence[tuple[int, Message]]]) -> _Blocks:
    """Return a block for each step: what it signs for each tenant, who signs it and the message."""
    signing = Signing()
    return [
        [signing.sign(*entry) for tenant in range(BLOCK) for entry in step(tenant)]
        for step in steps
    ]


def _order(tenant: int) -> list[tuple[int, Message]]:
    return [(tenant, virtengine.example_deployment(tenant, shape=tenant))]


def _bids(tenant: int) -> list[tuple[int, Message]]:
    providers = range(BLOCK + tenant, BLOCK + tenant + _BIDS)
    return [(i, virtengine.example_bid(tenant, i, shape=tenant)) for i in providers]


def _one_bid(tenant: int) -> list[tuple[int, Message]]:
    return _bids(tenant)[:1]


def _accept(tenant: int) -> list[tuple[int, Message]]:
    return [(tenant, virtengine.acceptance(tenant, BLOCK + tenant))]


def _end_lease(tenant: int) -> list[tuple[int, Message]]:
    return [(tenant, virtengine.end_of_lease(tenant, BLOCK + tenant))]


def _withdraw(tenant: int) -> list[tuple[int, Message]]:
    return [(BLOCK + tenant, virtengine.withdrawal(tenant, BLOCK + tenant))]


def _end_deployment(tenant: int) -> list[tuple[int, Message]]:
    return [(tenant, virtengine.end_of_deployment(tenant))]


def _upload(account: int) -> list[tuple[int, Message]]:
    return [(account, virtengine.example_upload(account))]


def _request(account: int) -> list[tuple[int, Message]]:
    return [(account, virtengine.verification(account))]


def _score(account: int) -> list[tuple[int, Message]]:
    return [(account, virtengine.example_score(account, account, 50 + account))]


def _delegate(account: int) -> list[tuple[int, Message]]:
    return [(account, example_data.delegation(account, 100))]


def _undelegate(account: int) -> list[tuple[int, Message]]:
    return [(account, example_data.undelegation(account, 40))]


def _multi_send(sender: int) -> Message:
    return example_data.example_multi_send(sender, range(sender, sender + RECIPIENTS), 1)


KINDS: dict[str, Callable[[], _Blocks]] = {
    "send": lambda: _all_sign(_send),
    "send_amino": lambda: _all_sign(_send, mode=wire.SIGN_MODE_LEGACY_AMINO_JSON),
    "send_multisig": _of_the_multisig,
    "multi_send": lambda: _all_sign(_multi_send),
    "delegate": lambda: _in_turn(_delegate),
    # All are due at one time: the queue's record of it grows, and its gas, as in the SDK.
    "undelegate": lambda: _in_turn(_delegate, _undelegate),
    "create_deployment": lambda: _in_turn(_order),
    "create_bid": lambda: _in_turn(_order, _one_bid),
    "create_lease": lambda: _in_turn(_order, _bids, _accept),
    "close_lease": lambda: _in_turn(_order, _bids, _accept, _end_lease),
    "close_bid": lambda: _in_turn(_order, _bids, _accept, _withdraw),
    "close_deployment": lambda: _in_turn(_order, _bids, _accept, _end_deployment),
    "upload_scope": lambda: _in_turn(_upload),
    "request_verification": lambda: _in_turn(_upload, _request),
    "update_score": lambda: _in_turn(_upload, _score),
}
"""Blocks of each kind of message; the last is the one that is measured, on the state after all."""


def _commit_valid(stores: MultiStore, raws: Sequence[bytes]) -> None:
    results = deliver_block(stores, raws, CHAIN, _TIME).results
    assert all(result.code is Code.OK for result in results), "the examples are valid"


class MessageBlock:
    """A block of transactions with one message of a kind, as a whole and stage by stage.

    Each call begins with the same state, and each stage with what the one before returned.
    """

    def __init__(self, kind: str) -> None:
        self._stores = example_data.genesis(_ACCOUNTS)
        *before, self._raws = KINDS[kind]()
        for raws in before:
            _commit_valid(self._stores, raws)
        _commit_valid(_branch(self._stores), self._raws)
        self._block = BlockContext(CHAIN, self._stores.version + 1, _TIME)

    def deliver(self) -> bytes:
        """Deliver the whole block; return the app hash."""
        return deliver_block(_branch(self._stores), self._raws, CHAIN, _TIME).app_hash

    def decode(self, _: object) -> list[SignedTransaction]:
        """Decode all transactions."""
        return [decode_signed(raw) for raw in self._raws]

    def verify(self, transactions: list[SignedTransaction]) -> list[SignedTransaction]:
        """Verify the signatures of each."""
        accounts = self._stores.trees["acc"]
        for transaction in transactions:
            for check in signature_checks(accounts, transaction, CHAIN.id):
                verify_signature(*check)
        return transactions

    def check(self, transactions: list[SignedTransaction]) -> "_Running":
        """Run the ante handler of each, but for its signatures."""
        stores = _branch(self._stores)
        caches = open_caches(stores)
        checked = [(item, GasMeter(item.fee.gas_limit)) for item in transactions]
        for transaction, meter in checked:
            run_ante_handler(caches, transaction, self._block, meter, verify=False)
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
        write_caches(caches)
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
