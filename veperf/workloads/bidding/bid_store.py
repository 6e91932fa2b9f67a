"""Bids that were placed, in memory: the chain's side of bidding."""

from collections import OrderedDict

from veperf.workloads.bidding.bids import SignedBid, verify_bid
from veperf.workloads.bidding.errors import SignatureError, SubmitError


class Ledger:
    """Takes each key's first bid for an order, verified; later ones get that one back."""

    def __init__(self, chain_id: str, remembered: int | None = None) -> None:
        """A ledger without bids, which forgets the oldest over ``remembered``; None: it never does.

        What it has forgotten it takes again, so it must know at least what those who bid there do.
        """
        self._chain_id = chain_id
        self._remembered = remembered
        self._bids: OrderedDict[tuple[str, bytes], SignedBid] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bids)

    def bids(self) -> tuple[SignedBid, ...]:
        """All bids that stand, in the order in which they came."""
        return tuple(self._bids.values())

    def submit(self, signed: SignedBid) -> SignedBid:
        """Take ``signed`` unless its key has a bid for its order; the one that stands.

        Raises:
            SubmitError: its signature is not its key's, or it is for another chain.
        """
        try:
            verify_bid(signed, signed.public_key, self._chain_id)
        except SignatureError as error:
            raise SubmitError(str(error)) from error
        standing = self._bids.setdefault((signed.bid.order_id, signed.public_key), signed)
        if self._remembered is not None and len(self._bids) > self._remembered:
            self._bids.popitem(last=False)
        return standing

    def standing_bid(self, order_id: str, public_key: bytes) -> SignedBid | None:
        """The bid of that key for an order; None where there is none."""
        return self._bids.get((order_id, public_key))
