"""Signed transactions without end, for load: valid ones in order, and bad ones when asked for.

Making a signature costs as much as verifying one when it is done as it should be. Here it costs
next to nothing, because the expensive half of an ECDSA signature depends on the nonce alone: with
a fixed nonce k and r = (kG).x, a signature of the hash z by the key d is s = k^-1 (z + r d) mod n
(SEC 1, section 4.1.3), two products of integers. It is as valid, and as expensive to verify, as
any other. Two of them give the private key away, which is no secret: it is made from the account's
number. So a load of any length is signed as it goes, in constant memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from random import Random

from veperf.workloads.transaction import example_data
from veperf.workloads.transaction import messages as wire
from veperf.workloads.transaction.address import Address, address
from veperf.workloads.transaction.codec import (
    Send,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
)
from veperf.workloads.transaction.coins import Coin
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Secp256k1Signer

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_NONCE = int.from_bytes(sha256(b"veperf nonce").digest(), "big") % _ORDER
_INVERSE = pow(_NONCE, -1, _ORDER)
_R_BYTES = Secp256k1Signer(_NONCE.to_bytes(32, "big")).public_key.data[1:]
_R = int.from_bytes(_R_BYTES, "big") % _ORDER

_SENDERS = 10_000
_RECIPIENTS = 1 << 16
_RENEWED_AFTER = 1_000
"""Transfers. A protobuf message keeps the bytes of every value that it ever had."""


class Fault(Enum):
    """What can be wrong with a transaction, and the code with which a pipeline ends it."""

    DUPLICATE = ("the same bytes again", Code.DUPLICATE)
    REPLAY = ("signed anew with a sequence that was used", Code.REPLAY)
    GAP = ("signed with a sequence whose turn has not come", Code.WRONG_SEQUENCE)
    OVERDRAFT = ("sends more than there is", Code.INSUFFICIENT_FUNDS)
    WRONG_CHAIN = ("signed for another chain", Code.WRONG_SIGNATURE)
    WRONG_NUMBER = ("signed for another account number", Code.WRONG_SIGNATURE)
    HIGH_S = ("signed with s over half the order", Code.HIGH_S)
    TRUNCATED = ("cut off", Code.MALFORMED)
    GARBAGE = ("random bytes", Code.MALFORMED)

    @property
    def code(self) -> Code:
        """How it ends."""
        return self.value[1]


@dataclass(slots=True)
class _Sender:
    number: int
    """Of the account."""
    address: Address
    key: bytes
    """The public key as its protobuf message."""
    r_d: int
    """r times the private key: what a signature needs of it."""
    sequence: int = 0
    """The next one."""


class Feed:
    """Transfers that are all valid when executed in the order in which they are taken.

    Up to 10,000 accounts send in turn, so that neighbours don't wait for each other; up to 65,536,
    drawn from all, receive. About 10 microseconds of CPU time each.

    Several feeds can share the state: of ``shards`` feeds each has every ``shards``-th sender, so
    that its transfers stay valid whatever those of the others come between them.
    """

    def __init__(self, accounts: int, seed: int = 1, *, shard: int = 0, shards: int = 1) -> None:
        """A feed for a state of ``accounts``, always the same for the same arguments.

        Raises:
            ValueError: ``shard`` is not one of ``shards``, or there is no sender for it.
        """
        senders = min(accounts, _SENDERS)
        if not 0 <= shard < shards <= senders:
            raise ValueError(f"no shard {shard} of {shards} where {senders} accounts send")
        self._random = Random(seed)  # noqa: S311  # an example, not a secret
        everyone = [_sender(number) for number in range(senders)]
        self._senders = everyone[shard::shards]
        self._addresses = [sender.address.data for sender in everyone]
        self._addresses += map(example_data.keyless_address, range(senders, accounts))
        receivers = self._random.sample(self._addresses, min(accounts, _RECIPIENTS))
        self._recipients = [address(data) for data in receivers]
        if shard:
            self._random.seed(f"{seed}/{shard}")  # who receives how much differs from shard 0's
        self._turn = 0
        self._last = b""
        key = example_data.signer(0).public_key
        self._blank_auth = encode_auth_info(key, 0, example_data.FEE, example_data.GAS_LIMIT)
        # One message, filled in anew for each transaction: making it costs more than all the rest.
        self._auth = wire.AuthInfo.FromString(self._blank_auth)

    def genesis(self) -> Tree:
        """The state that the transfers start from, as an unsaved tree."""
        return example_data.genesis(self._addresses)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next transfer, encoded."""
        sender = self._senders[self._turn % len(self._senders)]
        self._turn += 1
        if self._turn % _RENEWED_AFTER == 0:
            self._auth = wire.AuthInfo.FromString(self._blank_auth)
        self._last = self._transfer(sender, sender.sequence)
        sender.sequence += 1
        return self._last

    def take(self, count: int) -> list[bytes]:
        """The next ``count`` transfers, encoded."""
        return [next(self) for _ in range(count)]

    def bad(self, fault: Fault) -> bytes:
        """A transaction by the sender of the last transfer that is valid but for ``fault``.

        The transfers that follow stay valid.

        Raises:
            ValueError: nothing was taken yet.
        """
        if not self._turn:
            raise ValueError("take a transfer first: its sender makes the bad transaction")
        sender = self._senders[(self._turn - 1) % len(self._senders)]
        match fault:
            case Fault.DUPLICATE:
                return self._last
            case Fault.REPLAY:
                return self._transfer(sender, sender.sequence - 1)
            case Fault.GAP:
                return self._transfer(sender, sender.sequence + 1_000)
            case Fault.OVERDRAFT:
                sender.sequence += 1  # it pays its fee and counts
                return self._transfer(sender, sender.sequence - 1, 10**18)
            case Fault.WRONG_CHAIN:
                return self._transfer(sender, sender.sequence, chain_id="elsewhere-1")
            case Fault.WRONG_NUMBER:
                return self._transfer(sender, sender.sequence, number=sender.number + 1)
            case Fault.HIGH_S:
                raw = self._transfer(sender, sender.sequence)
                s = _ORDER - int.from_bytes(raw[-32:], "big")
                return raw[:-32] + s.to_bytes(32, "big")
            case Fault.TRUNCATED:
                raw = self._transfer(sender, sender.sequence)
                # Within the signature, which is last: between two fields it may be less than that.
                return raw[: -self._random.randrange(1, 65)]
            case Fault.GARBAGE:
                # Field number 0: no protobuf message starts like that.
                return b"\0" + self._random.randbytes(300)

    def _transfer(
        self,
        sender: _Sender,
        sequence: int,
        amount: int = 0,
        chain_id: str = example_data.CHAIN.id,
        number: int | None = None,
    ) -> bytes:
        recipient = self._random.choice(self._recipients)
        amount = amount or self._random.randrange(1, 10**6)
        coins = (Coin(example_data.CHAIN.fee_denom, amount),)
        body = encode_body([Send(sender.address, recipient, coins)])
        signer = self._auth.signer_infos[0]
        signer.public_key.value = sender.key
        signer.sequence = sequence
        auth_info = self._auth.SerializeToString()
        if number is None:
            number = sender.number
        document = encode_sign_doc(body, auth_info, chain_id, number)
        return encode_raw(body, auth_info, _sign(sender.r_d, document))


def mix(feed: Feed, shares: Mapping[Fault, float], seed: int = 1) -> Iterator[tuple[bytes, Code]]:
    """Transactions from ``feed``, of which ``shares`` are bad, with the codes they must end with.

    A share is that of all transactions; the first one is always good.
    """
    random = Random(seed)  # noqa: S311  # an example, not a secret
    faults = [*shares, None]
    weights = [*shares.values(), 1 - sum(shares.values())]
    yield next(feed), Code.OK
    while True:
        (fault,) = random.choices(faults, weights)
        yield (next(feed), Code.OK) if fault is None else (feed.bad(fault), fault.code)


def _sender(number: int) -> _Sender:
    secret = example_data.secret(number)
    key = Secp256k1Signer(secret).public_key
    return _Sender(
        number=number,
        address=address(key.address()),
        key=wire.PubKey(key=key.data).SerializeToString(),
        r_d=_R * int.from_bytes(secret, "big"),
    )


def _sign(r_d: int, message: bytes) -> bytes:
    """The signature r || s over SHA-256(``message``), with low S."""
    s = _INVERSE * (int.from_bytes(sha256(message).digest(), "big") + r_d) % _ORDER
    return _R_BYTES + min(s, _ORDER - s).to_bytes(32, "big")
