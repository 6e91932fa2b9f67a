"""Why an envelope is refused, as one tree; each error has a short code for results on chain.

::

    EnvelopeError
    ├── MalformedError              malformed
    │   └── TruncatedError          truncated
    ├── UnsupportedError            unsupported
    ├── OversizeError               oversize
    ├── WrongAccountError           wrong_account
    ├── UnapprovedClientError       unapproved_client
    ├── ClientSignatureError        client_signature
    ├── UserSignatureError          user_signature
    ├── FutureCaptureError          future_capture
    ├── ReplayedError               replayed
    ├── DuplicateScopeError         duplicate_scope
    ├── OverLimitError              over_limit
    ├── WrongRecipientError         wrong_recipient
    └── TamperedError               tampered
"""

from typing import ClassVar


class EnvelopeError(ValueError):
    """Base of all reasons for which an envelope is refused."""

    code: ClassVar[str] = "refused"


class MalformedError(EnvelopeError):
    """Bytes that are not the one encoding of an envelope."""

    code = "malformed"


class TruncatedError(MalformedError):
    """An envelope that was cut off."""

    code = "truncated"


class UnsupportedError(EnvelopeError):
    """A version or an algorithm that is not known."""

    code = "unsupported"


class OversizeError(EnvelopeError):
    """More bytes than an envelope or its payload may have."""

    code = "oversize"


class WrongAccountError(EnvelopeError):
    """An envelope of another account, or a key that is not the account's."""

    code = "wrong_account"


class UnapprovedClientError(EnvelopeError):
    """It came through a client that is not approved."""

    code = "unapproved_client"


class ClientSignatureError(EnvelopeError):
    """The client's signature does not verify."""

    code = "client_signature"


class UserSignatureError(EnvelopeError):
    """The user's signature does not verify."""

    code = "user_signature"


class FutureCaptureError(EnvelopeError):
    """It says that it was captured later than now."""

    code = "future_capture"


class ReplayedError(EnvelopeError):
    """Its salt was used by this account before."""

    code = "replayed"


class DuplicateScopeError(EnvelopeError):
    """The account has a scope with this id."""

    code = "duplicate_scope"


class OverLimitError(EnvelopeError):
    """The account has as many scopes, or of this type, as it may."""

    code = "over_limit"


class WrongRecipientError(EnvelopeError):
    """It is not addressed to this key."""

    code = "wrong_recipient"


class TamperedError(EnvelopeError):
    """Something in it is not what was sealed."""

    code = "tampered"
