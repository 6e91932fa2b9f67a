"""Fee allowances: one account pays the fees of another, as the SDK's x/feegrant has it."""

from typing import Any

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.codec import Coin, Coins
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.messages import wire_coins

_BASIC_URL = "/cosmos.feegrant.v1beta1.BasicAllowance"
_ALLOWANCE = b"\x00"


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
) -> None:
    """Write a basic allowance: up to ``limit`` in all (empty: any), until the time ``expires``.

    ``expires`` is in seconds since 1970; None for no end.
    """
    allowance = wire.BasicAllowance(spend_limit=wire_coins(limit))
    if expires is not None:
        allowance.expiration.seconds = expires
    _write(fee_grants, granter, grantee, allowance)


def use_allowance(
    fee_grants: KeyValueStore, granter: Address, grantee: Address, fee: Coins, time: int
) -> None:
    """Take ``fee`` off the allowance that ``grantee`` has of ``granter``.

    Raises:
        TransactionRefused: ``NO_FEE_ALLOWANCE``, ``FEE_ALLOWANCE_EXPIRED``,
            ``FEE_ALLOWANCE_EXCEEDED``.
    """
    record = fee_grants.get(allowance_key(granter, grantee))
    if record is None:
        raise TransactionRefused(
            Code.NO_FEE_ALLOWANCE, f"{grantee.text} has none of {granter.text}"
        )
    allowance = wire.BasicAllowance.FromString(wire.Grant.FromString(record).allowance.value)
    if allowance.HasField("expiration") and allowance.expiration.seconds < time:
        raise TransactionRefused(
            Code.FEE_ALLOWANCE_EXPIRED, f"that of {granter.text} to {grantee.text}"
        )
    if not allowance.spend_limit:
        return
    left = {coin.denom: int(coin.amount) for coin in allowance.spend_limit}
    for coin in fee:
        left[coin.denom] = left.get(coin.denom, 0) - coin.amount
        if left[coin.denom] < 0:
            raise TransactionRefused(
                Code.FEE_ALLOWANCE_EXCEEDED, f"by {-left[coin.denom]}{coin.denom}"
            )
    coins = [Coin(denom, amount) for denom, amount in left.items() if amount]
    if not coins:
        fee_grants.remove(allowance_key(granter, grantee))
        return
    del allowance.spend_limit[:]
    allowance.spend_limit.extend(wire_coins(coins))
    _write(fee_grants, granter, grantee, allowance)


def _write(fee_grants: KeyValueStore, granter: Address, grantee: Address, allowance: Any) -> None:
    grant = wire.Grant(granter=granter.text, grantee=grantee.text)
    grant.allowance.type_url = _BASIC_URL
    grant.allowance.value = allowance.SerializeToString()
    fee_grants.set(allowance_key(granter, grantee), grant.SerializeToString())
