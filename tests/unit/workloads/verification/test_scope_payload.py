"""A scope's payload is taken apart exactly, or refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.verification import example_data
from veperf.workloads.verification.example_data import KIB, EvidenceSpec
from veperf.workloads.verification.scope import (
    MAX_PAYLOAD_BYTES,
    PayloadError,
    ScopeType,
    TextField,
    decode_payload,
    encode_payload,
)

FIELDS = st.lists(
    st.builds(
        TextField,
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=64),
        st.text(st.characters(codec="utf-8"), max_size=100),
        st.integers(0, 10_000),
    ),
    max_size=5,
)
RAW = encode_payload(2, 3, (TextField("name", "Ada", 9_000),), b"pixels")


@given(st.integers(0, 20), st.integers(0, 20), FIELDS)
def test_it_comes_back(width: int, height: int, fields: list[TextField]) -> None:
    """Decoding is the inverse of encoding."""
    pixels = bytes(i % 251 for i in range(width * height))
    payload = decode_payload(encode_payload(width, height, tuple(fields), pixels))

    assert (width, height) == (payload.width, payload.height)
    assert tuple(fields) == payload.fields
    assert pixels == payload.pixels


def test_the_form_is_the_documented_one() -> None:
    """Read by hand: magic, length, MessagePack, pixels."""
    length = int.from_bytes(RAW[4:8], "big")

    assert b"VES1" == RAW[:4]
    assert [2, 3, [["name", "Ada", 9_000]]] == msgspec.msgpack.decode(RAW[8 : 8 + length])
    assert b"pixels" == RAW[8 + length :]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_from_any_kind_of_bytes(kind: type) -> None:
    """The pixels are a view into what was given."""
    assert memoryview(b"pixels") == decode_payload(kind(RAW)).pixels


def head(value: object) -> bytes:
    raw = msgspec.msgpack.encode(value)
    return b"VES1" + len(raw).to_bytes(4, "big") + raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"VES1",
        b"VES1\0\0\0\0",
        b"VES1\xff\xff\xff\xff",
        RAW + b"\0",
        b"x" + RAW[1:],
        head([1, 1, []]),
        head([-1, -1, []]) + b"\0",
        head([0, 20_000, []]),
        head([0, 0, [["name", "Ada", 10_001]]]),
        head([0, 0, [["", "Ada", 1]]]),
        head([0, 0, [["name", "x" * 4_097, 1]]]),
        head([0, 0, [["n", "", 0]] * 257]),
        head([0, 0, [], 0]),
        head([0, 0, [["n" * 60, "x" * 4_000, 0]] * 20]),
        head(None),
    ],
)
def test_other_bytes_are_refused(raw: bytes) -> None:
    """Too short, too long, out of range, over the limits, or something else."""
    with pytest.raises(PayloadError):
        decode_payload(raw)


def test_every_truncation_is_refused() -> None:
    """A payload that is cut off anywhere is refused."""
    for length in range(len(RAW)):
        with pytest.raises(PayloadError):
            decode_payload(RAW[:length])


def test_pixels_must_fill_the_picture() -> None:
    """Neither fewer nor more are encoded."""
    with pytest.raises(ValueError, match="2 x 3"):
        encode_payload(2, 3, (), b"five!")


@pytest.mark.parametrize("kind", ScopeType)
@pytest.mark.parametrize("size", [KIB, 32 * KIB, MAX_PAYLOAD_BYTES])
def test_the_examples_have_their_size(kind: ScopeType, size: int) -> None:
    """At most the size that was asked for; pictures less by at most a row, and readable."""
    raw = example_data.evidence_payload(EvidenceSpec(kind, size))
    payload = decode_payload(raw)

    assert len(raw) <= size
    if kind in {ScopeType.ID_DOCUMENT, ScopeType.SELFIE, ScopeType.FACE_VIDEO}:
        assert size - len(raw) <= payload.width + 8
        assert len(set(bytes(payload.pixels[:4_096]))) > 20
    else:
        assert payload.fields


def test_examples_differ_by_seed_only() -> None:
    """The same seed gives the same bytes, another one others."""
    piece = EvidenceSpec(ScopeType.SELFIE, KIB)

    assert (
        example_data.evidence_payload(piece, 1)
        == example_data.evidence_payload(piece, 1)
        != example_data.evidence_payload(piece, 2)
    )
