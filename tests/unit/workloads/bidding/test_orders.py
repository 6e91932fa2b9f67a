"""Orders, providers and bids are valid, or rejected with an error of bidding."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bids import Bid, SignedBid, decode_bid, encode_bid
from veperf.workloads.bidding.errors import BiddingError, FieldError, MalformedMessageError
from veperf.workloads.bidding.orders import Order, decode_order, encode_order
from veperf.workloads.bidding.providers import Provider, Resources

ORDER = example_data.order(0)
(PROVIDER,) = example_data.providers(1)
BID = Bid("chain", "order", "provider", "1.500000000000000000", "uve", 2, 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NO_NAMES = ["", "x" * 129, "a\nb", "a\0", "\ud800", "\u200b", None, 1, b"a"]
NO_QUANTITIES = [-1, 10**15 + 1, 1 << 64, 1.0, True, "1", None]
NO_DECIMALS = ["NaN", "-1", "1e5", "0." + "1" * 19, "9" * 96, 1, 1.5]
NO_MOMENTS = [-1, 1 << 63, 1.5, True]
NO_TUPLES = [None, "text", ["list"], ("a", "a"), ("",), tuple(map(str, range(65)))]
MANY = {str(number): "x" for number in range(65)}
NO_ATTRIBUTES: list[Any] = [None, [], {"": "x"}, {"x": ""}, {"x": 1}, MANY]


@pytest.mark.parametrize("number", range(30))
@pytest.mark.parametrize("profile", example_data.PROFILES)
def test_orders_come_back(number: int, profile: str) -> None:
    """An encoded order is decoded to the same one."""
    order = example_data.order(number, profile)

    assert order == decode_order(encode_order(order))


def test_an_order_as_any_client_writes_it() -> None:
    """Optional fields may be missing; otherwise it is plain JSON."""
    raw = b"""{"id": "o", "customer": "c", "offering": "compute", "currency": "uve",
        "resources": {"cpu_cores": 4}, "created_ns": 1, "max_price": "10.5"}"""

    assert Order("o", "c", "compute", Resources(4), "uve", 1, max_price="10.5") == decode_order(raw)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(raw: bytes) -> None:
    """No other error is raised than MalformedMessageError."""
    with pytest.raises(MalformedMessageError):
        decode_order(raw)
    with pytest.raises(MalformedMessageError):
        decode_bid(raw)


@given(st.sampled_from(Order.__struct_fields__), JSON)
def test_any_value_in_any_field(field: str, value: object) -> None:
    """The order is rejected, or can be encoded and decoded again."""
    raw = json.dumps(
        asdict(msgspec.convert(msgspec.to_builtins(ORDER), Order))
        | {"resources": asdict(ORDER.resources), field: value}
    ).encode(errors="replace")
    try:
        order = decode_order(raw)
    except MalformedMessageError:
        return
    assert order == decode_order(encode_order(order))


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_breaks_nothing(place: int, value: int) -> None:
    """A cut or altered order gives an order or MalformedMessageError, never anything else."""
    raw = bytearray(encode_order(ORDER))
    raw[place % len(raw)] = value
    for damaged in (bytes(raw), bytes(raw[: place % len(raw)])):
        with suppress(MalformedMessageError):
            assert isinstance(decode_order(damaged), Order)


@pytest.mark.parametrize(
    "raw",
    [
        encode_order(ORDER)[:-1] + b',"surprise":1}',
        encode_order(ORDER).replace(b'"gpus":0', b'"gpus":0,"tpus":1'),
        b"[" * 100_000,
        b" " * (65 << 10) + encode_order(ORDER),
        b"\xff" + encode_order(ORDER),
    ],
    ids=["unknown field", "unknown resource", "deep", "too long", "no UTF-8"],
)
def test_orders_that_hide_something(raw: bytes) -> None:
    """Unknown fields, deep nesting, padding and broken text are rejected."""
    with pytest.raises(MalformedMessageError):
        decode_order(raw)


# A thing, its fields, and what can be in none of them.
WRONG: list[tuple[Any, str, list[Any]]] = [
    (ORDER, "id customer offering currency", NO_NAMES),
    (ORDER, "gpu_type region", NO_NAMES[1:]),
    (ORDER, "attributes", NO_ATTRIBUTES),
    (ORDER, "max_price", NO_DECIMALS),
    (ORDER, "created_ns expires_ns", NO_MOMENTS),
    (ORDER, "resources", [None, {"cpu_cores": 1}]),
    (Resources(), "cpu_cores memory_gb storage_gb gpus", NO_QUANTITIES),
    (PROVIDER, "id", NO_NAMES),
    (PROVIDER, "gpu_type", NO_NAMES[1:]),
    (PROVIDER, "attributes", NO_ATTRIBUTES),
    (PROVIDER, "offerings regions", NO_TUPLES),
    (PROVIDER, "pricing capacity reserved active", [None, 1]),
    (PROVIDER.pricing, "currency", NO_NAMES),
    (PROVIDER.pricing, "cpu_core memory_gb storage_gb gpu markup_percent minimum", NO_DECIMALS),
    (BID, "chain_id order_id provider currency", NO_NAMES),
    (BID, "price", [*NO_DECIMALS, "1.5"]),
    (BID, "expires_ns nonce", [None, *NO_MOMENTS]),
]


@pytest.mark.parametrize(
    ("thing", "field", "wrong"),
    [
        (thing, field, w)
        for thing, names, wrongs in WRONG
        for field in names.split()
        for w in wrongs
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_invalid_fields(thing: Any, field: str, wrong: object) -> None:
    """Each is rejected by name on construction, not when it is used."""
    with pytest.raises(FieldError, match="attribute" if field == "attributes" else field):
        replace(thing, **{field: wrong})


def test_no_more_can_be_reserved_than_there_is() -> None:
    """Exactly the capacity can be reserved, of each resource."""
    capacity = Resources(1, 2, 3, 4)

    assert (0, 0, 0, 0) == replace(PROVIDER, capacity=capacity, reserved=capacity).for_sale
    for amounts in ((2, 0, 0, 0), (0, 3, 0, 0), (0, 0, 4, 0), (0, 0, 0, 5)):
        with pytest.raises(FieldError):
            replace(PROVIDER, capacity=capacity, reserved=Resources(*amounts))


def test_bids_come_back() -> None:
    """Keys and signatures are decoded to bytes."""
    signed = example_data.daemon_signer().sign(BID)

    assert signed == decode_bid(encode_bid(signed))
    with pytest.raises(MalformedMessageError):
        decode_bid(b" " * (9 << 10) + encode_bid(signed))
    with pytest.raises(FieldError):
        SignedBid(BID, "key", b"")  # type: ignore[arg-type]  # the wrong type is the point


def test_providers_come_back_from_json() -> None:
    """Providers read from elsewhere are checked by the same rules, with msgspec's error."""
    raw = msgspec.json.encode(PROVIDER)

    assert PROVIDER == msgspec.json.decode(raw, type=Provider)
    with pytest.raises(msgspec.ValidationError, match="minimum"):
        msgspec.json.decode(raw.replace(b'"0.001"', b'"1e-3"'), type=Provider)


def test_all_errors_are_value_errors() -> None:
    """Callers that don't know bidding can catch them as ValueError."""
    assert issubclass(BiddingError, ValueError)
    with pytest.raises(ValueError, match="cpu_cores"):
        Resources(cpu_cores=-1)
