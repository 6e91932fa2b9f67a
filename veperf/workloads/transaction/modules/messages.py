"""The messages of all modules by their type URLs; those of the bank and of staking in full.

Checks that need no state are those of the SDK's ``ValidateBasic``, and of its message servers where
these check amounts.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from veperf.workloads.transaction.address import Address, parse_account_address
from veperf.workloads.transaction.codec import Coin, Coins, Send, read_coins
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import identity_messages as identity
from veperf.workloads.transaction.modules import market_messages as market
from veperf.workloads.transaction.modules import virtengine_wire, wire
from veperf.workloads.transaction.modules.wire import wire_coins


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


Message = (
    Send
    | MultiSend
    | Delegate
    | Undelegate
    | market.CreateDeployment
    | market.CloseDeployment
    | market.CreateBid
    | market.CloseBid
    | market.CreateLease
    | market.CloseLease
    | identity.UploadScope
    | identity.RequestVerification
    | identity.UpdateScore
)


class MessageKind(Struct, frozen=True):
    """A kind of message, in ``MESSAGE_KINDS`` by its type URL."""

    amino_name: str
    """Its name in Amino JSON: the type URL where VirtEngine's definition gives none."""
    wire_class: Any
    message_class: type[Message]
    read: Callable[[Any, str], Message]
    """Check a message of ``wire_class`` on a chain whose addresses have this prefix."""
    encode: Callable[[Any], Any]
    """Make a message of ``wire_class``."""


def message_signer(message: Message) -> Address:
    """Return the account that has to sign ``message``."""
    if isinstance(message, (Send, MultiSend)):
        return message.sender
    if isinstance(message, (Delegate, Undelegate)):
        return message.delegator
    return message.signer


def message_url(message: Message) -> str:
    """Return the type URL of ``message``."""
    return _URLS[type(message)]


def pack_message(message: Message) -> Any:
    """Encode ``message`` as an Any, which a TxBody has."""
    url = message_url(message)
    encoded = MESSAGE_KINDS[url].encode(message)
    return wire.AnyMessage(type_url=url, value=encoded.SerializeToString())


def unpack_message(packed: Any, prefix: str) -> tuple[Message, str, Any, bool]:
    """Decode an Any; return the message, its name in Amino JSON, and its protobuf message.

    The last of the four is if it has fields that a chain ignores (``parse_body_message``).

    Raises:
        TransactionRefused: ``UNKNOWN_MESSAGE``, ``MALFORMED``, ``INVALID_ADDRESS``,
            ``INVALID_COINS``, ``INVALID_REQUEST``, and those that the messages' readers name.
    """
    kind = MESSAGE_KINDS.get(packed.type_url)
    if kind is None:
        raise TransactionRefused(Code.UNKNOWN_MESSAGE, f"{packed.type_url!r} is not supported")
    encoded, has_ignored = wire.parse_body_message(kind.wire_class, packed.value)
    return kind.read(encoded, prefix), kind.amino_name, encoded, has_ignored


# ---------------------------------------------------------------- encoding


def _encode_send(message: Send) -> Any:
    encoded = wire.MsgSend(from_address=message.sender.text, to_address=message.recipient.text)
    encoded.amount.extend(wire_coins(message.amount))
    return encoded


def _encode_multi_send(message: MultiSend) -> Any:
    encoded = wire.MsgMultiSend()
    encoded.inputs.add(address=message.sender.text, coins=wire_coins(message.total))
    for output in message.outputs:
        encoded.outputs.add(address=output.recipient.text, coins=wire_coins(output.amount))
    return encoded


def _encode_delegation(message: Delegate | Undelegate) -> Any:
    kind = wire.MsgDelegate if isinstance(message, Delegate) else wire.MsgUndelegate
    return kind(
        delegator_address=message.delegator.text,
        validator_address=message.validator.text,
        amount=wire_coins([message.amount])[0],
    )


# ---------------------------------------------------------------- decoding


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
    if not message.inputs:
        raise TransactionRefused(Code.NO_INPUTS, "nobody sends")
    if len(message.inputs) > 1:
        raise TransactionRefused(Code.MULTIPLE_SENDERS, f"{len(message.inputs)}, not one")
    if not message.outputs:
        raise TransactionRefused(Code.NO_OUTPUTS, "nobody receives")
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
        raise TransactionRefused(Code.SUMS_DIFFER, "the outputs are not what is sent")
    return MultiSend(sender, total, outputs)


def _read_delegation(message: Any, prefix: str) -> tuple[Address, Address, Coin]:
    delegator = parse_account_address(message.delegator_address, prefix)
    validator = parse_account_address(message.validator_address, f"{prefix}valoper")
    try:
        (amount,) = read_coins([message.amount])
    except TransactionRefused as refused:
        # Of an amount that is no coin, or none at all, staking says that the request is invalid.
        raise TransactionRefused(Code.INVALID_REQUEST, str(refused)) from refused
    return delegator, validator, amount


_BANK, _STAKING = "cosmos.bank.v1beta1", "cosmos.staking.v1beta1"
_DEPLOYMENT, _MARKET = "virtengine.deployment.v1beta4", "virtengine.market.v1beta5"


def _own_kind(
    package: str, message_class: Any, read: Any, encode: Any, amino_prefix: str = ""
) -> tuple[str, MessageKind]:
    """Return the type URL and the kind of one of VirtEngine's messages."""
    name = f"Msg{message_class.__name__}"
    url = f"/{package}.{name}"
    amino_name = f"{amino_prefix}{name}" if amino_prefix else url
    wire_class = getattr(virtengine_wire, name)
    return url, MessageKind(amino_name, wire_class, message_class, read, encode)


MESSAGE_KINDS = {
    f"/{_BANK}.MsgSend": MessageKind(
        "cosmos-sdk/MsgSend", wire.MsgSend, Send, _read_send, _encode_send
    ),
    f"/{_BANK}.MsgMultiSend": MessageKind(
        "cosmos-sdk/MsgMultiSend",
        wire.MsgMultiSend,
        MultiSend,
        _read_multi_send,
        _encode_multi_send,
    ),
    f"/{_STAKING}.MsgDelegate": MessageKind(
        "cosmos-sdk/MsgDelegate",
        wire.MsgDelegate,
        Delegate,
        lambda message, prefix: Delegate(*_read_delegation(message, prefix)),
        _encode_delegation,
    ),
    f"/{_STAKING}.MsgUndelegate": MessageKind(
        "cosmos-sdk/MsgUndelegate",
        wire.MsgUndelegate,
        Undelegate,
        lambda message, prefix: Undelegate(*_read_delegation(message, prefix)),
        _encode_delegation,
    ),
} | dict(
    [
        _own_kind(
            _DEPLOYMENT,
            market.CreateDeployment,
            market.read_create_deployment,
            market.encode_create_deployment,
        ),
        _own_kind(
            _DEPLOYMENT,
            market.CloseDeployment,
            market.read_close_deployment,
            market.encode_close_deployment,
        ),
        _own_kind(_MARKET, market.CreateBid, market.read_create_bid, market.encode_create_bid),
        _own_kind(_MARKET, market.CloseBid, market.read_close_bid, market.encode_close_bid),
        _own_kind(
            _MARKET, market.CreateLease, market.read_create_lease, market.encode_create_lease
        ),
        _own_kind(_MARKET, market.CloseLease, market.read_close_lease, market.encode_close_lease),
        _own_kind(
            "virtengine.veid.v1",
            identity.UploadScope,
            identity.read_upload_scope,
            identity.encode_upload_scope,
            "veid/",
        ),
        _own_kind(
            "virtengine.veid.v1",
            identity.RequestVerification,
            identity.read_request_verification,
            identity.encode_request_verification,
            "veid/",
        ),
        _own_kind(
            "virtengine.veid.v1",
            identity.UpdateScore,
            identity.read_update_score,
            identity.encode_update_score,
            "veid/",
        ),
    ]
)
_URLS: dict[type, str] = {kind.message_class: url for url, kind in MESSAGE_KINDS.items()}
