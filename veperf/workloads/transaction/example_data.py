"""Example accounts, states and transactions, always the same: real keys, real signatures."""

from collections.abc import Iterable
from hashlib import sha256
from random import Random

from msgspec import Struct

from veperf.workloads.transaction.address import Address, address
from veperf.workloads.transaction.codec import (
    Send,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
)
from veperf.workloads.transaction.coins import Coin
from veperf.workloads.transaction.execution import Chain
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Secp256k1Signer, Signer
from veperf.workloads.transaction.state import initial_state

CHAIN = Chain(id="virtengine-1", fee_denom="uve", gas_price_atto=25 * 10**15)
GAS_LIMIT = 200_000
FEE = (Coin(CHAIN.fee_denom, CHAIN.minimum_fee(GAS_LIMIT)),)
BALANCE = 10**12
"""What every example account starts with."""

_SEED = 1


class Workload(Struct, frozen=True):
    """A state and transactions that are all valid in it, in their order."""

    tree: Tree
    """Its working version is the state, not saved yet."""
    transactions: tuple[bytes, ...]


def secret(index: int) -> bytes:
    """The private key of the example account with this number, 32 bytes."""
    return sha256(b"veperf account %d" % index).digest()


def signer(index: int) -> Secp256k1Signer:
    """The key of the example account with this number."""
    return Secp256k1Signer(secret(index))


def keyless_address(index: int) -> bytes:
    """20 bytes that are nobody's address, for states with more accounts than ever sign."""
    return sha256(b"veperf address %d" % index).digest()[:20]


def transfer(
    sender: Signer,
    account_number: int,
    recipient: Address,
    amount: int,
    sequence: int = 0,
    chain: Chain = CHAIN,
) -> bytes:
    """An encoded, signed transaction that sends ``amount`` of the chain's fee denomination."""
    source = address(sender.public_key.address())
    body = encode_body([Send(source, recipient, (Coin(chain.fee_denom, amount),))])
    auth_info = encode_auth_info(sender.public_key, sequence, FEE, GAS_LIMIT)
    document = encode_sign_doc(body, auth_info, chain.id, account_number)
    return encode_raw(body, auth_info, sender.sign(document))


def genesis(addresses: Iterable[bytes]) -> Tree:
    """An unsaved tree in which each of ``addresses`` has an account, numbered from 0, and money."""
    return Tree.from_sorted(initial_state(addresses, CHAIN.fee_denom, BALANCE))


def workload(accounts: int, transactions: int) -> Workload:
    """A state of ``accounts`` and one transfer by each of the first ``transactions`` of them.

    The recipients are drawn from all accounts.
    """
    signers = [signer(i) for i in range(transactions)]
    addresses = [s.public_key.address() for s in signers]
    addresses += [keyless_address(i) for i in range(transactions, accounts)]
    random = Random(_SEED)  # noqa: S311  # an example, not a secret
    raws = [
        transfer(s, number, address(random.choice(addresses)), random.randint(1, 10**6))
        for number, s in enumerate(signers)
    ]
    return Workload(genesis(addresses), tuple(raws))
