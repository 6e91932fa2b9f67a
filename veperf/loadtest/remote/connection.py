"""A shard's part in a load: joins it, waits for its start, and ends it."""

import os
import time
from collections.abc import Callable, Mapping

from veperf.core.errors import MeasureError
from veperf.ipc.channel import Channel
from veperf.loadtest.remote.address import Address, dial
from veperf.loadtest.remote.auth import NONCE_BYTES, SHARD, TARGET, is_proved, prove
from veperf.loadtest.remote.clock_offset import ClockOffset, Reading, offset_of
from veperf.loadtest.remote.host_conditions import Surroundings
from veperf.loadtest.remote.messages import (
    PROTOCOL,
    Done,
    Greeting,
    Hello,
    Over,
    Ping,
    Pong,
    Ready,
    Start,
    Welcome,
    from_target,
)
from veperf.loadtest.remote.shard_channel import Line

NsClock = Callable[[], int]
SET_UP_S = 60.0
_RENDEZVOUS_S = 300.0
"""More than the target's own patience: it is the one to say why."""
_OTHERS_S = 40.0
"""More than the target waits for a shard that says nothing."""
_ANSWER_S = 10.0
_READINGS = 50
_BETWEEN_READINGS_S = 0.001
"""So that what disturbs one does not disturb all."""


def connect(
    address: Address,
    shard: int,
    shards: int,
    *,
    subject: str,
    token: str,
    timeout_s: float = SET_UP_S,
    clock: NsClock = time.perf_counter_ns,
    wall: NsClock = time.time_ns,
) -> "Connection":
    """Join the load on the target at ``address`` as ``shard`` (0, 1 ...) of ``shards``.

    The clocks are compared here.

    Args:
        address: where the target listens.
        shard: which one this is.
        shards: how many there are.
        subject: what to put a load on, as ``subject_of`` gives it.
        token: of the load.
        timeout_s: how long to wait for the target, which may still be setting up.
        clock: the shard's own, which ``run_load`` has to use, too.
        wall: tells the time of day.

    Raises:
        MeasureError: there is no such target, it has no place for this shard, or it is another's.
    """
    line, greeting = call(address, timeout_s)
    try:
        welcome = _introduce(line, greeting, subject, shard, shards, token)
        return Connection(line, welcome.window, clock, wall)
    except BaseException:
        line.close()
        raise


def call(address: Address, timeout_s: float) -> tuple[Line, Greeting]:
    """A line to the target at ``address``, and the first that it says.

    Raises:
        MeasureError: there is no target, or it is of another version.
    """
    try:
        peer = dial(address, timeout_s)
    except OSError as error:
        raise MeasureError(
            f"no target at {address} ({error.strerror or error}); does it run, and on that address?"
        ) from error
    line = Line(Channel(peer, from_target), str(address))
    try:
        greeting = line.wait_for(Greeting, timeout_s)
        if greeting is None:
            raise MeasureError(
                f"the target at {address} did not answer within {timeout_s:g} s; it may have "
                "another load on, or take longer to set up"
            )
        if greeting.protocol != PROTOCOL:
            raise MeasureError(
                f"the target speaks version {greeting.protocol} of the protocol, this veperf "
                f"{PROTOCOL}; use the same veperf on all hosts"
            )
    except BaseException:
        line.close()
        raise
    return line, greeting


def _introduce(
    line: Line, greeting: Greeting, subject: str, shard: int, shards: int, token: str
) -> Welcome:
    nonce = os.urandom(NONCE_BYTES)
    proof = prove(token, SHARD, greeting.nonce)
    line.send(Hello(subject, shard, shards, nonce, proof))
    welcome = line.wait_for(Welcome, _ANSWER_S)
    if welcome is None:
        raise MeasureError(f"the target did not answer shard {shard} within {_ANSWER_S:g} s")
    if not is_proved(token, TARGET, nonce, welcome.proof):
        raise MeasureError("who listens there is no target of this load: it has another token")
    line.trust()
    return welcome


class Connection:
    """One shard's part in a load."""

    def __init__(self, line: Line, window: int, clock: NsClock, wall: NsClock) -> None:
        """Compare the clocks.

        Raises:
            MeasureError: the target is gone, or has ended the load.
        """
        self.line = line
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
        """Shards that went away before they were done, as the target says at ``finish``."""
        self.surroundings: Surroundings | None = None
        """Of the target, as it says then."""

    def wait_for_start(self) -> int:
        """Say that all is ready, and wait for the others: when to start, by the shard's clock.

        It may be past already where the link is very slow; ``run_load`` is late then.

        Raises:
            MeasureError: the load is called off: a shard is gone, or did not come in time.
        """
        self.line.send(Ready())
        start = self.line.wait_for(Start, _RENDEZVOUS_S)
        if start is None:
            raise MeasureError(f"the target did not start the load within {_RENDEZVOUS_S:g} s")
        return start.at_ns - self.clock.offset_ns

    def finish(self) -> Mapping[str, float]:
        """Say that there is no more, wait until all shards are done, and compare the clocks again.

        Returns:
            The target's CPU time in ns by stage for each item; empty where others take too long.

        Raises:
            MeasureError: the target is gone, or has ended the load.
        """
        self.line.send(Done())
        over = self.line.wait_for(Over, _OTHERS_S)
        self.clock_after = self._compare_clocks()
        if over is None:
            return {}
        self.lost = tuple(over.lost)
        self.surroundings = over.surroundings
        return over.costs

    def close(self) -> None:
        """Leave. Safe to call twice."""
        self.line.close()

    def _compare_clocks(self) -> ClockOffset:
        readings = []
        for _ in range(_READINGS):
            time.sleep(_BETWEEN_READINGS_S)
            readings.append(self._read_clocks())
        return offset_of(readings)

    def _read_clocks(self) -> Reading:
        clock, wall = self._clock, self._wall
        asked_wall, asked = wall(), clock()
        self.line.send(Ping())
        pong = self.line.wait_for(Pong, _ANSWER_S)
        answered, answered_wall = clock(), wall()
        if pong is None:
            raise MeasureError(f"the target has said nothing for {_ANSWER_S:g} s")
        return Reading(asked, answered, asked_wall, answered_wall, pong.clock_ns, pong.wall_ns)
