"""What a transaction does to the state, and what a block of them does.

As in the Cosmos SDK there are two steps. Admission (the ante handler) checks the transaction
against the state, takes the fee and counts up the sequence; a transaction that it refuses changes
nothing. Then the messages run, all or none: when one fails its changes are dropped, but the fee is
gone and the sequence used. Unlike in the SDK, gas is not metered (the fee is by the gas limit, as
there), and the minimum gas price holds in blocks, too, not only at the door of one node.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256

from msgspec import Struct

from veperf.workloads.transaction.address import Address, address
from veperf.workloads.transaction.cache import Cache, KeyValueStore
from veperf.workloads.transaction.codec import Send, Transaction, decode
from veperf.workloads.transaction.coins import Coins, coins_text
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.refusal import Code, TransactionRefused
from veperf.workloads.transaction.signature import Scheme
from veperf.workloads.transaction.state import (
    Account,
    create_account,
    get_account,
    get_balance,
    set_account,
    set_balance,
)
from veperf.workloads.transaction.validation import verify_signature

# Module accounts: the first 20 bytes of SHA-256 of the module's name (ADR-028).
FEE_COLLECTOR = address(sha256(b"fee_collector").digest()[:20])

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


class Event(Struct, frozen=True):
    """Something that happened, for those who follow the chain."""

    type: str
    attributes: tuple[tuple[str, str], ...]


class Result(Struct, frozen=True):
    """How one transaction ended."""

    code: Code
    log: str = ""
    """Why it was refused or failed."""
    events: tuple[Event, ...] = ()


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
    results = tuple([deliver(state, raw, chain, height) for raw in transactions])
    state.write()
    root_hash, _ = commit(tree)
    return Block(height, root_hash, results, Counter(result.code for result in results))


def deliver(state: KeyValueStore, raw: bytes, chain: Chain, height: int) -> Result:
    """Run one encoded transaction in the block at ``height``."""
    try:
        transaction = decode(raw)
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
        _check_funds(get_balance(state, signer.data, coin.denom), coin.amount, coin.denom, signer)
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
    events = _charge(state, transaction, account)
    messages = Cache(state)
    message_events: list[Event] = []
    try:
        for message in transaction.messages:
            message_events += _send(messages, message)
    except TransactionRefused as refused:
        return Result(refused.code, str(refused), tuple(events))
    messages.write()
    return Result(Code.OK, events=tuple(events + message_events))


def _check_fee(transaction: Transaction, chain: Chain) -> None:
    least = chain.minimum_fee(transaction.gas_limit)
    offered = sum(coin.amount for coin in transaction.fee if coin.denom == chain.fee_denom)
    if offered < least:
        raise TransactionRefused(
            Code.INSUFFICIENT_FEE, f"{offered}{chain.fee_denom}, at least {least} is needed"
        )


def _check_funds(balance: int, amount: int, denom: str, owner: Address) -> None:
    if balance < amount:
        raise TransactionRefused(
            Code.INSUFFICIENT_FUNDS, f"{owner.text} has {balance}{denom}, not {amount}"
        )


def _charge(state: KeyValueStore, transaction: Transaction, account: Account) -> list[Event]:
    signer = transaction.signer
    events = _move(state, signer, FEE_COLLECTOR, transaction.fee) if transaction.fee else []
    charged = Account(account.number, account.sequence + 1, transaction.public_key.data)
    set_account(state, signer.data, charged)
    signature = b64encode(transaction.signature).decode()
    return [
        *events,
        Event("tx", (("fee", coins_text(transaction.fee)), ("fee_payer", signer.text))),
        Event("tx", (("acc_seq", f"{signer.text}/{account.sequence}"),)),
        Event("tx", (("signature", signature),)),
    ]


def _send(state: KeyValueStore, message: Send) -> list[Event]:
    if message.recipient.data == FEE_COLLECTOR.data:
        raise TransactionRefused(
            Code.BLOCKED_RECIPIENT, f"{message.recipient.text} can't be sent money"
        )
    events = _move(state, message.sender, message.recipient, message.amount)
    if get_account(state, message.recipient.data) is None:
        create_account(state, message.recipient.data)
    about = (
        ("action", "/cosmos.bank.v1beta1.MsgSend"),
        ("sender", message.sender.text),
        ("module", "bank"),
    )
    return [Event("message", about), *events]


def _move(state: KeyValueStore, sender: Address, recipient: Address, coins: Coins) -> list[Event]:
    """Move ``coins``, with the events of the bank module."""
    for coin in coins:
        balance = get_balance(state, sender.data, coin.denom)
        _check_funds(balance, coin.amount, coin.denom, sender)
        set_balance(state, sender.data, coin.denom, balance - coin.amount)
        # Read after the write above: the sender may be the recipient.
        received = get_balance(state, recipient.data, coin.denom) + coin.amount
        set_balance(state, recipient.data, coin.denom, received)
    amount = ("amount", coins_text(coins))
    spender, receiver = ("spender", sender.text), ("receiver", recipient.text)
    return [
        Event("coin_spent", (spender, amount)),
        Event("coin_received", (receiver, amount)),
        Event("transfer", (("recipient", recipient.text), ("sender", sender.text), amount)),
        Event("message", (("sender", sender.text),)),
    ]
