"""Transactions leave the mempool in the order in which they came, each once."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.codec import transaction_hash
from veperf.workloads.transaction.pipeline.mempool import Mempool


def filled(*raws: bytes, remembered: int = 10) -> Mempool:
    mempool = Mempool(remembered)
    for tag, raw in enumerate(raws):
        mempool.offer(tag, raw)
    mempool.take_in(len(raws), now_ns=5)
    return mempool


def test_what_goes_in_comes_out_in_order() -> None:
    """With tag, hash and the time at which it was taken in."""
    mempool = filled(b"a", b"b", b"c")
    mempool.offer(3, b"d")

    assert (3, 5) == (len(mempool), mempool.since_ns)
    assert [(0, b"a"), (1, b"b")] == [(e.tag, e.raw) for e in mempool.take_out(2)]
    assert (1, []) == mempool.take_in(10, now_ns=7)
    third, fourth = mempool.take_out(10)
    assert [(2, 5), (3, 7)] == [(e.tag, e.since_ns) for e in (third, fourth)]
    assert transaction_hash(b"d") == fourth.digest
    assert 0 == len(mempool)


def test_a_duplicate_is_known_wherever_the_first_one_is() -> None:
    """Waiting, taken out, or committed."""
    mempool = filled(b"a")
    for tag in (1, 2, 3):
        mempool.offer(tag, b"a")

    assert (1, [1]) == mempool.take_in(1, 0)
    entries = mempool.take_out(1)
    assert (1, [2]) == mempool.take_in(1, 0)
    mempool.settle(entries, refused=())
    assert (1, [3]) == mempool.take_in(1, 0)


def test_what_was_refused_may_come_again() -> None:
    """As in CometBFT's mempool: its turn may have come by then."""
    mempool = filled(b"a", b"b")
    mempool.settle(mempool.take_out(2), refused={1})
    mempool.offer(2, b"a")
    mempool.offer(3, b"b")

    assert (2, [2]) == mempool.take_in(2, 0)
    assert [3] == [entry.tag for entry in mempool.take_out(2)]


def test_the_oldest_committed_ones_are_forgotten() -> None:
    """As many are known as was said, the last ones."""
    mempool = filled(b"a", b"b", b"c", remembered=2)
    mempool.settle(mempool.take_out(3), refused=())
    for tag, raw in enumerate((b"a", b"b", b"c"), start=3):
        mempool.offer(tag, raw)

    assert (3, [4, 5]) == mempool.take_in(3, 0)


@given(st.lists(st.tuples(st.binary(max_size=1), st.integers(0, 3))))
def test_each_is_let_through_once(calls: list[tuple[bytes, int]]) -> None:
    """Whatever the order of calls, first comers leave in their order and nobody else does."""
    mempool = Mempool(remembered=1_000)
    out: list[bytes] = []
    duplicates = 0
    for tag, (raw, count) in enumerate(calls):
        mempool.offer(tag, raw)
        duplicates += len(mempool.take_in(count, 0)[1])
        entries = mempool.take_out(count)
        mempool.settle(entries, refused=())
        out += [entry.raw for entry in entries]
    duplicates += len(mempool.take_in(len(calls), 0)[1])
    out += [entry.raw for entry in mempool.take_out(len(calls))]

    assert list(dict.fromkeys(raw for raw, _ in calls)) == out
    assert len(calls) == len(out) + duplicates
