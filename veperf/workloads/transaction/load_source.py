"""An endless source of signed, valid transfers for load.

Proper signing costs as much as verifying. Here it costs next to nothing, because the expensive half
of an ECDSA signature depends on the nonce alone: with a fixed nonce k and r = (kG).x, a signature
of the hash z by the key d is s = k^-1 (z + r d) mod n (SEC 1, section 4.1.3), two products of
integers. It is as valid, and as expensive to verify, as any other. Two of them reveal the private
key, which is no secret: it is derived from the account's number. So a load of any length is signed
on the fly, in constant memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random

from veperf.workloads.setup_cache import hash_sources, load_or_make
from veperf.workloads.transaction import example_data, protobuf
from veperf.workloads.transaction.address import Address, address_from_bytes, secp256k1_address
from veperf.workloads.transaction.codec import (
    Coin,
    Send,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
)
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import (
    KEY_LENGTHS,
    SECP256K1_ORDER,
    Scheme,
    Secp256k1Signer,
)

_NONCE = int.from_bytes(sha256(b"veperf nonce").digest(), "big") % SECP256K1_ORDER
_INVERSE = pow(_NONCE, -1, SECP256K1_ORDER)
_R_BYTES = Secp256k1Signer(_NONCE.to_bytes(32, "big")).public_key.data[1:]
_R = int.from_bytes(_R_BYTES, "big") % SECP256K1_ORDER

_SOURCES = hash_sources(Path(__file__).parent)
_SENDERS = 10_000
_RECIPIENTS = 1 << 16
_RENEWED_AFTER = 1_000
"""Transfers. A protobuf message holds on to the bytes of every value it ever had."""


@dataclass(slots=True)
class Sender:
    """An account that sends transfers."""

    number: int
    """Number of the account."""
    address: Address
    key: bytes
    """The public key as a protobuf message."""
    r_d: int
    """r times the private key, as a signature needs it."""
    sequence: int = 0
    """Sequence of the next transfer."""


class TransferSource:
    """An iterator of transfers that are all valid when executed in its order.

    Up to 10,000 accounts send in turn, so that consecutive transfers are independent; up to 65,536,
    drawn from all, receive. A transfer takes about 10 microseconds of CPU time.

    Several sources can share the state: of ``shards`` sources each has every ``shards``-th sender,
    so that its transfers stay valid however those of the others interleave with them.
    """

    def __init__(self, accounts: int, seed: int = 1, *, shard: int = 0, shards: int = 1) -> None:
        """Make a source for a state of ``accounts``, always the same for the same arguments.

        Raises:
            ValueError: ``shard`` is not one of ``shards``, or there is no sender for it.
        """
        senders = min(accounts, _SENDERS)
        if not 0 <= shard < shards <= senders:
            raise ValueError(f"no shard {shard} of {shards} where {senders} accounts send")
        self._random = Random(seed)  # noqa: S311  # an example, not a secret
        all_senders = list(map(_make_sender, range(senders), _public_keys(senders)))
        self._senders = all_senders[shard::shards]
        self._addresses = [sender.address.data for sender in all_senders]
        self._addresses += map(example_data.keyless_address, range(senders, accounts))
        self._recipients = self._random.sample(self._addresses, min(accounts, _RECIPIENTS))
        # A short load sends to few of them, a long one to each many times.
        self._address = cache(address_from_bytes)
        if shard:
            self._random.seed(f"{seed}/{shard}")  # recipients and amounts differ from shard 0's
        self._turn = 0
        key = example_data.account_signer(0).public_key
        self._blank_auth = encode_auth_info(key, 0, example_data.FEE, example_data.GAS_LIMIT)
        # One message is reused for each transaction: making it costs more than everything else.
        self._auth = protobuf.AuthInfo.FromString(self._blank_auth)

    def genesis(self) -> Tree:
        """Return the state that the transfers start from, as an unsaved tree."""
        return example_data.genesis_tree(self._addresses)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next transfer, encoded."""
        sender = self._senders[self._turn % len(self._senders)]
        self._begin_turn()
        raw = self._transfer(sender, sender.sequence)
        sender.sequence += 1
        return raw

    def take(self, count: int) -> list[bytes]:
        """Return the next ``count`` transfers, encoded."""
        return [next(self) for _ in range(count)]

    def _begin_turn(self) -> None:
        self._turn += 1
        if self._turn % _RENEWED_AFTER == 0:
            self._auth = protobuf.AuthInfo.FromString(self._blank_auth)

    def _transfer(
        self,
        sender: Sender,
        sequence: int,
        amount: int = 0,
        chain_id: str = example_data.CHAIN.id,
        number: int | None = None,
        fee: int = 0,
    ) -> bytes:
        recipient = self._address(self._random.choice(self._recipients))
        amount = amount or self._random.randrange(1, 10**6)
        coins = (Coin(example_data.CHAIN.fee_denom, amount),)
        body = encode_body([Send(sender.address, recipient, coins)])
        signer = self._auth.signer_infos[0]
        signer.public_key.value = sender.key
        signer.sequence = sequence
        if fee:
            self._auth.fee.amount[0].amount = str(fee)
        auth_info = self._auth.SerializeToString()
        if number is None:
            number = sender.number
        document = encode_sign_doc(body, auth_info, chain_id, number)
        return encode_raw(body, auth_info, _sign(sender.r_d, document))


def _public_keys(accounts: int) -> list[bytes]:
    """Return the compressed public keys of the first ``accounts``."""

    def make() -> bytes:
        return b"".join(example_data.account_signer(n).public_key.data for n in range(accounts))

    length = KEY_LENGTHS[Scheme.SECP256K1]
    keys = load_or_make(f"public keys of {accounts} example accounts", _SOURCES, make)
    return [keys[at : at + length] for at in range(0, len(keys), length)]


def _make_sender(number: int, public_key: bytes) -> Sender:
    secret = example_data.account_secret(number)
    return Sender(
        number=number,
        address=address_from_bytes(secp256k1_address(public_key)),
        key=protobuf.PubKey(key=public_key).SerializeToString(),
        r_d=_R * int.from_bytes(secret, "big"),
    )


def _sign(r_d: int, message: bytes) -> bytes:
    """Return the signature r || s over SHA-256(``message``), with low S."""
    s = _INVERSE * (int.from_bytes(sha256(message).digest(), "big") + r_d) % SECP256K1_ORDER
    return _R_BYTES + min(s, SECP256K1_ORDER - s).to_bytes(32, "big")
