"""The cores that tests of the workloads run in."""

from collections.abc import Iterator

import pytest

from veperf._native.core import CORES, use_core


# Of a module, as hypothesis calls a test many times and fixtures once.
@pytest.fixture(scope="module", params=CORES)
def core(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each core that can run here, in use."""
    with use_core(request.param):
        yield request.param
