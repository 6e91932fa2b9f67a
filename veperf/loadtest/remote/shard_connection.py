"""A shard's side of a load: join it, wait for its start, finish it; and probe a target."""

import contextlib
import os
import select
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

from veperf.core.errors import MeasureError
from veperf.core.run import Machine
from veperf.ipc.channel import BadMessageError, Channel, PeerGoneError
from veperf.loadtest.remote.auth import (
    NONCE_BYTES,
    PROBE,
    SHARD,
    TARGET,
    is_valid_proof,
    make_proof,
)
from veperf.loadtest.remote.clock_offset import ClockOffset, ClockReading, estimate_offset
from veperf.loadtest.remote.messages import (
    PROTOCOL,
    Aborted,
    AllShardsDone,
    FromShard,
    FromTarget,
    Greeting,
    Hello,
    HostConditions,
    MachineInfo,
    Ping,
    Pong,
    ProbeRequest,
    Ready,
    ShardDone,
    Start,
    Welcome,
    from_target,
    make_channel,
)
from veperf.loadtest.remote.target_socket import Address, open_connection

NsClock = Callable[[], int]
SET_UP_S = 60.0
# Longer than the target's own timeout, so that it is the one to say why.
_RENDEZVOUS_S = 300.0
# Longer than the target waits for a shard that says nothing.
_OTHERS_S = 40.0
_ANSWER_S = 10.0
# Before a connection that the target closed is opened again.
_AGAIN_S = 0.1
_READINGS = 50
# So that a disturbance does not spoil all readings.
_BETWEEN_READINGS_S = 0.001
_UNSENT_MS = 1
_OTHER_TOKEN = (
    "the process at that address has another token, so it is not this load's target; "
    "give this side the token that the target prints"
)

_Message = TypeVar("_Message", bound=FromTarget)


class ShardChannel:
    """A shard's end of the connection to its target; its errors are ``MeasureError``."""

    def __init__(self, channel: Channel[FromTarget], target: str) -> None:
        """Wrap ``channel``; ``target`` is its address, for errors."""
        self._channel = channel
        self._target = target
        self._received: deque[FromTarget] = deque()
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)

    def accept_long_messages(self) -> None:
        """Accept messages of full length from now on."""
        self._channel.accept_long_messages()

    def send(self, message: FromShard) -> None:
        """Send ``message``, or as much of it as the socket takes now.

        Raises:
            MeasureError: the target is gone, or has aborted the load.
        """
        try:
            self._channel.send(message)
        except PeerGoneError as error:
            self._fail(error)

    def receive(self, wait_ms: int) -> list[FromTarget]:
        """Return the messages that arrived; wait up to ``wait_ms`` for one where there is none.

        Raises:
            MeasureError: the target is gone, or has aborted the load.
        """
        try:
            if self._channel.unsent_bytes:
                self._channel.flush()
                wait_ms = min(wait_ms, _UNSENT_MS)
            messages = self._channel.receive() if self._poll.poll(wait_ms) else []
        except (PeerGoneError, BadMessageError) as error:
            self._fail(error)
        for message in messages:
            if isinstance(message, Aborted):
                raise MeasureError(message.reason)
        return messages

    def wait_for(self, kind: type[_Message], timeout_s: float) -> _Message | None:
        """Return the next message of ``kind``, skipping others; None where it does not come.

        Raises:
            MeasureError: the target is gone, or has aborted the load.
        """
        until = time.monotonic() + timeout_s
        while True:
            while self._received:
                message = self._received.popleft()
                if isinstance(message, kind):
                    return message
            left_s = until - time.monotonic()
            if left_s <= 0:
                return None
            self._received += self.receive(round(left_s * 1000) + 1)

    def close(self) -> None:
        """Close the connection. Safe to call twice."""
        self._channel.close()

    def _fail(self, error: PeerGoneError | BadMessageError) -> NoReturn:
        """Raise the reason that the target sent last, where there is one, or else ``error``."""
        with contextlib.suppress(PeerGoneError, BadMessageError):
            while self._poll.poll(0):
                for message in self._channel.receive():
                    if isinstance(message, Aborted):
                        raise MeasureError(message.reason) from error
        fault = "sent an invalid message" if isinstance(error, BadMessageError) else "is gone"
        raise MeasureError(f"the target at {self._target} {fault}: {error}") from error


class ShardConnection:
    """A shard's membership in a load."""

    def __init__(self, channel: ShardChannel, window: int, clock: NsClock, wall: NsClock) -> None:
        """Compare the clocks.

        Raises:
            MeasureError: the target is gone, or has aborted the load.
        """
        self.channel = channel
        """To the target."""
        self._clock = clock
        self._wall = wall
        self.window = window
        """Items that may be on their way at once."""
        self.clock: ClockOffset = self._compare_clocks()
        """Before the load."""
        self.clock_after: ClockOffset | None = None
        """After it; None before ``finish``."""
        self.lost: tuple[int, ...] = ()
        """Shards that left before they were done, as the target reports at ``finish``."""
        self.host_conditions: HostConditions | None = None
        """Of the target, as it reports then."""

    def wait_for_start(self) -> int:
        """Report ready, wait for the others; return when to start, by the shard's clock.

        It may be past already where the link is very slow; ``run_open_loop`` is late then.

        Raises:
            MeasureError: the load is called off: a shard is gone, or did not come in time.
        """
        self.channel.send(Ready())
        start = self.channel.wait_for(Start, _RENDEZVOUS_S)
        if start is None:
            raise MeasureError(f"the target did not start the load within {_RENDEZVOUS_S:g} s")
        return start.at_ns - self.clock.offset_ns

    def finish(self) -> Mapping[str, float]:
        """Report the end of the items, wait until all shards are done, compare the clocks again.

        Returns:
            The target's CPU time in ns by stage for each item; empty where others take too long.

        Raises:
            MeasureError: the target is gone, or has aborted the load.
        """
        self.channel.send(ShardDone())
        summary = self.channel.wait_for(AllShardsDone, _OTHERS_S)
        self.clock_after = self._compare_clocks()
        if summary is None:
            return {}
        self.lost = tuple(summary.lost)
        self.host_conditions = summary.host_conditions
        return summary.costs

    def close(self) -> None:
        """Leave the load. Safe to call twice."""
        self.channel.close()

    def _compare_clocks(self) -> ClockOffset:
        readings = []
        for _ in range(_READINGS):
            time.sleep(_BETWEEN_READINGS_S)
            readings.append(self._read_clocks())
        return estimate_offset(readings)

    def _read_clocks(self) -> ClockReading:
        clock, wall = self._clock, self._wall
        sent_wall, sent = wall(), clock()
        self.channel.send(Ping())
        pong = self.channel.wait_for(Pong, _ANSWER_S)
        received, received_wall = clock(), wall()
        if pong is None:
            raise MeasureError(f"the target has not answered for {_ANSWER_S:g} s")
        return ClockReading(sent, received, sent_wall, received_wall, pong.clock_ns, pong.wall_ns)


def join_load(
    address: Address,
    shard: int,
    shards: int,
    *,
    subject: str,
    token: str,
    timeout_s: float = SET_UP_S,
    clock: NsClock = time.perf_counter_ns,
    wall: NsClock = time.time_ns,
) -> ShardConnection:
    """Join the load on the target at ``address`` as ``shard`` (0, 1 ...) of ``shards``.

    The clocks are compared at this point.

    Args:
        address: where the target listens.
        shard: this shard's number, from 0.
        shards: the number of shards.
        subject: what to put a load on, as ``load_subject`` returns it.
        token: of the load.
        timeout_s: how long to wait for the target, which may still be setting up.
        clock: the shard's own, which ``run_open_loop`` has to use, too.
        wall: the shard's wall clock.

    Raises:
        MeasureError: there is no such target, it has no place for this shard, or it has another
            token.
    """
    channel, greeting = open_channel(address, timeout_s)
    try:
        nonce = os.urandom(NONCE_BYTES)
        proof = make_proof(token, SHARD, greeting.nonce)
        channel.send(Hello(subject, shard, shards, nonce, proof))
        welcome = channel.wait_for(Welcome, _ANSWER_S)
        if welcome is None:
            raise MeasureError(f"the target did not answer shard {shard} within {_ANSWER_S:g} s")
        if not is_valid_proof(token, TARGET, nonce, welcome.proof):
            raise MeasureError(_OTHER_TOKEN)
        channel.accept_long_messages()
        return ShardConnection(channel, welcome.window, clock, wall)
    except BaseException:
        channel.close()
        raise


def probe_machine(address: Address, token: str, timeout_s: float = SET_UP_S) -> Machine:
    """Return the machine of the target at ``address``, without taking part in a load.

    Args:
        address: where the target listens.
        token: of its loads.
        timeout_s: how long to wait for it; it may be setting up, or serving a load.

    Raises:
        MeasureError: there is no such target, it has another token, or it sends no valid machine.
    """
    channel, greeting = open_channel(address, timeout_s)
    with contextlib.closing(channel):
        nonce = os.urandom(NONCE_BYTES)
        channel.send(ProbeRequest(nonce, make_proof(token, PROBE, greeting.nonce)))
        info = channel.wait_for(MachineInfo, _ANSWER_S)
    if info is None:
        raise MeasureError(f"the target at {address} did not answer within {_ANSWER_S:g} s")
    if not is_valid_proof(token, TARGET, nonce, info.proof):
        raise MeasureError(_OTHER_TOKEN)
    if not _is_printable(info.machine):
        raise MeasureError(f"the target at {address} sent an invalid description of its machine")
    return info.machine


def open_channel(address: Address, timeout_s: float) -> tuple[ShardChannel, Greeting]:
    """Open a channel to the target at ``address``; return it with the target's greeting.

    A target that is being made, or serves another load, closes connections after a while: this one
    is opened again until ``timeout_s`` have passed.

    Raises:
        MeasureError: there is no target, or it is of another version.
    """
    until = time.monotonic() + timeout_s
    while True:
        left_s = max(until - time.monotonic(), 0.0)
        channel = _open_channel(address, max(left_s, _AGAIN_S))
        try:
            greeting = channel.wait_for(Greeting, left_s)
            if greeting is None:
                raise MeasureError(
                    f"the target at {address} did not answer within {timeout_s:g} s; it may be "
                    "serving another load, or take longer to set up"
                )
            if greeting.protocol != PROTOCOL:
                raise MeasureError(
                    f"the target speaks version {greeting.protocol} of the protocol, this veperf "
                    f"{PROTOCOL}; use the same veperf on all hosts"
                )
        except BaseException as error:
            channel.close()
            if not isinstance(error.__cause__, PeerGoneError) or time.monotonic() >= until:
                raise
            time.sleep(_AGAIN_S)
        else:
            return channel, greeting


def _open_channel(address: Address, timeout_s: float) -> ShardChannel:
    try:
        peer = open_connection(address, timeout_s)
    except OSError as error:
        raise MeasureError(
            f"no target at {address} ({error.strerror or error}); does it run, and on that address?"
        ) from error
    return ShardChannel(make_channel(peer, from_target), str(address))


def _is_printable(machine: Machine) -> bool:
    """Return True if the machine, which another host describes, can be displayed and compared."""
    texts = (machine.name, machine.cpu_model, machine.system, machine.python)
    versions = (text for pair in machine.versions.items() for text in pair)
    return bool(machine.name) and all(text.isprintable() for text in (*texts, *versions))
