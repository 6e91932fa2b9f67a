"""The messages between a target and the shards of a load: msgpack in frames, strictly typed.

::

    target                                   shard
    Greeting       nonce                ->
                                        <-   Hello     which shard, proof that it has the token
    Welcome        its window           ->
                                        <-   Ping      as often as it likes
    Pong           the target's clocks  ->
                                        <-   Ready     its first items are made
    Start          once all are ready   ->
                                        <-   Items
    Results        what is finished     ->
                                        <-   ShardDone it has no more items
    AllShardsDone  once all are done    ->
                                        <-   Ping      the clocks once more; and it closes

    target                                   probe
    Greeting       nonce                ->
                                        <-   ProbeRequest  proof that it has the token
    MachineInfo    the target's machine ->

``Aborted`` may come instead of anything, with the reason, and is the last. Nothing that arrives is
ever executed or imported: messages hold only numbers, bytes and short text.
"""

import socket
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from veperf.core.load import CpuContention
from veperf.core.run import Machine
from veperf.ipc.channel import Channel

# History, for a target and shards that are of different versions:
#   1  the first
#   2  tags probe_request, machine_info, aborted, shard_done and all_shards_done
PROTOCOL = 2

MAX_SHARDS = 1_024
FIRST_FRAME_BYTES = 4_096
"""Limit of a frame before the other side has proved who it is."""
FRAME_BYTES = 8 << 20
ITEM_BYTES = 4 << 20

_Received = TypeVar("_Received")

Number = Annotated[int, Meta(ge=0, lt=2**53)]
Nonce = Annotated[bytes, Meta(min_length=16, max_length=16)]
Proof = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Amount = Annotated[float, Meta(ge=0, le=1e15)]


class HostConditions(Struct, frozen=True):
    """The state of the target's host during a load, as in ``core.run.Pass``."""

    load_before: _Amount
    load_after: _Amount
    frequency_mhz: _Amount | None
    steal_ratio: _Amount | None
    calibration_ns: _Amount
    contention: CpuContention | None = None
    """Of the target's process."""
    boot_id: Annotated[str, Meta(max_length=64)] = ""
    """Id of the host's running kernel."""


class Greeting(Struct, frozen=True, array_like=True, tag="greeting"):
    """The first message of every connection, in every version of the protocol."""

    protocol: int
    nonce: Nonce


class Hello(Struct, frozen=True, array_like=True, tag="hello"):
    """A shard's introduction."""

    subject: Annotated[str, Meta(max_length=300)]
    """Name of what it means to put a load on."""
    shard: Annotated[int, Meta(ge=0, lt=MAX_SHARDS)]
    shards: Annotated[int, Meta(ge=1, le=MAX_SHARDS)]
    nonce: Nonce
    proof: Proof
    """Proof that it has the token, for the target's nonce."""


class ProbeRequest(Struct, frozen=True, array_like=True, tag="probe_request"):
    """A request for the target's machine by someone who takes no part in a load."""

    nonce: Nonce
    proof: Proof
    """Proof that it has the token, for the target's nonce."""


class MachineInfo(Struct, frozen=True, array_like=True, tag="machine_info"):
    """The target's machine; at most ``FIRST_FRAME_BYTES`` long."""

    machine: Machine
    proof: Proof
    """Proof that the target has the token, for the probe's nonce."""


class Welcome(Struct, frozen=True, array_like=True, tag="welcome"):
    """The shard is part of this load."""

    window: int
    """Items that it may have on their way at once."""
    proof: Proof
    """Proof that the target has the token, for the shard's nonce."""


class Aborted(Struct, frozen=True, array_like=True, tag="aborted"):
    """There will be no load, or no more of it, or none with this shard."""

    reason: str


class Ping(Struct, frozen=True, array_like=True, tag="ping"):
    """A request for the target's clocks."""


class Pong(Struct, frozen=True, array_like=True, tag="pong"):
    """The target's clocks when it read the ping."""

    clock_ns: int
    """Of the monotonic clock."""
    wall_ns: int
    """Since 1970."""


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """The shard can start."""


class Start(Struct, frozen=True, array_like=True, tag="start"):
    """All shards can start."""

    at_ns: int
    """The instant at which they do, on the target's clock."""


class Items(Struct, frozen=True, array_like=True, tag="items"):
    """Items in order; their tags go up one by one."""

    first_tag: Number
    """Higher than any before."""
    items: list[bytes]


class Results(Struct, frozen=True, array_like=True, tag="results"):
    """Finished items, as in ``core.load.Finished``."""

    committed: list[int]
    failed: dict[int, str]
    rejected: list[int]


class ShardDone(Struct, frozen=True, array_like=True, tag="shard_done"):
    """The shard sends no more, and waits for nothing that is still on its way."""


class AllShardsDone(Struct, frozen=True, array_like=True, tag="all_shards_done"):
    """The load is over."""

    costs: dict[str, float]
    lost: list[int]
    """Shards that left before they were done."""
    host_conditions: HostConditions


FromTarget = Greeting | MachineInfo | Welcome | Aborted | Pong | Start | Results | AllShardsDone
FromShard = ProbeRequest | Hello | Ping | Ready | Items | ShardDone

encode = msgspec.msgpack.Encoder().encode
from_target = msgspec.msgpack.Decoder(FromTarget).decode
from_shard = msgspec.msgpack.Decoder(FromShard).decode


def make_channel(
    peer: socket.socket, decode: Callable[[memoryview], _Received]
) -> Channel[_Received]:
    """Return a channel over ``peer``, which is non-blocking; ``decode`` is one of the above."""
    return Channel(peer, encode, decode, first_bytes=FIRST_FRAME_BYTES, max_bytes=FRAME_BYTES)
