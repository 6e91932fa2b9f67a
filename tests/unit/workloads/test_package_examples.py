"""The examples in the docstring of each suite's package."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "suite",
    [
        *("transaction", "verification", "bidding", "zk"),
        *("market", "validator_set", "state_sync", "inference"),
    ],
)
def test_the_examples_run(suite: str) -> None:
    """Every line gives the documented result."""
    outcome = doctest.testmod(import_module(f"veperf.workloads.{suite}"))

    assert 0 == outcome.failed
    assert outcome.attempted > 5
