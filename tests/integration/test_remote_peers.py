"""Who else connects to a target does no harm, and shards that leave are missed."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.remote_loads import Counter, numbered
from tests.support.remote_shard import Found, put
from veperf.core.errors import MeasureError
from veperf.core.remote_load import RemoteLoad
from veperf.ipc.channel import make_frame
from veperf.loadtest.remote.auth import NONCE_BYTES, SHARD, is_valid_proof, make_proof
from veperf.loadtest.remote.messages import Hello, Items, Ping, Ready, ShardDone, encode
from veperf.loadtest.remote.remote_system import RemoteSystem
from veperf.loadtest.remote.server import ServedLoad, serve_load
from veperf.loadtest.remote.shard_connection import ShardConnection, join_load
from veperf.loadtest.remote.target_socket import Listener, open_connection, parse_target_address

TOKEN, SUBJECT = "a token of this test", "test/load"
PATIENCE_S = 30.0


class Target(threading.Thread):
    """Serves one load in a thread."""

    def __init__(self, shards: int | None = None, capacity: int = 1_000, room: int = 10**6) -> None:
        super().__init__()
        self._shards = shards
        self._apart = RemoteLoad(lambda: Counter(room), numbered, capacity)
        self._told = threading.Event()
        self.listener = Listener(parse_target_address("tcp://127.0.0.1:0"))
        self.served: ServedLoad | None = None
        self.rendezvous_s = PATIENCE_S

    def run(self) -> None:
        self.served = serve_load(
            self._apart,
            self.listener,
            subject=SUBJECT,
            token=TOKEN,
            shards=self._shards,
            stop=self._told.is_set,
            rendezvous_s=self.rendezvous_s,
        )

    def join_load(self, shard: int = 0, shards: int = 1) -> ShardConnection:
        return join_load(self.listener.address, shard, shards, subject=SUBJECT, token=TOKEN)

    def outcome(self) -> ServedLoad:
        self.join(PATIENCE_S)
        assert self.served is not None
        return self.served

    def end(self) -> None:
        self._told.set()
        self.join(PATIENCE_S)
        self.listener.close()


@contextmanager
def serving(target: Target) -> Iterator[Target]:
    target.start()
    try:
        yield target
    finally:
        target.end()


def put_items(connection: ShardConnection, shard: int, shards: int, items: int) -> Found:
    system = RemoteSystem(connection, numbered(shard, shards), items)
    return put(connection, system, items)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def is_closed(peer: socket.socket) -> bool:
    """Whether the target closes the connection, whatever it says before."""
    peer.settimeout(PATIENCE_S)
    try:
        while peer.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


HELLO = make_frame(encode(Hello(SUBJECT, 0, 1, bytes(16), bytes(32))))
HOSTILE = {
    "garbage": b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "a giant length": b"\xff\xff\xff\xff",
    "a long frame": make_frame(bytes(5_000)),
    "nesting": make_frame(b"\x91" * 4_000),
    "a wrong proof": HELLO,
    "items at once": make_frame(encode(Items(0, [b"x"]))),
    "ready at once": make_frame(encode(Ready())),
    "a ping at once": make_frame(encode(Ping())),
    "done at once": make_frame(encode(ShardDone())),
}


def test_hostile_strangers_are_dropped() -> None:
    """Each of them, and a load goes on beside them as if they were not there."""
    with serving(Target()) as target:
        for data in HOSTILE.values():
            with open_connection(target.listener.address, 5) as stranger:
                stranger.settimeout(PATIENCE_S)
                stranger.sendall(data)
                assert is_closed(stranger)
        outcome = put_items(target.join_load(), 0, 1, 500)
        served = target.outcome()

    assert 500 == len(outcome.committed) == served.committed


@pytest.mark.alone
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=15))
@settings(max_examples=5, deadline=None)
def test_random_bytes_do_no_harm(pieces: list[bytes]) -> None:
    """Nor do those who leave in the middle of a frame."""
    with serving(Target()) as target:
        for piece in pieces:
            with open_connection(target.listener.address, 5) as stranger:
                stranger.sendall(piece)
        outcome = put_items(target.join_load(), 0, 1, 50)

    assert 50 == len(outcome.committed)


def test_who_never_says_who_it_is_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent ones, and those who send a byte now and then; a crowd does not shut others out."""
    monkeypatch.setattr("veperf.loadtest.remote.rendezvous.INTRODUCTION_S", 0.3)
    monkeypatch.setattr("veperf.loadtest.remote.rendezvous.MOST_UNIDENTIFIED", 5)
    with serving(Target()) as target:
        crowd = [open_connection(target.listener.address, 5) for _ in range(20)]
        slow = open_connection(target.listener.address, 5)
        with pytest.raises(ConnectionError):
            trickle(slow)
        assert all(is_closed(stranger) for stranger in crowd)
        outcome = put_items(target.join_load(), 0, 1, 50)
        for stranger in (*crowd, slow):
            stranger.close()

    assert 50 == len(outcome.committed)


def trickle(peer: socket.socket) -> None:
    """Send a byte now and then, of a frame that never ends."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        peer.send(b"\0")
        time.sleep(0.05)


@contextmanager
def making(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A target that is being made all the while."""
    monkeypatch.setattr("veperf.loadtest.remote.waiting_room.INTRODUCTION_S", 0.3)
    monkeypatch.setattr("veperf.loadtest.remote.waiting_room.MOST_UNIDENTIFIED", 5)
    made = threading.Event()
    target = Target()

    def make() -> Counter:
        made.wait(PATIENCE_S)
        return Counter()

    target._apart = RemoteLoad(make, numbered, 1_000)
    with serving(target):
        yield target
        made.set()
        assert 50 == len(put_items(target.join_load(), 0, 1, 50).committed)


@contextmanager
def loading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A target that serves a load all the while."""
    monkeypatch.setattr("veperf.loadtest.remote.waiting_room.INTRODUCTION_S", 0.3)
    monkeypatch.setattr("veperf.loadtest.remote.waiting_room.MOST_UNIDENTIFIED", 5)
    with serving(Target()) as target, closing(target.join_load()) as shard:
        shard.wait_for_start()
        yield target
        shard.channel.send(ShardDone())


@pytest.mark.parametrize("busy", [making, loading])
def test_a_busy_target_holds_nobody_for_long(
    busy: Callable[[pytest.MonkeyPatch], AbstractContextManager[Target]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Silent ones for a moment, garbage not at all, and of a crowd the last ones."""
    with busy(monkeypatch) as target:
        address = target.listener.address
        with open_connection(address, 5) as silent:
            assert is_closed(silent)
        monkeypatch.setattr("veperf.loadtest.remote.waiting_room.INTRODUCTION_S", PATIENCE_S)
        for data in HOSTILE.values():
            with open_connection(address, 5) as stranger:
                stranger.sendall(data)
                assert is_closed(stranger)
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(open_connection(address, 5)) for _ in range(9)]
            assert all(is_closed(stranger) for stranger in crowd[:4])
        silent = open_connection(address, 5)
    assert is_closed(silent)
    silent.close()


class TargetOfTwoLoads(Target):
    def run(self) -> None:
        super().run()
        super().run()


@pytest.mark.slow
def test_who_comes_too_early_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard that was sent away while another load went on takes part in the next one."""
    monkeypatch.setattr("veperf.loadtest.remote.waiting_room.INTRODUCTION_S", 0.2)
    outcomes: list[Found] = []
    with serving(TargetOfTwoLoads()) as target:
        with closing(target.join_load()) as first:
            first.wait_for_start()
            early = in_thread(lambda: outcomes.append(put_items(target.join_load(), 0, 1, 50)))
            time.sleep(0.5)  # longer than anybody is held
            first.channel.send(ShardDone())
        early.join(PATIENCE_S)

    assert [50] == [len(outcome.committed) for outcome in outcomes]


@pytest.mark.parametrize(
    "token", ["", "x", TOKEN[:-1], f"{TOKEN}x", "é" * 20, "x" * 64, "x" * 65, "x" * 100_000]
)
def test_a_wrong_token_of_any_length_is_refused_alike(token: str) -> None:
    """What is compared has 32 bytes whatever the token, and takes as long whatever they are."""
    assert 32 == len(make_proof(token, SHARD, bytes(NONCE_BYTES)))
    assert not is_valid_proof(TOKEN, SHARD, b"n", make_proof(token, SHARD, b"n"))
    with serving(Target()) as target, pytest.raises(MeasureError, match="token is not this target"):
        join_load(target.listener.address, 0, 1, subject=SUBJECT, token=token)


@pytest.mark.parametrize(
    ("shard", "shards", "subject", "token", "words"),
    [
        (0, 2, SUBJECT, "another token", "the token is not this target's"),
        (0, 2, "other/load", TOKEN, "this target serves test/load, not other/load"),
        (0, 3, SUBJECT, TOKEN, "this load has 2 shards, not 3"),
        (2, 2, SUBJECT, TOKEN, "there is no shard 2 of 2"),
        (1, 2, SUBJECT, TOKEN, "shard 1 of 2 is already connected"),
    ],
)
def test_who_does_not_belong_is_told_why(
    shard: int, shards: int, subject: str, token: str, words: str
) -> None:
    """And the load waits on for who does."""
    with serving(Target()) as target, closing(target.join_load(1, 2)) as here:
        with pytest.raises(MeasureError, match=words):
            join_load(target.listener.address, shard, shards, subject=subject, token=token)
        other = in_thread(lambda: put_items(here, 1, 2, 20))
        assert 20 == len(put_items(target.join_load(0, 2), 0, 2, 20).committed)
        other.join(PATIENCE_S)
        assert 40 == target.outcome().committed


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, on the shard's side: the greeting is the same in every version."""
    monkeypatch.setattr("veperf.loadtest.remote.rendezvous.PROTOCOL", 99)
    with serving(Target()) as target, pytest.raises(MeasureError, match="speaks version 99"):
        target.join_load()


def test_a_target_without_the_token_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else who listens there gets no items, even if it takes any proof."""
    monkeypatch.setattr("veperf.loadtest.remote.rendezvous.is_valid_proof", lambda *_: True)
    with serving(Target()) as target, pytest.raises(MeasureError, match="another token"):
        join_load(target.listener.address, 0, 1, subject=SUBJECT, token="not that one, but long")


def test_nobody_there_is_said() -> None:
    """Without waiting."""
    with closing(Listener(parse_target_address("tcp://127.0.0.1:0"))) as listener:
        address = listener.address
    with pytest.raises(MeasureError, match="no target at tcp://127"):
        join_load(address, 0, 1, subject=SUBJECT, token=TOKEN)


def test_a_target_that_does_not_answer_is_given_up() -> None:
    """Something listens, and says nothing."""
    with (
        closing(Listener(parse_target_address("tcp://127.0.0.1:0"))) as silent,
        pytest.raises(MeasureError, match="did not answer within"),
    ):
        join_load(silent.address, 0, 1, subject=SUBJECT, token=TOKEN, timeout_s=0.2)


def test_a_shard_that_leaves_before_the_start_calls_the_load_off() -> None:
    """The others hear why, instead of waiting for it."""
    with serving(Target(shards=3)) as target:
        first, second = target.join_load(0, 3), target.join_load(1, 3)
        second.close()
        with closing(first), pytest.raises(MeasureError, match="shard 1 was lost before the start"):
            first.wait_for_start()
        served = target.outcome()

    assert "shard 1 was lost" in served.called_off
    assert 0 == served.shards


def test_shards_that_do_not_come_call_the_load_off() -> None:
    """After a while, those that are there hear how many were missing."""
    target = Target(shards=2)
    target.rendezvous_s = 0.3
    with (
        serving(target),
        closing(target.join_load(0, 2)) as here,
        pytest.raises(MeasureError, match=r"1 of 2 shards were ready 0\.3 s after"),
    ):
        here.wait_for_start()


def test_a_shard_that_leaves_after_the_start_is_lost() -> None:
    """Its items are finished for nobody; the others go on, and know."""
    with serving(Target()) as target:
        leaving, staying = target.join_load(0, 2), target.join_load(1, 2)

        def leave() -> None:
            leaving.wait_for_start()
            leaving.channel.send(Items(0, [next(numbered(0, 2))] * 100))
            leaving.close()

        other = in_thread(leave)
        outcome = put_items(staying, 1, 2, 500)
        other.join(PATIENCE_S)
        served = target.outcome()

    assert (list(range(500)), (0,)) == (outcome.committed, outcome.lost)
    assert (0,) == served.lost


@pytest.mark.parametrize(
    "bad",
    [
        Items(0, [b"x"] * 51),
        Ready(),
        Hello(SUBJECT, 0, 2, bytes(16), bytes(32)),
    ],
    ids=["more than its window", "ready again", "hello again"],
)
def test_a_shard_that_breaks_the_rules_is_lost(bad: Items) -> None:
    """And no other is."""
    with serving(Target(capacity=100)) as target:
        bad_one, good_one = target.join_load(0, 2), target.join_load(1, 2)

        def misbehave() -> None:
            bad_one.wait_for_start()
            bad_one.channel.send(bad)

        other = in_thread(misbehave)
        outcome = put_items(good_one, 1, 2, 500)
        other.join(PATIENCE_S)
        bad_one.close()

    assert (500, (0,)) == (len(outcome.committed), outcome.lost)


def test_a_shard_that_falls_silent_does_not_hold_the_others_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once another is done it has some time; then it is lost."""
    monkeypatch.setattr("veperf.loadtest.remote.session._SILENCE_S", 0.3)
    with serving(Target()) as target, closing(target.join_load(0, 2)) as silent:
        other = in_thread(silent.wait_for_start)
        outcome = put_items(target.join_load(1, 2), 1, 2, 100)
        other.join(PATIENCE_S)

    assert (0,) == outcome.lost


def test_a_full_window_turns_items_away_in_order() -> None:
    """What is turned away stays the next one: the target misses none, and has never too many."""
    with serving(Target(capacity=30, room=7)) as target:
        connection = target.join_load()
        assert 30 == connection.window
        outcome = put_items(connection, 0, 1, 1_000)
        served = target.outcome()

    assert outcome.turned_away > 0
    assert {} == outcome.failed
    assert (1_000, 1_000) == (len(outcome.committed), served.committed)


def test_a_target_waits_for_the_slower_shard() -> None:
    """Costs are those of the whole load, for both."""
    with serving(Target()) as target:
        slow, quick = target.join_load(0, 2), target.join_load(1, 2)
        others: list[Found] = []
        other = in_thread(lambda: others.append(put_items(slow, 0, 2, 20_000)))
        outcome = put_items(quick, 1, 2, 10)
        other.join(PATIENCE_S)

    assert {"count": 20_010.0} == outcome.costs == others[0].costs
