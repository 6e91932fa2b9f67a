"""Execution of transactions and blocks on the state.

As in the Cosmos SDK there are two steps. The ante handler checks the transaction against the
state, takes the fee and increments the sequence; a transaction that it rejects changes nothing.
Then the messages run, all or none: when one fails its changes are dropped, but the fee is gone and
the sequence used. Unlike in the SDK, gas is not metered (the fee is by the gas limit, as there;
``modules.blocks`` meters it), and the minimum gas price holds in blocks, too, not only in a node's
mempool.

Events are those of the SDK's bank module. They follow from the transaction and from whether its
messages ran, so they are made only when they are asked for.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256

from msgspec import Struct

from veperf.workloads.transaction.address import Address, address_from_bytes
from veperf.workloads.transaction.cache import Cache, KeyValueStore
from veperf.workloads.transaction.codec import (
    Coin,
    Coins,
    Send,
    Transaction,
    decode_transaction,
    format_coins,
)
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Scheme
from veperf.workloads.transaction.state import (
    Account,
    create_account,
    get_account,
    get_balance,
    set_account,
    transfer,
)
from veperf.workloads.transaction.validation import verify_transaction_signature

# Module accounts: the first 20 bytes of SHA-256 of the module's name (ADR-028).
FEE_COLLECTOR = address_from_bytes(sha256(b"fee_collector").digest()[:20])


class ChainEvent(Struct, frozen=True):
    """An event of the chain, with its type and attributes."""

    type: str
    attributes: tuple[tuple[str, str], ...]


_ATTO = 10**18


class Chain(Struct, frozen=True):
    """The parameters of a chain, the same for all its blocks."""

    id: str
    fee_denom: str
    gas_price_atto: int
    """Minimum fee for a unit of gas, in 1e-18 of the fee's denomination."""
    max_memo_length: int = 256
    """Maximum memo length in bytes of UTF-8, as Go counts them; the SDK's default."""

    def minimum_fee(self, gas_limit: int) -> int:
        """Return the minimum fee for ``gas_limit`` units of gas, rounded up as in the SDK."""
        return -(-gas_limit * self.gas_price_atto // _ATTO)


class TransactionResult(Struct, frozen=True):
    """The result of a transaction."""

    code: Code
    log: str = ""
    """Reason for the rejection or failure."""
    transaction: Transaction | None = None
    """The transaction if it paid its fee; None if it was rejected and changed nothing."""

    @property
    def events(self) -> tuple[ChainEvent, ...]:
        """Events of the fee and, if they ran, of the messages."""
        if self.transaction is None:
            return ()
        fee = _fee_events(self.transaction)
        return fee + _message_events(self.transaction) if self.code is Code.OK else fee


class BlockResult(Struct, frozen=True):
    """The result of a block."""

    height: int
    root_hash: bytes
    """App hash: root hash of the state after the block, 32 bytes."""
    results: tuple[TransactionResult, ...]
    counts: dict[Code, int]
    """Number of transactions by result code."""


def process_block(
    tree: Tree,
    transactions: Iterable[bytes],
    chain: Chain,
    commit: Callable[[Tree], tuple[bytes, int]] = Tree.save_version,
) -> BlockResult:
    """Run ``transactions`` in their order and commit the state; the version is the height.

    An invalid transaction is rejected with a code, whatever its bytes are. ``commit`` may be that
    of a durable store.
    """
    height = tree.version + 1
    state = Cache(tree)
    # All at once: verifying a signature evicts everything else from the processor's caches.
    decoded = [_decode_or_reject(raw) for raw in transactions]
    results = tuple(
        [
            deliver_transaction(state, item, chain, height)
            if isinstance(item, Transaction)
            else item
            for item in decoded
        ]
    )
    state.write()
    root_hash, _ = commit(tree)
    return BlockResult(height, root_hash, results, Counter(result.code for result in results))


def _decode_or_reject(raw: bytes) -> Transaction | TransactionResult:
    try:
        return decode_transaction(raw)
    except TransactionRefused as refused:
        return TransactionResult(refused.code, str(refused))


def deliver_transaction(
    state: KeyValueStore, transaction: Transaction, chain: Chain, height: int
) -> TransactionResult:
    """Check and execute one decoded transaction in the block at ``height``."""
    try:
        account = run_ante_checks(state, transaction, chain, height)
        verify_transaction_signature(transaction, chain.id, account.number)
    except TransactionRefused as refused:
        return TransactionResult(refused.code, str(refused))
    return execute_transaction(state, transaction, account)


def run_ante_checks(
    state: KeyValueStore, transaction: Transaction, chain: Chain, height: int
) -> Account:
    """Check ``transaction`` against the state, without changing it; return the signer's account.

    These are all checks of the ante handler but the signature's, in the order of the SDK.

    Raises:
        TransactionRefused: ``TIMEOUT_HEIGHT``, ``MEMO_TOO_LARGE``, ``INSUFFICIENT_FEE``,
            ``UNKNOWN_ACCOUNT``, ``INSUFFICIENT_FUNDS`` for the fee, ``INVALID_PUBLIC_KEY`` for
            keys that can't be an account's, ``REPLAY``, ``WRONG_SEQUENCE``.
    """
    if 0 < transaction.timeout_height < height:
        raise TransactionRefused(
            Code.TIMEOUT_HEIGHT,
            f"this is block {height}, the last allowed was {transaction.timeout_height}",
        )
    memo_length = len(transaction.memo.encode())
    if memo_length > chain.max_memo_length:
        raise TransactionRefused(
            Code.MEMO_TOO_LARGE, f"{memo_length} bytes, at most {chain.max_memo_length}"
        )
    check_minimum_fee(transaction.fee, transaction.gas_limit, chain)
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


def execute_transaction(
    state: KeyValueStore, transaction: Transaction, account: Account
) -> TransactionResult:
    """Execute a checked transaction: take the fee, then run its messages, all or none."""
    signer = transaction.signer
    try:
        _pay_fee(state, signer, transaction.fee)
    except TransactionRefused as refused:
        return TransactionResult(refused.code, str(refused), transaction)
    charged = Account(account.number, account.sequence + 1, transaction.public_key.data)
    set_account(state, signer.data, charged)
    try:
        _run_messages(state, transaction.messages)
    except TransactionRefused as refused:
        return TransactionResult(refused.code, str(refused), transaction)
    return TransactionResult(Code.OK, "", transaction)


def _pay_fee(state: KeyValueStore, signer: Address, fee: Coins) -> None:
    """Move all coins of ``fee``, or none: the collector may have too much of one."""
    if len(fee) == 1:
        move_coin(state, signer, FEE_COLLECTOR, fee[0])
        return
    changes = Cache(state)
    for coin in fee:
        move_coin(changes, signer, FEE_COLLECTOR, coin)
    changes.write()


def _run_messages(state: KeyValueStore, messages: tuple[Send, ...]) -> None:
    """Run all messages; if one is rejected none takes effect."""
    if len(messages) == 1 == len(messages[0].amount):
        # A single transfer is rejected before it writes: there is nothing to roll back.
        _send(state, messages[0])
        return
    changes = Cache(state)
    for message in messages:
        _send(changes, message)
    changes.write()


def check_minimum_fee(fee: Coins, gas_limit: int, chain: Chain) -> None:
    """Check that ``fee`` is what the chain's gas price makes of ``gas_limit``.

    Raises:
        TransactionRefused: ``INSUFFICIENT_FEE``.
    """
    minimum = chain.minimum_fee(gas_limit)
    offered = 0
    for coin in fee:
        if coin.denom == chain.fee_denom:
            offered += coin.amount
    if offered < minimum:
        raise TransactionRefused(
            Code.INSUFFICIENT_FEE, f"{offered}{chain.fee_denom}, at least {minimum} is needed"
        )


def _send(state: KeyValueStore, message: Send) -> None:
    recipient = message.recipient
    if recipient.data == FEE_COLLECTOR.data:
        raise TransactionRefused(
            Code.BLOCKED_RECIPIENT, f"{recipient.text} can't receive transfers"
        )
    for coin in message.amount:
        move_coin(state, message.sender, recipient, coin)
    if get_account(state, recipient.data) is None:
        create_account(state, recipient.data)


def move_coin(state: KeyValueStore, sender: Address, recipient: Address, coin: Coin) -> None:
    """Move ``coin``, or write nothing and refuse.

    Raises:
        TransactionRefused: ``INSUFFICIENT_FUNDS``, ``OVERFLOW``.
    """
    try:
        balance = transfer(state, sender.data, recipient.data, coin.denom, coin.amount)
    except OverflowError as error:
        raise TransactionRefused(
            Code.OVERFLOW, f"{recipient.text} would have 2^256 {coin.denom} or more"
        ) from error
    if balance is not None:
        raise _overdraft(sender, balance, coin)


def _overdraft(owner: Address, balance: int, coin: Coin) -> TransactionRefused:
    return TransactionRefused(
        Code.INSUFFICIENT_FUNDS,
        f"{owner.text} has {balance}{coin.denom}, not {coin.amount}",
    )


# ---------------------------------------------------------------- events


def _fee_events(transaction: Transaction) -> tuple[ChainEvent, ...]:
    """Return the events of the ante handler: the fee paid, the sequence and signature used."""
    signer, fee = transaction.signer, transaction.fee
    signature = b64encode(transaction.signature).decode()
    return (
        *(_transfer_events(signer, FEE_COLLECTOR, fee) if fee else ()),
        ChainEvent("tx", (("fee", format_coins(fee)), ("fee_payer", signer.text))),
        ChainEvent("tx", (("acc_seq", f"{signer.text}/{transaction.sequence}"),)),
        ChainEvent("tx", (("signature", signature),)),
    )


def _message_events(transaction: Transaction) -> tuple[ChainEvent, ...]:
    """Return the events of the messages."""
    events: list[ChainEvent] = []
    for message in transaction.messages:
        sender = message.sender
        about = (
            ("action", "/cosmos.bank.v1beta1.MsgSend"),
            ("sender", sender.text),
            ("module", "bank"),
        )
        events += [
            ChainEvent("message", about),
            *_transfer_events(sender, message.recipient, message.amount),
        ]
    return tuple(events)


def _transfer_events(sender: Address, recipient: Address, coins: Coins) -> tuple[ChainEvent, ...]:
    amount = ("amount", format_coins(coins))
    spender, receiver = ("spender", sender.text), ("receiver", recipient.text)
    return (
        ChainEvent("coin_spent", (spender, amount)),
        ChainEvent("coin_received", (receiver, amount)),
        ChainEvent("transfer", (("recipient", recipient.text), ("sender", sender.text), amount)),
        ChainEvent("message", (("sender", sender.text),)),
    )
