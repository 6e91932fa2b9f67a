"""The errors of bidding.

::

    BiddingError (ValueError)
    ├── DecimalError           a text that is not a decimal number, or out of range
    ├── PriceError             a price of zero, or out of range
    ├── FieldError             an invalid field of an order, a provider or a bid
    ├── MalformedMessageError  bytes that are not a valid order or bid
    ├── SignatureError         a bid that was not signed by the key
    ├── ReservationError       an unknown provider, or amounts that it has not free or reserved
    └── SubmitError            the chain did not accept a bid
"""


class BiddingError(ValueError):
    """Base class of the errors of bidding."""


class DecimalError(BiddingError):
    """A text is not a decimal number, or the number is out of range."""


class PriceError(BiddingError):
    """A price is zero or out of range."""


class FieldError(BiddingError):
    """A field of an order, a provider or a bid is invalid."""


class MalformedMessageError(BiddingError):
    """Bytes are not a valid order or bid."""


class SignatureError(BiddingError):
    """A bid was not signed by the key."""


class ReservationError(BiddingError):
    """The provider is unknown, or has not the amounts free or reserved."""


class SubmitError(BiddingError):
    """The chain did not accept a bid."""
