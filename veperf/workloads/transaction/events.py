"""What those who follow the chain are told of a transaction, as in the SDK's bank module.

All of it follows from the transaction and from whether its messages ran, so it is put into words
only when somebody asks.
"""

from base64 import b64encode
from hashlib import sha256

from msgspec import Struct

from veperf.workloads.transaction.address import Address, address
from veperf.workloads.transaction.codec import Transaction
from veperf.workloads.transaction.coins import Coins, coins_text

# Module accounts: the first 20 bytes of SHA-256 of the module's name (ADR-028).
FEE_COLLECTOR = address(sha256(b"fee_collector").digest()[:20])


class Event(Struct, frozen=True):
    """Something that happened."""

    type: str
    attributes: tuple[tuple[str, str], ...]


def fee_events(transaction: Transaction) -> tuple[Event, ...]:
    """Of the fee's being paid, and the sequence and signature used."""
    signer, fee = transaction.signer, transaction.fee
    signature = b64encode(transaction.signature).decode()
    return (
        *(_moved(signer, FEE_COLLECTOR, fee) if fee else ()),
        Event("tx", (("fee", coins_text(fee)), ("fee_payer", signer.text))),
        Event("tx", (("acc_seq", f"{signer.text}/{transaction.sequence}"),)),
        Event("tx", (("signature", signature),)),
    )


def message_events(transaction: Transaction) -> tuple[Event, ...]:
    """Of the messages' being run."""
    events: list[Event] = []
    for message in transaction.messages:
        sender = message.sender
        about = (
            ("action", "/cosmos.bank.v1beta1.MsgSend"),
            ("sender", sender.text),
            ("module", "bank"),
        )
        events += [Event("message", about), *_moved(sender, message.recipient, message.amount)]
    return tuple(events)


def _moved(sender: Address, recipient: Address, coins: Coins) -> tuple[Event, ...]:
    amount = ("amount", coins_text(coins))
    spender, receiver = ("spender", sender.text), ("receiver", recipient.text)
    return (
        Event("coin_spent", (spender, amount)),
        Event("coin_received", (receiver, amount)),
        Event("transfer", (("recipient", recipient.text), ("sender", sender.text), amount)),
        Event("message", (("sender", sender.text),)),
    )
