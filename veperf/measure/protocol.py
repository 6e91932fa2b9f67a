"""What the measuring process and a worker say to each other: JSON lines over two pipes.

The parent asks, the worker answers, one line each, one at a time. Every answer repeats the number
of its request, so that a line from anywhere else can't pass for one. While a load is on, a worker
says how it goes in lines of their own before its answer; SIGINT has it end the load and answer.
"""

import msgspec
from msgspec import Struct

from veperf.core.case import Case, Params
from veperf.core.errors import WorkerProtocolError
from veperf.core.load import LoadPlan, LoadSoFar
from veperf.core.run import CaseResult, Failure, Sample

MAX_LINE_BYTES = 1 << 20

# History of the protocol, for workers that are of another version than what they measure for:
#   0  the first
#   1  survey; this number in Ready
PROTOCOL = 1


class Begin(Struct, frozen=True, tag="begin"):
    """Import ``modules`` and measure the yardstick; answered by ``Ready``."""

    modules: tuple[str, ...]


class Survey(Struct, frozen=True, tag="survey"):
    """Import those of ``modules`` that exist and find what ``patterns`` mean.

    Answered by ``Surveyed``. Cases of load and slow ones are left out unless they are named.
    """

    modules: tuple[str, ...]
    patterns: tuple[str, ...]


class Open(Struct, frozen=True, tag="open"):
    """Set a case up, and calibrate it unless ``loops`` is known; answered by ``Opened``."""

    benchmark: str
    params: Params
    min_sample_ns: int
    loops: int | None


class Take(Struct, frozen=True, tag="take"):
    """Take one sample of the open case; answered by ``Taken``."""


class Divide(Struct, frozen=True, tag="divide"):
    """Measure the stages of the open case apart; answered by ``Divided``."""


class Weigh(Struct, frozen=True, tag="weigh"):
    """Measure the memory of the open case; answered by ``Weighed``."""


class Close(Struct, frozen=True, tag="close"):
    """Let go of the open case; answered by ``Closed``."""


class Drive(Struct, frozen=True, tag="drive"):
    """Set a load case up, put its load on it and let go of it again; answered by ``Driven``."""

    case: str
    benchmark: str
    params: Params
    plan: LoadPlan
    seed: int


class Join(Struct, frozen=True, tag="join"):
    """Set a load case up, and put one shard's share of its load on a target in another process.

    Answered by ``Standing`` and then ``Joined``.
    """

    benchmark: str
    params: Params
    plan: LoadPlan
    """Says how many shards there are."""
    seed: int
    """Of the whole schedule."""
    shard: int
    """From 0."""
    address: str
    """Of the target."""
    token: str
    """What the target knows shards by."""
    timeout_s: float
    """For the target to be found."""


class Ready(Struct, frozen=True, tag="ready"):
    """The worker has imported everything."""

    yardstick_ns: float
    protocol: int = 0


class Surveyed(Struct, frozen=True, tag="surveyed"):
    """What there is on this side."""

    cases: tuple[Case, ...]
    modules: tuple[str, ...]
    """Those that the cases come from."""
    unknown: dict[str, str]
    """Patterns that match nothing, each with why."""


class Opened(Struct, frozen=True, tag="opened"):
    """The case is set up."""

    loops: int
    operations: int
    in_stages: bool
    """Whether the case names its stages."""


class Taken(Struct, frozen=True, tag="taken"):
    """One sample."""

    sample: Sample


class Divided(Struct, frozen=True, tag="divided"):
    """What each stage takes."""

    figures: dict[str, float]


class Weighed(Struct, frozen=True, tag="weighed"):
    """What an operation allocates, as ``model.MEMORY_METRICS`` name it."""

    figures: dict[str, float]


class Closed(Struct, frozen=True, tag="closed"):
    """Nothing is open any more."""


class Ticked(Struct, frozen=True, tag="ticked"):
    """No answer yet, but the load goes on."""

    so_far: LoadSoFar


class Driven(Struct, frozen=True, tag="driven"):
    """What the load run learnt."""

    result: CaseResult


class Standing(Struct, frozen=True, tag="standing"):
    """No answer yet, but the shard is set up and waits for the others."""


class Joined(Struct, frozen=True, tag="joined"):
    """What the shard found."""

    report: msgspec.Raw
    """A ``ShardReport``, whose type takes long to import."""


class Failed(Struct, frozen=True, tag="failed"):
    """The request raised in the worker; nothing is open any more."""

    failure: Failure


Request = Begin | Survey | Open | Take | Divide | Weigh | Close | Drive | Join
Reply = (
    Ready
    | Surveyed
    | Opened
    | Taken
    | Divided
    | Weighed
    | Closed
    | Ticked
    | Driven
    | Standing
    | Joined
    | Failed
)


class NumberedRequest(Struct, frozen=True):
    """A request as it travels."""

    number: int
    body: Request


class NumberedReply(Struct, frozen=True):
    """An answer as it travels."""

    number: int
    body: Reply


_encoder = msgspec.json.Encoder()
_request_decoder = msgspec.json.Decoder(NumberedRequest)
_reply_decoder = msgspec.json.Decoder(NumberedReply)


def encode(message: NumberedRequest | NumberedReply) -> bytes:
    """One line, newline included."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> NumberedRequest:
    """The request in ``line``."""
    return _request_decoder.decode(line)


def decode_reply(line: bytes, number: int) -> Reply:
    """The answer to request ``number`` in ``line``.

    Raises:
        WorkerProtocolError: it is not that.
    """
    try:
        reply = _reply_decoder.decode(line)
    except msgspec.DecodeError as error:
        raise WorkerProtocolError(
            f"the worker sent something that is no answer: {line[:80]!r} ({error})"
        ) from error
    if reply.number != number:
        raise WorkerProtocolError(f"the worker answered request {reply.number}, not {number}")
    return reply.body
