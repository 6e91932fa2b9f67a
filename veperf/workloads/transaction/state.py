"""Accounts and balances as keys and values of the state.

Key prefixes are the SDK's: 0x01 of the auth module, 0x02 of the bank module; both are in one tree,
where the SDK has one a module. A balance is a decimal string, as in the SDK; an account is a
msgpack array, where the SDK has a protobuf BaseAccount.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.transaction.cache import KeyValueStore

MAX_AMOUNT = (1 << 256) - 1
"""Largest amount of a coin: the SDK's Int."""

_BALANCE_PREFIXES = [bytes([2, length]) for length in range(256)]
_NEXT_NUMBER_KEY = b"globalAccountNumber"


class Account(Struct, frozen=True, array_like=True, gc=False):
    """An account's number, next sequence and public key."""

    number: int
    """Number of the account, assigned in the order of creation."""
    sequence: int
    """Number of transactions it has sent."""
    public_key: bytes = b""
    """Compressed public key; empty until its first transaction."""


_decode_account = Decoder(Account).decode
_encode = Encoder().encode


def account_key(address: bytes) -> bytes:
    """Return the key of the account of ``address``."""
    return b"\x01" + address


def balance_key(address: bytes, denom: str) -> bytes:
    """Return the key of the balance of ``address`` in ``denom``."""
    return _BALANCE_PREFIXES[len(address)] + address + denom.encode()


def get_account(state: KeyValueStore, address: bytes) -> Account | None:
    """Return the account of ``address``; None if there is none."""
    value = state.get(account_key(address))
    return None if value is None else _decode_account(value)


def set_account(state: KeyValueStore, address: bytes, account: Account) -> None:
    """Write the account of ``address``."""
    state.set(account_key(address), _encode(account))


def create_account(state: KeyValueStore, address: bytes) -> Account:
    """Write a new account with the next free number, and return it."""
    number = int(state.get(_NEXT_NUMBER_KEY) or b"0")
    state.set(_NEXT_NUMBER_KEY, b"%d" % (number + 1))
    account = Account(number, 0)
    set_account(state, address, account)
    return account


def get_balance(state: KeyValueStore, address: bytes, denom: str) -> int:
    """Return the balance of ``address`` in ``denom``."""
    return int(state.get(balance_key(address, denom)) or b"0")


def transfer(
    state: KeyValueStore, sender: bytes, recipient: bytes, denom: str, amount: int
) -> int | None:
    """Move ``amount`` of ``denom`` between two addresses, which may be the same one.

    Returns None on success, and the sender's balance where it is too low; then nothing is written.
    A balance of 0 is not stored, as in the SDK.

    Raises:
        OverflowError: the recipient would have more than ``MAX_AMOUNT``; nothing is written.
    """
    source, destination = balance_key(sender, denom), balance_key(recipient, denom)
    balance = int(state.get(source) or b"0")
    if balance < amount:
        return balance
    received = amount
    if source != destination:
        received += int(state.get(destination) or b"0")
        if received > MAX_AMOUNT:
            raise OverflowError(f"{received} is more than an amount can be")
        if balance == amount:
            state.remove(source)
        else:
            state.set(source, b"%d" % (balance - amount))
    else:
        received = balance
    state.set(destination, b"%d" % received)
    return None


def initial_state(
    addresses: Iterable[bytes], denom: str, balance: int
) -> list[tuple[bytes, bytes]]:
    """Return the sorted keys and values of a state in which each of ``addresses`` has ``balance``.

    Accounts are numbered from 0 in the order of ``addresses``.
    """
    amount = b"%d" % balance
    items = []
    number = 0
    for number, address in enumerate(addresses, start=1):
        items.append((account_key(address), _encode(Account(number - 1, 0))))
        items.append((balance_key(address, denom), amount))
    items.append((_NEXT_NUMBER_KEY, b"%d" % number))
    return sorted(items)
