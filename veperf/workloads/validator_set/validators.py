"""A set of validators that take turns to propose, by voting power: CometBFT's ``ValidatorSet``.

Each validator has a priority. To choose the next proposer, every priority grows by the validator's
power, the highest is chosen (of equals the lowest address), and pays the power of all. Before that
the priorities are brought within a window of twice that power, and their mean to zero.

The set is held in columns in the order of the addresses: the first of the highest priorities is
that of the lowest address, and what changes most, the priorities, is one array. Copies share the
other columns.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from operator import itemgetter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.merkle import merkle_root
from veperf.workloads.transaction.iavl.node import zigzag
from veperf.workloads.validator_set.validator import (
    ADDRESS_BYTES,
    KEY_BYTES,
    MAX_TOTAL_POWER,
    Validator,
    encode_validator,
)

PRIORITY_WINDOW_FACTOR = 2
"""The greatest distance between priorities, in voting powers of the whole set."""

AddressedChange = tuple[bytes, Validator]
"""A change with the address of its validator."""

_ADDRESS = f"S{ADDRESS_BYTES}"
_KEY = f"V{KEY_BYTES}"
_HALF = 32


class ChangeSetError(ValueError):
    """A change of the set is refused; the set is as before."""


class ValidatorSet:
    """The validators of a height, with their priorities and the proposer.

    Iterating goes through them by power, the highest first, and of equals by address: the order in
    which blocks commit to them.
    """

    __slots__ = ("_addresses", "_keys", "_powers", "_priorities", "proposer", "total_power")

    def __init__(self, validators: Sequence[Validator] = ()) -> None:
        """Make a set of ``validators``, whose first proposer is chosen at once.

        Raises:
            ChangeSetError: an address stands twice, or a power is not positive or too high.
        """
        self._addresses: NDArray[np.bytes_] = np.empty(0, _ADDRESS)
        self._keys: NDArray[np.void] = np.empty(0, _KEY)
        self._powers: NDArray[np.int64] = np.empty(0, np.int64)
        self._priorities: NDArray[np.int64] = np.empty(0, np.int64)
        self.total_power = 0
        """Voting power of all."""
        self.proposer = b""
        """Address of the proposer; empty before there is one."""
        for validator in validators:
            if not validator.power:
                raise ChangeSetError(
                    f"{validator.address.hex()} has no power, and can't be removed"
                )
        if validators:
            self.update(validators)
            self.rotate()

    def __len__(self) -> int:
        """Return the number of validators."""
        return len(self._powers)

    def __iter__(self) -> Iterator[Validator]:
        """Iterate over the validators by power, the highest first, and of equals by address."""
        for index in self._order():
            yield Validator(self._keys[index].tobytes(), int(self._powers[index]))

    def get(self, address: bytes) -> Validator | None:
        """Return the validator at ``address``; None if there is none."""
        index = self._find(address)
        if index is None:
            return None
        return Validator(self._keys[index].tobytes(), int(self._powers[index]))

    def priority(self, address: bytes) -> int:
        """Return the priority of the validator at ``address``.

        Raises:
            LookupError: there is none.
        """
        index = self._find(address)
        if index is None:
            raise LookupError(f"{address.hex()} is no validator")
        return int(self._priorities[index])

    def sum_power(self) -> int:
        """Add up the voting power of all: what ``total_power`` keeps."""
        return int(self._powers.sum())

    def copy(self) -> Self:
        """Return an independent set with the same validators, priorities and proposer."""
        other = object.__new__(type(self))
        other._addresses, other._keys, other._powers = self._addresses, self._keys, self._powers
        other._priorities = self._priorities.copy()
        other.total_power, other.proposer = self.total_power, self.proposer
        return other

    def hash(self) -> bytes:
        """Return the Merkle root over the validators' bytes in their order, as blocks carry it."""
        return merkle_root(
            encode_validator(validator.public_key, validator.power) for validator in self
        )

    def priority_hash(self) -> bytes:
        """Return SHA-256 of the priorities as signed varints, in the order of the validators.

        Empty where the set is, as in CometBFT.
        """
        if not len(self):
            return b""
        return sha256(b"".join(map(zigzag, self._priorities[self._order()].tolist()))).digest()

    # ------------------------------------------------------------ turns

    def rotate(self, times: int = 1) -> None:
        """Choose the next proposer, as often as rounds or heights went by.

        No priority can leave 64 bits: they differ by at most twice the power of all, and that is
        at most an eighth of the range (CometBFT saturates where this can't clip).

        Raises:
            ValueError: the set is empty, or ``times`` is not positive.
        """
        if not len(self):
            raise ValueError("an empty set has no proposer")
        if times < 1:
            raise ValueError(f"can't rotate {times} times")
        self._rescale()
        self._centre()
        index = 0
        for _ in range(times):
            self._priorities += self._powers
            index = int(self._priorities.argmax())
            self._priorities[index] -= self.total_power
        self.proposer = self._address(index)

    def _rescale(self) -> None:
        """Divide the priorities, toward zero, by as little as brings them within the window."""
        window = PRIORITY_WINDOW_FACTOR * self.total_power
        spread = int(self._priorities.max()) - int(self._priorities.min())
        if spread > window:
            ratio = -(-spread // window)
            self._priorities = np.sign(self._priorities) * (np.abs(self._priorities) // ratio)

    def _centre(self) -> None:
        """Take the mean, rounded down, from every priority."""
        # In halves: the sum of many goes beyond 64 bits.
        high = int((self._priorities >> _HALF).sum())
        low = int((self._priorities & (1 << _HALF) - 1).sum())
        self._priorities -= ((high << _HALF) + low) // len(self)

    # ------------------------------------------------------------ changes

    def update(self, changes: Sequence[Validator]) -> None:
        """Apply a block's changes: new validators, new powers, and removals (power 0).

        New ones begin with the lowest priority, 9/8 of the power of all below zero, so that
        nobody gains by leaving and coming back.

        Raises:
            ChangeSetError: an address stands twice, a power is negative, the power of all would be
                too high, somebody to remove is no validator, or nobody would be left.
        """
        if not changes:
            return
        ordered = _sort_changes(changes)
        addresses = np.array([address for address, _ in ordered], _ADDRESS)
        powers = np.array([change.power for _, change in ordered], np.int64)
        places = np.searchsorted(self._addresses, addresses)
        inside = places < len(self)
        known = inside.copy()
        known[inside] = self._addresses[places[inside]] == addresses[inside]
        removed = powers == 0
        self._check_removals(ordered, known, removed)
        before = int(self._powers[places[known]].sum())
        total = self.total_power - before + sum(change.power for _, change in ordered)
        if total > MAX_TOTAL_POWER:
            raise ChangeSetError(f"power {total} of all is more than {MAX_TOTAL_POWER}")
        with_removed = total + int(self._powers[places[removed]].sum())

        changed = known & ~removed
        self._powers = self._powers.copy()
        self._powers[places[changed]] = powers[changed]
        new = ~known
        if new.any():
            keys = b"".join(change.public_key for _, change in ordered)
            self._insert(
                places[new],
                addresses[new],
                np.frombuffer(keys, _KEY)[new],
                powers[new],
                -(with_removed + (with_removed >> 3)),
            )
        if removed.any():
            self._remove(np.searchsorted(self._addresses, addresses[removed]))
        self.total_power = total
        self._rescale()
        self._centre()

    def _check_removals(
        self,
        ordered: Sequence[AddressedChange],
        known: NDArray[np.bool_],
        removed: NDArray[np.bool_],
    ) -> None:
        if known.all() and int(removed.sum()) == len(self):
            raise ChangeSetError("no validator would be left")
        for index in np.flatnonzero(removed & ~known).tolist():
            raise ChangeSetError(f"{ordered[index][0].hex()} is no validator to remove")

    def _insert(
        self,
        places: NDArray[np.intp],
        addresses: NDArray[np.bytes_],
        keys: NDArray[np.void],
        powers: NDArray[np.int64],
        priority: int,
    ) -> None:
        self._addresses = np.insert(self._addresses, places, addresses)
        self._keys = np.insert(self._keys, places, keys)
        self._powers = np.insert(self._powers, places, powers)
        self._priorities = np.insert(self._priorities, places, priority)

    def _remove(self, places: NDArray[np.intp]) -> None:
        self._addresses = np.delete(self._addresses, places)
        self._keys = np.delete(self._keys, places)
        self._powers = np.delete(self._powers, places)
        self._priorities = np.delete(self._priorities, places)

    # ------------------------------------------------------------ columns

    def _order(self) -> NDArray[np.intp]:
        """Return the indices by power, the highest first, and of equals by address."""
        return np.argsort(-self._powers, kind="stable")

    def _find(self, address: bytes) -> int | None:
        index = int(np.searchsorted(self._addresses, np.bytes_(address)))
        return index if index < len(self) and self._address(index) == address else None

    def _address(self, index: int) -> bytes:
        # A slice: numpy cuts zeros off the end of a single one.
        return self._addresses[index : index + 1].tobytes()


def _sort_changes(changes: Sequence[Validator]) -> list[AddressedChange]:
    """Return ``changes`` with their addresses, in the order of these.

    Raises:
        ChangeSetError: an address stands twice, a power is negative or too high for any set, or a
            key has another length than 32 bytes.
    """
    for change in changes:
        if len(change.public_key) != KEY_BYTES:
            raise ChangeSetError(f"a key of {len(change.public_key)} bytes is no Ed25519 key")
        if not 0 <= change.power <= MAX_TOTAL_POWER:
            raise ChangeSetError(
                f"power {change.power} of {change.address.hex()} is not from 0 to {MAX_TOTAL_POWER}"
            )
    ordered = sorted(((change.address, change) for change in changes), key=itemgetter(0))
    for (address, _), (following, _) in pairwise(ordered):
        if address == following:
            raise ChangeSetError(f"{address.hex()} stands twice in one change")
    return ordered
