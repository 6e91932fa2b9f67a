"""The examples with which each suite's package introduces itself."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("suite", ["transaction", "verification", "bidding", "zk"])
def test_the_examples_run(suite: str) -> None:
    """Every line of them gives what stands beneath it."""
    outcome = doctest.testmod(import_module(f"veperf.workloads.{suite}"))

    assert 0 == outcome.failed
    assert outcome.attempted > 5
