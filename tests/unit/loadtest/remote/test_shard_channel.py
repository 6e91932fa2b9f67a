"""A shard's line to its target: what is sent gets there, and its end is told in words."""

import socket
import threading
from collections.abc import Iterator

import pytest

from veperf.core.errors import MeasureError
from veperf.ipc.channel import make_frame
from veperf.loadtest.remote.messages import (
    Aborted,
    AllShardsDone,
    HostConditions,
    Items,
    Pong,
    Results,
    encode,
    from_target,
    make_channel,
)
from veperf.loadtest.remote.shard_connection import ShardChannel

PATIENCE_S = 30.0
AROUND = HostConditions(
    load_before=0.5, load_after=1.5, frequency_mhz=None, steal_ratio=0.0, calibration_ns=1e6
)


@pytest.fixture
def target() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def lines(listener: socket.socket) -> tuple[socket.socket, ShardChannel]:
    """The target's raw end, and the shard's."""
    local_end = socket.create_connection(listener.getsockname())
    local_end.setblocking(False)
    remote_end, _ = listener.accept()
    remote_end.settimeout(PATIENCE_S)
    return remote_end, ShardChannel(make_channel(local_end, from_target), "tcp://example:1")


def test_waiting_for_an_answer_sends_what_is_unsent(target: socket.socket) -> None:
    """More than a socket takes at once arrives whole, while the shard only waits."""
    remote_end, line = lines(target)
    question = make_frame(encode(Items(0, [bytes(4 << 20)] * 3)))

    def answer() -> None:
        left = len(question)
        while left:
            left -= len(remote_end.recv(left))
        remote_end.sendall(make_frame(encode(AllShardsDone({"a": 1.0}, [], AROUND))))

    thread = threading.Thread(target=answer)
    with remote_end:
        line.send(Items(0, [bytes(4 << 20)] * 3))
        thread.start()
        assert AllShardsDone({"a": 1.0}, [], AROUND) == line.wait_for(AllShardsDone, PATIENCE_S)
        thread.join()
        line.close()


def test_other_messages_come_before_the_answer(target: socket.socket) -> None:
    """They are passed over; an answer that does not come is None."""
    remote_end, line = lines(target)
    with remote_end:
        for message in (Results([1], {}, []), Pong(5, 6), Results([2], {}, [])):
            remote_end.sendall(make_frame(encode(message)))
        assert Pong(5, 6) == line.wait_for(Pong, PATIENCE_S)
        assert line.wait_for(Pong, 0.01) is None
        line.close()


@pytest.mark.parametrize("how", ["listening", "sending"])
def test_the_last_words_of_a_target_are_told(target: socket.socket, how: str) -> None:
    """The reason, even where the shard notices by sending that nobody is there."""
    remote_end, line = lines(target)
    with remote_end:
        remote_end.sendall(make_frame(encode(Aborted("no more today"))))
    with pytest.raises(MeasureError, match="no more today"):
        go_on(line, how)
    line.close()


def go_on(line: ShardChannel, how: str) -> None:
    """For ever, or until the target has had enough."""
    while True:
        if how == "sending":
            line.send(Items(0, [bytes(1_000)]))
        else:
            line.receive(1)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (b"", "the target at tcp://example:1 is gone"),
        (b"\xff" * 10, "the target at tcp://example:1 sent an invalid message"),
    ],
)
def test_a_target_that_is_gone_or_mad_is_named(
    target: socket.socket, last: bytes, words: str
) -> None:
    """By its address."""
    remote_end, line = lines(target)
    with remote_end:
        remote_end.sendall(last)
    with pytest.raises(MeasureError, match=words):
        line.wait_for(AllShardsDone, PATIENCE_S)
    line.close()
