"""Errors of refused envelopes, as one tree; each has a short code for results on chain.

::

    EnvelopeError
    ├── MalformedEnvelopeError      malformed
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
    """Base of all errors for which an envelope is refused."""

    code: ClassVar[str] = "refused"


class MalformedEnvelopeError(EnvelopeError):
    """The bytes are not the canonical encoding of an envelope."""

    code = "malformed"


class TruncatedError(MalformedEnvelopeError):
    """The envelope was cut off."""

    code = "truncated"


class UnsupportedError(EnvelopeError):
    """The version or the algorithm is not supported."""

    code = "unsupported"


class OversizeError(EnvelopeError):
    """The envelope or its payload is too long."""

    code = "oversize"


class WrongAccountError(EnvelopeError):
    """The envelope belongs to another account, or the key is not the account's."""

    code = "wrong_account"


class UnapprovedClientError(EnvelopeError):
    """The envelope came through a client that is not approved."""

    code = "unapproved_client"


class ClientSignatureError(EnvelopeError):
    """The client's signature does not verify."""

    code = "client_signature"


class UserSignatureError(EnvelopeError):
    """The user's signature does not verify."""

    code = "user_signature"


class FutureCaptureError(EnvelopeError):
    """The capture time is in the future."""

    code = "future_capture"


class ReplayedError(EnvelopeError):
    """The account has used the salt before."""

    code = "replayed"


class DuplicateScopeError(EnvelopeError):
    """The account has a scope with this id."""

    code = "duplicate_scope"


class OverLimitError(EnvelopeError):
    """The account has the maximum number of scopes, in all or of this type."""

    code = "over_limit"


class WrongRecipientError(EnvelopeError):
    """The envelope is not addressed to this key."""

    code = "wrong_recipient"


class TamperedError(EnvelopeError):
    """A part of the envelope was altered after sealing."""

    code = "tampered"
