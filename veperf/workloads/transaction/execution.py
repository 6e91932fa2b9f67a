"""What a transaction does to the state, and what a block of them does.

As in the Cosmos SDK there are two steps. Admission (the ante handler) checks the transaction
against the state, takes the fee and counts up the sequence; a transaction that it refuses changes
nothing. Then the messages run, all or none: when one fails its changes are dropped, but the fee is
gone and the sequence used. Unlike in the SDK, gas is not metered (the fee is by the gas limit, as
there), and the minimum gas price holds in blocks, too, not only at the door of one node.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.cache import Cache, KeyValueStore
from veperf.workloads.transaction.codec import Send, Transaction, decode
from veperf.workloads.transaction.coins import Coin
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.events import FEE_COLLECTOR, Event, fee_events, message_events
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Scheme
from veperf.workloads.transaction.state import (
    Account,
    create_account,
    deposit,
    get_account,
    get_balance,
    set_account,
    withdraw,
)
from veperf.workloads.transaction.validation import verify_signature

_ATTO = 10**18


class Chain(Struct, frozen=True):
    """What all blocks of a chain have in common."""

    id: str
    fee_denom: str
    gas_price_atto: int
    """The least fee for a unit of gas, in 1e-18 of the fee's denomination."""
    max_memo_length: int = 256
    """In characters; the SDK's default."""

    def minimum_fee(self, gas_limit: int) -> int:
        """The least fee for ``gas_limit`` units of gas: rounded up, as in the SDK."""
        return -(-gas_limit * self.gas_price_atto // _ATTO)


class Result(Struct, frozen=True):
    """How one transaction ended."""

    code: Code
    log: str = ""
    """Why it was refused or failed."""
    transaction: Transaction | None = None
    """The one that paid its fee; None where it was refused and left no trace."""

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened, for those who follow the chain."""
        if self.transaction is None:
            return ()
        paid = fee_events(self.transaction)
        return paid + message_events(self.transaction) if self.code is Code.OK else paid


class Block(Struct, frozen=True):
    """How a block ended."""

    height: int
    root_hash: bytes
    """Of the state after it, 32 bytes."""
    results: tuple[Result, ...]
    counts: dict[Code, int]
    """How many transactions ended with each code."""


def process_block(
    tree: Tree,
    transactions: Iterable[bytes],
    chain: Chain,
    commit: Callable[[Tree], tuple[bytes, int]] = Tree.save_version,
) -> Block:
    """Run ``transactions`` in their order and commit the state; the version is the height.

    A bad transaction is refused with a code, whatever its bytes are. ``commit`` may be that of a
    durable store.
    """
    height = tree.version + 1
    state = Cache(tree)
    # All at once: verifying a signature pushes everything else out of the processor's caches.
    decoded = [_decoded(raw) for raw in transactions]
    results = tuple(
        [
            deliver(state, item, chain, height) if isinstance(item, Transaction) else item
            for item in decoded
        ]
    )
    state.write()
    root_hash, _ = commit(tree)
    return Block(height, root_hash, results, Counter(result.code for result in results))


def _decoded(raw: bytes) -> Transaction | Result:
    try:
        return decode(raw)
    except TransactionRefused as refused:
        return Result(refused.code, str(refused))


def deliver(state: KeyValueStore, transaction: Transaction, chain: Chain, height: int) -> Result:
    """Run one decoded transaction in the block at ``height``."""
    try:
        account = admit(state, transaction, chain, height)
        verify_signature(transaction, chain.id, account.number)
    except TransactionRefused as refused:
        return Result(refused.code, str(refused))
    return execute(state, transaction, account)


def admit(state: KeyValueStore, transaction: Transaction, chain: Chain, height: int) -> Account:
    """The signer's account, if the state allows ``transaction``; changes nothing.

    All that the ante handler checks but the signature, in the order of the SDK's.

    Raises:
        TransactionRefused: ``TIMEOUT_HEIGHT``, ``MEMO_TOO_LARGE``, ``INSUFFICIENT_FEE``,
            ``UNKNOWN_ACCOUNT``, ``INSUFFICIENT_FUNDS`` for the fee, ``INVALID_PUBLIC_KEY`` for
            keys that can't be an account's, ``REPLAY``, ``WRONG_SEQUENCE``.
    """
    if 0 < transaction.timeout_height < height:
        raise TransactionRefused(
            Code.TIMEOUT_HEIGHT,
            f"this is block {height}, the last was {transaction.timeout_height}",
        )
    if len(transaction.memo) > chain.max_memo_length:
        raise TransactionRefused(
            Code.MEMO_TOO_LARGE,
            f"{len(transaction.memo)} characters, at most {chain.max_memo_length}",
        )
    _check_fee(transaction, chain)
    signer = transaction.signer
    account = get_account(state, signer.data)
    if account is None:
        raise TransactionRefused(Code.UNKNOWN_ACCOUNT, signer.text)
    for coin in transaction.fee:
        balance = get_balance(state, signer.data, coin.denom)
        if balance < coin.amount:
            raise _overdraft(signer, balance, coin)
    if transaction.public_key.scheme is not Scheme.SECP256K1:
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, "accounts sign with secp256k1; Ed25519 is for consensus"
        )
    expected = account.sequence
    if transaction.sequence != expected:
        code = Code.REPLAY if transaction.sequence < expected else Code.WRONG_SEQUENCE
        raise TransactionRefused(code, f"expected {expected}, got {transaction.sequence}")
    return account


def execute(state: KeyValueStore, transaction: Transaction, account: Account) -> Result:
    """Run a transaction that was admitted: take the fee, then run its messages, all or none."""
    signer = transaction.signer
    for coin in transaction.fee:
        _move(state, signer, FEE_COLLECTOR, coin)
    charged = Account(account.number, account.sequence + 1, transaction.public_key.data)
    set_account(state, signer.data, charged)
    try:
        _run(state, transaction.messages)
    except TransactionRefused as refused:
        return Result(refused.code, str(refused), transaction)
    return Result(Code.OK, "", transaction)


def _run(state: KeyValueStore, messages: tuple[Send, ...]) -> None:
    """Run all messages; where one is refused none has been run."""
    if len(messages) == 1 == len(messages[0].amount):
        # It is refused before it writes, so nothing is to be dropped.
        _send(state, messages[0])
        return
    changes = Cache(state)
    for message in messages:
        _send(changes, message)
    changes.write()


def _check_fee(transaction: Transaction, chain: Chain) -> None:
    least = chain.minimum_fee(transaction.gas_limit)
    offered = 0
    for coin in transaction.fee:
        if coin.denom == chain.fee_denom:
            offered += coin.amount
    if offered < least:
        raise TransactionRefused(
            Code.INSUFFICIENT_FEE, f"{offered}{chain.fee_denom}, at least {least} is needed"
        )


def _send(state: KeyValueStore, message: Send) -> None:
    recipient = message.recipient
    if recipient.data == FEE_COLLECTOR.data:
        raise TransactionRefused(Code.BLOCKED_RECIPIENT, f"{recipient.text} can't be sent money")
    for coin in message.amount:
        _move(state, message.sender, recipient, coin)
    if get_account(state, recipient.data) is None:
        create_account(state, recipient.data)


def _move(state: KeyValueStore, sender: Address, recipient: Address, coin: Coin) -> None:
    balance = withdraw(state, sender.data, coin.denom, coin.amount)
    if balance is not None:
        raise _overdraft(sender, balance, coin)
    deposit(state, recipient.data, coin.denom, coin.amount)


def _overdraft(owner: Address, balance: int, coin: Coin) -> TransactionRefused:
    return TransactionRefused(
        Code.INSUFFICIENT_FUNDS,
        f"{owner.text} has {balance}{coin.denom}, not {coin.amount}",
    )
