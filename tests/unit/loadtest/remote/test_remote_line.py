"""A shard's line to its target: what is sent gets there, and its end is told in words."""

import socket
import threading
from collections.abc import Iterator

import pytest

from veperf.core.errors import MeasureError
from veperf.ipc.channel import Channel, to_frame
from veperf.loadtest.remote.host_conditions import Surroundings
from veperf.loadtest.remote.messages import Ended, Items, Over, Pong, Results, encode, from_target
from veperf.loadtest.remote.shard_channel import Line

PATIENCE_S = 30.0
AROUND = Surroundings(
    load_before=0.5, load_after=1.5, frequency_mhz=None, steal_ratio=0.0, yardstick_ns=1e6
)


@pytest.fixture
def target() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def lines(listener: socket.socket) -> tuple[socket.socket, Line]:
    """The target's raw end, and the shard's."""
    ours = socket.create_connection(listener.getsockname())
    ours.setblocking(False)
    theirs, _ = listener.accept()
    theirs.settimeout(PATIENCE_S)
    return theirs, Line(Channel(ours, from_target), "tcp://example:1")


def test_waiting_for_an_answer_sends_what_is_unsent(target: socket.socket) -> None:
    """More than a socket takes at once arrives whole, while the shard only waits."""
    theirs, line = lines(target)
    question = to_frame(encode(Items(0, [bytes(4 << 20)] * 3)))

    def answer() -> None:
        left = len(question)
        while left:
            left -= len(theirs.recv(left))
        theirs.sendall(to_frame(encode(Over({"a": 1.0}, [], AROUND))))

    thread = threading.Thread(target=answer)
    with theirs:
        line.send(Items(0, [bytes(4 << 20)] * 3))
        thread.start()
        assert Over({"a": 1.0}, [], AROUND) == line.wait_for(Over, PATIENCE_S)
        thread.join()
        line.close()


def test_other_messages_come_before_the_answer(target: socket.socket) -> None:
    """They are passed over; an answer that does not come is None."""
    theirs, line = lines(target)
    with theirs:
        for message in (Results([1], {}, []), Pong(5, 6), Results([2], {}, [])):
            theirs.sendall(to_frame(encode(message)))
        assert Pong(5, 6) == line.wait_for(Pong, PATIENCE_S)
        assert line.wait_for(Pong, 0.01) is None
        line.close()


@pytest.mark.parametrize("how", ["listening", "sending"])
def test_the_last_words_of_a_target_are_told(target: socket.socket, how: str) -> None:
    """The reason, even where the shard notices by sending that nobody is there."""
    theirs, line = lines(target)
    with theirs:
        theirs.sendall(to_frame(encode(Ended("no more today"))))
    with pytest.raises(MeasureError, match="no more today"):
        go_on(line, how)
    line.close()


def go_on(line: Line, how: str) -> None:
    """For ever, or until the target has had enough."""
    while True:
        if how == "sending":
            line.send(Items(0, [bytes(1_000)]))
        else:
            line.listen(1)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (b"", "the target at tcp://example:1 is gone"),
        (b"\xff" * 10, "the target at tcp://example:1 sent nonsense"),
    ],
)
def test_a_target_that_is_gone_or_mad_is_named(
    target: socket.socket, last: bytes, words: str
) -> None:
    """By its address."""
    theirs, line = lines(target)
    with theirs:
        theirs.sendall(last)
    with pytest.raises(MeasureError, match=words):
        line.wait_for(Over, PATIENCE_S)
    line.close()
