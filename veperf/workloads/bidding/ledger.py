"""Bids that were placed, in memory: the chain's side of bidding."""

from veperf.workloads.bidding.bids import SignedBid
from veperf.workloads.bidding.errors import SignatureError, SubmitError
from veperf.workloads.bidding.signing import verify_bid


class Ledger:
    """Takes each key's first bid for an order, verified; later ones get that one back."""

    def __init__(self, chain_id: str) -> None:
        self._chain_id = chain_id
        self._bids: dict[tuple[str, bytes], SignedBid] = {}

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
        return self._bids.setdefault((signed.bid.order_id, signed.public_key), signed)
