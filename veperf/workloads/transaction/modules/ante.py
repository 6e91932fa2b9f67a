"""The ante handler: what is checked and paid before a transaction's messages run.

In the order of the SDK's ``NewAnteHandler``, all or nothing: what it rejects, also for lack of gas,
changes nothing and pays nothing. Signatures can be left to a pool of processes.
"""

from collections.abc import Callable

from msgspec import Struct

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.cache import Cache, KeyValueStore
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import FEE_COLLECTOR, check_minimum_fee
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.bank import move_coins
from veperf.workloads.transaction.modules.context import BlockContext, Stores
from veperf.workloads.transaction.modules.fee_grants import use_allowance
from veperf.workloads.transaction.modules.gas import GAS_COSTS, GasMeter, MeteredStore
from veperf.workloads.transaction.modules.messages import message_url
from veperf.workloads.transaction.modules.multisig import (
    AccountKey,
    SignatureCheck,
    signature_checks_of,
    signing_keys,
    single_keys,
)
from veperf.workloads.transaction.modules.transactions import (
    SignedTransaction,
    SignerInfo,
    decode_key,
    encode_key,
)
from veperf.workloads.transaction.signature import (
    KEY_LENGTHS,
    PublicKey,
    Scheme,
    verify_signature,
)
from veperf.workloads.transaction.state import Account, get_account, set_account

MAX_SIGNATURES = 7
"""Keys in the transaction, of all signers together: the SDK's ``TxSigLimit``."""


class _Signer(Struct, frozen=True):
    address: Address
    info: SignerInfo
    key: AccountKey


def run_ante_handler(
    stores: Stores,
    transaction: SignedTransaction,
    block: BlockContext,
    meter: GasMeter,
    *,
    verify: bool = True,
) -> tuple[Code, str]:
    """Run ``check_transaction`` on ``stores``, all or nothing of it; return a code and reason."""
    return all_or_nothing(
        stores,
        meter,
        lambda metered: check_transaction(metered, transaction, block, meter, verify=verify),
    )


def all_or_nothing(
    stores: Stores, meter: GasMeter, work: Callable[[Stores], None]
) -> tuple[Code, str]:
    """Do ``work`` on metered caches of ``stores``, which are written unless it is refused."""
    branch = _MeteredBranch(stores, meter)
    try:
        work(branch)
    except TransactionRefused as refused:
        return refused.code, str(refused)
    branch.write()
    return Code.OK, ""


class _MeteredBranch(dict[str, MeteredStore]):
    """Caches of stores, metered, each made when it is asked for: most messages need few."""

    def __init__(self, stores: Stores, meter: GasMeter) -> None:
        super().__init__()
        self._stores = stores
        self._meter = meter
        self._caches: list[Cache] = []

    def __missing__(self, name: str) -> MeteredStore:
        cache = Cache(self._stores[name])
        self._caches.append(cache)
        metered = self[name] = MeteredStore(cache, self._meter)
        return metered

    def write(self) -> None:
        """Write all changes to the stores."""
        for cache in self._caches:
            cache.write()


def check_transaction(
    stores: Stores,
    transaction: SignedTransaction,
    block: BlockContext,
    meter: GasMeter,
    *,
    verify: bool = True,
) -> None:
    """Check ``transaction``, take its fee and use its signers' sequences.

    Without ``verify`` all but the signatures: ``signature_checks`` are those.

    Raises:
        TransactionRefused: ``TIMEOUT_HEIGHT``, ``MEMO_TOO_LARGE``, ``OUT_OF_GAS``,
            ``INSUFFICIENT_FEE``, ``UNKNOWN_ACCOUNT``, ``INSUFFICIENT_FUNDS``, the codes of
            ``use_allowance``, ``INVALID_PUBLIC_KEY``, ``WRONG_SIGNER``, ``TOO_MANY_SIGNATURES``,
            ``REPLAY``, ``WRONG_SEQUENCE``, ``WRONG_SIGNATURE`` and the other codes of
            ``verify_signature``, ``UNSUPPORTED`` for a sign mode.
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
    accounts = stores["acc"]
    pairs = zip(transaction.signers, transaction.infos, strict=True)
    signers = [_Signer(who, info, _record_key(accounts, who, info)) for who, info in pairs]
    keys = [info.key for info in transaction.infos if info.key is not None]
    count = sum(len(single_keys(key)) for key in keys)
    if count > MAX_SIGNATURES:
        raise TransactionRefused(Code.TOO_MANY_SIGNATURES, f"{count} keys, up to {MAX_SIGNATURES}")
    for signer in signers:
        for key in signing_keys(signer.key, signer.info.signature):
            _charge_signature(key, meter)
    for signer in signers:
        _check_signature(accounts, transaction, chain.id, signer, verify=verify)
    for signer in signers:
        account = _account(accounts, signer.address)
        used = Account(account.number, account.sequence + 1, account.public_key)
        set_account(accounts, signer.address.data, used)


def signature_checks(
    accounts: KeyValueStore, transaction: SignedTransaction, chain_id: str
) -> list[SignatureCheck]:
    """Return what has to verify for the signatures to be good, by keys and account numbers.

    The sequence is the transaction's own, which ``check_transaction`` compares with the account's,
    so that those of one account can be verified in any order. Gas is not counted.

    Raises:
        TransactionRefused: ``UNKNOWN_ACCOUNT``, ``INVALID_PUBLIC_KEY``, ``WRONG_SIGNATURE``,
            ``UNSUPPORTED``.
    """
    checks = []
    for address, info in zip(transaction.signers, transaction.infos, strict=True):
        account = _account(accounts, address)
        key = info.key or _stored_key(account, address)
        checks += _checks(transaction, chain_id, account.number, info, key)
    return checks


def _take_fee(stores: Stores, transaction: SignedTransaction, time: int) -> None:
    fee = transaction.fee
    payer = fee.payer or transaction.signers[0]
    if fee.granter is not None and fee.granter.data != payer.data:
        urls = [message_url(message) for message in transaction.messages]
        use_allowance(stores["feegrant"], fee.granter, payer, fee.amount, time, urls)
        payer = fee.granter
    _account(stores["acc"], payer)
    move_coins(stores["bank"], payer, FEE_COLLECTOR, fee.amount)


def _account(accounts: KeyValueStore, address: Address) -> Account:
    account = get_account(accounts, address.data)
    if account is None:
        raise TransactionRefused(Code.UNKNOWN_ACCOUNT, address.text)
    return account


def _record_key(accounts: KeyValueStore, signer: Address, info: SignerInfo) -> AccountKey:
    """Return a signer's key: of the transaction, and recorded if it is the first, or the state."""
    account = _account(accounts, signer)
    if info.key is None:
        return _stored_key(account, signer)
    if info.key.address() != signer.data:
        raise TransactionRefused(
            Code.WRONG_SIGNER, f"the public key does not belong to {signer.text}"
        )
    if not account.public_key:
        stored = Account(account.number, account.sequence, _key_to_store(info.key))
        set_account(accounts, signer.data, stored)
    return info.key


def _key_to_store(key: AccountKey) -> bytes:
    """Return a secp256k1 key as it is, as the pipeline stores it, and any other as an Any."""
    if isinstance(key, PublicKey) and key.scheme is Scheme.SECP256K1:
        return key.data
    return bytes(encode_key(key).SerializeToString())


def _stored_key(account: Account, owner: Address) -> AccountKey:
    data = account.public_key
    if not data:
        raise TransactionRefused(Code.INVALID_PUBLIC_KEY, f"{owner.text} has none yet")
    if len(data) == KEY_LENGTHS[Scheme.SECP256K1]:
        return PublicKey(Scheme.SECP256K1, data)
    return decode_key(wire.AnyMessage.FromString(data))


def _charge_signature(key: PublicKey, meter: GasMeter) -> None:
    if key.scheme is not Scheme.SECP256K1:
        meter.consume(GAS_COSTS.ed25519_signature, "signature")
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, "accounts sign with secp256k1; Ed25519 is for consensus"
        )
    meter.consume(GAS_COSTS.secp256k1_signature, "signature")


def _check_signature(
    accounts: KeyValueStore,
    transaction: SignedTransaction,
    chain_id: str,
    signer: _Signer,
    *,
    verify: bool,
) -> None:
    account = _account(accounts, signer.address)
    sequence = signer.info.sequence
    if sequence != account.sequence:
        code = Code.REPLAY if sequence < account.sequence else Code.WRONG_SEQUENCE
        raise TransactionRefused(code, f"expected {account.sequence}, got {sequence}")
    if verify:
        checks = _checks(transaction, chain_id, account.number, signer.info, signer.key)
        for check in checks:
            verify_signature(*check)


def _checks(
    transaction: SignedTransaction, chain_id: str, number: int, info: SignerInfo, key: AccountKey
) -> list[SignatureCheck]:
    return signature_checks_of(
        key,
        info.signature,
        lambda mode: transaction.sign_bytes(mode, chain_id, number, info.sequence),
    )
