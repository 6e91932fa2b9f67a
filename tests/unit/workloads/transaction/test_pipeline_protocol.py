"""Messages between a pipeline and its verifiers arrive as they were sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.ipc.channel import FrameReader, make_frame
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.codec import decode_transaction
from veperf.workloads.transaction.pipeline.checks import CheckResult
from veperf.workloads.transaction.pipeline.protocol import (
    AccountNumbers,
    CheckChunk,
    ChunkChecked,
    GetAccountNumbers,
    Reply,
    Request,
    encode_message,
    to_reply,
    to_request,
)

STRANGER = address_from_bytes(example_data.keyless_address(0))


@given(st.lists(st.binary(max_size=600), max_size=5), st.data())
def test_frames_may_be_cut_anywhere(bodies: list[bytes], data: st.DataObject) -> None:
    """The frames are the sent ones, however the stream is cut into pieces."""
    frames = [make_frame(encode_message(CheckChunk("chain", [body]))) for body in bodies]
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader()
    actual: list[memoryview] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        actual += reader.feed(stream[start:end])

    assert [frame[4:] for frame in frames] == actual


@pytest.mark.parametrize(
    "request_", [CheckChunk("chain", [b"", b"\xff"]), AccountNumbers([0, 7, -1])]
)
def test_requests_arrive(request_: Request) -> None:
    """A request is decoded as it was sent."""
    (frame,) = FrameReader().feed(make_frame(encode_message(request_)))

    assert request_ == to_request(frame)


@pytest.mark.parametrize("amount", [1, (1 << 64) - 1, 1 << 64, (1 << 256) - 1])
def test_replies_arrive_whatever_the_amounts(amount: int) -> None:
    """A transaction is decoded whole, even with an amount that msgpack can't hold."""
    transaction = decode_transaction(
        example_data.signed_transfer(example_data.account_signer(0), 0, STRANGER, amount)
    )
    for reply in (
        GetAccountNumbers([b"\0" * 20]),
        ChunkChecked([CheckResult(3), CheckResult(0, transaction, 7)], 1, 2, 3),
    ):
        (frame,) = FrameReader().feed(make_frame(encode_message(reply)))
        arrived: Reply = to_reply(frame)

        assert reply == arrived
