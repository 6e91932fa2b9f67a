"""Deterministic example accounts, states and transactions with real keys and signatures."""

from collections.abc import Iterable
from hashlib import sha256
from random import Random

from msgspec import Struct

from veperf.workloads.transaction.address import Address, address_from_bytes
from veperf.workloads.transaction.codec import (
    Coin,
    Send,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
)
from veperf.workloads.transaction.execution import Chain
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Secp256k1Signer, Signer
from veperf.workloads.transaction.state import initial_state

CHAIN = Chain(id="virtengine-1", fee_denom="uve", gas_price_atto=25 * 10**15)
GAS_LIMIT = 200_000
FEE = (Coin(CHAIN.fee_denom, CHAIN.minimum_fee(GAS_LIMIT)),)
BALANCE = 10**12
"""Initial balance of every example account."""

_SEED = 1


class Workload(Struct, frozen=True):
    """A state and transactions that are valid in it in their order."""

    tree: Tree
    """Tree whose working version is the state; not saved yet."""
    transactions: tuple[bytes, ...]


def account_secret(index: int) -> bytes:
    """Return the private key of the example account with this number, 32 bytes."""
    return sha256(b"veperf account %d" % index).digest()


def account_signer(index: int) -> Secp256k1Signer:
    """Return the key of the example account with this number."""
    return Secp256k1Signer(account_secret(index))


def keyless_address(index: int) -> bytes:
    """Return a 20-byte address without a key, for accounts that never sign."""
    return sha256(b"veperf address %d" % index).digest()[:20]


def signed_transfer(
    sender: Signer,
    account_number: int,
    recipient: Address,
    amount: int,
    sequence: int = 0,
    chain: Chain = CHAIN,
) -> bytes:
    """Return a signed, encoded transaction that sends ``amount`` of the chain's fee coin."""
    source = address_from_bytes(sender.public_key.address())
    body = encode_body([Send(source, recipient, (Coin(chain.fee_denom, amount),))])
    auth_info = encode_auth_info(sender.public_key, sequence, FEE, GAS_LIMIT)
    document = encode_sign_doc(body, auth_info, chain.id, account_number)
    return encode_raw(body, auth_info, sender.sign(document))


def genesis_tree(addresses: Iterable[bytes]) -> Tree:
    """Return an unsaved tree with accounts, numbered from 0, and balances of ``addresses``."""
    return Tree.from_sorted(initial_state(addresses, CHAIN.fee_denom, BALANCE))


def workload(accounts: int, transactions: int) -> Workload:
    """Return a state of ``accounts`` and a transfer by each of the first ``transactions`` of them.

    The recipients are drawn from all accounts.
    """
    signers = [account_signer(i) for i in range(transactions)]
    addresses = [s.public_key.address() for s in signers]
    addresses += [keyless_address(i) for i in range(transactions, accounts)]
    random = Random(_SEED)  # noqa: S311  # an example, not a secret
    raws = [
        signed_transfer(
            s, number, address_from_bytes(random.choice(addresses)), random.randint(1, 10**6)
        )
        for number, s in enumerate(signers)
    ]
    return Workload(genesis_tree(addresses), tuple(raws))
