"""What those who take part in a load are asked, and what is heard of them. All of it travels."""

from msgspec import Struct

from veperf.core.case import Params
from veperf.core.load import LoadPlan, LoadSoFar
from veperf.core.run import Failure
from veperf.loadtest.sharded.shard_report import ShardReport


class Load(Struct, frozen=True):
    """One load, as its target and all its shards have to know it."""

    benchmark: str
    params: Params
    modules: tuple[str, ...]
    """That are to be imported first."""
    plan: LoadPlan
    seed: int
    """Of the one schedule that the shards divide among themselves."""
    timeout_s: float
    """For a process, between two signs of life."""
    token: str
    """Who has it may take part."""


class Order(Struct, frozen=True):
    """What one process is to do."""

    load: Load
    address: str
    """Of the target: where it is to listen, or where it does."""
    shard: int | None = None
    """From 0; None for the target."""


class Begun(Struct, frozen=True, tag="begun"):
    """It runs."""

    host: str


class Serving(Struct, frozen=True, tag="serving"):
    """The target listens."""

    address: str


class Waiting(Struct, frozen=True, tag="waiting"):
    """The shard is set up, and waits for the others."""


class Going(Struct, frozen=True, tag="going"):
    """How the shard's load goes."""

    so_far: LoadSoFar


class Ended(Struct, frozen=True, tag="ended"):
    """The last that is heard of a shard: what it found."""

    report: ShardReport


class Served(Struct, frozen=True, tag="served"):
    """The last that is heard of a target."""


class Gone(Struct, frozen=True, tag="gone"):
    """The last that is heard of one that came to no good end."""

    failure: Failure


Heard = Begun | Serving | Waiting | Going | Ended | Served | Gone
