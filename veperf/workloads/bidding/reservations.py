"""What bids hold of providers, and until when."""

from collections.abc import Iterable
from contextlib import suppress
from heapq import heappop, heappush

from msgspec.structs import replace

from veperf.workloads.bidding.checkpoint import Reservation
from veperf.workloads.bidding.errors import ReservationError
from veperf.workloads.bidding.table import ProviderTable


class Reservations:
    """Reservations by order, made in a table and given back there."""

    def __init__(self, table: ProviderTable, kept: Iterable[Reservation] = ()) -> None:
        """Reserve what ``kept`` says.

        What can't be reserved again (the provider is gone, or has less now) is left out.
        """
        self._table = table
        self._by_order: dict[str, Reservation] = {}
        self._ends: list[tuple[int, str]] = []
        for reservation in kept:
            with suppress(ReservationError):
                self.hold(reservation)

    def __len__(self) -> int:
        return len(self._by_order)

    def __contains__(self, order_id: object) -> bool:
        return order_id in self._by_order

    def all(self) -> tuple[Reservation, ...]:
        """The reservations, in the order in which they were made."""
        return tuple(self._by_order.values())

    def hold(self, reservation: Reservation) -> None:
        """Make ``reservation``.

        Raises:
            ReservationError: the provider is not there or has not so much free, or the order has
                a reservation.
        """
        order_id = reservation.order_id
        if order_id in self._by_order:
            raise ReservationError(f"order {order_id} has a reservation")
        self._table.reserve(reservation.provider, reservation.resources)
        self._by_order[order_id] = reservation
        if reservation.expires_ns is not None:
            heappush(self._ends, (reservation.expires_ns, order_id))

    def confirm(self, order_id: str) -> None:
        """Keep an order's reservation until it is released: the bid has won.

        Raises:
            ReservationError: it has none.
        """
        self._by_order[order_id] = replace(self._of(order_id), expires_ns=None)

    def release(self, order_id: str) -> None:
        """Give back what is held for an order.

        Raises:
            ReservationError: nothing is.
        """
        reservation = self._of(order_id)
        del self._by_order[order_id]
        # A provider that is gone has taken with it what was held of it.
        with suppress(ReservationError):
            self._table.release(reservation.provider, reservation.resources)

    def expire(self, now_ns: int) -> None:
        """Give back what is held for bids that have not won and are binding no more."""
        while self._ends and self._ends[0][0] <= now_ns:
            end, order_id = heappop(self._ends)
            reservation = self._by_order.get(order_id)
            # It may have been released or confirmed meanwhile, and another made since.
            if reservation is not None and reservation.expires_ns == end:
                self.release(order_id)

    def _of(self, order_id: str) -> Reservation:
        reservation = self._by_order.get(order_id)
        if reservation is None:
            raise ReservationError(f"order {order_id!r} has no reservation")
        return reservation
