"""A full mempool drops what is worth least, and breaks no sender's order."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.pipeline.admission import AdmissionLimit
from veperf.workloads.transaction.pipeline.eviction import NO_PRIORITY, Rank, rank_transaction
from veperf.workloads.transaction.pipeline.mempool import Mempool

SECOND_NS = 10**9
SENDERS, PRIORITIES = st.integers(0, 3), st.integers(0, 5)


def encoded(tag: int, sender: int, priority: int) -> bytes:
    return b"%d %d %d" % (priority, sender, tag)


def rank(raw: bytes) -> Rank:
    priority, sender, _ = raw.split()
    return Rank(int(priority), sender)


def evictable(waiting: list[bytes], newcomer: bytes) -> list[bytes]:
    """By brute force: the last ones of other senders that are worth less, the first to go first."""
    lasts = {rank(raw).sender: raw for raw in waiting}
    lower = [
        raw
        for raw in lasts.values()
        if rank(raw).priority < rank(newcomer).priority
        and rank(raw).sender != rank(newcomer).sender
    ]
    return sorted(lower, key=lambda raw: (rank(raw).priority, -waiting.index(raw)))


@given(
    st.lists(st.tuples(st.sampled_from(["offer", "full", "pop", "expire"]), SENDERS, PRIORITIES))
)
def test_the_last_one_of_the_lowest_priority_goes_first(
    calls: list[tuple[str, int, int]],
) -> None:
    """As a model says that looks at all: nothing is lost, and what stays is in order."""
    mempool, model = Mempool(0, rank), list[bytes]()
    for now, (call, sender, priority) in enumerate(calls):
        raw = encoded(now, sender, priority)
        mempool.hash_offered(now)
        if call == "offer":
            mempool.offer(now, raw)
            model.append(raw)
        elif call == "full":
            evicted = mempool.offer_when_full(now, raw)
            first = next(iter(evictable(model, raw)), None)
            assert evicted == (None if first is None else int(first.split()[2]))
            if first is not None:
                model.remove(first)
                model.append(raw)
        elif call == "pop":
            assert model[:2] == [entry.raw for entry in mempool.pop(2)]
            model = model[2:]
        else:
            # Hashed in the turn after the offer: older than five turns.
            old = {rank(r).sender for r in model if int(r.split()[2]) + 1 < now - 5}
            expired = [int(r.split()[2]) for r in model if rank(r).sender in old]
            assert expired == sorted(mempool.expire(now - 5))
            model = [r for r in model if rank(r).sender not in old]
    mempool.hash_offered(0)
    assert len(mempool) == len(model)
    assert model == [entry.raw for entry in mempool.pop(len(model))]


def test_what_is_evicted_may_come_again() -> None:
    """It is no duplicate of itself; nor is what has expired."""
    mempool = Mempool(10, rank)
    mempool.offer(0, b"1 a 0")
    mempool.offer(1, b"2 b 1")
    mempool.hash_offered(0)
    assert 0 == mempool.offer_when_full(2, b"3 c 2")
    assert [1] == mempool.expire(1)
    mempool.offer(3, b"1 a 0")
    mempool.offer(4, b"2 b 1")

    assert (3, []) == mempool.hash_offered(2)


def test_the_priority_is_the_price_of_gas() -> None:
    """By all that is paid for the gas that may be used; what is no transaction comes last."""
    source = TransferSource(2)
    plain = rank_transaction(next(source))
    sender = source._senders[1]
    generous = rank_transaction(source._transfer(sender, 0, fee=10 * example_data.FEE[0].amount))

    assert 10 * plain.priority == generous.priority
    assert example_data.FEE == (Coin("uve", 5_000),)
    assert 5_000 / example_data.GAS_LIMIT == plain.priority / 1_000_000
    assert sender.key == generous.sender
    assert NO_PRIORITY == rank_transaction(b"garbage").priority < plain.priority


def test_the_limit_is_what_the_chain_does_in_the_time() -> None:
    """By Little's law, of blocks for which nothing had to be waited."""
    limit = AdmissionLimit(20_000, 100, 4_000, SECOND_NS // 2)
    assert 4_000 == limit.value
    limit.end_block(SECOND_NS, 10, 0)
    limit.end_block(2 * SECOND_NS, 10, 5_000)
    assert 4_000 == limit.value, "arrivals were waited for"
    for block in range(1, 9):
        limit.end_block(2 * SECOND_NS + block * SECOND_NS // 4, 1_000, 5_000)
    assert 2_000 == limit.value, "half of 4,000 a second"
    for block in range(1, 9):
        limit.end_block(4 * SECOND_NS + block * SECOND_NS, 100, 5_000)
    assert 100 == limit.value, "no less than that, at 100 a second"
    limit.end_block(20 * SECOND_NS, 0, 0)
    limit.end_block(30 * SECOND_NS, 50, 0)
    assert 100 == limit.value, "an idle chain tells nothing"


def test_without_a_time_the_capacity_is_the_limit() -> None:
    """Whatever the chain's rate is."""
    limit = AdmissionLimit(20_000, 100, 4_000, 0)
    limit.end_block(1, 10, 100)
    limit.end_block(SECOND_NS, 10, 100)

    assert 20_000 == limit.value
