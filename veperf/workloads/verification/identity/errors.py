"""Errors of changes to an identity record, as one tree; each has a short code.

::

    IdentityError
    ├── RecordExistsError       record_exists
    ├── RecordMissingError      no_record
    ├── ScopeMissingError       no_scope
    ├── LockedError             locked
    └── TransitionError         bad_transition

A record that can't be decoded raises ``CorruptRecordError``, which is not the caller's fault.
"""

from typing import ClassVar

from veperf.core.errors import DataError


class IdentityError(ValueError):
    """Base of all errors of changes to a record."""

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
    """Bytes in the state are not the canonical encoding of a record."""
