"""Fixtures that many tests share, and the rules that hold for every test.

- Each test has a budget of CPU time, with that of its child processes. What goes beyond it is named
  at the end; in CI (`CI` is set) it fails beyond three times its budget: the same work takes twice
  the CPU time on a slower or busier machine.
- What a module of tests leaves behind (imports, cached circuits and keys) is left out of garbage
  collection from then on: each full collection, of which measuring makes many, would go through it.
- Hypothesis has no limit on the time of an example, for the same reason; its profile `quick` makes
  fewer of them. In CI its examples are the same every time, so that a change is what fails; at
  home they are new ones every time.

py_ecc, the oracle of several tests, raises the recursion limit to 100,000 for good, at which deeply
nested JSON ends the process: it is loaded here, and the limit put back.
"""

import gc
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

# Tests make what a set-up needs by themselves, and leave nothing in the user's cache.
os.environ["VEPERF_SETUP_CACHE"] = "off"

# What is printed is whole, as through a pipe, whatever the terminal that the tests were started in.
# pytest imports readline, which sets COLUMNS for child processes past `os.environ`.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")

IN_CI = bool(os.environ.get("CI"))

settings.register_profile("full", deadline=None, derandomize=IN_CI)
settings.register_profile("quick", deadline=None, derandomize=IN_CI, max_examples=40)
settings.load_profile("full")

QUICK_CPU_S, SLOW_CPU_S = 5.0, 90.0
TOLERANCE = 3
_SLOW = ("slow", "alone", "browser", "network")
_CPU_S: pytest.StashKey[float] = pytest.StashKey()
_OVER_BUDGET = "over_budget"


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Leave what lasts of a module of tests out of later collections."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()


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
    """Note a test that passed beyond its budget; fail it far beyond."""
    report = yield
    if call.when == "call" and report.passed:
        budget_s = SLOW_CPU_S if any(map(item.get_closest_marker, _SLOW)) else QUICK_CPU_S
        if (cpu_s := item.stash[_CPU_S]) > budget_s:
            fault = (
                f"{item.nodeid} took {cpu_s:.1f} s of CPU time, more than its budget of "
                f"{budget_s:g} s: make it quicker, or mark it slow"
            )
            report.user_properties.append((_OVER_BUDGET, fault))
            if IN_CI and cpu_s > TOLERANCE * budget_s:
                report.outcome = "failed"
                report.longrepr = fault
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests beyond their budget."""
    faults = [
        str(fault)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, fault in getattr(report, "user_properties", ())
        if name == _OVER_BUDGET
    ]
    if faults:
        terminalreporter.section("beyond their budget of CPU time")
        for fault in sorted(faults):
            terminalreporter.line(fault)


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
