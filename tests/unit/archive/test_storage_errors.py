"""What goes wrong elsewhere is said in our words, and in no provider's."""

import subprocess
import sys
import traceback

import pytest

from tests.support.object_store import KEY, SECRET
from veperf.archive.storage.errors import in_words
from veperf.archive.store import Archive
from veperf.core.errors import COULD_NOT_MEASURE, StorageError


class _RefusedError(Exception):
    """As botocore tells: with all that the provider said."""

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
        (NotImplementedError(KEY), "can't do this"),
        (ValueError(SECRET), "provider's tools"),
    ],
)
def test_a_provider_s_words_are_not_passed_on(error: Exception, told: str):
    """They hold ids of keys; ours say what to do."""
    said = in_words("can't read s3://b/x", error)

    assert "can't read s3://b/x: " in str(said)
    assert told in str(said)
    assert KEY not in repr(said)
    assert SECRET not in repr(said)
    assert COULD_NOT_MEASURE == said.exit_code


def test_errors_carry_no_secret_in_their_chain(s3_url: str, monkeypatch: pytest.MonkeyPatch):
    """What a notebook shows of an error is ours as well."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    archive = Archive(s3_url)
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)

    with pytest.raises(StorageError, match="can't be reached") as caught:
        archive.ids()

    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown + repr(archive.storage)
    assert SECRET not in shown + repr(archive.storage)


def test_a_missing_package_is_named():
    """With the extra that installs it."""
    code = "import sys; sys.modules['s3fs'] = None\nfrom veperf.archive import Archive\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}Archive('s3://bucket/x')"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "UsageError: s3:// archives need a package more: pip install 'veperf[s3]'" in done.stderr
