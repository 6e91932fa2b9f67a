"""Waits until all shards of a load are there and ready; whoever else connects is sent away."""

import contextlib
import os
import selectors
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from msgspec import Struct

from veperf.ipc.channel import BadMessageError, Channel, PeerGoneError
from veperf.loadtest.remote.address import Listener
from veperf.loadtest.remote.auth import (
    NONCE_BYTES,
    SHARD,
    TARGET,
    TOKEN_VARIABLE,
    VISITOR,
    is_proved,
    prove,
)
from veperf.loadtest.remote.messages import (
    PROTOCOL,
    Card,
    Ended,
    FromShard,
    Greeting,
    Hello,
    Ping,
    Ready,
    Visit,
    Welcome,
    from_shard,
)
from veperf.loadtest.remote.peer import STRANGER, Guest
from veperf.measure.machine import describe_machine

_POLL_S = 0.1
_STRANGERS = 64
_INTRODUCTION_S = 5.0
_OTHER_TOKEN = f"the token is not this target's; set {TOKEN_VARIABLE} to the one that it shows"


class CalledOffError(Exception):
    """The load will not start; the message says why."""


class Terms(Struct, frozen=True):
    """Who may take part in a load."""

    subject: str
    token: str
    shards: int | None
    """None: as many as the first one says."""
    capacity: int
    """Items on their way, of all shards together."""
    rendezvous_s: float
    """How long after the first shard the last one may be ready."""


class Gathering:
    """The connections of a load that has not started."""

    def __init__(self, listener: Listener, terms: Terms) -> None:
        self._listener = listener
        self._terms = terms
        self._wanted = terms.shards
        self._strangers: list[Guest] = []
        """The one that has been here longest first."""
        self._shards: dict[int, Guest] = {}
        self._deadline = float("inf")
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener.socket, selectors.EVENT_READ)

    def run(self, stop: Callable[[], bool]) -> list[Guest]:
        """All shards, in order, each of them ready.

        Raises:
            CalledOffError: that will not happen. All that are here have been told.
        """
        try:
            while not self._are_all_ready():
                if stop():
                    raise CalledOffError("the target was ended before the load could start")
                self._look()
        except CalledOffError as off:
            self._send_away(off)
            raise
        except BaseException:
            self._send_away(CalledOffError("the target failed before the load could start"))
            raise
        finally:
            for stranger in self._strangers:
                stranger.channel.close()
            self._selector.close()
        return [self._shards[shard] for shard in sorted(self._shards)]

    def _are_all_ready(self) -> bool:
        return len(self._shards) == self._wanted and all(
            guest.is_ready for guest in self._shards.values()
        )

    def _look(self) -> None:
        for key, _ in self._selector.select(_POLL_S):
            if isinstance(key.fileobj, Guest):
                self._listen_to(key.fileobj)
            else:
                self._let_in()
        now = time.monotonic()
        for stranger in [s for s in self._strangers if now > s.heard_at + _INTRODUCTION_S]:
            self._drop(stranger, "it did not say who it is")
        if now > self._deadline:
            ready = sum(guest.is_ready for guest in self._shards.values())
            raise CalledOffError(
                f"{ready} of {self._wanted} shards were ready {self._terms.rendezvous_s:g} s "
                "after the first had come; start the others sooner"
            )

    def _let_in(self) -> None:
        peer = self._listener.accept()
        if peer is None:
            return
        if len(self._strangers) >= _STRANGERS:
            self._drop(self._strangers[0], "too many strangers")
        guest = Guest(Channel(peer, from_shard), os.urandom(NONCE_BYTES), time.monotonic())
        self._strangers.append(guest)
        self._selector.register(guest, selectors.EVENT_READ)
        with self._dropping(guest):
            guest.tell(Greeting(PROTOCOL, guest.nonce))

    def _listen_to(self, guest: Guest) -> None:
        if guest.fileno() < 0:
            return  # dropped since the selector saw it
        with self._dropping(guest):
            for message in guest.channel.receive():
                self._hear(guest, message)

    @contextlib.contextmanager
    def _dropping(self, guest: Guest) -> Iterator[None]:
        """Drop ``guest`` where it is gone, or breaks the rules."""
        try:
            yield
        except (PeerGoneError, BadMessageError) as error:
            self._drop(guest, str(error))

    def _hear(self, guest: Guest, message: FromShard) -> None:
        match message:
            case Visit() if guest.shard == STRANGER:
                self._receive(guest, message)
            case Hello() if guest.shard == STRANGER:
                self._welcome(guest, message)
            case Ping() if guest.shard != STRANGER:
                guest.tell_time()
            case Ready() if guest.shard != STRANGER:
                guest.is_ready = True
            case _:
                raise BadMessageError(f"{type(message).__name__} out of turn")

    def _receive(self, guest: Guest, visit: Visit) -> None:
        token = self._terms.token
        if not is_proved(token, VISITOR, guest.nonce, visit.proof):
            self._refuse(guest, _OTHER_TOKEN)
        guest.tell(Card(describe_machine(), prove(token, TARGET, visit.nonce)))

    def _welcome(self, guest: Guest, hello: Hello) -> None:
        if fault := self._fault(guest, hello):
            self._refuse(guest, fault)
        if not self._shards:
            self._deadline = time.monotonic() + self._terms.rendezvous_s
        self._wanted = hello.shards
        guest.shard = hello.shard
        guest.window = max(1, self._terms.capacity // hello.shards)
        self._strangers.remove(guest)
        self._shards[guest.shard] = guest
        guest.channel.trust()
        guest.tell(Welcome(guest.window, prove(self._terms.token, TARGET, hello.nonce)))

    def _fault(self, guest: Guest, hello: Hello) -> str:
        """Why ``hello`` is no shard of this load's; empty where it is."""
        terms = self._terms
        if not is_proved(terms.token, SHARD, guest.nonce, hello.proof):
            return _OTHER_TOKEN
        if hello.subject != terms.subject:
            return f"this target is of {terms.subject}, not of {hello.subject}"
        if self._wanted is not None and hello.shards != self._wanted:
            return f"this load has {self._wanted} shards, not {hello.shards}"
        if hello.shard >= hello.shards:
            return f"there is no shard {hello.shard} of {hello.shards}: they count from 0"
        if hello.shard in self._shards:
            return f"shard {hello.shard} of {hello.shards} is here already"
        return ""

    def _refuse(self, guest: Guest, fault: str) -> NoReturn:
        guest.tell(Ended(fault))
        raise BadMessageError(fault)

    def _drop(self, guest: Guest, why: str) -> None:
        self._selector.unregister(guest)
        guest.channel.close()
        if guest.shard == STRANGER:
            self._strangers.remove(guest)
        else:
            del self._shards[guest.shard]
            raise CalledOffError(f"shard {guest.shard} was lost before the start: {why}")

    def _send_away(self, off: CalledOffError) -> None:
        for guest in self._shards.values():
            with contextlib.suppress(PeerGoneError, BadMessageError):
                guest.tell(Ended(str(off)))
            guest.channel.close()
