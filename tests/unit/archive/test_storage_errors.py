"""Errors of storage providers are reworded, without the provider's own text."""

import subprocess
import sys
import traceback

import pytest

from tests.support.object_store import KEY, SECRET
from veperf.archive.storage.errors import to_storage_error
from veperf.archive.store import Archive
from veperf.core.errors import COULD_NOT_MEASURE, StorageError


class _RefusedError(Exception):
    """An error as botocore raises it, with the provider's full text."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {KEY} {SECRET}")
        self.response = {"Error": {"Code": code, "Message": f"{KEY} {SECRET}"}}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (_RefusedError("NoSuchBucket"), "no such bucket"),
        (_RefusedError("AccessDenied"), "access denied"),
        (_RefusedError("InvalidAccessKeyId"), "credentials are wrong"),
        (_RefusedError("ExpiredToken"), "have expired"),
        (_RefusedError("SlowDown"), "call again later"),
        (_RefusedError("Whatever"), "provider's tools"),
        (PermissionError(KEY), "access denied"),
        (TimeoutError(KEY), "timed out"),
        (ConnectionRefusedError(KEY), "can't be reached"),
        (NotImplementedError(KEY), "does not support this"),
        (ValueError(SECRET), "provider's tools"),
    ],
)
def test_a_provider_s_words_are_not_passed_on(error: Exception, told: str):
    """Provider messages contain key ids; veperf's messages say what to do."""
    output = to_storage_error("can't read s3://b/x", error)

    assert "can't read s3://b/x: " in str(output)
    assert told in str(output)
    assert KEY not in repr(output)
    assert SECRET not in repr(output)
    assert COULD_NOT_MEASURE == output.exit_code


@pytest.mark.slow
def test_errors_carry_no_secret_in_their_chain(s3_url: str, monkeypatch: pytest.MonkeyPatch):
    """The traceback of a notebook has no text of the provider either."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    archive = Archive(s3_url)
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)

    with pytest.raises(StorageError, match="can't be reached") as caught:
        archive.ids()

    output = "".join(traceback.format_exception(caught.value))
    assert KEY not in output + repr(archive.storage)
    assert SECRET not in output + repr(archive.storage)


def test_a_missing_package_is_named():
    """The error names the extra that installs the package."""
    code = "import sys; sys.modules['s3fs'] = None\nfrom veperf.archive.store import Archive\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}Archive('s3://bucket/x')"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (
        "UsageError: s3:// archives need another package: pip install 'veperf[s3]'" in done.stderr
    )
