"""Verification under a real load: all is committed, and nothing is left behind."""

from pathlib import Path

import pytest

from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule
from veperf.workloads.verification import example_data
from veperf.workloads.verification.load import (
    VerificationSystem,
    VerificationTarget,
    encoded_requests,
)


@pytest.mark.slow
def test_a_load_is_committed_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No error in two systems from one state, one after the other; no file stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    genesis = example_data.identity_tree(20)
    schedule = Schedule(30, 0.5, 0.1, seed=1)
    runs = [
        run_open_loop(lambda items: VerificationSystem(genesis, items, workers=1), schedule)
        for _ in range(2)
    ]

    for run in runs:
        assert run.offered == run.committed > 5
        assert {} == run.reasons
        assert {"generator", "verify", "transport", "commit"} == run.costs.keys()
        assert run.costs["verify"] > 0
    assert [] == list(tmp_path.iterdir())


def test_requests_of_several_shards_are_all_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As bytes, in whatever order they come; bytes that are no request fail, and do no harm."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sources = [encoded_requests(shard, 2) for shard in (0, 1)]
    items = [next(sources[shard]) for shard in (1, 1, 0, 1, 0)]
    target = VerificationTarget(example_data.identity_tree(1), workers=1)
    committed: list[int] = []
    failed: dict[int, str] = {}
    try:
        for tag, item in enumerate([*items, b"", items[0][:-1]]):
            assert target.offer(tag, item)
        while len(committed) + len(failed) < 7:
            done = target.step()
            committed += done.committed
            failed |= done.failed
    finally:
        target.close()

    assert 5 == len(set(items))
    assert [0, 1, 2, 3, 4] == sorted(committed)
    assert {5: "MALFORMED", 6: "MALFORMED"} == failed


def test_it_turns_away_what_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Back pressure, and what was taken is finished nevertheless."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("veperf.workloads.verification.load.CAPACITY", 3)
    system = VerificationSystem(example_data.identity_tree(1), items=2, workers=1)
    try:
        assert [True] * 3 + [False] * 2 == [system.offer(tag) for tag in range(5)]
        committed: list[int] = []
        while len(committed) < 3:
            committed += system.step().committed
    finally:
        system.close()

    assert [0, 1, 2] == committed
