"""Gas: what each access to a store costs, as the Cosmos SDK's ``store/gaskv`` charges it."""

from collections.abc import Iterator

from msgspec import Struct

from veperf.workloads.transaction.cache import Changes, KeyValueStore
from veperf.workloads.transaction.errors import Code, TransactionRefused

_Item = tuple[bytes, bytes]


class GasCosts(Struct, frozen=True):
    """The cost table, in units of gas: the SDK's ``KVGasConfig`` and parameters of x/auth."""

    has: int = 1000
    delete: int = 1000
    read_flat: int = 1000
    read_byte: int = 3
    write_flat: int = 2000
    write_byte: int = 30
    next_flat: int = 30
    """For each step of an iteration, and for finding its start."""
    transaction_byte: int = 10
    secp256k1_signature: int = 1000
    ed25519_signature: int = 590
    """Charged before the key is refused: accounts don't sign with it."""


GAS_COSTS = GasCosts()


class GasMeter:
    """Counts the gas of one transaction up to its limit."""

    __slots__ = ("consumed", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.consumed = 0
        """Gas used so far. As in the SDK, what went over the limit is counted."""

    def consume(self, amount: int, purpose: str) -> None:
        """Count ``amount`` of gas.

        Raises:
            TransactionRefused: ``OUT_OF_GAS``: it is more than the limit now.
        """
        self.consumed += amount
        if self.consumed > self.limit:
            raise TransactionRefused(
                Code.OUT_OF_GAS, f"{purpose}: {self.consumed} used, the limit is {self.limit}"
            )


class MeteredStore:
    """A key-value store that charges each access before it happens, as far as that is known."""

    __slots__ = ("_costs", "_meter", "_parent")

    def __init__(self, parent: KeyValueStore, meter: GasMeter, costs: GasCosts = GAS_COSTS) -> None:
        self._parent = parent
        self._meter = meter
        self._costs = costs

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``, and charge for both."""
        self._meter.consume(self._costs.read_flat, "read")
        value = self._parent.get(key)
        self._charge_bytes(self._costs.read_byte, key, value or b"", "read bytes")
        return value

    def has(self, key: bytes) -> bool:
        """Return if there is ``key``, at a flat cost."""
        self._meter.consume(self._costs.has, "has")
        return self._parent.get(key) is not None

    def set(self, key: bytes, value: bytes) -> None:
        """Set ``key``, and charge for it and its value."""
        self._meter.consume(self._costs.write_flat, "write")
        self._charge_bytes(self._costs.write_byte, key, value, "write bytes")
        self._parent.set(key, value)

    def remove(self, key: bytes) -> None:
        """Remove ``key``, at a flat cost."""
        self._meter.consume(self._costs.delete, "delete")
        self._parent.remove(key)

    def apply(self, changes: Changes) -> None:
        """Set or remove each key, at the cost of doing so one by one."""
        for key, value in changes:
            if value is None:
                self.remove(key)
            else:
                self.set(key, value)

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[_Item]:
        """Iterate from ``start`` (included) to ``end`` (excluded).

        As in the SDK, the first item is charged when it is found and, as each other one, again
        when the iteration leaves it.
        """
        items = self._parent.iterate(start, end, ascending=ascending)
        first = next(items, None)
        self._charge_step(first)
        return self._steps(first, items)

    def _steps(self, item: _Item | None, items: Iterator[_Item]) -> Iterator[_Item]:
        while item is not None:
            yield item
            self._charge_step(item)
            item = next(items, None)

    def _charge_step(self, item: _Item | None) -> None:
        if item is not None:
            self._charge_bytes(self._costs.read_byte, *item, "iterator bytes")
        self._meter.consume(self._costs.next_flat, "iterator step")

    def _charge_bytes(self, cost: int, key: bytes, value: bytes, purpose: str) -> None:
        # One after the other: where the gas runs out at the key, the value doesn't count.
        self._meter.consume(cost * len(key), purpose)
        self._meter.consume(cost * len(value), purpose)
