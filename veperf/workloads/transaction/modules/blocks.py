"""Blocks of transactions of all kinds on the stores of several modules, with gas.

As in the SDK there are two steps, each on a cache of its own. The ante handler checks the
transaction, takes the fee and increments the signers' sequences; what it rejects, also for lack of
gas, changes nothing and pays nothing. Then the messages run, all or none: when one fails or the gas
runs out, their changes are dropped, but the fee is gone and the sequences are used.

The stores are named as the SDK's: ``acc``, ``bank``, ``feegrant`` and ``staking``. Gas is that of
these stores' own accesses by the SDK's cost table; the SDK's modules also read their parameters.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.cache import Cache, KeyValueStore
from veperf.workloads.transaction.codec import Coins, Send
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import (
    FEE_COLLECTOR,
    Chain,
    check_minimum_fee,
    move_coin,
)
from veperf.workloads.transaction.modules import staking, wire
from veperf.workloads.transaction.modules.fee_grants import use_allowance
from veperf.workloads.transaction.modules.gas import GAS_COSTS, GasMeter, MeteredStore
from veperf.workloads.transaction.modules.messages import Delegate, Message, MultiSend, Output
from veperf.workloads.transaction.modules.multisig import (
    AccountKey,
    signing_keys,
    single_keys,
    verify_account_signature,
)
from veperf.workloads.transaction.modules.transactions import (
    SignedTransaction,
    SignerInfo,
    decode_key,
    decode_signed,
    encode_key,
)
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.signature import KEY_LENGTHS, PublicKey, Scheme
from veperf.workloads.transaction.state import (
    Account,
    create_account,
    get_account,
    get_balance,
    set_account,
)

STORES = ("acc", "bank", "feegrant", "staking")
MAX_SIGNATURES = 7
"""Keys of all signers together, the SDK's ``TxSigLimit``."""

_BLOCKED = {FEE_COLLECTOR.data, staking.BONDED_POOL.data, staking.NOT_BONDED_POOL.data}
_Stores = Mapping[str, KeyValueStore]


class BlockContext(Struct, frozen=True):
    """The block that a transaction is in."""

    chain: Chain
    height: int
    time: int
    """Seconds since 1970."""


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
    caches = {name: Cache(stores.trees[name]) for name in STORES}
    results = tuple([deliver_signed(caches, raw, block) for raw in transactions])
    staking.complete_unbondings(caches["staking"], caches["bank"], chain.fee_denom, time)
    for cache in caches.values():
        cache.write()
    hash_of_app, height = stores.commit()
    return DeliveredBlock(height, hash_of_app, results)


def deliver_signed(stores: _Stores, raw: bytes, block: BlockContext) -> DeliveredTransaction:
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


def run_ante_handler(
    stores: _Stores, transaction: SignedTransaction, block: BlockContext, meter: GasMeter
) -> tuple[Code, str]:
    """Run ``check_transaction`` on ``stores``, all or nothing of it; return a code and reason."""
    return _all_or_nothing(
        stores, meter, lambda metered: check_transaction(metered, transaction, block, meter)
    )


def run_messages(
    stores: _Stores, transaction: SignedTransaction, block: BlockContext, meter: GasMeter
) -> tuple[Code, str]:
    """Run all messages on ``stores``, or none of them; return a code and reason."""

    def run(metered: _Stores) -> None:
        for message in transaction.messages:
            run_message(metered, message, block)

    return _all_or_nothing(stores, meter, run)


def _all_or_nothing(
    stores: _Stores, meter: GasMeter, work: Callable[[_Stores], None]
) -> tuple[Code, str]:
    """Do ``work`` on metered caches of ``stores``, which are written unless it is refused."""
    caches = {name: Cache(stores[name]) for name in STORES}
    try:
        work({name: MeteredStore(cache, meter) for name, cache in caches.items()})
    except TransactionRefused as refused:
        return refused.code, str(refused)
    for cache in caches.values():
        cache.write()
    return Code.OK, ""


# ---------------------------------------------------------------- ante handler


def check_transaction(
    stores: _Stores, transaction: SignedTransaction, block: BlockContext, meter: GasMeter
) -> None:
    """Check ``transaction``, take its fee and use its signers' sequences, in the SDK's order.

    Raises:
        TransactionRefused: ``TIMEOUT_HEIGHT``, ``MEMO_TOO_LARGE``, ``OUT_OF_GAS``,
            ``INSUFFICIENT_FEE``, ``UNKNOWN_ACCOUNT``, ``INSUFFICIENT_FUNDS``, the codes of
            ``use_allowance``, ``INVALID_PUBLIC_KEY``, ``WRONG_SIGNER``, ``TOO_MANY_SIGNATURES``,
            ``REPLAY``, ``WRONG_SEQUENCE``, and the codes of ``verify_account_signature``.
    """
    chain = block.chain
    if 0 < transaction.timeout_height < block.height:
        raise TransactionRefused(
            Code.TIMEOUT_HEIGHT,
            f"this is block {block.height}, the last allowed was {transaction.timeout_height}",
        )
    memo_length = len(transaction.memo.encode())
    if memo_length > chain.max_memo_length:
        raise TransactionRefused(
            Code.MEMO_TOO_LARGE, f"{memo_length} bytes, at most {chain.max_memo_length}"
        )
    meter.consume(GAS_COSTS.transaction_byte * transaction.size, "transaction bytes")
    check_minimum_fee(transaction.fee.amount, transaction.fee.gas_limit, chain)
    _take_fee(stores, transaction, block.time)
    signers = list(zip(transaction.signers, transaction.infos, strict=True))
    keys = [_signer_key(stores["acc"], signer, info) for signer, info in signers]
    count = sum(len(single_keys(key)) for key in keys)
    if count > MAX_SIGNATURES:
        raise TransactionRefused(Code.TOO_MANY_SIGNATURES, f"{count} keys, up to {MAX_SIGNATURES}")
    for key, (_, info) in zip(keys, signers, strict=True):
        for _ in signing_keys(key, info.signature):
            meter.consume(GAS_COSTS.secp256k1_signature, "signature")
    for key, (signer, info) in zip(keys, signers, strict=True):
        _check_signature(stores["acc"], transaction, chain.id, signer, info, key)
    for signer, _ in signers:
        account = _account(stores["acc"], signer)
        used = Account(account.number, account.sequence + 1, account.public_key)
        set_account(stores["acc"], signer.data, used)


def _take_fee(stores: _Stores, transaction: SignedTransaction, time: int) -> None:
    fee = transaction.fee
    payer = fee.payer or transaction.signers[0]
    if fee.granter is not None and fee.granter.data != payer.data:
        use_allowance(stores["feegrant"], fee.granter, payer, fee.amount, time)
        payer = fee.granter
    _account(stores["acc"], payer)
    for coin in fee.amount:
        move_coin(stores["bank"], payer, FEE_COLLECTOR, coin)


def _account(accounts: KeyValueStore, address: Address) -> Account:
    account = get_account(accounts, address.data)
    if account is None:
        raise TransactionRefused(Code.UNKNOWN_ACCOUNT, address.text)
    return account


def _signer_key(accounts: KeyValueStore, signer: Address, info: SignerInfo) -> AccountKey:
    """Return a signer's key: of the transaction, and recorded if it is the first, or the state."""
    account = _account(accounts, signer)
    if info.key is None:
        if not account.public_key:
            raise TransactionRefused(Code.INVALID_PUBLIC_KEY, f"{signer.text} has none yet")
        return _stored_key(account.public_key)
    if info.key.address() != signer.data:
        raise TransactionRefused(
            Code.WRONG_SIGNER, f"the public key does not belong to {signer.text}"
        )
    if any(key.scheme is not Scheme.SECP256K1 for key in single_keys(info.key)):
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, "accounts sign with secp256k1; Ed25519 is for consensus"
        )
    if not account.public_key:
        stored = Account(account.number, account.sequence, _key_to_store(info.key))
        set_account(accounts, signer.data, stored)
    return info.key


def _key_to_store(key: AccountKey) -> bytes:
    """Return a single key as it is, as the pipeline stores it, and a multisig as an Any."""
    return key.data if isinstance(key, PublicKey) else bytes(encode_key(key).SerializeToString())


def _stored_key(data: bytes) -> AccountKey:
    if len(data) == KEY_LENGTHS[Scheme.SECP256K1]:
        return PublicKey(Scheme.SECP256K1, data)
    return decode_key(wire.AnyMessage.FromString(data))


def _check_signature(
    accounts: KeyValueStore,
    transaction: SignedTransaction,
    chain_id: str,
    signer: Address,
    info: SignerInfo,
    key: AccountKey,
) -> None:
    account = _account(accounts, signer)
    if info.sequence != account.sequence:
        code = Code.REPLAY if info.sequence < account.sequence else Code.WRONG_SEQUENCE
        raise TransactionRefused(code, f"expected {account.sequence}, got {info.sequence}")
    verify_account_signature(
        key,
        info.signature,
        lambda mode: transaction.sign_bytes(mode, chain_id, account.number, account.sequence),
    )


# ---------------------------------------------------------------- messages


def run_message(stores: _Stores, message: Message, block: BlockContext) -> None:
    """Run one message.

    Raises:
        TransactionRefused: ``BLOCKED_RECIPIENT``, ``INSUFFICIENT_FUNDS``, ``OVERFLOW``, the codes
            of ``delegate`` and ``undelegate``, ``OUT_OF_GAS`` if the stores are metered.
    """
    bond_denom = block.chain.fee_denom
    if isinstance(message, Send):
        output = Output(message.recipient, message.amount)
        _send(stores, message.sender, message.amount, (output,))
    elif isinstance(message, MultiSend):
        _send(stores, message.sender, message.total, message.outputs)
    elif isinstance(message, Delegate):
        staking.delegate(stores["staking"], stores["bank"], message, bond_denom)
    else:
        staking.undelegate(
            stores["staking"], stores["bank"], message, bond_denom, block.height, block.time
        )


def _send(stores: _Stores, sender: Address, total: Coins, outputs: tuple[Output, ...]) -> None:
    for output in outputs:
        if output.recipient.data in _BLOCKED:
            raise TransactionRefused(
                Code.BLOCKED_RECIPIENT, f"{output.recipient.text} can't receive transfers"
            )
    if len(outputs) > 1:
        # The sender may be a recipient, too: it has to have all first.
        _check_funds(stores["bank"], sender, total)
    for output in outputs:
        for coin in output.amount:
            move_coin(stores["bank"], sender, output.recipient, coin)
        if get_account(stores["acc"], output.recipient.data) is None:
            create_account(stores["acc"], output.recipient.data)


def _check_funds(bank: KeyValueStore, sender: Address, total: Coins) -> None:
    for coin in total:
        balance = get_balance(bank, sender.data, coin.denom)
        if balance < coin.amount:
            raise TransactionRefused(
                Code.INSUFFICIENT_FUNDS,
                f"{sender.text} has {balance}{coin.denom}, not {coin.amount}",
            )
