"""Blocks of transactions of all kinds on the stores of several modules, with gas.

As in the SDK there are two steps, each on a cache of its own. The ante handler checks the
transaction, takes the fee and increments the signers' sequences; what it rejects, also for lack of
gas, changes nothing and pays nothing. Then the messages run, all or none: when one fails or the gas
runs out, their changes are dropped, but the fee is gone and the sequences are used.

Gas is that of these stores' own accesses by the SDK's cost table; the SDK's modules also read their
parameters, and its account records are longer.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.codec import Send
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import Chain
from veperf.workloads.transaction.modules import (
    identity,
    identity_messages,
    market,
    market_messages,
    staking,
)
from veperf.workloads.transaction.modules.ante import all_or_nothing, run_ante_handler
from veperf.workloads.transaction.modules.bank import transfer_coins
from veperf.workloads.transaction.modules.context import STORES, BlockContext, Stores
from veperf.workloads.transaction.modules.gas import GasMeter
from veperf.workloads.transaction.modules.messages import (
    Delegate,
    Message,
    MultiSend,
    Output,
    Undelegate,
)
from veperf.workloads.transaction.modules.transactions import SignedTransaction, decode_signed
from veperf.workloads.transaction.multistore import MultiStore


class DeliveredTransaction(Struct, frozen=True):
    """The result of a transaction."""

    code: Code
    log: str
    """Reason for the rejection or failure."""
    gas_wanted: int
    gas_used: int
    """As in the SDK, over the limit when the gas ran out."""
    paid: bool
    """If the fee was taken and the sequences used."""


class DeliveredBlock(Struct, frozen=True):
    """The result of a block."""

    height: int
    app_hash: bytes
    results: tuple[DeliveredTransaction, ...]


def deliver_block(
    stores: MultiStore, transactions: Iterable[bytes], chain: Chain, time: int
) -> DeliveredBlock:
    """Run ``transactions`` in their order, return unbonded tokens that are due, and commit.

    The height is the stores' next version, and ``time`` the block's in seconds since 1970. The
    coin of the fees is staked, too.
    """
    block = BlockContext(chain, stores.version + 1, time)
    caches = open_caches(stores)
    results = tuple([deliver_signed(caches, raw, block) for raw in transactions])
    end_block(caches, block)
    write_caches(caches)
    hash_of_app, height = stores.commit()
    return DeliveredBlock(height, hash_of_app, results)


def open_caches(stores: MultiStore) -> dict[str, Cache]:
    """Return a cache of each store, for the transactions of a block or the checks between two."""
    return {name: Cache(stores.trees[name]) for name in STORES}


def end_block(stores: Stores, block: BlockContext) -> None:
    """Do what is done after a block's transactions: return unbonded tokens that are due."""
    denom = block.chain.fee_denom
    staking.complete_unbondings(stores["staking"], stores["bank"], denom, block.time)


def write_caches(caches: Mapping[str, Cache]) -> None:
    """Write the changes of a block to its stores."""
    for cache in caches.values():
        cache.write()


def deliver_signed(stores: Stores, raw: bytes, block: BlockContext) -> DeliveredTransaction:
    """Check and execute one transaction on ``stores``."""
    try:
        transaction = decode_signed(raw)
    except TransactionRefused as refused:
        return DeliveredTransaction(refused.code, str(refused), 0, 0, paid=False)
    meter = GasMeter(transaction.fee.gas_limit)
    code, log = run_ante_handler(stores, transaction, block, meter)
    paid = code is Code.OK
    if paid:
        code, log = run_messages(stores, transaction, block, meter)
    return DeliveredTransaction(code, log, meter.limit, meter.consumed, paid)


def run_messages(
    stores: Stores, transaction: SignedTransaction, block: BlockContext, meter: GasMeter
) -> tuple[Code, str]:
    """Run all messages on ``stores``, or none of them; return a code and reason."""

    def run(metered: Stores) -> None:
        for message in transaction.messages:
            run_message(metered, message, block)

    return all_or_nothing(stores, meter, run)


def run_message(stores: Stores, message: Message, block: BlockContext) -> None:
    """Run one message.

    Raises:
        TransactionRefused: the codes of the message's own function; ``OUT_OF_GAS`` if the stores
            are metered.
    """
    _RUN[type(message)](stores, message, block)


def _send(stores: Stores, message: Send, _: BlockContext) -> None:
    output = Output(message.recipient, message.amount)
    transfer_coins(stores, message.sender, message.amount, [output])


def _multi_send(stores: Stores, message: MultiSend, _: BlockContext) -> None:
    transfer_coins(stores, message.sender, message.total, message.outputs)


def _delegate(stores: Stores, message: Delegate, block: BlockContext) -> None:
    staking.delegate(stores["staking"], stores["bank"], message, block.chain.fee_denom)


def _undelegate(stores: Stores, message: Undelegate, block: BlockContext) -> None:
    denom = block.chain.fee_denom
    staking.undelegate(stores["staking"], stores["bank"], message, denom, block.height, block.time)


_RUN: dict[type, Callable[[Stores, Any, BlockContext], None]] = {
    Send: _send,
    MultiSend: _multi_send,
    Delegate: _delegate,
    Undelegate: _undelegate,
    market_messages.CreateDeployment: market.run_create_deployment,
    market_messages.CloseDeployment: market.run_close_deployment,
    market_messages.CreateBid: market.run_create_bid,
    market_messages.CloseBid: market.run_close_bid,
    market_messages.CreateLease: market.run_create_lease,
    market_messages.CloseLease: market.run_close_lease,
    identity_messages.UploadScope: identity.run_upload_scope,
    identity_messages.RequestVerification: identity.run_request_verification,
    identity_messages.UpdateScore: identity.run_update_score,
}
