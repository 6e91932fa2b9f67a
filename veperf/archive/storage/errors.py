"""Errors of storage providers, reworded as StorageErrors.

The provider's own text is not passed on: it contains ids of access keys, signatures and addresses.
"""

import errno

from veperf.core.errors import StorageError

_SEE_DOCS = "see docs/formats.md about archives elsewhere"
_DENIED = (
    "access denied; grant your credentials the right to list, read, write and delete there, or "
    "choose another place with --archive"
)
_NO_CREDENTIALS = (
    "no credentials were found; set the provider's environment variables (AWS_ACCESS_KEY_ID and "
    f"AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ...) or log in with its tools; {_SEE_DOCS}"
)
_BAD_CREDENTIALS = "the credentials are wrong or have expired; renew them and call again"
_NO_BUCKET = (
    "there is no such bucket; create it with the provider's tools, or check the name and "
    "AWS_ENDPOINT_URL"
)
_UNREACHABLE = (
    "the endpoint can't be reached; check the connection, the region and AWS_ENDPOINT_URL, then "
    "call again"
)
_TIMED_OUT = "it timed out; check the connection and call again"
_BUSY = "the provider is too busy; call again later"
_UNSUPPORTED = "that kind of storage does not support this; choose another place with --archive"

_BY_CODE = {
    "NoSuchBucket": _NO_BUCKET,
    "404": _NO_BUCKET,
    "InvalidBucketName": "that is not a valid name of a bucket; check it",
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "401": _DENIED,
    "403": _DENIED,
    "InvalidAccessKeyId": _BAD_CREDENTIALS,
    "SignatureDoesNotMatch": _BAD_CREDENTIALS,
    "ExpiredToken": _BAD_CREDENTIALS,
    "InvalidToken": _BAD_CREDENTIALS,
    "RequestTimeTooSkewed": "the clock of this machine is wrong; set it and call again",
    "PermanentRedirect": "the bucket is in another region; set AWS_DEFAULT_REGION to it",
    "AuthorizationHeaderMalformed": (
        "the bucket is in another region; set AWS_DEFAULT_REGION to it"
    ),
    "SlowDown": _BUSY,
    "ServiceUnavailable": _BUSY,
    "503": _BUSY,
    "405": _UNSUPPORTED,
    "501": _UNSUPPORTED,
    "InternalError": _BUSY,
    "QuotaExceeded": "the quota there is used up; free some space and call again",
}
_BY_NAME = {
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "DefaultCredentialsError": _NO_CREDENTIALS,
    "TokenRetrievalError": _BAD_CREDENTIALS,
    "CredentialRetrievalError": _BAD_CREDENTIALS,
    "UnauthorizedSSOTokenError": _BAD_CREDENTIALS,
    "SSOTokenLoadError": _BAD_CREDENTIALS,
    "RefreshError": _BAD_CREDENTIALS,
    "ClientAuthenticationError": _BAD_CREDENTIALS,
    "AuthenticationException": _BAD_CREDENTIALS,
    "ProfileNotFound": "AWS_PROFILE names a profile that does not exist",
    "NoRegionError": "the region is not known; set AWS_DEFAULT_REGION",
    "EndpointConnectionError": _UNREACHABLE,
    "ClientConnectorError": _UNREACHABLE,
    "ConnectionError": _UNREACHABLE,
    "ConnectionClosedError": _UNREACHABLE,
    "HTTPClientError": _UNREACHABLE,
    "SSLError": _UNREACHABLE,
    "gaierror": _UNREACHABLE,
    "ClientOSError": _UNREACHABLE,
    "ClientPayloadError": _UNREACHABLE,
    "ServerDisconnectedError": _UNREACHABLE,
    "TimeoutError": _TIMED_OUT,
    "FSTimeoutError": _TIMED_OUT,
    "ConnectTimeoutError": _TIMED_OUT,
    "ReadTimeoutError": _TIMED_OUT,
    "NotImplementedError": _UNSUPPORTED,
    "PermissionError": _DENIED,
}
_ERRNO = {_DENIED: errno.EACCES, _TIMED_OUT: errno.ETIMEDOUT, _UNREACHABLE: errno.EHOSTUNREACH}


def to_storage_error(action: str, error: BaseException) -> StorageError:
    """Return the StorageError to raise, ``from None``, in place of ``error``.

    ``action`` begins its message, such as ``can't read ...``.
    """
    message = (
        _BY_CODE.get(_response_code(error)) or _message_by_type(error) or _other_message(error)
    )
    return StorageError(_ERRNO.get(message, errno.EIO), f"{action}: {message}")


def is_missing_bucket(error: FileNotFoundError) -> bool:
    """Return whether the bucket is known to be missing, rather than the object."""
    return _response_code(error) == "NoSuchBucket"


def is_server_response(error: FileNotFoundError) -> bool:
    """Return whether the error is a server's response, not a filesystem that finds no folder."""
    return bool(_response_code(error))


def is_past_end(error: OSError) -> bool:
    """Return whether the range asked for lies past the end, such as any of an empty file."""
    return _response_code(error) == "InvalidRange"


def _response_code(error: BaseException) -> str:
    """Return the code of an S3 response, where s3fs or botocore put it, or the HTTP status."""
    for cause in (error, error.__cause__):
        response = getattr(cause, "response", None)
        if isinstance(response, dict) and isinstance(response.get("Error"), dict):
            return str(response["Error"].get("Code", ""))
        if isinstance(status := getattr(cause, "status", None), int):
            return str(status)
    return "NoSuchBucket" if "bucket does not exist" in str(error) else ""


def _message_by_type(error: BaseException) -> str:
    kinds = (kind.__name__ for kind in type(error).__mro__)
    return next((_BY_NAME[name] for name in kinds if name in _BY_NAME), "")


def _other_message(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    return f"failed with {type(error).__name__}; check the place with the provider's tools"
