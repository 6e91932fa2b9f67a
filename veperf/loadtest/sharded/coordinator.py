"""One load from its target's start to the result of all shards together."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from msgspec.structs import replace

from veperf.core.load import Shard
from veperf.core.run import CaseResult, Failure
from veperf.loadtest.case import case_result
from veperf.loadtest.generator import Watch
from veperf.loadtest.merge import merge
from veperf.loadtest.remote.host_conditions import Surroundings
from veperf.loadtest.sharded.handles import Hand, Place
from veperf.loadtest.sharded.messages import (
    Begun,
    Ended,
    Going,
    Gone,
    Heard,
    Load,
    Order,
    Served,
    Serving,
)
from veperf.loadtest.sharded.progress import Watched
from veperf.loadtest.sharded.shard_report import ShardReport, shard_of

TARGET = -1
"""Its number among those that take part; shards count from 0."""
_TURN_S = 0.5
_NAMED = 3
# So long those who are left may take to come to their own end, once there is no use in going on.
_GRACE_S = 5.0

Who = int


def put_load(
    case: str, load: Load, place: Place, watch: Watch, *, target: str = ""
) -> tuple[CaseResult, Surroundings | None]:
    """Have ``load`` put on a target by its shards, and end them all, whatever happens.

    Args:
        case: whose result it is.
        load: what, and by how many shards.
        place: where processes are started.
        watch: is told about once a second how it goes, and says whether to go on.
        target: the address of one that runs already; one is started where there is none.

    Returns:
        What was found; and what the target's host was like, where it came to say so. A shard that
        is lost, late or behind makes the result invalid, not empty: the others' figures are kept
        for the eye.
    """
    conduct = _Conduct(load, place, Watched(watch, load.plan.shards))
    try:
        conduct.run(target)
    finally:
        conduct.drop()
    return conduct.result(case), conduct.surroundings


@dataclass(slots=True)
class _Conduct:
    """Who takes part, and what was heard of them so far."""

    load: Load
    place: Place
    watched: Watched
    surroundings: Surroundings | None = None
    _mail: SimpleQueue[tuple[Who, Heard]] = field(default_factory=SimpleQueue)
    _hands: dict[Who, Hand] = field(default_factory=dict)
    _hosts: dict[Who, str] = field(default_factory=dict)
    _reports: dict[Who, ShardReport] = field(default_factory=dict)
    _gone: dict[Who, Failure] = field(default_factory=dict)
    _address: str = ""
    _has_started: bool = False
    _is_stopped: bool = False
    _give_up: float = float("inf")
    """When to wait no more (``time.monotonic``)."""

    def run(self, target: str) -> None:
        """Until there is nothing more to be heard."""
        self._address = target
        if not target:
            self._begin(TARGET, self.place.listen)
            self._listen(lambda: not self._address)
        if self._address:
            for shard in range(self.load.plan.shards):
                self._begin(shard, self._address)
            self._listen(lambda: bool(self._hands.keys() - {TARGET}))
        self._give_up = min(self._give_up, time.monotonic() + _GRACE_S)
        self._listen(lambda: TARGET in self._hands)

    def drop(self) -> None:
        """End what is still there."""
        for hand in self._hands.values():
            hand.drop()

    def result(self, case: str) -> CaseResult:
        """Of the shards that came to their end, with what is known of the others."""
        if not self._reports:
            return CaseResult(case, failure=self._cause())
        shards = [self._shard(number) for number in range(self.load.plan.shards)]
        found = [report.result for report in self._reports.values()]
        whole = merge(found, fault=self._fault(shards))
        return replace(case_result(case, whole), shards=tuple(shards))

    def _begin(self, who: Who, address: str) -> None:
        order = Order(self.load, address, None if who == TARGET else who)
        self._hands[who] = self.place.start(order, partial(self._hear, who))

    def _hear(self, who: Who, heard: Heard) -> None:
        self._mail.put((who, heard))

    def _listen(self, wanted: Callable[[], bool]) -> None:
        """Take in what is heard for as long as it is ``wanted``, and makes sense."""
        while wanted() and self._hands and time.monotonic() < self._give_up:
            with suppress(Empty):
                self._take(*self._mail.get(timeout=_TURN_S))
            self._look_after()
            if not self.watched.look() and not self._is_stopped:
                self._is_stopped = True
                for hand in self._hands.values():
                    hand.stop()

    def _look_after(self) -> None:
        """Give up those of whom nothing will be heard any more."""
        for who, hand in list(self._hands.items()):
            if why := hand.lost():
                hand.drop()
                self._take(who, Gone(Failure("crashed", why)))

    def _take(self, who: Who, heard: Heard) -> None:
        if who not in self._hands:
            return  # it is past its end: what is still on its way is of no use
        match heard:
            case Begun():
                self._hosts[who] = heard.host
            case Serving():
                self._address = heard.address
            case Going():
                self._has_started = True
                self.watched.going(who, heard.so_far)
            case Ended():
                self._reports[who] = heard.report
                self.surroundings = self.surroundings or heard.report.surroundings
                self._leave(who)
            case Served():
                self._leave(who)
            case Gone():
                self._gone[who] = heard.failure
                self._leave(who)
                if who == TARGET or not self._has_started:
                    self._give_up = min(self._give_up, time.monotonic() + _GRACE_S)

    def _leave(self, who: Who) -> None:
        del self._hands[who]
        self.watched.left(who)

    def _shard(self, number: int) -> Shard:
        if number in self._reports:
            return shard_of(self._reports[number])
        failure = self._gone.get(number)
        why = failure.message if failure else "it was ended, for it did not end by itself"
        return Shard(number + 1, self._hosts.get(number, "?"), invalid=f"it was lost: {why}")

    def _fault(self, shards: Sequence[Shard]) -> str:
        """What is wrong with the target, and with the first few of the shards."""
        count = self.load.plan.shards
        target = self._gone.get(TARGET)
        faults = [f"the target: {target.message}"] if target else []
        invalid = [shard for shard in shards if shard.invalid]
        faults += [
            f"shard {shard.number} of {count} on {shard.host}: {shard.invalid}"
            for shard in invalid[:_NAMED]
        ]
        if len(invalid) > _NAMED:
            faults.append(f"{len(invalid) - _NAMED} more shards are invalid, too")
        return "; ".join(faults)

    def _cause(self) -> Failure:
        """Why there is no result: the target's end if it came to a bad one, or else the first."""
        if not self._gone:
            return Failure("timeout", "neither the target nor a shard came to its end")
        who = TARGET if TARGET in self._gone else next(iter(self._gone))
        words = "the target" if who == TARGET else f"shard {who + 1} of {self.load.plan.shards}"
        where = f" on {self._hosts[who]}" if who in self._hosts else ""
        found = self._gone[who]
        return replace(found, message=f"{words}{where}: {found.message}")
