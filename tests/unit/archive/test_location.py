"""Locations of archives are parsed, and credentials in them are refused and never repeated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.archive.storage.location import locate
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
    """Folders stay as they are, URLs lose the slash at the end."""
    assert wanted == str(locate(given))


def test_a_path_is_a_folder():
    """A Path is a folder as well."""
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
    """Credentials in any form are refused, with a hint where they belong."""
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
    """The error has an example of a valid location."""
    with pytest.raises(UsageError, match=r"such as|two slashes|not a known kind of storage"):
        open_storage(given)


def test_a_kind_that_nobody_knows_is_refused():
    """Unknown schemes are refused, and missing packages are named."""
    with pytest.raises(UsageError, match="nonsense:// is not a known kind of storage"):
        open_storage("nonsense://bucket/a")
    with pytest.raises(UsageError, match=r"need another package: .*dropbox"):
        open_storage("dropbox://bucket/a")


@given(st.text(max_size=60), st.sampled_from(["s3", "https", "memory", "file", "x"]))
def test_any_text_is_a_place_or_refused(text: str, scheme: str):
    """Any text gives a UsageError or a location that parses to itself."""
    try:
        actual = str(locate(f"{scheme}://{text}"))
    except UsageError:
        return
    assert actual == str(locate(actual))
