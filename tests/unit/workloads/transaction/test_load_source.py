"""A source's transactions equal those of real signers."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faulty_transfers import Fault, FaultySource, mix_faults
from veperf.profiling.memory.capture import capture
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.codec import (
    decode_transaction,
    encode_auth_info,
    encode_body,
    encode_raw,
)
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import process_block
from veperf.workloads.transaction.load_source import TransferSource


def codes(source: TransferSource, raws: list[bytes]) -> list[Code]:
    results = process_block(source.genesis(), raws, example_data.CHAIN).results
    return [result.code for result in results]


def test_all_are_valid_in_their_order() -> None:
    """libsecp256k1 and the state accept them, over several rounds of all senders."""
    source = TransferSource(accounts=5)

    assert [Code.OK] * 700 == codes(source, source.take(700))


@given(st.integers(1, 5), st.data())
@settings(max_examples=20)
def test_shards_are_valid_in_any_interleaving(shards: int, data: st.DataObject) -> None:
    """They may interleave in any way, and no two shards make the same transfer."""
    sources = [TransferSource(accounts=5, shard=shard, shards=shards) for shard in range(shards)]
    turns = data.draw(st.lists(st.integers(0, shards - 1), max_size=60))
    raws = [next(sources[turn]) for turn in turns]

    assert [Code.OK] * len(raws) == codes(sources[0], raws)
    assert len(raws) == len(set(raws))


def test_shards_share_the_senders() -> None:
    """Each sender is one shard's, and a single shard is the whole source."""
    sources = [TransferSource(accounts=7, shard=shard, shards=3) for shard in range(3)]
    senders = [
        {decode_transaction(raw).signer.data for raw in source.take(10)} for source in sources
    ]

    assert 7 == sum(map(len, senders)) == len(set().union(*senders))
    assert TransferSource(accounts=7).take(20) == TransferSource(
        accounts=7, shard=0, shards=1
    ).take(20)


@pytest.mark.parametrize(("shard", "shards"), [(3, 3), (-1, 3), (0, 0), (5, 8)])
def test_a_shard_without_a_sender_is_refused(shard: int, shards: int) -> None:
    """It would be an empty source."""
    with pytest.raises(ValueError, match="no shard"):
        TransferSource(accounts=7, shard=shard, shards=shards)


def test_they_are_encoded_as_by_the_codec() -> None:
    """The reused message gives the codec's bytes, for sequences of one and two bytes."""
    for raw in TransferSource(accounts=1).take(300):
        transaction = decode_transaction(raw)
        body = encode_body(transaction.messages)
        auth_info = encode_auth_info(
            transaction.public_key, transaction.sequence, transaction.fee, transaction.gas_limit
        )

        assert raw == encode_raw(body, auth_info, transaction.signature)


@pytest.mark.slow
def test_memory_does_not_grow() -> None:
    """An hour's load is signed on the fly: no transfer stays, not in protobuf either."""
    source = TransferSource(accounts=5)
    source.take(10)

    assert capture(lambda: next(source), 4_000).peak_bytes < 100_000


def test_senders_take_turns() -> None:
    """No account sends again before all others have."""
    raws = TransferSource(accounts=50).take(100)
    senders = [decode_transaction(raw).signer.text for raw in raws]

    assert 50 == len(set(senders))
    assert senders[:50] == senders[50:]


def test_a_seed_decides_everything() -> None:
    """The same seed gives the same transfers, another seed others."""
    first, again, other = (TransferSource(20, seed).take(30) for seed in (1, 1, 2))

    assert first == again
    assert not set(first) & set(other)


def test_a_large_state_has_more_accounts_than_senders() -> None:
    """All accounts of the state exist, and accounts that never send receive, too."""
    source = TransferSource(accounts=10_050)
    tree = source.genesis()
    recipients = {decode_transaction(raw).messages[0].recipient.data for raw in source.take(2_000)}

    assert 2 * 10_050 + 1 == len(tree)
    assert recipients & {example_data.keyless_address(i) for i in range(10_000, 10_050)}


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_has_its_code_and_spoils_nothing(fault: Fault) -> None:
    """The sender's next transfer is still valid."""
    source = FaultySource(accounts=1)
    raws = [
        next(source),
        source.make_faulty(fault),
        next(source),
        source.make_faulty(fault),
        next(source),
    ]
    # Without a mempool in front the same bytes again are a replay.
    code = Code.REPLAY if fault is Fault.DUPLICATE else fault.code

    assert [Code.OK, code, Code.OK, code, Code.OK] == codes(source, raws)


def test_a_mix_has_the_requested_shares() -> None:
    """Each fault has a tenth, and the codes are those of the state."""
    shares = {Fault.OVERDRAFT: 0.1, Fault.HIGH_S: 0.1}
    source = FaultySource(accounts=10)
    mixed = list(islice(mix_faults(source, shares), 1_000))
    announced = [code for _, code in mixed]

    assert announced == codes(source, [raw for raw, _ in mixed])
    assert all(60 < announced.count(fault.code) < 140 for fault in shares)
