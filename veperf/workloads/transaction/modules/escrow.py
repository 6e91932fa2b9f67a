"""The escrow module: deposits, and the payments by block that leases take of them.

As VirtEngine's ``x/escrow`` has it: keys and records are its own, amounts decimals of 1e-18. An
account belongs to a deployment or to a bid; a payment, of a lease, belongs to a deployment's
account. An account is settled when it is touched: each payment gets its rate for every block since
the last time, in whole coins, and where the deposit is too small the account is overdrawn. What a
provider takes out of a payment is less ``TAKE_PERCENT``, for the community pool.

Unlike there, a payment that is made and closed in one block is closed, too.
"""

from typing import Any

from msgspec import Struct

from veperf.workloads.market.records import BidId, Price
from veperf.workloads.transaction.address import Address, parse_account_address
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import virtengine_wire as wire
from veperf.workloads.transaction.modules.bank import move_coins
from veperf.workloads.transaction.modules.context import COMMUNITY_POOL, ESCROW, Stores
from veperf.workloads.transaction.modules.market_messages import FROM_BALANCE
from veperf.workloads.transaction.state import get_balance

TAKE_PERCENT = 2
"""The take of the coin uve by default; of other coins it is 20."""

OPEN, CLOSED, OVERDRAWN = 1, 2, 3
_ACCOUNTS, _PAYMENTS = b"\x11\x00", b"\x12\x00"
_ATTO = 10**18


class _Entry(Struct):
    """A record and the state under which the store has it."""

    id: bytes
    stored: int
    record: Any


def deployment_account(owner: str, dseq: int) -> bytes:
    """Return the id of a deployment's account."""
    return f"deployment/{owner}/{dseq}".encode()


def bid_account(id: BidId) -> bytes:
    """Return the id of a bid's account."""
    return f"bid/{id.owner}/{id.dseq}/{id.gseq}/{id.oseq}/{id.provider}".encode()


def lease_payment(id: BidId) -> bytes:
    """Return the id of a lease's payment."""
    account = deployment_account(id.owner, id.dseq)
    return account + f"/{id.gseq}/{id.oseq}/{id.provider}".encode()


def open_account(stores: Stores, id: bytes, owner: Address, deposit: Coin, height: int) -> None:
    """Move ``deposit`` from ``owner`` to an account that is new.

    Raises:
        TransactionRefused: ``ESCROW_DEPOSIT``: the owner has less.
    """
    if get_balance(stores["bank"], owner.data, deposit.denom) < deposit.amount:
        raise TransactionRefused(
            Code.ESCROW_DEPOSIT, f"{owner.text} has less than {deposit.amount}{deposit.denom}"
        )
    move_coins(stores["bank"], owner, ESCROW, (deposit,))
    amount = str(deposit.amount * _ATTO)
    state = wire.AccountState(owner=owner.text, state=OPEN, settled_at=height)
    state.transferred.add(denom=deposit.denom, amount="0")
    state.funds.add(denom=deposit.denom, amount=amount)
    entry = state.deposits.add(owner=owner.text, height=height, source=FROM_BALANCE)
    entry.balance.denom, entry.balance.amount = deposit.denom, amount
    stores["escrow"].set(_key(_ACCOUNTS, OPEN, id), state.SerializeToString())


def open_payment(
    stores: Stores, account_id: bytes, id: bytes, provider: Address, rate: Price, height: int
) -> None:
    """Begin a payment of ``rate`` a block to ``provider``.

    Raises:
        TransactionRefused: ``ESCROW_OVERDRAWN``, ``ESCROW_DENOMINATION``, ``PAYMENT_EXISTS``.
    """
    escrow = stores["escrow"]
    account = _require(escrow, _ACCOUNTS, account_id)
    payments = _payments(escrow, account_id)
    if account.stored != OPEN or _settle(account, payments, height):
        raise TransactionRefused(Code.ESCROW_OVERDRAWN, account_id.decode())
    denom = account.record.funds[0].denom
    if rate.denom != denom:
        raise TransactionRefused(Code.ESCROW_DENOMINATION, f"{rate.denom}, it has {denom}")
    if _find(escrow, _PAYMENTS, id) is not None:
        raise TransactionRefused(Code.PAYMENT_EXISTS, id.decode())
    _save(escrow, _ACCOUNTS, account)
    for payment in payments:
        _save(escrow, _PAYMENTS, payment)
    record = wire.PaymentState(owner=provider.text, state=OPEN)
    record.rate.denom, record.rate.amount = denom, str(rate.atto)
    for part in (record.balance, record.unsettled, record.withdrawn):
        part.denom, part.amount = denom, "0"
    escrow.set(_key(_PAYMENTS, OPEN, id), record.SerializeToString())


def close_payment(stores: Stores, account_id: bytes, id: bytes, height: int) -> bool:
    """Settle the account and pay out a payment, which ends; return if the account is overdrawn."""
    escrow = stores["escrow"]
    account = _require(escrow, _ACCOUNTS, account_id)
    payments = _payments(escrow, account_id)
    overdrawn = _settle(account, payments, height)
    for payment in payments:
        if payment.id == id or overdrawn:
            _pay_out(stores, payment, OVERDRAWN if overdrawn else CLOSED)
        _save(escrow, _PAYMENTS, payment)
    if overdrawn:
        account.record.state = OVERDRAWN
        _refund(stores, account)
    _save(escrow, _ACCOUNTS, account)
    return overdrawn


def close_account(stores: Stores, id: bytes, height: int) -> bool:
    """Pay out the account's payments and give back the rest; return if it was overdrawn."""
    escrow = stores["escrow"]
    account = _require(escrow, _ACCOUNTS, id)
    payments = _payments(escrow, id)
    overdrawn = _settle(account, payments, height)
    account.record.state = OVERDRAWN if overdrawn else CLOSED
    _refund(stores, account)
    _save(escrow, _ACCOUNTS, account)
    for payment in payments:
        _pay_out(stores, payment, account.record.state)
        _save(escrow, _PAYMENTS, payment)
    return overdrawn


def account_state(escrow: KeyValueStore, id: bytes) -> Any | None:
    """Return the record of an account, an AccountState; None if there is none."""
    entry = _find(escrow, _ACCOUNTS, id)
    return None if entry is None else entry.record


def _settle(account: _Entry, payments: list[_Entry], height: int) -> bool:
    """Move what is due since the last time to the payments; return if there is too little."""
    state = account.record
    blocks, state.settled_at = height - state.settled_at, height
    overdrawn = False
    for payment in payments:
        due = int(payment.record.rate.amount) * blocks // _ATTO * _ATTO
        paid = _withdraw(state, due)
        payment.record.balance.amount = str(int(payment.record.balance.amount) + paid)
        if paid < due:
            overdrawn = True
            payment.record.unsettled.amount = str(due - paid)
    return overdrawn


def _withdraw(state: Any, due: int) -> int:
    """Take up to ``due`` off the deposits, the first first; return what they had of it."""
    taken = 0
    for deposit in state.deposits:
        part = min(int(deposit.balance.amount), due - taken)
        deposit.balance.amount = str(int(deposit.balance.amount) - part)
        taken += part
    state.funds[0].amount = str(int(state.funds[0].amount) - taken)
    state.transferred[0].amount = str(int(state.transferred[0].amount) + taken)
    return taken


def _pay_out(stores: Stores, payment: _Entry, state: int) -> None:
    record = payment.record
    record.state = state
    whole = int(record.balance.amount) // _ATTO
    if not whole:
        return
    take = whole * TAKE_PERCENT // 100
    provider, denom = parse_account_address(record.owner), record.balance.denom
    for recipient, amount in ((COMMUNITY_POOL, take), (provider, whole - take)):
        if amount:
            move_coins(stores["bank"], ESCROW, recipient, (Coin(denom, amount),))
    record.balance.amount = str(int(record.balance.amount) - whole * _ATTO)
    record.withdrawn.amount = str(int(record.withdrawn.amount) + whole)


def _refund(stores: Stores, account: _Entry) -> None:
    """Give back what is left of the deposits."""
    state = account.record
    for deposit in state.deposits:
        whole = int(deposit.balance.amount) // _ATTO
        if whole:
            coin = Coin(deposit.balance.denom, whole)
            owner = parse_account_address(deposit.owner)
            move_coins(stores["bank"], ESCROW, owner, (coin,))
            state.funds[0].amount = str(int(state.funds[0].amount) - whole * _ATTO)
    del state.deposits[:]


# ---------------------------------------------------------------- records


def _key(table: bytes, state: int, id: bytes) -> bytes:
    return table + bytes([state]) + b"/" + id


def _find(escrow: KeyValueStore, table: bytes, id: bytes) -> _Entry | None:
    kind = wire.AccountState if table == _ACCOUNTS else wire.PaymentState
    for state in (OPEN, CLOSED, OVERDRAWN):
        data = escrow.get(_key(table, state, id))
        if data is not None:
            return _Entry(id, state, kind.FromString(data))
    return None


def _require(escrow: KeyValueStore, table: bytes, id: bytes) -> _Entry:
    entry = _find(escrow, table, id)
    if entry is None:
        raise LookupError(f"there is no {id.decode()} in escrow")
    return entry


def _payments(escrow: KeyValueStore, account_id: bytes) -> list[_Entry]:
    """Return the open payments of an account."""
    prefix = _key(_PAYMENTS, OPEN, account_id) + b"/"
    start = len(_key(_PAYMENTS, OPEN, b""))
    return [
        _Entry(key[start:], OPEN, wire.PaymentState.FromString(data))
        for key, data in escrow.iterate(prefix, prefix[:-1] + b"0")
    ]


def _save(escrow: KeyValueStore, table: bytes, entry: _Entry) -> None:
    if entry.record.state != entry.stored:
        escrow.remove(_key(table, entry.stored, entry.id))
        entry.stored = entry.record.state
    escrow.set(_key(table, entry.stored, entry.id), entry.record.SerializeToString())
