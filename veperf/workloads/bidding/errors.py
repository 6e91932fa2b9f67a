"""What bidding refuses, as one tree.

::

    BiddingError (ValueError)
    ├── DecimalError      a text that is no decimal number, or one out of range
    ├── PriceError        a price of nothing, or beyond all bounds
    ├── FieldError        an order, a provider or a bid with a field that can't be
    ├── MalformedError    bytes that are no order, or no bid
    ├── SignatureError    a bid that the key did not sign
    ├── ReservationError  a provider that is not there, or has not so much to give or to take back
    └── SubmitError       the other side did not take a bid
"""


class BiddingError(ValueError):
    """Base of what bidding refuses."""


class DecimalError(BiddingError):
    """A text that is no decimal number, or one out of range."""


class PriceError(BiddingError):
    """A price of nothing, or beyond all bounds."""


class FieldError(BiddingError):
    """An order, a provider or a bid with a field that can't be."""


class MalformedError(BiddingError):
    """Bytes that are no order, or no bid."""


class SignatureError(BiddingError):
    """A bid that the key did not sign."""


class ReservationError(BiddingError):
    """A provider that is not there, or has not so much to give or to take back."""


class SubmitError(BiddingError):
    """The other side did not take a bid."""
