"""Reservations of providers' resources for bids, with their expiry."""

from collections.abc import Iterable
from contextlib import suppress
from heapq import heappop, heappush

from msgspec.structs import replace

from veperf.workloads.bidding.checkpoint import Reservation
from veperf.workloads.bidding.errors import ReservationError
from veperf.workloads.bidding.table import ProviderTable


class Reservations:
    """Reservations by order, made and released in a table of providers."""

    def __init__(self, table: ProviderTable, reservations: Iterable[Reservation] = ()) -> None:
        """Make ``reservations`` again.

        Those that can't be made (the provider is gone, or has less now) are left out.
        """
        self._table = table
        self._by_order: dict[str, Reservation] = {}
        self._ends: list[tuple[int, str]] = []
        for reservation in reservations:
            with suppress(ReservationError):
                self.hold(reservation)

    def __len__(self) -> int:
        return len(self._by_order)

    def __contains__(self, order_id: object) -> bool:
        return order_id in self._by_order

    def all(self) -> tuple[Reservation, ...]:
        """Return the reservations, in the order in which they were made."""
        return tuple(self._by_order.values())

    def hold(self, reservation: Reservation) -> None:
        """Make ``reservation``.

        Raises:
            ReservationError: there is no such provider or too little is free, or the order has a
                reservation.
        """
        order_id = reservation.order_id
        if order_id in self._by_order:
            raise ReservationError(f"order {order_id} has a reservation")
        self._table.reserve(reservation.provider, reservation.resources)
        self._by_order[order_id] = reservation
        if reservation.expires_ns is not None:
            heappush(self._ends, (reservation.expires_ns, order_id))

    def confirm(self, order_id: str) -> None:
        """Cancel the expiry of an order's reservation: the bid has won.

        Raises:
            ReservationError: the order has none.
        """
        self._by_order[order_id] = replace(self._get(order_id), expires_ns=None)

    def release(self, order_id: str) -> None:
        """Release the reservation of an order.

        Raises:
            ReservationError: the order has none.
        """
        reservation = self._get(order_id)
        del self._by_order[order_id]
        # Removing a provider has removed its reservations.
        with suppress(ReservationError):
            self._table.release(reservation.provider, reservation.resources)

    def expire(self, now_ns: int) -> None:
        """Release the reservations of bids that have not won and are no longer binding."""
        while self._ends and self._ends[0][0] <= now_ns:
            end, order_id = heappop(self._ends)
            reservation = self._by_order.get(order_id)
            # It may have been released or confirmed, and another made since.
            if reservation is not None and reservation.expires_ns == end:
                self.release(order_id)

    def _get(self, order_id: str) -> Reservation:
        reservation = self._by_order.get(order_id)
        if reservation is None:
            raise ReservationError(f"order {order_id!r} has no reservation")
        return reservation
