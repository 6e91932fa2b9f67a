"""Messages of the bank and staking modules: their form, who signs them, and their checks.

Checks that need no state are those of the SDK's ``ValidateBasic``, as far as they exist there. What
has a code of its own in x/bank (no inputs, several senders, sums that differ) is an
``INVALID_REQUEST`` here.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from veperf.workloads.transaction.address import Address, parse_account_address
from veperf.workloads.transaction.codec import Coin, Coins, Send, parse_coins, parse_message
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import wire


class Output(Struct, frozen=True):
    """The share of one recipient of a ``MultiSend``."""

    recipient: Address
    amount: Coins


class MultiSend(Struct, frozen=True):
    """A transfer to several recipients: the bank module's MsgMultiSend."""

    sender: Address
    total: Coins
    """The sum of the outputs."""
    outputs: tuple[Output, ...]


class Delegate(Struct, frozen=True):
    """A delegation of tokens to a validator: the staking module's MsgDelegate."""

    delegator: Address
    validator: Address
    amount: Coin


class Undelegate(Struct, frozen=True):
    """The end of a delegation, or of a part of it: the staking module's MsgUndelegate."""

    delegator: Address
    validator: Address
    amount: Coin


Message = Send | MultiSend | Delegate | Undelegate


class MessageKind(Struct, frozen=True):
    """A kind of message, by its type URL in ``MESSAGE_KINDS``."""

    amino_name: str
    """Its name in Amino JSON."""
    wire_class: Any
    read: Callable[[Any, str], Message]
    """Check a message of ``wire_class`` on a chain whose addresses have this prefix."""


def message_signer(message: Message) -> Address:
    """Return the account that has to sign ``message``."""
    return message.sender if isinstance(message, (Send, MultiSend)) else message.delegator


def pack_message(message: Message) -> Any:
    """Encode ``message`` as an Any, which a TxBody has."""
    encoded: Any
    if isinstance(message, Send):
        url, encoded = _SEND, wire.MsgSend()
        encoded.from_address, encoded.to_address = message.sender.text, message.recipient.text
        encoded.amount.extend(wire_coins(message.amount))
    elif isinstance(message, MultiSend):
        url, encoded = _MULTI_SEND, wire.MsgMultiSend()
        encoded.inputs.add(address=message.sender.text, coins=wire_coins(message.total))
        for output in message.outputs:
            encoded.outputs.add(address=output.recipient.text, coins=wire_coins(output.amount))
    else:
        is_delegation = isinstance(message, Delegate)
        url = _DELEGATE if is_delegation else _UNDELEGATE
        encoded = (wire.MsgDelegate if is_delegation else wire.MsgUndelegate)(
            delegator_address=message.delegator.text,
            validator_address=message.validator.text,
            amount=wire_coins([message.amount])[0],
        )
    return wire.AnyMessage(type_url=url, value=encoded.SerializeToString())


def unpack_message(packed: Any, prefix: str) -> tuple[Message, str, Any]:
    """Decode an Any; return the message, its name in Amino JSON, and its protobuf message.

    Raises:
        TransactionRefused: ``UNKNOWN_MESSAGE``, ``MALFORMED``, ``INVALID_ADDRESS``,
            ``INVALID_COINS``, ``INVALID_REQUEST``.
    """
    kind = MESSAGE_KINDS.get(packed.type_url)
    if kind is None:
        raise TransactionRefused(Code.UNKNOWN_MESSAGE, f"{packed.type_url!r} is not supported")
    encoded = parse_message(kind.wire_class, packed.value)
    return kind.read(encoded, prefix), kind.amino_name, encoded


def wire_coins(coins: Iterable[Coin]) -> list[Any]:
    """Return coins as protobuf messages."""
    return [wire.Coin(denom=coin.denom, amount=str(coin.amount)) for coin in coins]


def read_coins(coins: Iterable[Any]) -> Coins:
    """Check coins in protobuf messages, as ``parse_coins``."""
    return parse_coins([(coin.denom, coin.amount) for coin in coins])


def _read_amount(coins: Iterable[Any]) -> Coins:
    amount = read_coins(coins)
    if not amount:
        raise TransactionRefused(Code.INVALID_COINS, "a transfer of nothing")
    return amount


def _read_send(message: Any, prefix: str) -> Send:
    sender = parse_account_address(message.from_address, prefix)
    recipient = parse_account_address(message.to_address, prefix)
    return Send(sender, recipient, _read_amount(message.amount))


def _read_multi_send(message: Any, prefix: str) -> MultiSend:
    if len(message.inputs) != 1 or not message.outputs:
        raise TransactionRefused(
            Code.INVALID_REQUEST,
            f"{len(message.inputs)} senders and {len(message.outputs)} recipients; there is one "
            "sender, and at least one recipient",
        )
    sender = parse_account_address(message.inputs[0].address, prefix)
    total = _read_amount(message.inputs[0].coins)
    outputs = tuple(
        [
            Output(parse_account_address(output.address, prefix), _read_amount(output.coins))
            for output in message.outputs
        ]
    )
    sums: Counter[str] = Counter()
    for output in outputs:
        for coin in output.amount:
            sums[coin.denom] += coin.amount
    if sums != {coin.denom: coin.amount for coin in total}:
        raise TransactionRefused(Code.INVALID_REQUEST, "the outputs are not what is sent")
    return MultiSend(sender, total, outputs)


def _read_delegation(message: Any, prefix: str) -> tuple[Address, Address, Coin]:
    delegator = parse_account_address(message.delegator_address, prefix)
    validator = parse_account_address(message.validator_address, f"{prefix}valoper")
    if not message.HasField("amount"):
        raise TransactionRefused(Code.INVALID_COINS, "a delegation of nothing")
    return delegator, validator, read_coins([message.amount])[0]


_SEND = "/cosmos.bank.v1beta1.MsgSend"
_MULTI_SEND = "/cosmos.bank.v1beta1.MsgMultiSend"
_DELEGATE = "/cosmos.staking.v1beta1.MsgDelegate"
_UNDELEGATE = "/cosmos.staking.v1beta1.MsgUndelegate"
MESSAGE_KINDS = {
    _SEND: MessageKind("cosmos-sdk/MsgSend", wire.MsgSend, _read_send),
    _MULTI_SEND: MessageKind("cosmos-sdk/MsgMultiSend", wire.MsgMultiSend, _read_multi_send),
    _DELEGATE: MessageKind(
        "cosmos-sdk/MsgDelegate",
        wire.MsgDelegate,
        lambda message, prefix: Delegate(*_read_delegation(message, prefix)),
    ),
    _UNDELEGATE: MessageKind(
        "cosmos-sdk/MsgUndelegate",
        wire.MsgUndelegate,
        lambda message, prefix: Undelegate(*_read_delegation(message, prefix)),
    ),
}
