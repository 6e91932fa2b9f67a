"""Verifying in several processes comes to what verifying one after the other does."""

import os
import signal

import pytest

from tests.support.processes import children
from veperf.core.errors import WorkerCrashedError
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.verification import example_data
from veperf.workloads.verification.load import example_verifier_settings
from veperf.workloads.verification.load_source import UploadSource
from veperf.workloads.verification.parallel.pool import IdentityVerifierPool, verify_many
from veperf.workloads.verification.parallel.protocol import state_for
from veperf.workloads.verification.pipeline import (
    BlockInfo,
    IdentityVerifier,
    VerificationOutcome,
    VerificationRequest,
    verify_identity,
)
from veperf.workloads.verification.scoring.registry import load_engine

MOMENT = BlockInfo(2, example_data.NOW_S)
PIECES = example_data.evidence_specs(2, 1_024)


def requests() -> list[VerificationRequest]:
    """Several accounts, some of them again, with replays and rubbish between."""
    good = [
        VerificationRequest(
            example_data.account_address(i), example_data.example_envelopes(PIECES, i)
        )
        for i in range(6)
    ]
    more = [
        VerificationRequest(good[0].account, (good[0].envelopes[0], b"rubbish")),
        VerificationRequest(good[1].account, good[0].envelopes),
        VerificationRequest(b"nobody", ()),
    ]
    return [good[0], *more, *good, good[0]]


@pytest.mark.parametrize("processes", [1, 3])
def test_parallel_is_serial(processes: int) -> None:
    """The same results in the same order, the same state, and no process is left behind."""
    before = set(children(os.getpid()))
    key, engine = example_data.validator_key(0), load_engine("exact")
    verifier = IdentityVerifier(key, example_data.CLIENTS, engine)
    item, other = example_data.identity_tree(50), example_data.identity_tree(50)
    serial, parallel = Cache(item), Cache(other)
    expected = [verify_identity(serial, request, verifier, MOMENT) for request in requests()]
    pool = IdentityVerifierPool(processes, example_verifier_settings())
    try:
        actual = verify_many(pool, parallel, requests(), MOMENT)
        again = verify_many(pool, parallel, requests(), MOMENT)
    finally:
        pool.close()
    serial.write()
    parallel.write()

    assert expected == actual
    assert {VerificationOutcome.SUCCESS, VerificationOutcome.FAILED} == {
        result.outcome for result in expected
    }
    assert {VerificationOutcome.FAILED} == {result.outcome for result in again}
    assert item.root_hash == other.root_hash
    assert before == set(children(os.getpid()))


class Recorded(Tree):
    """A tree that notes what is read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[bytes] = set()

    def get(self, key: bytes) -> bytes | None:
        self.read.add(key)
        return super().get(key)


def test_the_state_that_is_sent_is_enough() -> None:
    """Verifying reads nothing that is not sent with the job."""
    request = VerificationRequest(
        example_data.account_address(0), (*example_data.example_envelopes(PIECES), b"rubbish")
    )
    verifier = IdentityVerifier(
        example_data.validator_key(0), example_data.CLIENTS, load_engine("exact")
    )
    tree = Recorded()
    verify_identity(Cache(tree), request, verifier, MOMENT)

    assert tree.read == {key for key, _ in state_for(Tree(), request)}


def test_a_dead_process_is_named() -> None:
    """Killed from outside: an error, no endless wait; closing still works."""
    before = set(children(os.getpid()))
    pool = IdentityVerifierPool(1, example_verifier_settings())
    try:
        (pid,) = set(children(os.getpid())) - before
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerCrashedError, match=str(pid)):
            verify_many(pool, Cache(Tree()), requests()[:1], MOMENT)
    finally:
        pool.close()
    assert before == set(children(os.getpid()))


def test_the_feed_is_valid() -> None:
    """Its requests are all of other accounts, and all of them are verified."""
    verifier = IdentityVerifier(
        example_data.validator_key(1), example_data.CLIENTS, load_engine("exact")
    )
    state = Cache(Tree())
    feed = UploadSource()
    results = [verify_identity(state, next(feed).request(), verifier, MOMENT) for _ in range(20)]

    assert {VerificationOutcome.SUCCESS} == {result.outcome for result in results}
    assert 20 == len({result.account for result in results})
