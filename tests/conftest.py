"""Fixtures that many tests share, and the rules that hold for every test.

- Each test has a budget, which CI holds (`CI` is set): of CPU time, as the machine may be busy, and
  with that of its child processes.
- Hypothesis has no limit on the time of an example, for the same reason; its profile `quick` makes
  fewer of them.

py_ecc, the oracle of several tests, raises the recursion limit to 100,000 for good, at which deeply
nested JSON ends the process: it is loaded here, and the limit put back.
"""

import os
import secrets
import signal
import sys
from collections.abc import Generator, Iterator
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

settings.register_profile("full", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=40)
settings.load_profile("full")

QUICK_CPU_S, SLOW_CPU_S = 5.0, 90.0
_SLOW = ("slow", "alone", "browser", "network")
_CPU_S: pytest.StashKey[float] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note the CPU time of the test itself; that of fixtures, which tests share, doesn't count."""
    before = os.times()
    try:
        yield
    finally:
        item.stash[_CPU_S] = sum(os.times()[:4]) - sum(before[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that passed beyond its budget."""
    report = yield
    if call.when == "call" and report.passed and os.environ.get("CI"):
        budget_s = SLOW_CPU_S if any(map(item.get_closest_marker, _SLOW)) else QUICK_CPU_S
        if (cpu_s := item.stash[_CPU_S]) > budget_s:
            report.outcome = "failed"
            report.longrepr = (
                f"{item.nodeid} took {cpu_s:.1f} s of CPU time, more than its budget of "
                f"{budget_s:g} s: make it quicker, or mark it slow"
            )
    return report


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
