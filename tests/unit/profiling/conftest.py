"""Fixtures of tests that count what is allocated."""

import ctypes
import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def quiet_heap() -> Iterator[None]:
    """No garbage is collected but on demand, and of that nothing older than the test.

    A collection allocates now and then in the middle of what is counted, and goes through all that
    pytest holds.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.fixture
def settled_memory() -> None:
    """Give back to the system what earlier tests left: growth would take of that first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
