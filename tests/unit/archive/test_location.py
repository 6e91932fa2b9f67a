"""What names an archive, and that no secret is repeated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.archive.storage.location import locate, location_of
from veperf.archive.storage.open import open_storage
from veperf.core.errors import UsageError


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("reports", "reports"),
        ("/srv/runs", "/srv/runs"),
        ("file:///srv/my%20runs", "/srv/my runs"),
        ("FILE://localhost/srv", "/srv"),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("S3://bucket", "s3://bucket"),
        ("memory://x", "memory://x"),
        ("abfs://box@account.example/runs", "abfs://box@account.example/runs"),
        ("sftp://host:22/srv/runs", "sftp://host:22/srv/runs"),
    ],
)
def test_locations_have_one_form(given: str, wanted: str):
    """Folders as they are, addresses without a slash at the end."""
    assert wanted == location_of(given)


def test_a_path_is_a_folder():
    """Also as a Path."""
    assert Path("a/b") == locate(Path("a/b"))


@pytest.mark.parametrize(
    "given",
    [
        "s3://AKIAX:hush@bucket/a",
        "s3://AKIAX:hu/sh@bucket/a",
        "s3://hush@bucket",
        "https://me:hush@host/runs",
        "s3://bucket/a?secret=hush",
        "s3://bucket/a#token=hush",
        "sftp://me:hush@host:22/runs",
        "s3://AKIAX:@hush@bucket/a",
    ],
)
def test_credentials_are_refused_and_not_repeated(given: str):
    """Whatever form they take; the refusal says where they belong."""
    with pytest.raises(UsageError, match="environment") as caught:
        locate(given)

    assert "hush" not in str(caught.value)
    assert "AKIAX" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "s3://",
        "s3:///a",
        "s3://bucket//a",
        "s3://bucket/../other",
        "s3://bucket/a b",
        "s3://bucket/a\n",
        "simplecache::s3://bucket/a",
        "s3://bucket::file:///a",
        "file://relative/folder",
        "file:///a?b",
        "s3:/bucket/a",
        Path("s3://bucket/a"),
        "memory:x",
        "file:x",
    ],
)
def test_what_is_no_place_is_refused_in_words(given: str | Path):
    """With an example of what is one."""
    with pytest.raises(UsageError, match=r"such as|two slashes|no kind of storage"):
        open_storage(given)


def test_a_kind_that_nobody_knows_is_refused():
    """And so is one whose package is missing, which is named."""
    with pytest.raises(UsageError, match="no kind of storage called nonsense://"):
        open_storage("nonsense://bucket/a")
    with pytest.raises(UsageError, match=r"need a package more: .*gcsfs"):
        open_storage("gs://bucket/a")


@given(st.text(max_size=60), st.sampled_from(["s3", "https", "memory", "file", "x"]))
def test_any_text_is_a_place_or_refused(text: str, scheme: str):
    """Never anything but our own error, and what is accepted stays what it is."""
    try:
        found = location_of(f"{scheme}://{text}")
    except UsageError:
        return
    assert found == location_of(found)
