"""Deterministic examples: a genesis, messages of the SDK's modules, and signed transactions."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from veperf.workloads.transaction.address import Address, address_from_bytes
from veperf.workloads.transaction.codec import Coin, Send, encode_sign_doc
from veperf.workloads.transaction.example_data import (
    BALANCE,
    CHAIN,
    account_signer,
    keyless_address,
)
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules import staking, wire
from veperf.workloads.transaction.modules.context import STORES
from veperf.workloads.transaction.modules.identity import approve_client
from veperf.workloads.transaction.modules.market import add_provider
from veperf.workloads.transaction.modules.messages import (
    Delegate,
    Message,
    MultiSend,
    Output,
    Undelegate,
)
from veperf.workloads.transaction.modules.multisig import (
    MultisigKey,
    MultiSignature,
    SingleSignature,
    make_multisig_key,
)
from veperf.workloads.transaction.modules.transactions import (
    Fee,
    SignedTransaction,
    SignerInfo,
    decode_signed,
    encode_message_body,
    encode_signed,
    encode_signers,
)
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.signature import Ed25519Signer, Secp256k1Signer
from veperf.workloads.transaction.state import initial_state

GAS_LIMIT = 400_000
VALIDATOR = staking.validator_address(keyless_address(0))
"""The validator that all delegate to."""
OPERATORS = 100
"""The first example accounts each operate a validator, too."""
CLIENT_ID = "veperf-app"
CLIENT = Ed25519Signer(sha256(b"veperf upload client").digest())
"""The client of all uploads."""

_ATTRIBUTES = (("region", "eu-west"), ("region", "us-east"), ("tier", "community"))

MULTISIG_MEMBERS = (0, 1, 2)
"""Example accounts whose keys are those of ``multisig_key``."""


def example_fee(
    gas_limit: int = GAS_LIMIT, payer: Address | None = None, granter: Address | None = None
) -> Fee:
    """Return the minimum fee for ``gas_limit``."""
    coins = (Coin(CHAIN.fee_denom, CHAIN.minimum_fee(gas_limit)),)
    return Fee(coins, gas_limit, payer, granter)


@lru_cache(maxsize=1 << 12)
def example_address(index: int) -> Address:
    """Return the address of the example account with this number."""
    return address_from_bytes(cached_signer(index).public_key.address())


def multisig_key() -> MultisigKey:
    """Return a key of which two of the first three example accounts have to sign."""
    return make_multisig_key(2, tuple(cached_signer(i).public_key for i in MULTISIG_MEMBERS))


def genesis(accounts: int) -> MultiStore:
    """Return unsaved stores: the first ``accounts``, behind them the multisig, and validators.

    An account's number is its index; that of the multisig is ``accounts``. Each account is a
    provider.
    """
    addresses = [example_address(index) for index in range(accounts)]
    keys = [address.data for address in addresses]
    items = initial_state([*keys, multisig_key().address()], CHAIN.fee_denom, BALANCE)
    is_balance = [key.startswith(b"\x02") for key, _ in items]
    pairs = list(zip(items, is_balance, strict=True))
    trees = {name: Tree() for name in STORES}
    trees["acc"] = Tree.from_sorted(item for item, balance in pairs if not balance)
    trees["bank"] = Tree.from_sorted(item for item, balance in pairs if balance)
    for validator in (VALIDATOR, *map(operated_validator, range(min(accounts, OPERATORS)))):
        staking.add_validator(trees["staking"], validator)
    for address in addresses:
        add_provider(trees["provider"], address, _ATTRIBUTES)
    approve_client(trees["veid"], CLIENT_ID, CLIENT.public_key.data)
    return MultiStore(trees)


def operated_validator(operator: int) -> Address:
    """Return the validator that an example account operates."""
    return staking.validator_address(example_address(operator).data)


def example_send(sender: int, recipient: int, amount: int) -> Send:
    """Return a transfer between two example accounts."""
    coins = (Coin(CHAIN.fee_denom, amount),)
    return Send(example_address(sender), example_address(recipient), coins)


def example_multi_send(sender: int, recipients: Sequence[int], amount: int) -> MultiSend:
    """Return a transfer of ``amount`` to each of some example accounts."""
    coins = (Coin(CHAIN.fee_denom, amount),)
    outputs = tuple([Output(example_address(index), coins) for index in recipients])
    total = (Coin(CHAIN.fee_denom, amount * len(outputs)),)
    return MultiSend(example_address(sender), total, outputs)


def delegation(delegator: int, amount: int) -> Delegate:
    """Return a delegation to the example validator."""
    return Delegate(example_address(delegator), VALIDATOR, Coin(CHAIN.fee_denom, amount))


def undelegation(delegator: int, amount: int) -> Undelegate:
    """Return the end of a delegation to the example validator."""
    return Undelegate(example_address(delegator), VALIDATOR, Coin(CHAIN.fee_denom, amount))


def signed(
    messages: Sequence[Message],
    signer: int,
    sequence: int = 0,
    *,
    fee: Fee | None = None,
    memo: str = "",
    timeout_height: int = 0,
    mode: int = wire.SIGN_MODE_DIRECT,
    payer: int | None = None,
) -> bytes:
    """Return an encoded transaction, signed by an example account, and its ``payer`` if named."""
    fee = fee or example_fee(payer=None if payer is None else example_address(payer))
    body = encode_message_body(messages, memo, timeout_height)
    indices = [signer] if payer is None else [signer, payer]
    unsigned = SingleSignature(mode, b"")
    signers = list(map(cached_signer, indices))
    infos = [SignerInfo(key.public_key, sequence, unsigned) for key in signers]
    auth_info = encode_signers(infos, fee)
    # Amino JSON shows the messages, DIRECT their bytes alone.
    amino = mode == wire.SIGN_MODE_LEGACY_AMINO_JSON
    draft = _draft(body, auth_info, len(indices)) if amino else None
    signatures = []
    for index, key in zip(indices, signers, strict=True):
        if draft is None:
            document = encode_sign_doc(body, auth_info, CHAIN.id, index)
        else:
            document = draft.sign_bytes(mode, CHAIN.id, index, sequence)
        signatures.append(SingleSignature(mode, key.sign(document)))
    return encode_signed(body, auth_info, signatures)


@lru_cache(maxsize=1 << 14)
def cached_signer(index: int) -> Secp256k1Signer:
    """Return the key of the example account with this number, which took time to make."""
    return account_signer(index)


def multisigned(
    messages: Sequence[Message],
    number: int,
    members: Sequence[int],
    sequence: int = 0,
    memo: str = "",
) -> bytes:
    """Return an encoded transaction of the multisig with this account number.

    ``members`` are the example accounts that sign, in Amino JSON as wallets do.
    """
    mode = wire.SIGN_MODE_LEGACY_AMINO_JSON
    bits = tuple([index in members for index in MULTISIG_MEMBERS])
    form = MultiSignature(bits, (SingleSignature(mode, b""),) * len(members))
    body = encode_message_body(messages, memo)
    auth_info = encode_signers([SignerInfo(multisig_key(), sequence, form)], example_fee())
    raw = encode_signed(body, auth_info, [form])
    document = decode_signed(raw).sign_bytes(mode, CHAIN.id, number, sequence)
    parts = tuple([SingleSignature(mode, cached_signer(i).sign(document)) for i in members])
    return encode_signed(body, auth_info, [MultiSignature(bits, parts)])


def _draft(body: bytes, auth_info: bytes, signers: int) -> SignedTransaction:
    """Decode a transaction whose signatures are still empty."""
    empty = [SingleSignature(wire.SIGN_MODE_DIRECT, b"")] * signers
    return decode_signed(encode_signed(body, auth_info, empty))
