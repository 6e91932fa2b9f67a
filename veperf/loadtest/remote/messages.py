"""What a target and the shards of a load say to each other: msgpack in frames, strictly typed.

::

    target                                   shard
    Greeting    nonce                 ->
                                      <-     Hello     which shard, proof that it has the token
    Welcome     how much it may send  ->
                                      <-     Ping      as often as it likes
    Pong        what its clocks say   ->
                                      <-     Ready     its first items are made
    Start       once all are ready    ->
                                      <-     Items
    Results     what is finished      ->
                                      <-     Done      it has no more items
    Over        once all are done     ->
                                      <-     Ping      the clocks once more; and it closes

    target                                   visitor
    Greeting    nonce                 ->
                                      <-     Visit     proof that it has the token
    Card        what machine it is on ->

``Ended`` may come instead of anything, with the reason, and is the last. Nothing that arrives is
ever executed or imported: numbers, bytes and short text are all there is.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from veperf.core.run import Machine
from veperf.loadtest.remote.host_conditions import Surroundings

# History, for a target and shards that are of different versions:
#   1  the first
PROTOCOL = 1

MAX_SHARDS = 1_024
FIRST_FRAME_BYTES = 4_096
"""Of what somebody says before it is known who that is."""
FRAME_BYTES = 8 << 20
ITEM_BYTES = 4 << 20

Number = Annotated[int, Meta(ge=0, lt=2**53)]
Nonce = Annotated[bytes, Meta(min_length=16, max_length=16)]
Proof = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Greeting(Struct, frozen=True, array_like=True, tag="greeting"):
    """The first message of every connection, in every version of the protocol."""

    protocol: int
    nonce: Nonce


class Hello(Struct, frozen=True, array_like=True, tag="hello"):
    """Who connects."""

    subject: Annotated[str, Meta(max_length=300)]
    """What it means to put a load on."""
    shard: Annotated[int, Meta(ge=0, lt=MAX_SHARDS)]
    shards: Annotated[int, Meta(ge=1, le=MAX_SHARDS)]
    nonce: Nonce
    proof: Proof
    """That it has the token, for the target's nonce."""


class Visit(Struct, frozen=True, array_like=True, tag="visit"):
    """Of somebody who takes no part in a load."""

    nonce: Nonce
    proof: Proof
    """That it has the token, for the target's nonce."""


class Card(Struct, frozen=True, array_like=True, tag="card"):
    """Where the target is; at most ``FIRST_FRAME_BYTES`` long."""

    machine: Machine
    proof: Proof
    """That the target has the token, for the visitor's nonce."""


class Welcome(Struct, frozen=True, array_like=True, tag="welcome"):
    """The shard is one of this load's."""

    window: int
    """Items that it may have on their way at once."""
    proof: Proof
    """That the target has the token, for the shard's nonce."""


class Ended(Struct, frozen=True, array_like=True, tag="ended"):
    """There will be no load, or no more of it, or none with this shard."""

    reason: str


class Ping(Struct, frozen=True, array_like=True, tag="ping"):
    """What time is it?"""


class Pong(Struct, frozen=True, array_like=True, tag="pong"):
    """The target's clocks when it read the ping."""

    clock_ns: int
    """The one that never goes back."""
    wall_ns: int
    """Since 1970."""


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """The shard can start."""


class Start(Struct, frozen=True, array_like=True, tag="start"):
    """All can."""

    at_ns: int
    """The instant at which all do, on the target's clock."""


class Items(Struct, frozen=True, array_like=True, tag="items"):
    """Items in order; their tags go up one by one."""

    first_tag: Number
    """More than any before."""
    items: list[bytes]


class Results(Struct, frozen=True, array_like=True, tag="results"):
    """What got finished, as of ``model.Finished``."""

    committed: list[int]
    failed: dict[int, str]
    rejected: list[int]


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """The shard sends no more, and waits for nothing that is still on its way."""


class Over(Struct, frozen=True, array_like=True, tag="over"):
    """All shards are done."""

    costs: dict[str, float]
    lost: list[int]
    """Shards that went away before they were done."""
    surroundings: Surroundings


FromTarget = Greeting | Card | Welcome | Ended | Pong | Start | Results | Over
FromShard = Visit | Hello | Ping | Ready | Items | Done

encode = msgspec.msgpack.Encoder().encode
from_target = msgspec.msgpack.Decoder(FromTarget).decode
from_shard = msgspec.msgpack.Decoder(FromShard).decode
