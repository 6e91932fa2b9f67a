"""The bank module: transfers from one account to one or several, as the SDK's x/bank.

The sender's balance is lowered first, by all that is sent, and then each recipient's is raised:
``SendCoins`` and ``InputOutputCoins``. Locked coins of vesting accounts aren't there; the fast path
of plain transfers is ``execution``, which writes the same balances.
"""

from collections.abc import Iterable

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.codec import Coin, Coins
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import FEE_COLLECTOR
from veperf.workloads.transaction.modules.context import (
    BONDED_POOL,
    COMMUNITY_POOL,
    ESCROW,
    NOT_BONDED_POOL,
    Stores,
)
from veperf.workloads.transaction.modules.messages import Output
from veperf.workloads.transaction.state import (
    MAX_AMOUNT,
    balance_key,
    create_account,
    get_account,
    get_balance,
)

BLOCKED = frozenset(
    account.data
    for account in (FEE_COLLECTOR, BONDED_POOL, NOT_BONDED_POOL, ESCROW, COMMUNITY_POOL)
)
"""Accounts of modules, to which nobody can send: the SDK's ``BlockedModuleAccountAddrs``."""


def transfer_coins(
    stores: Stores, sender: Address, total: Coins, outputs: Iterable[Output]
) -> None:
    """Move ``total`` from ``sender`` to the recipients of ``outputs``, which add up to it.

    Raises:
        TransactionRefused: ``BLOCKED_RECIPIENT``, ``INSUFFICIENT_FUNDS``, ``OVERFLOW``. What was
            written before stays there.
    """
    outputs = tuple(outputs)
    for output in outputs:
        if output.recipient.data in BLOCKED:
            raise TransactionRefused(
                Code.BLOCKED_RECIPIENT, f"{output.recipient.text} can't receive transfers"
            )
    bank, accounts = stores["bank"], stores["acc"]
    for coin in total:
        _subtract(bank, sender, coin)
    for output in outputs:
        for coin in output.amount:
            _add(bank, output.recipient, coin)
        if get_account(accounts, output.recipient.data) is None:
            create_account(accounts, output.recipient.data)


def move_coins(bank: KeyValueStore, sender: Address, recipient: Address, coins: Coins) -> None:
    """Move ``coins`` between an account and a module's, which may receive.

    Raises:
        TransactionRefused: ``INSUFFICIENT_FUNDS``, ``OVERFLOW``. What was written before stays
            there.
    """
    for coin in coins:
        _subtract(bank, sender, coin)
    for coin in coins:
        _add(bank, recipient, coin)


def _subtract(bank: KeyValueStore, owner: Address, coin: Coin) -> None:
    balance = get_balance(bank, owner.data, coin.denom)
    if balance < coin.amount:
        raise TransactionRefused(
            Code.INSUFFICIENT_FUNDS, f"{owner.text} has {balance}{coin.denom}, not {coin.amount}"
        )
    _set_balance(bank, owner, coin.denom, balance - coin.amount)


def _add(bank: KeyValueStore, owner: Address, coin: Coin) -> None:
    balance = get_balance(bank, owner.data, coin.denom) + coin.amount
    if balance > MAX_AMOUNT:
        raise TransactionRefused(
            Code.OVERFLOW, f"{owner.text} would have 2^256 {coin.denom} or more"
        )
    _set_balance(bank, owner, coin.denom, balance)


def _set_balance(bank: KeyValueStore, owner: Address, denom: str, balance: int) -> None:
    key = balance_key(owner.data, denom)
    if balance:
        bank.set(key, b"%d" % balance)
    else:
        bank.remove(key)
