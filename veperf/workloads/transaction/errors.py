"""Result codes of transactions, and the exception that rejects a transaction with one of them."""

from enum import Enum


class Code(Enum):
    """The result of a transaction: a description, the code that ABCI reports, and its codespace.

    The SDK's own codes (codespace "sdk", ``types/errors``) are coarser: every bad signature is
    "unauthorized". A transaction signed for another chain, or for another account number, is a
    ``WRONG_SIGNATURE``: both are part of the signed bytes and nowhere in the transaction. Those of
    a module are in its codespace: the SDK's ``x/*/types/errors.go``, VirtEngine's
    ``sdk/go/node/{deployment,escrow,market,veid}``.
    """

    OK = ("ok", 0)
    MALFORMED = ("malformed", 2)
    INVALID_NUMBER = ("invalid number", 3)  # the SDK's "invalid sequence", of ids, too
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
    MEMPOOL_FULL = ("mempool is full", 20)
    EVICTED = ("evicted from the full mempool", 20)
    EXPIRED = ("expired in the mempool", 20)
    TIMEOUT_HEIGHT = ("past its timeout height", 30)
    REPLAY = ("replay", 32)
    WRONG_SEQUENCE = ("wrong sequence", 32)
    CONFLICT = ("conflict", 36)
    UNSUPPORTED = ("not supported", 37)
    OVERFLOW = ("amount too large", 111222)  # the SDK's code for a panic, which its Int makes of it
    OUT_OF_GAS = ("out of gas", 11)
    TOO_MANY_SIGNATURES = ("too many signatures", 14)
    UNKNOWN_EXTENSION = ("unknown extension option", 31)
    NO_FEE_ALLOWANCE = ("no fee allowance", 38)
    NO_INPUTS = ("no inputs", 2, "bank")
    NO_OUTPUTS = ("no outputs", 3, "bank")
    SUMS_DIFFER = ("sums of inputs and outputs differ", 4, "bank")
    MULTIPLE_SENDERS = ("multiple senders", 9, "bank")
    FEE_ALLOWANCE_EXCEEDED = ("fee allowance exceeded", 2, "feegrant")
    FEE_ALLOWANCE_EXPIRED = ("fee allowance expired", 3, "feegrant")
    MESSAGE_NOT_ALLOWED = ("message not allowed", 7, "feegrant")
    UNKNOWN_VALIDATOR = ("unknown validator", 3, "staking")
    NO_DELEGATION = ("no delegation", 19, "staking")
    TOO_MANY_UNBONDINGS = ("too many unbonding entries", 27, "staking")
    DEPLOYMENT_EXISTS = ("deployment exists", 3, "deployment")
    DEPLOYMENT_NOT_FOUND = ("deployment not found", 4, "deployment")
    DEPLOYMENT_CLOSED = ("deployment closed", 5, "deployment")
    INVALID_GROUPS = ("invalid groups", 7, "deployment")
    INVALID_HASH = ("invalid deployment hash", 10, "deployment")
    DEPLOYMENT_DEPOSIT = ("invalid deployment deposit", 20, "deployment")
    ESCROW_OVERDRAWN = ("escrow account overdrawn", 4, "escrow")
    ESCROW_DENOMINATION = ("denomination not in the escrow account", 5, "escrow")
    PAYMENT_EXISTS = ("payment exists", 6, "escrow")
    ESCROW_DEPOSIT = ("deposit can't be paid", 16, "escrow")
    BID_OVER_ORDER = ("bid over the order's price", 4, "market")
    ATTRIBUTE_MISMATCH = ("attribute mismatch", 5, "market")
    UNKNOWN_BID = ("unknown bid", 6, "market")
    UNKNOWN_ORDER_FOR_BID = ("unknown order for bid", 9, "market")
    LEASE_NOT_ACTIVE = ("lease not active", 10, "market")
    BID_NOT_ACTIVE = ("bid not active", 11, "market")
    BID_NOT_OPEN = ("bid not open", 12, "market")
    ORDER_NOT_OPEN = ("order not open", 13, "market")
    ORDER_NOT_FOUND = ("order not found", 15, "market")
    GROUP_NOT_OPEN = ("group not open", 17, "market")
    BID_NOT_FOUND = ("bid not found", 18, "market")
    BID_ZERO_PRICE = ("zero price", 19, "market")
    LEASE_NOT_FOUND = ("lease not found", 20, "market")
    BID_EXISTS = ("bid exists", 21, "market")
    BID_INVALID_PRICE = ("invalid price", 22, "market")
    ORDER_ACTIVE = ("order active", 23, "market")
    ORDER_CLOSED = ("order closed", 24, "market")
    BID_DEPOSIT = ("invalid bid deposit", 28, "market")
    UNKNOWN_PROVIDER = ("unknown provider", 30, "market")
    INVALID_BID = ("invalid bid", 31, "market")
    CAPABILITIES_MISMATCH = ("capabilities mismatch", 32, "market")
    INVALID_CLOSE_REASON = ("invalid reason to close", 33, "market")
    INVALID_SCOPE = ("invalid scope", 1001, "veid")
    INVALID_SCOPE_TYPE = ("invalid scope type", 1002, "veid")
    INVALID_PAYLOAD = ("invalid encrypted payload", 1004, "veid")
    INVALID_SALT = ("invalid salt", 1005, "veid")
    SALT_USED = ("salt used before", 1006, "veid")
    INVALID_DEVICE = ("invalid device", 1007, "veid")
    CLIENT_NOT_APPROVED = ("client not approved", 1009, "veid")
    INVALID_CLIENT_SIGNATURE = ("invalid client signature", 1010, "veid")
    INVALID_USER_SIGNATURE = ("invalid user signature", 1011, "veid")
    INVALID_PAYLOAD_HASH = ("invalid payload hash", 1012, "veid")
    INVALID_SCORE = ("invalid score", 1015, "veid")
    SCOPE_NOT_FOUND = ("scope not found", 1019, "veid")
    NO_IDENTITY = ("no identity record", 1020, "veid")
    SCOPE_EXISTS = ("scope exists", 1021, "veid")
    SCOPE_REVOKED = ("scope revoked", 1022, "veid")
    VALIDATORS_ONLY = ("not a bonded validator", 1024, "veid")
    INVALID_TRANSITION = ("invalid status transition", 1025, "veid")
    IDENTITY_LOCKED = ("identity locked", 1026, "veid")
    TOO_MANY_SCOPES = ("too many scopes", 1027, "veid")
    RATE_LIMITED = ("rate limit exceeded", 1125, "veid")
    INPUT_TOO_LARGE = ("input too large", 1281, "veid")
    SCORE_OUT_OF_RANGE = ("score out of range", 1286, "veid")

    def __init__(self, label: str, abci: int, codespace: str = "sdk") -> None:
        self.label = label
        self.abci = abci
        self.codespace = codespace


_MAX_REASON = 300
"""Characters: a reason may quote a transaction, which can be large."""


class TransactionRefused(ValueError):  # noqa: N818  # a normal result, not an error
    """A transaction is rejected: ``code`` is the reason for machines, the message for people."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(f"{code.label}: {reason[:_MAX_REASON]}")
        self.code = code
