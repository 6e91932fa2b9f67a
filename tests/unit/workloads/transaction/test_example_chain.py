"""The chain that the benchmarks measure on disk."""

import pytest

from veperf.workloads.transaction import example_chain


@pytest.fixture(autouse=True)
def _few_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_chain, "_KEYS", 10_000)


def test_a_restart_opens_the_last_commit() -> None:
    """Again and again, with the app hash of the same changes in a chain that stays open."""
    commit, stop = example_chain.commit_on_disk(2)
    call, close = example_chain.restart(2)
    try:
        expected = [commit() for _ in range(30)][-1]
        assert [expected] * 2 == [call(), call()]
    finally:
        stop()
        close()


def test_the_space_is_bounded() -> None:
    """Four times as many transfers take little more."""
    few, many = (example_chain.measure_disk(count) for count in (5_000, 20_000))
    assert few["growth"] > 2 * many["growth"] > 0
    assert many["disk"] < 2 * few["disk"]
