"""The installation of veperf on a host, and how it differs from another one.

Results of one sweep belong together only if the same code made them, so whoever plans it says what
is installed there, and each host is compared with that before its first task.
"""

import re
import socket
from collections.abc import Iterator
from functools import cache
from importlib import metadata

from msgspec import Struct

from veperf.core import paths
from veperf.measure.machine import describe_machine, describe_revision

_SCHEDULING = ("dask", "distributed")
"""Packages of which client and workers must have the same version to understand each other."""
_MISSING = "none"


class Installation(Struct, frozen=True):
    """The packages and the commit on a host, and its kind of machine."""

    host: str
    machine: str
    """Name of its kind of machine, as runs have it."""
    python: str
    versions: dict[str, str]
    """By package, veperf first; ``core`` tells compiled kernels from Python's."""
    commit: str = ""
    """Of the checkout that veperf is imported from; empty where it was installed."""


@cache
def describe_installation() -> Installation:
    """Return the installation of this process."""
    machine = describe_machine()
    scheduling = {}
    for name in _SCHEDULING:
        try:
            scheduling[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    checkout = paths.checkout_folder()
    revision = describe_revision(checkout) if checkout else None
    return Installation(
        host=socket.gethostname(),
        machine=machine.name,
        python=machine.python,
        versions=machine.versions | scheduling,
        commit=revision.commit if revision else "",
    )


def installation_differences(there: Installation, here: Installation) -> Iterator[str]:
    """Yield the differences because of which results of ``there`` don't belong to a plan of here.

    Patch releases of Python and kinds of machines may differ, and packages that only one of both
    has of those that merely schedule.
    """
    if _minor(there.python) != _minor(here.python):
        yield f"{there.python}, here {here.python}"
    for name in dict.fromkeys([*here.versions, *there.versions]):
        versions = [side.versions.get(name, _MISSING) for side in (there, here)]
        if name in _SCHEDULING and _MISSING in versions:
            continue
        if versions[0] != versions[1]:
            yield f"{name} {versions[0]}, here {versions[1]}"
    if there.commit and here.commit and there.commit != here.commit:
        yield f"veperf at commit {there.commit[:12]}, here {here.commit[:12]}"


def _minor(python: str) -> str:
    """Return ``CPython 3.11`` of ``CPython 3.11.7``."""
    return re.sub(r"(\d+\.\d+)\..*", r"\1", python)
