"""Transactions leave the mempool in the order of arrival, each once."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.codec import transaction_hash
from veperf.workloads.transaction.pipeline.mempool import Mempool


def filled(*raws: bytes, remembered: int = 10) -> Mempool:
    mempool = Mempool(remembered)
    for tag, raw in enumerate(raws):
        mempool.offer(tag, raw)
    mempool.hash_offered(5)
    return mempool


def test_transactions_come_out_in_order() -> None:
    """They have their tag, hash and time of hashing."""
    mempool = filled(b"a", b"b", b"c")
    mempool.offer(3, b"d")

    assert (3, 5) == (len(mempool), mempool.oldest_ns)
    assert [(0, b"a"), (1, b"b")] == [(e.tag, e.raw) for e in mempool.pop(2)]
    assert (1, []) == mempool.hash_offered(7)
    third, fourth = mempool.pop(10)
    assert [(2, 5), (3, 7)] == [(e.tag, e.received_ns) for e in (third, fourth)]
    assert transaction_hash(b"d") == fourth.digest
    assert 0 == len(mempool)


def test_a_duplicate_is_known_wherever_the_first_one_is() -> None:
    """The first one may wait, be in work, or be committed."""
    mempool = filled(b"a")
    for tag in (1, 2, 3):
        mempool.offer(tag, b"a")

    assert (1, [1]) == mempool.hash_offered(0, 1)
    entries = mempool.pop(1)
    assert (1, [2]) == mempool.hash_offered(0, 1)
    mempool.finish(entries, refused=())
    assert (1, [3]) == mempool.hash_offered(0, 1)


def test_a_rejected_transaction_may_come_again() -> None:
    """As in CometBFT's mempool: it may be valid by then."""
    mempool = filled(b"a", b"b")
    mempool.finish(mempool.pop(2), refused={1})
    mempool.offer(2, b"a")
    mempool.offer(3, b"b")

    assert (2, [2]) == mempool.hash_offered(0, 2)
    assert [3] == [entry.tag for entry in mempool.pop(2)]


def test_the_oldest_committed_ones_are_forgotten() -> None:
    """The mempool knows the given number of them, the last ones."""
    mempool = filled(b"a", b"b", b"c", remembered=2)
    mempool.finish(mempool.pop(3), refused=())
    for tag, raw in enumerate((b"a", b"b", b"c"), start=3):
        mempool.offer(tag, raw)

    assert (3, [4, 5]) == mempool.hash_offered(0, 3)


@given(st.lists(st.tuples(st.binary(max_size=1), st.integers(0, 3))))
def test_each_is_let_through_once(calls: list[tuple[bytes, int]]) -> None:
    """In any order of calls, first arrivals leave in order and duplicates never do."""
    mempool = Mempool(remembered=1_000)
    out: list[bytes] = []
    duplicates = 0
    for tag, (raw, count) in enumerate(calls):
        mempool.offer(tag, raw)
        duplicates += len(mempool.hash_offered(0, count)[1])
        entries = mempool.pop(count)
        mempool.finish(entries, refused=())
        out += [entry.raw for entry in entries]
    duplicates += len(mempool.hash_offered(0)[1])
    out += [entry.raw for entry in mempool.pop(len(calls))]

    assert list(dict.fromkeys(raw for raw, _ in calls)) == out
    assert len(calls) == len(out) + duplicates
