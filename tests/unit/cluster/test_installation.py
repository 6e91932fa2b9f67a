"""What is installed on hosts, and what of it must be the same."""

import pytest
from msgspec.structs import replace

from veperf.cluster.installation import (
    Installation,
    describe_installation,
    installation_differences,
)

HERE = Installation(
    host="desk",
    machine="epyc-2c",
    python="CPython 3.12.4",
    versions={"veperf": "1.0", "numpy": "2.1.0", "core": "native", "distributed": "2026.3.0"},
    commit="a" * 40,
)


def differences(**there: object) -> list[str]:
    """Of another host that differs from this in so much."""
    return list(installation_differences(replace(HERE, host="worker-3", **there), HERE))


def test_this_host_fits_itself() -> None:
    """With its real installation, in which veperf has a version."""
    here = describe_installation()

    assert [] == list(installation_differences(here, here))
    assert here.versions["veperf"]
    assert here.versions["distributed"]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({"machine": "xeon-64c"}, []),
        ({"python": "CPython 3.12.11"}, []),
        ({"python": "CPython 3.1.4"}, ["CPython 3.1.4, here CPython 3.12.4"]),
        ({"python": "PyPy 3.12.4"}, ["PyPy 3.12.4, here CPython 3.12.4"]),
        ({"commit": ""}, []),
        ({"commit": "b" * 40}, [f"veperf at commit {'b' * 12}, here {'a' * 12}"]),
    ],
)
def test_what_makes_a_difference(there: dict[str, object], expected: list[str]) -> None:
    """A kind of machine or a patch release of Python does not; a commit does where it is known."""
    assert expected == differences(**there)


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("distributed", "2024.8.0", ["distributed 2024.8.0, here 2026.3.0"]),
        ("distributed", None, []),
        ("numpy", None, ["numpy none, here 2.1.0"]),
        ("core", "python", ["core python, here native"]),
        ("lmdb", "1.4", ["lmdb 1.4, here none"]),
        ("dask", "2026.3.0", []),
    ],
)
def test_versions_of_packages(name: str, version: str | None, expected: list[str]) -> None:
    """All must agree, but that whoever only plans has no need of dask."""
    versions = {n: v for n, v in HERE.versions.items() if n != name}

    assert expected == differences(versions=versions | ({name: version} if version else {}))
