"""A feed's transactions are what real signers would have sent."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.profiling.memory.capture import capture
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.codec import decode, encode_auth_info, encode_body, encode_raw
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import process_block
from veperf.workloads.transaction.load_source import Fault, Feed, mix


def codes(feed: Feed, raws: list[bytes]) -> list[Code]:
    results = process_block(feed.genesis(), raws, example_data.CHAIN).results
    return [result.code for result in results]


def test_all_are_valid_in_their_order() -> None:
    """Accepted by libsecp256k1 and the state, over several rounds of all senders."""
    feed = Feed(accounts=5)

    assert [Code.OK] * 700 == codes(feed, feed.take(700))


@given(st.integers(1, 5), st.data())
@settings(max_examples=20)
def test_shards_are_valid_in_any_interleaving(shards: int, data: st.DataObject) -> None:
    """Whatever of the others comes between them; and no two shards make the same transfer."""
    feeds = [Feed(accounts=5, shard=shard, shards=shards) for shard in range(shards)]
    turns = data.draw(st.lists(st.integers(0, shards - 1), max_size=60))
    raws = [next(feeds[turn]) for turn in turns]

    assert [Code.OK] * len(raws) == codes(feeds[0], raws)
    assert len(raws) == len(set(raws))


def test_shards_share_the_senders() -> None:
    """Each sender is one shard's, and a single shard is the whole feed."""
    feeds = [Feed(accounts=7, shard=shard, shards=3) for shard in range(3)]
    senders = [{decode(raw).signer.data for raw in feed.take(10)} for feed in feeds]

    assert 7 == sum(map(len, senders)) == len(set().union(*senders))
    assert Feed(accounts=7).take(20) == Feed(accounts=7, shard=0, shards=1).take(20)


@pytest.mark.parametrize(("shard", "shards"), [(3, 3), (-1, 3), (0, 0), (5, 8)])
def test_a_shard_without_a_sender_is_refused(shard: int, shards: int) -> None:
    """Rather than be a feed of nothing."""
    with pytest.raises(ValueError, match="no shard"):
        Feed(accounts=7, shard=shard, shards=shards)


def test_they_are_encoded_as_ever() -> None:
    """The shortcut gives the bytes that the codec gives, sequences of one to two bytes included."""
    for raw in Feed(accounts=1).take(300):
        found = decode(raw)
        body = encode_body(found.messages)
        auth_info = encode_auth_info(found.public_key, found.sequence, found.fee, found.gas_limit)

        assert raw == encode_raw(body, auth_info, found.signature)


def test_memory_does_not_grow_with_what_is_taken() -> None:
    """An hour's load is signed as it goes: nothing stays of a transfer, in protobuf neither."""
    feed = Feed(accounts=5)
    feed.take(10)

    assert capture(lambda: next(feed), 4_000).peak_bytes < 100_000


def test_senders_take_turns() -> None:
    """Nobody sends again before all others have."""
    raws = Feed(accounts=50).take(100)
    senders = [decode(raw).signer.text for raw in raws]

    assert 50 == len(set(senders))
    assert senders[:50] == senders[50:]


def test_a_seed_decides_everything() -> None:
    """The same again for the same seed, others for another."""
    first, again, other = (Feed(20, seed).take(30) for seed in (1, 1, 2))

    assert first == again
    assert not set(first) & set(other)


def test_a_large_state_has_more_accounts_than_senders() -> None:
    """All accounts of the state exist, and money goes to those who never send, too."""
    feed = Feed(accounts=10_050)
    tree = feed.genesis()
    recipients = {decode(raw).messages[0].recipient.data for raw in feed.take(2_000)}

    assert 2 * 10_050 + 1 == len(tree)
    assert recipients & {example_data.keyless_address(i) for i in range(10_000, 10_050)}


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_has_its_code_and_spoils_nothing(fault: Fault) -> None:
    """What follows from the same sender is still valid."""
    feed = Feed(accounts=1)
    raws = [next(feed), feed.bad(fault), next(feed), feed.bad(fault), next(feed)]
    # Without a mempool in front the same bytes again are a replay.
    code = Code.REPLAY if fault is Fault.DUPLICATE else fault.code

    assert [Code.OK, code, Code.OK, code, Code.OK] == codes(feed, raws)


def test_nobody_has_sent_yet() -> None:
    """Before the first transfer there is no sender for a bad one."""
    with pytest.raises(ValueError, match="first"):
        Feed(accounts=1).bad(Fault.GAP)


def test_a_mix_has_the_shares_that_were_asked_for() -> None:
    """A tenth of each, and the codes are those that a state gives."""
    shares = {Fault.OVERDRAFT: 0.1, Fault.HIGH_S: 0.1}
    feed = Feed(accounts=10)
    mixed = list(islice(mix(feed, shares), 1_000))
    announced = [code for _, code in mixed]

    assert announced == codes(feed, [raw for raw, _ in mixed])
    assert all(60 < announced.count(fault.code) < 140 for fault in shares)
