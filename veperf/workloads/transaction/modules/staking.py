"""The staking module: delegations to validators, and tokens on their way back.

Keys and records are those of the SDK's x/staking, as far as delegations touch them; shares are its
decimals with 18 digits, as integers. There are no rewards, and no validator leaves the bonded ones.
"""

from datetime import UTC, datetime
from typing import Any

from veperf.workloads.transaction.address import (
    PREFIX,
    Address,
    address_from_bytes,
    parse_account_address,
)
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.bank import move_coins
from veperf.workloads.transaction.modules.context import BONDED_POOL, NOT_BONDED_POOL
from veperf.workloads.transaction.modules.messages import Delegate, Undelegate

UNBONDING_SECONDS = 21 * 24 * 3600
MAX_UNBONDINGS = 7
"""Entries of one delegator with one validator at a time."""

_VALIDATOR, _DELEGATION, _UNBONDING, _QUEUE = b"\x21", b"\x31", b"\x32", b"\x41"
_BONDED = 3
_ONE = 10**18


def validator_address(data: bytes) -> Address:
    """Return the address of a validator's operator with these bytes."""
    return address_from_bytes(data, f"{PREFIX}valoper")


def add_validator(staking: KeyValueStore, address: Address) -> None:
    """Write a bonded validator without delegations, as a genesis does."""
    record = wire.Validator(operator_address=address.text, status=_BONDED)
    record.tokens = record.delegator_shares = "0"
    staking.set(_key(_VALIDATOR, address), record.SerializeToString())


def is_bonded(staking: KeyValueStore, operator: Address) -> bool:
    """Return if ``operator``'s account has a validator that is bonded."""
    record = staking.get(_key(_VALIDATOR, operator))
    return record is not None and wire.Validator.FromString(record).status == _BONDED


def delegate(
    staking: KeyValueStore, bank: KeyValueStore, message: Delegate, bond_denom: str
) -> None:
    """Move tokens to the bonded pool, for shares of the validator.

    Raises:
        TransactionRefused: ``UNKNOWN_VALIDATOR``, ``INVALID_REQUEST`` for another denomination,
            ``INSUFFICIENT_FUNDS``.
    """
    validator = _validator(staking, message, bond_denom)
    amount = message.amount.amount
    shares = _issued_shares(validator, amount)
    move_coins(bank, message.delegator, BONDED_POOL, (message.amount,))
    _add_to_validator(staking, message.validator, validator, amount, shares)
    key = _key(_DELEGATION, message.delegator, message.validator)
    _set_delegation(staking, key, message, shares_of(staking.get(key)) + shares)


def undelegate(
    staking: KeyValueStore,
    bank: KeyValueStore,
    message: Undelegate,
    bond_denom: str,
    height: int,
    time: int,
) -> None:
    """Give shares back; their tokens are the delegator's after ``UNBONDING_SECONDS``.

    ``time`` is the block's, in seconds since 1970.

    Raises:
        TransactionRefused: ``UNKNOWN_VALIDATOR``, ``NO_DELEGATION``, ``INVALID_REQUEST`` for
            another denomination and for more than is delegated, ``TOO_MANY_UNBONDINGS``.
    """
    validator = _validator(staking, message, bond_denom)
    key = _key(_DELEGATION, message.delegator, message.validator)
    record = staking.get(key)
    if record is None:
        raise TransactionRefused(
            Code.NO_DELEGATION, f"{message.delegator.text} has none with {message.validator.text}"
        )
    delegated = shares_of(record)
    shares = _issued_shares(validator, message.amount.amount)
    if shares > delegated:
        raise TransactionRefused(
            Code.INVALID_REQUEST, f"{shares} shares (1e-18), {delegated} are delegated"
        )
    tokens = _redeemed_tokens(validator, shares)
    _add_to_validator(staking, message.validator, validator, -tokens, -shares)
    _set_delegation(staking, key, message, delegated - shares)
    if tokens:
        move_coins(bank, BONDED_POOL, NOT_BONDED_POOL, (Coin(bond_denom, tokens),))
        _begin_unbonding(staking, message, tokens, height, time + UNBONDING_SECONDS)


def complete_unbondings(
    staking: KeyValueStore, bank: KeyValueStore, bond_denom: str, time: int
) -> int:
    """Return the tokens of all entries that are due at ``time``; return how many there were."""
    completed = 0
    due = list(staking.iterate(_QUEUE, _queue_key(time) + b"\0"))
    for queue_key, value in due:
        staking.remove(queue_key)
        for pair in wire.DVPairs.FromString(value).pairs:
            completed += _complete(staking, bank, pair, bond_denom, time)
    return completed


def shares_of(record: bytes | None) -> int:
    """Return the shares of a delegation's record, in 1e-18; 0 for none."""
    return 0 if record is None else int(wire.Delegation.FromString(record).shares)


def get_shares(staking: KeyValueStore, delegator: Address, validator: Address) -> int:
    """Return the shares that ``delegator`` has of ``validator``, in 1e-18."""
    return shares_of(staking.get(_key(_DELEGATION, delegator, validator)))


def _key(prefix: bytes, *addresses: Address) -> bytes:
    return prefix + b"".join(bytes([len(a.data)]) + a.data for a in addresses)


def _queue_key(time: int) -> bytes:
    # The SDK's FormatTimeBytes: text that sorts by time.
    return (
        _QUEUE + datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000000").encode()
    )


def _validator(staking: KeyValueStore, message: Delegate | Undelegate, bond_denom: str) -> Any:
    record = staking.get(_key(_VALIDATOR, message.validator))
    if record is None:
        raise TransactionRefused(Code.UNKNOWN_VALIDATOR, message.validator.text)
    if message.amount.denom != bond_denom:
        raise TransactionRefused(
            Code.INVALID_REQUEST, f"{message.amount.denom} can't be staked, {bond_denom} can"
        )
    return wire.Validator.FromString(record)


def _issued_shares(validator: Any, tokens: int) -> int:
    """Return the shares for ``tokens``, in 1e-18, rounded down: ``SharesFromTokens``."""
    total, all_tokens = int(validator.delegator_shares), int(validator.tokens)
    return tokens * _ONE if not total else total * tokens // all_tokens


def _redeemed_tokens(validator: Any, shares: int) -> int:
    """Return the tokens for ``shares``; the last ones take what is left (``RemoveDelShares``)."""
    total, all_tokens = int(validator.delegator_shares), int(validator.tokens)
    return all_tokens if shares == total else divide(shares * all_tokens, total) // _ONE


def divide(dividend: int, divisor: int) -> int:
    """Divide decimals of 1e-18, rounded to the even one of the two nearest: ``LegacyDec.Quo``.

    As there, a quotient of 36 digits is cut off first, and then rounded to 18.
    """
    quotient, rest = divmod(dividend * _ONE * _ONE // divisor, _ONE)
    return quotient + (2 * rest + (quotient & 1) > _ONE)


def _add_to_validator(
    staking: KeyValueStore, address: Address, validator: Any, tokens: int, shares: int
) -> None:
    validator.tokens = str(int(validator.tokens) + tokens)
    validator.delegator_shares = str(int(validator.delegator_shares) + shares)
    staking.set(_key(_VALIDATOR, address), validator.SerializeToString())


def _set_delegation(
    staking: KeyValueStore, key: bytes, message: Delegate | Undelegate, shares: int
) -> None:
    if not shares:
        staking.remove(key)
        return
    record = wire.Delegation(
        delegator_address=message.delegator.text,
        validator_address=message.validator.text,
        shares=str(shares),
    )
    staking.set(key, record.SerializeToString())


def _begin_unbonding(
    staking: KeyValueStore, message: Undelegate, tokens: int, height: int, due: int
) -> None:
    key = _key(_UNBONDING, message.delegator, message.validator)
    addresses = {
        "delegator_address": message.delegator.text,
        "validator_address": message.validator.text,
    }
    record = staking.get(key)
    unbonding = (
        wire.UnbondingDelegation(**addresses)
        if record is None
        else wire.UnbondingDelegation.FromString(record)
    )
    if len(unbonding.entries) >= MAX_UNBONDINGS:
        raise TransactionRefused(
            Code.TOO_MANY_UNBONDINGS, f"{MAX_UNBONDINGS} entries with {message.validator.text}"
        )
    for entry in unbonding.entries:
        # Two in one block are one entry, as AddEntry has it.
        if (entry.creation_height, entry.completion_time.seconds) == (height, due):
            entry.initial_balance = str(int(entry.initial_balance) + tokens)
            entry.balance = str(int(entry.balance) + tokens)
            break
    else:
        unbonding.entries.add(
            creation_height=height,
            completion_time=wire.Timestamp(seconds=due),
            initial_balance=str(tokens),
            balance=str(tokens),
        )
    staking.set(key, unbonding.SerializeToString())
    pairs = wire.DVPairs.FromString(staking.get(_queue_key(due)) or b"")
    pairs.pairs.add(**addresses)
    staking.set(_queue_key(due), pairs.SerializeToString())


def _complete(
    staking: KeyValueStore, bank: KeyValueStore, pair: Any, bond_denom: str, time: int
) -> int:
    delegator = parse_account_address(pair.delegator_address)
    validator = parse_account_address(pair.validator_address, f"{PREFIX}valoper")
    key = _key(_UNBONDING, delegator, validator)
    record = staking.get(key)
    if record is None:
        return 0  # an earlier pair of the same two took all that was due
    unbonding = wire.UnbondingDelegation.FromString(record)
    due = [entry for entry in unbonding.entries if entry.completion_time.seconds <= time]
    for entry in due:
        coin = Coin(bond_denom, int(entry.balance))
        move_coins(bank, NOT_BONDED_POOL, delegator, (coin,))
        unbonding.entries.remove(entry)
    if unbonding.entries:
        staking.set(key, unbonding.SerializeToString())
    else:
        staking.remove(key)
    return len(due)
