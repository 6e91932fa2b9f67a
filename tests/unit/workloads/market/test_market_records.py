"""Records and keys have the bytes of VirtEngine's store."""

from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.market import example_data, keys
from veperf.workloads.market.codec import (
    CorruptMarketRecordError,
    decode_bid_record,
    decode_lease_record,
    decode_order_record,
    encode_bid_record,
    encode_lease_record,
    encode_order_record,
)
from veperf.workloads.market.records import (
    BidId,
    BidRecord,
    BidState,
    GroupId,
    GroupSpec,
    LeaseRecord,
    LeaseState,
    OrderId,
    OrderRecord,
    OrderState,
    Price,
    ReplicaResources,
    ResourceOffer,
    ResourceUnit,
)
from veperf.workloads.transaction.bech32 import bech32_decode

TENANT, PROVIDER = example_data.tenant(0), example_data.provider(0)
ORDER_ID = OrderId(TENANT, 0x0102030405060708, 9, 10)
BID_ID = BidId(TENANT, 0x0102030405060708, 9, 10, PROVIDER, 11)
OWNER_PART = b"\x14" + bech32_decode(TENANT)[1]
PROVIDER_PART = b"\x14" + bech32_decode(PROVIDER)[1]

COUNTS = st.integers(0, 2**32 - 1)
NUMBERS = st.integers(0, 2**64 - 1)
WORDS = st.text(max_size=5)
PRICES = st.builds(Price, WORDS, st.integers(-(10**30), 10**30))
RESOURCES = st.builds(
    ReplicaResources,
    COUNTS,
    st.integers(0, 10**20),
    st.integers(0, 10**20),
    st.lists(st.tuples(WORDS, NUMBERS), max_size=2).map(tuple),
    COUNTS,
    st.lists(st.tuples(st.integers(0, 2), COUNTS), max_size=2).map(tuple),
)
SPECS = st.builds(
    GroupSpec,
    WORDS,
    st.lists(st.builds(ResourceUnit, RESOURCES, COUNTS, PRICES), max_size=2).map(tuple),
    st.lists(st.tuples(WORDS, WORDS), max_size=2).map(tuple),
    st.lists(WORDS, max_size=2).map(tuple),
    st.lists(WORDS, max_size=2).map(tuple),
)
ORDERS = st.builds(
    OrderRecord,
    st.builds(OrderId, WORDS, NUMBERS, COUNTS, COUNTS),
    st.sampled_from(OrderState),
    SPECS,
    st.integers(0, 2**63 - 1),
)
BID_IDS = st.builds(BidId, WORDS, NUMBERS, COUNTS, COUNTS, WORDS, COUNTS)
HEIGHTS = st.integers(0, 2**63 - 1)
BIDS = st.builds(
    BidRecord,
    BID_IDS,
    st.sampled_from(BidState),
    PRICES,
    HEIGHTS,
    st.lists(st.builds(ResourceOffer, RESOURCES, COUNTS), max_size=2).map(tuple),
)
LEASES = st.builds(LeaseRecord, BID_IDS, st.sampled_from(LeaseState), PRICES, HEIGHTS, HEIGHTS)


@given(ORDERS, BIDS, LEASES)
def test_what_is_encoded_is_decoded(order: OrderRecord, bid: BidRecord, lease: LeaseRecord) -> None:
    """Any order, bid and lease, with any number that its field holds."""
    assert order == decode_order_record(encode_order_record(order))
    assert bid == decode_bid_record(encode_bid_record(bid))
    assert lease == decode_lease_record(encode_lease_record(lease))


@given(st.binary(max_size=60))
def test_anything_else_is_corrupt(data: bytes) -> None:
    """Bytes are a record, or named as none."""
    for decode in (decode_order_record, decode_bid_record, decode_lease_record):
        try:
            decode(data)
        except CorruptMarketRecordError:
            continue


def field(number: int, content: bytes) -> bytes:
    """A protobuf field with a length, by hand."""
    assert len(content) < 128
    return bytes((number << 3 | 2, len(content))) + content


def test_the_bytes_of_records_are_those_of_the_messages() -> None:
    """Written out by hand from the .proto files, as Go writes what can't be nil though empty."""
    price = field(1, b"uve") + field(2, b"%d" % (3 * 10**18))
    id = field(1, b"o") + b"\x10\x01\x18\x02\x20\x03"
    bid_id = id + field(5, b"p")
    resources = (
        b"\x08\x01"
        + field(2, field(1, field(1, b"500")))
        + field(3, field(1, field(1, b"1024")))
        + field(4, field(1, b"disk") + field(2, field(1, b"7")))
        + field(5, field(1, field(1, b"0")))
        + field(6, b"\x08\x02\x10\x05")
    )
    spec = (
        field(1, b"g")
        + field(2, field(1, b"") + field(2, field(1, b"k") + field(2, b"v")))
        + field(3, field(1, resources) + b"\x10\x02" + field(3, price))
    )
    amounts = ReplicaResources(1, 500, 1024, (("disk", 7),), 0, ((2, 5),))
    coin = Price("uve", 3 * 10**18)
    group = GroupSpec("g", (ResourceUnit(amounts, 2, coin),), (("k", "v"),))

    expected_order = field(1, id) + b"\x10\x02" + field(3, spec) + b"\x20\x64"
    order = OrderRecord(OrderId("o", 1, 2, 3), OrderState.ACTIVE, group, 100)
    assert expected_order == encode_order_record(order)
    ids = BidId("o", 1, 2, 3, "p")
    offered = field(5, field(1, resources) + b"\x10\x02")
    expected_bid = field(1, bid_id) + b"\x10\x03" + field(3, price) + b"\x20\x64" + offered
    assert expected_bid == encode_bid_record(
        BidRecord(ids, BidState.LOST, coin, 100, (ResourceOffer(amounts, 2),))
    )
    expected_lease = field(1, bid_id) + b"\x10\x03" + field(3, price) + b"\x20\x64\x28\x65"
    assert expected_lease == encode_lease_record(
        LeaseRecord(ids, LeaseState.CLOSED, coin, 100, 101)
    )


def test_the_keys_are_laid_out_as_the_module_does() -> None:
    """Table, state, then parts in their order, written out by hand."""
    dseq, gseq, oseq = bytes(range(1, 9)), b"\0\0\0\x09", b"\0\0\0\x0a"
    bseq = b"\0\0\0\x0b"
    order = OWNER_PART + dseq + gseq + oseq
    by_provider = PROVIDER_PART + bseq + dseq + gseq + oseq + OWNER_PART

    assert b"\x11\0\x01" + order == keys.order_key(OrderState.OPEN, ORDER_ID)
    bid = order + PROVIDER_PART + bseq
    assert b"\x12\0\x02" + bid == keys.bid_key(BidState.ACTIVE, BID_ID)
    assert b"\x12\x01\x01" + by_provider == keys.bid_provider_key(BidState.OPEN, BID_ID)
    assert b"" == keys.bid_provider_key(BidState.LOST, BID_ID)
    assert b"\x13\0\x03" + bid == keys.lease_key(LeaseState.CLOSED, BID_ID)
    assert b"\x13\x01\x01" + by_provider == keys.lease_provider_key(LeaseState.ACTIVE, BID_ID)
    assert b"" == keys.lease_provider_key(LeaseState.CLOSED, BID_ID)
    group = b"\x11\0\x03" + OWNER_PART + dseq + gseq
    assert group == keys.group_prefix(OrderState.CLOSED, GroupId(TENANT, 0x0102030405060708, 9))
    assert b"\x12\0\x01" + order == keys.order_bids_prefix(BidState.OPEN, ORDER_ID)
    leases = keys.provider_leases_prefix(LeaseState.ACTIVE, PROVIDER)
    assert b"\x13\x01\x01" + PROVIDER_PART == leases


@given(st.binary(min_size=1, max_size=5), st.binary(max_size=5))
def test_a_prefix_ends_after_all_that_begin_with_it(prefix: bytes, rest: bytes) -> None:
    """And before what follows; prefixes of the market begin with their table."""
    prefix = b"\x11" + prefix
    assert prefix + rest < keys.prefix_end(prefix)
    assert keys.prefix_end(prefix) > prefix + b"\xff" * 10
