"""Fee allowances: one account pays the fees of another, as the SDK's x/feegrant has it.

There are three kinds. A basic allowance is up to a limit in all, until some time; a periodic one
also has a limit for each period; an allowance for some messages wraps either of these, and pays for
transactions of these messages alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.codec import Coin, Coins, read_coins
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.wire import wire_coins

_PACKAGE = "/cosmos.feegrant.v1beta1."
_CLASSES = {
    f"{_PACKAGE}{kind.DESCRIPTOR.name}": kind
    for kind in (wire.BasicAllowance, wire.PeriodicAllowance, wire.AllowedMsgAllowance)
}
_ALLOWANCE = b"\x00"


class Period(Struct, frozen=True):
    """The limit of a periodic allowance."""

    seconds: int
    limit: Coins
    resets: int
    """When the first period ends, in seconds since 1970."""


def allowance_key(granter: Address, grantee: Address) -> bytes:
    """Return the key of the allowance that ``grantee`` has of ``granter``."""
    return _ALLOWANCE + b"".join(
        bytes([len(address.data)]) + address.data for address in (grantee, granter)
    )


def grant_allowance(
    fee_grants: KeyValueStore,
    granter: Address,
    grantee: Address,
    limit: Coins = (),
    expires: int | None = None,
    *,
    period: Period | None = None,
    messages: Sequence[str] = (),
) -> None:
    """Write an allowance: up to ``limit`` in all (empty: any), until the time ``expires``.

    ``expires`` is in seconds since 1970; None for no end. With a ``period`` it is periodic; with
    type URLs in ``messages`` it is for these messages alone.
    """
    basic = wire.BasicAllowance(spend_limit=wire_coins(limit))
    if expires is not None:
        basic.expiration.seconds = expires
    allowance = basic
    if period is not None:
        allowance = wire.PeriodicAllowance(
            basic=basic,
            period_spend_limit=wire_coins(period.limit),
            period_can_spend=wire_coins(period.limit),
        )
        allowance.period.seconds = period.seconds
        allowance.period_reset.seconds = period.resets
    if messages:
        allowance = wire.AllowedMsgAllowance(allowance=_pack(allowance), allowed_messages=messages)
    _write(fee_grants, granter, grantee, allowance)


def use_allowance(
    fee_grants: KeyValueStore,
    granter: Address,
    grantee: Address,
    fee: Coins,
    time: int,
    messages: Iterable[str],
) -> None:
    """Take ``fee`` off the allowance that ``grantee`` has of ``granter``.

    ``time`` is the block's, in seconds since 1970; ``messages`` are the transaction's, by their
    type URLs.

    Raises:
        TransactionRefused: ``NO_FEE_ALLOWANCE``, ``FEE_ALLOWANCE_EXPIRED``,
            ``FEE_ALLOWANCE_EXCEEDED``, ``MESSAGE_NOT_ALLOWED``.
    """
    key = allowance_key(granter, grantee)
    record = fee_grants.get(key)
    if record is None:
        raise TransactionRefused(
            Code.NO_FEE_ALLOWANCE, f"{grantee.text} has none of {granter.text}"
        )
    allowance = _unpack(wire.Grant.FromString(record).allowance)
    if _accept(allowance, fee, time, messages):
        fee_grants.remove(key)
    else:
        _write(fee_grants, granter, grantee, allowance)


def _accept(allowance: Any, fee: Coins, time: int, messages: Iterable[str]) -> bool:
    """Take ``fee`` off ``allowance``; return if nothing is left of it: ``Accept`` of each kind."""
    if isinstance(allowance, wire.AllowedMsgAllowance):
        for url in messages:
            if url not in allowance.allowed_messages:
                raise TransactionRefused(Code.MESSAGE_NOT_ALLOWED, url)
        inner = _unpack(allowance.allowance)
        is_used_up = _accept(inner, fee, time, messages)
        allowance.allowance.CopyFrom(_pack(inner))
        return is_used_up
    is_periodic = isinstance(allowance, wire.PeriodicAllowance)
    basic = allowance.basic if is_periodic else allowance
    if basic.HasField("expiration") and basic.expiration.seconds < time:
        raise TransactionRefused(Code.FEE_ALLOWANCE_EXPIRED, f"at {basic.expiration.seconds}")
    if is_periodic:
        _begin_period(allowance, time)
        _subtract(allowance.period_can_spend, fee)
    if not basic.spend_limit:
        return False
    _subtract(basic.spend_limit, fee)
    return not basic.spend_limit


def _begin_period(allowance: Any, time: int) -> None:
    """Begin the next period if it is time: a limit of less than all that is left, and no more."""
    if time < allowance.period_reset.seconds:
        return
    left = {coin.denom: coin.amount for coin in read_coins(allowance.basic.spend_limit)}
    limit = read_coins(allowance.period_spend_limit)
    is_over = bool(left) and any(coin.amount > left.get(coin.denom, 0) for coin in limit)
    source = allowance.basic.spend_limit if is_over else allowance.period_spend_limit
    del allowance.period_can_spend[:]
    allowance.period_can_spend.extend(source)
    # From where the last one ended; after a long pause, from now.
    reset = allowance.period_reset.seconds + allowance.period.seconds
    allowance.period_reset.seconds = reset if time <= reset else time + allowance.period.seconds


def _subtract(limit: Any, fee: Coins) -> None:
    """Take ``fee`` off the coins of a field."""
    left = {coin.denom: coin.amount for coin in read_coins(limit)}
    for coin in fee:
        left[coin.denom] = left.get(coin.denom, 0) - coin.amount
        if left[coin.denom] < 0:
            raise TransactionRefused(
                Code.FEE_ALLOWANCE_EXCEEDED, f"by {-left[coin.denom]}{coin.denom}"
            )
    del limit[:]
    limit.extend(wire_coins([Coin(denom, amount) for denom, amount in left.items() if amount]))


def _pack(allowance: Any) -> Any:
    url = _PACKAGE + allowance.DESCRIPTOR.name
    return wire.AnyMessage(type_url=url, value=allowance.SerializeToString())


def _unpack(packed: Any) -> Any:
    return _CLASSES[packed.type_url].FromString(packed.value)


def _write(fee_grants: KeyValueStore, granter: Address, grantee: Address, allowance: Any) -> None:
    grant = wire.Grant(granter=granter.text, grantee=grantee.text, allowance=_pack(allowance))
    fee_grants.set(allowance_key(granter, grantee), grant.SerializeToString())
