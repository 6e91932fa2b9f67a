"""Result codes of transactions, and the exception that rejects a transaction with one of them."""

from enum import Enum


class Code(Enum):
    """The result of a transaction, with a description and the Cosmos SDK's code for it.

    The SDK's codes (codespace "sdk", ``types/errors``) are coarser: every bad signature is
    "unauthorized". A transaction signed for another chain, or for another account number, is a
    ``WRONG_SIGNATURE``: both are part of the signed bytes and nowhere in the transaction.
    """

    OK = ("ok", 0)
    MALFORMED = ("malformed", 2)
    WRONG_SIGNATURE = ("wrong signature", 4)
    HIGH_S = ("high-S signature", 4)
    BLOCKED_RECIPIENT = ("blocked recipient", 4)
    INSUFFICIENT_FUNDS = ("insufficient funds", 5)
    UNKNOWN_MESSAGE = ("unknown message", 6)
    INVALID_ADDRESS = ("invalid address", 7)
    INVALID_PUBLIC_KEY = ("invalid public key", 8)
    WRONG_SIGNER = ("wrong signer", 8)
    UNKNOWN_ACCOUNT = ("unknown account", 9)
    INVALID_COINS = ("invalid coins", 10)
    MEMO_TOO_LARGE = ("memo too large", 12)
    INSUFFICIENT_FEE = ("insufficient fee", 13)
    NO_SIGNATURES = ("no signatures", 15)
    INVALID_REQUEST = ("invalid request", 18)
    DUPLICATE = ("duplicate of a known transaction", 19)
    TIMEOUT_HEIGHT = ("past its timeout height", 30)
    REPLAY = ("replay", 32)
    WRONG_SEQUENCE = ("wrong sequence", 32)
    UNSUPPORTED = ("not supported", 37)
    OVERFLOW = ("amount too large", 111222)  # the SDK's code for a panic, which its Int makes of it
    OUT_OF_GAS = ("out of gas", 11)
    TOO_MANY_SIGNATURES = ("too many signatures", 14)
    UNKNOWN_EXTENSION = ("unknown extension option", 31)
    NO_FEE_ALLOWANCE = ("no fee allowance", 38)
    FEE_ALLOWANCE_EXCEEDED = ("fee allowance exceeded", 2)  # codespace feegrant, as the next
    FEE_ALLOWANCE_EXPIRED = ("fee allowance expired", 3)
    UNKNOWN_VALIDATOR = ("unknown validator", 3)  # codespace staking, as the next two
    NO_DELEGATION = ("no delegation", 19)
    TOO_MANY_UNBONDINGS = ("too many unbonding entries", 27)

    @property
    def label(self) -> str:
        """The description."""
        return self.value[0]

    @property
    def abci(self) -> int:
        """The SDK's number, as ABCI reports it."""
        return self.value[1]


class TransactionRefused(ValueError):  # noqa: N818  # a normal result, not an error
    """A transaction is rejected: ``code`` is the reason for machines, the message for people."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(f"{code.label}: {reason}")
        self.code = code
