"""Hypothesis without a limit on the time of an example: the machine may be busy.

py_ecc, the oracle of several tests, raises the recursion limit to 100,000 for good, at which deeply
nested JSON ends the process: it is loaded here, and the limit put back.
"""

import secrets
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

_limit = sys.getrecursionlimit()
import_module("py_ecc")
sys.setrecursionlimit(_limit)

# Tests press Ctrl-C in processes that they start; those of a shell's background job ignore it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """An S3 server, and what an environment needs to use it."""
    from tests.support.object_store import s3_server

    with s3_server() as environment:
        yield environment


@pytest.fixture
def s3_url(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an archive in a new bucket; the environment has what it takes to use it."""
    from tests.support.object_store import new_bucket, shared_url_to_fs

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("fsspec.core.url_to_fs", shared_url_to_fs)
    return f"s3://{new_bucket()}/ours"


@pytest.fixture(params=["folder", "memory"])
def near(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an archive can lie that answers at once, empty."""
    return str(tmp_path) if request.param == "folder" else f"memory://{secrets.token_hex(8)}"


@pytest.fixture(params=["folder", "memory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an archive can lie: each kind of place in turn, empty."""
    if request.param == "s3":
        url: str = request.getfixturevalue("s3_url")
        return url
    return str(tmp_path) if request.param == "folder" else f"memory://{secrets.token_hex(8)}"
