"""An envelope has one encoding; whatever else comes is refused with a reason, never a crash."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope.errors import (
    EnvelopeError,
    MalformedEnvelopeError,
    OversizeError,
    TruncatedError,
    UnsupportedError,
)
from veperf.workloads.verification.envelope.wire_format import (
    MAX_ENVELOPE_BYTES,
    MAX_RECIPIENTS,
    PREAMBLE,
    Envelope,
    WrappedKey,
    decode_envelope,
    encode_envelope,
)

RAW = example_data.example_envelopes(example_data.evidence_specs(1, 600))[0]
ENVELOPE = decode_envelope(RAW)


def test_the_encoding_is_msgpack_as_another_library_writes_it() -> None:
    """After the preamble: nested arrays of the documented fields, read without our types."""
    header, client, user, ciphertext = msgspec.msgpack.decode(RAW[len(PREAMBLE) :])

    assert b"VEID\x01\x01" == RAW[:6]
    assert example_data.account_address(0) == header[0]
    assert ["scope-0", "id_document"] == header[2:4]
    assert "veperf-app" == header[4][1]
    assert [64, 64] == [len(client), len(user)]
    assert ENVELOPE.ciphertext == ciphertext


@pytest.mark.parametrize("length", [16, 255, 256, 65_535, 65_536])
def test_it_comes_back_as_it_was(length: int) -> None:
    """Decoding is the inverse of encoding, for each length of a byte string's head."""
    envelope = replace(ENVELOPE, ciphertext=memoryview(bytes(length)))
    raw = encode_envelope(envelope)

    assert envelope == decode_envelope(raw)
    assert raw == PREAMBLE + msgspec.msgpack.encode(envelope)


def test_what_is_cut_off_is_truncated() -> None:
    """An envelope that is cut off anywhere is refused."""
    for length in range(len(RAW)):
        with pytest.raises(TruncatedError):
            decode_envelope(RAW[:length])


def test_decoding_copies_no_ciphertext() -> None:
    """The ciphertext is a view into what was decoded."""
    raw = bytearray(RAW)
    envelope = decode_envelope(raw)
    raw[-1] ^= 1

    assert raw[-1] == envelope.ciphertext[-1]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (RAW + b"\0", MalformedEnvelopeError),
        (b"", TruncatedError),
        (b"VEXX" + RAW[4:], MalformedEnvelopeError),
        (b"VEID\x02" + RAW[5:], UnsupportedError),
        (b"VEID\x01\x02" + RAW[6:], UnsupportedError),
        (PREAMBLE + b"\x94" * 100_000, MalformedEnvelopeError),
        (PREAMBLE + b"\xdf\xff\xff\xff\xff", MalformedEnvelopeError),
        (PREAMBLE + msgspec.msgpack.encode(None), MalformedEnvelopeError),
        (PREAMBLE + b"\xdc\x00\x04" + RAW[7:], MalformedEnvelopeError),
        (bytes(MAX_ENVELOPE_BYTES + 1), OversizeError),
    ],
)
def test_other_bytes_are_refused(raw: bytes, error: type[EnvelopeError]) -> None:
    """Trailing bytes, other versions, deep nesting, great lengths, longer forms of the same."""
    with pytest.raises(error) as caught:
        decode_envelope(raw)
    assert error is type(caught.value)


def test_too_long_a_payload_is_refused() -> None:
    """A payload of 2 MiB and a byte, in an envelope that is itself not too long."""
    most = memoryview(bytes(2 * 1024 * 1024 + 16))
    assert most == decode_envelope(encode_envelope(replace(ENVELOPE, ciphertext=most))).ciphertext
    over = encode_envelope(replace(ENVELOPE, ciphertext=memoryview(bytes(len(most) + 1))))
    with pytest.raises(OversizeError):
        decode_envelope(over)


def with_header(**changes: object) -> Envelope:
    return replace(ENVELOPE, header=replace(ENVELOPE.header, **changes))


@pytest.mark.parametrize(
    "envelope",
    [
        with_header(account=bytes(21)),
        with_header(user_key=bytes(31)),
        with_header(scope_id=""),
        with_header(scope_id="x" * 65),
        with_header(scope_type="palm"),
        with_header(nonce=bytes(23)),
        with_header(recipients=()),
        with_header(recipients=ENVELOPE.header.recipients[:1] * 2),
        with_header(
            recipients=tuple(
                WrappedKey(i.to_bytes(20, "big"), bytes(24), bytes(48))
                for i in range(MAX_RECIPIENTS + 1)
            )
        ),
        with_header(upload=replace(ENVELOPE.header.upload, salt=bytes(15))),
        with_header(upload=replace(ENVELOPE.header.upload, salt=bytes(65))),
        with_header(upload=replace(ENVELOPE.header.upload, captured_at_s=-1)),
        with_header(upload=replace(ENVELOPE.header.upload, captured_at_s=1.5)),
        replace(ENVELOPE, client_signature=bytes(63)),
    ],
)
def test_fields_beyond_their_bounds_are_refused(envelope: Envelope) -> None:
    """A field of the wrong length, type or range, or a recipient named twice."""
    with pytest.raises(MalformedEnvelopeError):
        decode_envelope(encode_envelope(envelope))


def test_text_that_is_no_utf_8_is_refused() -> None:
    """Not even in a name."""
    with pytest.raises(MalformedEnvelopeError):
        decode_envelope(RAW.replace(b"scope-0", b"scope\xff0"))


@settings(max_examples=300)
@given(st.integers(0, len(RAW) - 1), st.binary(max_size=9), st.integers(0, 9))
def test_no_change_crashes(place: int, new: bytes, removed: int) -> None:
    """With some bytes replaced it is decoded as itself, or refused."""
    raw = RAW[:place] + new + RAW[place + removed :]
    try:
        envelope = decode_envelope(raw)
    except EnvelopeError:
        return
    assert raw == encode_envelope(envelope)
