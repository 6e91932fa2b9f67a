"""What went wrong on the way to a storage, in our words.

Those of a provider are not passed on: they hold ids of access keys, signatures and addresses.
"""

import errno

from veperf.core.errors import StorageError

_LOOK = "see docs/formats.md about archives elsewhere"
_DENIED = (
    "access denied; give the credentials that you have there the right to list, read, write and "
    "delete, or choose another place with --archive"
)
_NONE = (
    "no credentials were found; set the provider's environment variables (AWS_ACCESS_KEY_ID and "
    f"AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ...) or log in with its tools; {_LOOK}"
)
_BAD = "the credentials are wrong or have expired; renew them and call again"
_NO_PLACE = (
    "there is no such bucket; make it with the provider's tools, or check the name and "
    "AWS_ENDPOINT_URL"
)
_AWAY = (
    "the endpoint can't be reached; check the connection, the region and AWS_ENDPOINT_URL, then "
    "call again"
)
_SLOW = "it timed out; check the connection and call again"
_BUSY = "the provider says that it is too busy; call again later"
_UNABLE = "that kind of storage can't do this; choose another place with --archive"

_BY_CODE = {
    "NoSuchBucket": _NO_PLACE,
    "404": _NO_PLACE,
    "InvalidBucketName": "that is no name of a bucket; check it",
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "401": _DENIED,
    "403": _DENIED,
    "InvalidAccessKeyId": _BAD,
    "SignatureDoesNotMatch": _BAD,
    "ExpiredToken": _BAD,
    "InvalidToken": _BAD,
    "RequestTimeTooSkewed": "the clock of this machine is wrong; set it and call again",
    "PermanentRedirect": "the bucket is in another region; set AWS_DEFAULT_REGION to it",
    "AuthorizationHeaderMalformed": (
        "the bucket is in another region; set AWS_DEFAULT_REGION to it"
    ),
    "SlowDown": _BUSY,
    "ServiceUnavailable": _BUSY,
    "503": _BUSY,
    "405": _UNABLE,
    "501": _UNABLE,
    "InternalError": _BUSY,
    "QuotaExceeded": "the quota there is used up; free some space and call again",
}
_BY_NAME = {
    "NoCredentialsError": _NONE,
    "PartialCredentialsError": _NONE,
    "DefaultCredentialsError": _NONE,
    "TokenRetrievalError": _BAD,
    "CredentialRetrievalError": _BAD,
    "UnauthorizedSSOTokenError": _BAD,
    "SSOTokenLoadError": _BAD,
    "RefreshError": _BAD,
    "ClientAuthenticationError": _BAD,
    "AuthenticationException": _BAD,
    "ProfileNotFound": "AWS_PROFILE names a profile that is not there",
    "NoRegionError": "the region is not known; set AWS_DEFAULT_REGION",
    "EndpointConnectionError": _AWAY,
    "ClientConnectorError": _AWAY,
    "ConnectionError": _AWAY,
    "ConnectionClosedError": _AWAY,
    "HTTPClientError": _AWAY,
    "SSLError": _AWAY,
    "gaierror": _AWAY,
    "ClientOSError": _AWAY,
    "ClientPayloadError": _AWAY,
    "ServerDisconnectedError": _AWAY,
    "TimeoutError": _SLOW,
    "FSTimeoutError": _SLOW,
    "ConnectTimeoutError": _SLOW,
    "ReadTimeoutError": _SLOW,
    "NotImplementedError": _UNABLE,
    "PermissionError": _DENIED,
}
_NUMBERS = {_DENIED: errno.EACCES, _SLOW: errno.ETIMEDOUT, _AWAY: errno.EHOSTUNREACH}


def in_words(what: str, error: BaseException) -> StorageError:
    """The error to raise for ``error``, ``from None``; ``what`` begins it: ``can't read ...``."""
    said = _BY_CODE.get(_code(error)) or _by_name(error) or _of_another(error)
    return StorageError(_NUMBERS.get(said, errno.EIO), f"{what}: {said}")


def lacks_bucket(error: FileNotFoundError) -> bool:
    """Whether what is missing is known to be the bucket rather than the object."""
    return _code(error) == "NoSuchBucket"


def is_answer(error: FileNotFoundError) -> bool:
    """Whether a server says so, and not a filesystem that finds no folder."""
    return bool(_code(error))


def is_beyond_end(error: OSError) -> bool:
    """Whether bytes were asked for that a file does not have, such as any of an empty one."""
    return _code(error) == "InvalidRange"


def _code(error: BaseException) -> str:
    """The code in an answer of S3's, wherever s3fs or botocore put it, or the status of HTTP."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict) and isinstance(response.get("Error"), dict):
            return str(response["Error"].get("Code", ""))
        if isinstance(status := getattr(one, "status", None), int):
            return str(status)
    return "NoSuchBucket" if "bucket does not exist" in str(error) else ""


def _by_name(error: BaseException) -> str:
    kinds = (kind.__name__ for kind in type(error).__mro__)
    return next((_BY_NAME[name] for name in kinds if name in _BY_NAME), "")


def _of_another(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is not there"
    return f"that failed ({type(error).__name__}); check the place with the provider's tools"
