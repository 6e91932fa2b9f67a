"""Amounts of money: exact integers of a denomination."""

import re
from collections.abc import Iterable

from msgspec import Struct

from veperf.workloads.transaction.errors import Code, TransactionRefused

_MAX_AMOUNT = (1 << 256) - 1  # the SDK's Int
_MAX_DIGITS = len(str(_MAX_AMOUNT))
_is_denom = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}").fullmatch  # the SDK's


class Coin(Struct, frozen=True, array_like=True, gc=False):
    """An amount, over 0, of one denomination."""

    denom: str
    amount: int


Coins = tuple[Coin, ...]
"""In the order of their denominations, each one once."""


def parse_coins(pairs: Iterable[tuple[str, str]]) -> Coins:
    """Coins from pairs of denomination and decimal amount, as the SDK's ``Coins.Validate`` does.

    Stricter in one thing: the SDK also takes leading zeros and other bases ("0x10").

    Raises:
        TransactionRefused: ``INVALID_COINS``: amount not a plain decimal over 0 and under 2^256,
            denomination not allowed, out of order or repeated.
    """
    coins = []
    last = ""
    for denom, digits in pairs:
        if not _is_denom(denom):
            raise TransactionRefused(Code.INVALID_COINS, f"{denom!r} can't be a denomination")
        if denom <= last:
            raise TransactionRefused(Code.INVALID_COINS, f"{denom} repeats or is out of order")
        last = denom
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
            raise TransactionRefused(Code.INVALID_COINS, f"{digits[:100]!r} is not an amount")
        amount = int(digits)
        if digits[0] == "0" or amount > _MAX_AMOUNT:
            raise TransactionRefused(Code.INVALID_COINS, f"{digits} is not an amount")
        coins.append(Coin(denom, amount))
    return tuple(coins)


def coins_text(coins: Coins) -> str:
    """As the SDK writes them in events: ``15uatom,3000uve``."""
    return ",".join([f"{coin.amount}{coin.denom}" for coin in coins])
