"""Why an identity's record can't be changed, as one tree; each error has a short code.

::

    IdentityError
    ├── RecordExistsError       record_exists
    ├── RecordMissingError      no_record
    ├── ScopeMissingError       no_scope
    ├── LockedError             locked
    └── TransitionError         bad_transition

A record that can't be decoded is a ``CorruptRecordError``, which is no fault of the caller.
"""

from typing import ClassVar

from veperf.core.errors import DataError


class IdentityError(ValueError):
    """Base of all reasons for which a record can't be changed."""

    code: ClassVar[str] = "identity"


class RecordExistsError(IdentityError):
    """The account has a record already."""

    code = "record_exists"


class RecordMissingError(IdentityError, LookupError):
    """The account has no record."""

    code = "no_record"


class ScopeMissingError(IdentityError, LookupError):
    """The account has no such scope, or it is revoked."""

    code = "no_scope"


class LockedError(IdentityError):
    """The record is locked."""

    code = "locked"


class TransitionError(IdentityError):
    """The record's status does not allow it."""

    code = "bad_transition"


class CorruptRecordError(DataError):
    """Bytes in the state that are not the one encoding of a record."""
