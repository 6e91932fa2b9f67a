"""Wait until all shards of a load are connected and ready; refuse everyone else."""

import contextlib
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from msgspec import Struct

from veperf.ipc.channel import BadMessageError, Channel, PeerGoneError
from veperf.loadtest.remote.auth import (
    NONCE_BYTES,
    PROBE,
    SHARD,
    TARGET,
    TOKEN_VARIABLE,
    is_valid_proof,
    make_proof,
)
from veperf.loadtest.remote.messages import (
    PROTOCOL,
    Aborted,
    FromShard,
    FromTarget,
    Greeting,
    Hello,
    Items,
    MachineInfo,
    Ping,
    Pong,
    ProbeRequest,
    Ready,
    Welcome,
    from_shard,
    make_channel,
)
from veperf.loadtest.remote.target_socket import Listener
from veperf.loadtest.remote.waiting_room import INTRODUCTION_S, MOST_UNIDENTIFIED
from veperf.measure.machine import describe_machine

UNIDENTIFIED = -1
_UNSENT_BYTES = 8 << 20
_POLL_S = 0.1
_OTHER_TOKEN = f"the token is not this target's; set {TOKEN_VARIABLE} to the one that it shows"


class CalledOffError(Exception):
    """The load will not start; the message says why."""


@dataclass(slots=True, eq=False)
class Peer:
    """A connection of a target: unidentified at first, then a shard."""

    channel: Channel[FromShard]
    nonce: bytes
    last_heard_at: float
    """Time of its connection, or of its last message since the start (``time.monotonic``)."""
    shard: int = UNIDENTIFIED
    window: int = 0
    """Items that it may have on their way."""
    is_ready: bool = False
    is_done: bool = False
    next_tag: int = 0
    in_flight: int = 0
    """Its items that have arrived and are not finished."""
    waiting: deque[tuple[int, bytes]] = field(default_factory=deque)
    """Those of them that the target has had no room for, each with its tag."""

    def fileno(self) -> int:
        """Return the socket, for a selector."""
        return self.channel.fileno()

    def send(self, message: FromTarget) -> None:
        """Send ``message``, as soon as it is read.

        Raises:
            PeerGoneError: the connection is gone.
            BadMessageError: it does not read what was sent before.
        """
        self.channel.send(message)
        if self.channel.unsent_bytes > _UNSENT_BYTES:
            raise BadMessageError("it does not read what it is sent")

    def answer_ping(self) -> None:
        """Send the clocks.

        Raises:
            PeerGoneError, BadMessageError: as ``send`` does.
        """
        self.send(Pong(time.perf_counter_ns(), time.time_ns()))

    def accept(self, message: Items) -> None:
        """Queue items for the target.

        Raises:
            BadMessageError: they are too many, or not new.
        """
        first, count = message.first_tag, len(message.items)
        if first < self.next_tag or self.in_flight + count > self.window:
            raise BadMessageError(f"{count} items from {first} on, which are not to be sent now")
        self.waiting.extend(enumerate(message.items, first))
        self.next_tag = first + count
        self.in_flight += count


class LoadTerms(Struct, frozen=True):
    """The conditions for taking part in a load."""

    subject: str
    token: str
    shards: int | None
    """None: as many as the first shard says."""
    capacity: int
    """Items on their way, of all shards together."""
    rendezvous_s: float
    """Time after the first shard's arrival by which the last one must be ready."""


class Rendezvous:
    """The connections of a load that has not started."""

    def __init__(self, listener: Listener, terms: LoadTerms) -> None:
        self._listener = listener
        self._terms = terms
        self._expected = terms.shards
        self._unidentified: list[Peer] = []
        """Oldest first."""
        self._shards: dict[int, Peer] = {}
        self._deadline = float("inf")
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener.socket, selectors.EVENT_READ)

    def run(self, stop: Callable[[], bool]) -> list[Peer]:
        """Wait for all shards; return them in order, each of them ready.

        Raises:
            CalledOffError: that will not happen. All connected shards have been told.
        """
        try:
            while not self._are_all_ready():
                if stop():
                    raise CalledOffError("the target was ended before the load could start")
                self._poll()
        except CalledOffError as reason:
            self._call_off(reason)
            raise
        except BaseException:
            self._call_off(CalledOffError("the target failed before the load could start"))
            raise
        finally:
            for peer in self._unidentified:
                peer.channel.close()
            self._selector.close()
        return [self._shards[shard] for shard in sorted(self._shards)]

    def _are_all_ready(self) -> bool:
        return len(self._shards) == self._expected and all(
            peer.is_ready for peer in self._shards.values()
        )

    def _poll(self) -> None:
        for key, _ in self._selector.select(_POLL_S):
            if isinstance(key.fileobj, Peer):
                self._receive(key.fileobj)
            else:
                self._accept_connection()
        now = time.monotonic()
        for peer in [p for p in self._unidentified if now > p.last_heard_at + INTRODUCTION_S]:
            self._drop(peer, "it did not say who it is")
        if now > self._deadline:
            ready = sum(peer.is_ready for peer in self._shards.values())
            raise CalledOffError(
                f"{ready} of {self._expected} shards were ready {self._terms.rendezvous_s:g} s "
                "after the first had come; start the others sooner"
            )

    def _accept_connection(self) -> None:
        socket = self._listener.accept()
        if socket is None:
            return
        if len(self._unidentified) >= MOST_UNIDENTIFIED:
            self._drop(self._unidentified[0], "too many unidentified connections")
        peer = Peer(make_channel(socket, from_shard), os.urandom(NONCE_BYTES), time.monotonic())
        self._unidentified.append(peer)
        self._selector.register(peer, selectors.EVENT_READ)
        with self._dropping(peer):
            peer.send(Greeting(PROTOCOL, peer.nonce))

    def _receive(self, peer: Peer) -> None:
        if peer.fileno() < 0:
            return  # dropped since the selector saw it
        with self._dropping(peer):
            for message in peer.channel.receive():
                self._handle(peer, message)

    @contextlib.contextmanager
    def _dropping(self, peer: Peer) -> Iterator[None]:
        """Drop ``peer`` if it is gone or breaks the rules in the block."""
        try:
            yield
        except (PeerGoneError, BadMessageError) as error:
            self._drop(peer, str(error))

    def _handle(self, peer: Peer, message: FromShard) -> None:
        is_identified = peer.shard != UNIDENTIFIED
        match message:
            case ProbeRequest() if not is_identified:
                self._answer_probe(peer, message)
            case Hello() if not is_identified:
                self._admit(peer, message)
            case Ping() if is_identified:
                peer.answer_ping()
            case Ready() if is_identified:
                peer.is_ready = True
            case _:
                raise BadMessageError(f"{type(message).__name__} out of turn")

    def _answer_probe(self, peer: Peer, request: ProbeRequest) -> None:
        token = self._terms.token
        if not is_valid_proof(token, PROBE, peer.nonce, request.proof):
            self._refuse(peer, _OTHER_TOKEN)
        peer.send(MachineInfo(describe_machine(), make_proof(token, TARGET, request.nonce)))

    def _admit(self, peer: Peer, hello: Hello) -> None:
        if fault := self._fault(peer, hello):
            self._refuse(peer, fault)
        if not self._shards:
            self._deadline = time.monotonic() + self._terms.rendezvous_s
        self._expected = hello.shards
        peer.shard = hello.shard
        peer.window = max(1, self._terms.capacity // hello.shards)
        self._unidentified.remove(peer)
        self._shards[peer.shard] = peer
        peer.channel.accept_long_messages()
        peer.send(Welcome(peer.window, make_proof(self._terms.token, TARGET, hello.nonce)))

    def _fault(self, peer: Peer, hello: Hello) -> str:
        """Return the reason why ``hello`` is of no shard of this load; empty where it is of one."""
        terms = self._terms
        if not is_valid_proof(terms.token, SHARD, peer.nonce, hello.proof):
            return _OTHER_TOKEN
        if hello.subject != terms.subject:
            return f"this target serves {terms.subject}, not {hello.subject}"
        if self._expected is not None and hello.shards != self._expected:
            return f"this load has {self._expected} shards, not {hello.shards}"
        if hello.shard >= hello.shards:
            return f"there is no shard {hello.shard} of {hello.shards}: they count from 0"
        if hello.shard in self._shards:
            return f"shard {hello.shard} of {hello.shards} is already connected"
        return ""

    def _refuse(self, peer: Peer, fault: str) -> NoReturn:
        peer.send(Aborted(fault))
        raise BadMessageError(fault)

    def _drop(self, peer: Peer, reason: str) -> None:
        self._selector.unregister(peer)
        peer.channel.close()
        if peer.shard == UNIDENTIFIED:
            self._unidentified.remove(peer)
        else:
            del self._shards[peer.shard]
            raise CalledOffError(f"shard {peer.shard} was lost before the start: {reason}")

    def _call_off(self, reason: CalledOffError) -> None:
        for peer in self._shards.values():
            with contextlib.suppress(PeerGoneError, BadMessageError):
                peer.send(Aborted(str(reason)))
            peer.channel.close()
