"""Messages between a pipeline and its verifiers arrive as they were sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import address
from veperf.workloads.transaction.codec import decode
from veperf.workloads.transaction.pipeline.protocol import (
    Ask,
    Checked,
    Chunk,
    FrameReader,
    Numbers,
    Reply,
    Request,
    to_frame,
    to_reply,
    to_request,
)
from veperf.workloads.transaction.pipeline.verification import Outcome

STRANGER = address(example_data.keyless_address(0))


@given(st.lists(st.binary(max_size=600), max_size=5), st.data())
def test_frames_may_be_cut_anywhere(bodies: list[bytes], data: st.DataObject) -> None:
    """Whatever pieces a stream arrives in, the frames are the ones that were sent."""
    frames = [to_frame(Chunk("chain", [body])) for body in bodies]
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader()
    found: list[memoryview] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:end])

    assert [frame[4:] for frame in frames] == found


@pytest.mark.parametrize("request_", [Chunk("chain", [b"", b"\xff"]), Numbers([0, 7, -1])])
def test_requests_arrive(request_: Request) -> None:
    """As they were sent."""
    (frame,) = FrameReader().feed(to_frame(request_))

    assert request_ == to_request(frame)


@pytest.mark.parametrize("amount", [1, (1 << 64) - 1, 1 << 64, (1 << 256) - 1])
def test_replies_arrive_whatever_the_amounts(amount: int) -> None:
    """A transaction comes back whole, even with an amount that msgpack has no form for."""
    transaction = decode(example_data.transfer(example_data.signer(0), 0, STRANGER, amount))
    for reply in (Ask([b"\0" * 20]), Checked([Outcome(3), Outcome(0, transaction, 7)], 1, 2, 3)):
        (frame,) = FrameReader().feed(to_frame(reply))
        arrived: Reply = to_reply(frame)

        assert reply == arrived
