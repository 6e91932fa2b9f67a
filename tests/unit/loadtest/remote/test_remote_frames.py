"""Messages come out of a stream as they went in, whatever else is in it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veperf.ipc.channel import (
    BadMessageError,
    Channel,
    FrameError,
    FrameReader,
    PeerGoneError,
    make_frame,
)
from veperf.loadtest.remote.messages import (
    FIRST_FRAME_BYTES,
    FRAME_BYTES,
    FromShard,
    Hello,
    Items,
    Ping,
    ProbeRequest,
    Ready,
    Results,
    ShardDone,
    encode,
    from_shard,
    make_channel,
)
from veperf.loadtest.remote.rendezvous import Peer

NUMBER = st.integers(0, 2**53 - 1)
MESSAGES = st.one_of(
    st.builds(
        Hello,
        st.text(max_size=300),
        st.integers(0, 1023),
        st.integers(1, 1024),
        st.binary(min_size=16, max_size=16),
        st.binary(min_size=32, max_size=32),
    ),
    st.builds(
        ProbeRequest, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
    ),
    st.builds(Items, NUMBER, st.lists(st.binary(max_size=50))),
    st.sampled_from([Ping(), Ready(), ShardDone()]),
)


@contextmanager
def wired() -> Iterator[tuple[socket.socket, Channel[FromShard]]]:
    """A raw socket, and the target's channel at its other end."""
    local_end, remote_end = socket.socketpair()
    remote_end.setblocking(False)
    channel = make_channel(remote_end, from_shard)
    try:
        with local_end:
            yield local_end, channel
    finally:
        channel.close()


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(1, 30)))
def test_frames_survive_any_cut(bodies: list[bytes], cuts: list[int]) -> None:
    """Wherever the stream is cut into pieces, the same frames come out in order."""
    stream, reader = b"".join(map(make_frame, bodies)), FrameReader(40)
    frames: list[bytes] = []
    for cut in cuts:
        frames += map(bytes, reader.feed(stream[:cut]))
        stream = stream[cut:]
    frames += map(bytes, reader.feed(stream))

    assert bodies == frames


@given(st.integers(41, 2**32 - 1), st.binary())
def test_a_length_that_is_too_large_is_refused_at_once(size: int, rest: bytes) -> None:
    """Before any of the frame has come, let alone been held."""
    with pytest.raises(FrameError):
        FrameReader(40).feed(size.to_bytes(4, "big") + rest)


@given(st.lists(MESSAGES))
def test_messages_arrive_as_they_were_sent(messages: list[FromShard]) -> None:
    """All kinds, over a real socket."""
    with wired() as (local_end, channel):
        channel.accept_long_messages()
        local_end.sendall(b"".join(make_frame(encode(message)) for message in messages))
        frames: list[FromShard] = []
        while len(frames) < len(messages):
            frames += channel.receive()

    assert messages == frames


@given(st.binary(max_size=200), st.sampled_from([bytes, make_frame]))
@example(b"\x91" * 1_000, make_frame)  # an array in an array in an array ...
@example(encode(Items(2**53 - 1, [b""])).replace(b"\xcf\x00\x1f", b"\xcf\xff\xff"), make_frame)
def test_random_bytes_are_messages_or_refused(data: bytes, form: type[bytes]) -> None:
    """Nothing else is raised, whatever arrives, in a frame or not."""
    with wired() as (local_end, channel):
        local_end.sendall(form(data))
        with suppress(BadMessageError):
            for message in channel.receive():
                assert isinstance(message, FromShard)


@given(MESSAGES, st.data())
def test_a_message_with_a_wrong_byte_is_a_message_or_refused(
    message: FromShard, data: st.DataObject
) -> None:
    """Of the right types in every field, where it is taken."""
    body = bytearray(encode(message))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    with wired() as (local_end, channel):
        local_end.sendall(make_frame(bytes(body)))
        with suppress(BadMessageError):
            for frames in channel.receive():
                # A strict decoder's output is what it takes itself.
                assert frames == from_shard(encode(frames))


def test_a_stranger_is_given_little_room() -> None:
    """A long message is refused until its sender is trusted."""
    long = make_frame(encode(Items(0, [bytes(FIRST_FRAME_BYTES)])))
    with wired() as (local_end, channel):
        local_end.sendall(long)
        with pytest.raises(BadMessageError):
            channel.receive()
    with wired() as (local_end, channel):
        channel.accept_long_messages()
        local_end.sendall(long)
        (frames,) = channel.receive()
        assert isinstance(frames, Items)
        local_end.sendall((FRAME_BYTES + 1).to_bytes(4, "big"))
        with pytest.raises(BadMessageError):
            channel.receive()


def test_who_does_not_read_is_not_written_to_for_ever() -> None:
    """What waits for room in the socket is bounded."""
    results = Results(list(range(200_000)), {}, [])
    with wired() as (_, channel):
        peer, messages = Peer(channel, bytes(16), 0.0), 0
        with suppress(BadMessageError):
            while messages < 100:
                peer.send(results)
                messages += 1
        assert 5 < messages < 20
        assert 8 << 20 < channel.unsent_bytes < 10 << 20


def test_a_peer_that_leaves_is_noticed() -> None:
    """By who reads and by who writes."""
    with wired() as (local_end, channel):
        assert [] == channel.receive()
        local_end.close()
        with pytest.raises(PeerGoneError):
            channel.receive()
        with pytest.raises(PeerGoneError):
            channel.send(ShardDone())
