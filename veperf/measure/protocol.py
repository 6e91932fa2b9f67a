"""Worker protocol: JSON lines over two pipes between the measuring process and a worker.

The parent sends one request at a time, one line each, and the worker answers it with one line.
Every answer repeats the number of its request, so that a line from anywhere else can't be mistaken
for one. During a load the worker reports progress in lines of their own before its answer; SIGINT
makes it end the load and answer.

Tags and fields on the wire stay as they are: an A/B comparison runs the workers of other commits.
"""

import msgspec
from msgspec import Struct

from veperf.core.case import Case, Params
from veperf.core.errors import WorkerProtocolError
from veperf.core.load import LoadPlan, LoadSoFar, Trial
from veperf.core.run import CaseResult, Failure, HotLine, Sample

MAX_LINE_BYTES = 1 << 20

# History of the protocol, for workers of another version than the measuring process:
#   0  the first
#   1  survey; this number in WorkerReady
#   2  calibrate; layout_seed in OpenCase; setup_ns in CaseOpened; count_bytecodes
PROTOCOL = 2


class StartWorker(Struct, frozen=True, tag="begin"):
    """Import ``modules``; answered by ``WorkerReady``."""

    modules: tuple[str, ...]


class MeasureCalibration(Struct, frozen=True, tag="calibrate"):
    """Do the calibration run; answered by ``CalibrationMeasured``."""


class DiscoverCases(Struct, frozen=True, tag="survey"):
    """Import those of ``modules`` that exist and find the cases that ``patterns`` select.

    Answered by ``CasesDiscovered``. Load cases and slow ones are left out unless they are named.
    """

    modules: tuple[str, ...]
    patterns: tuple[str, ...]


class OpenCase(Struct, frozen=True, tag="open"):
    """Set a case up, and calibrate it unless ``loops`` is known; answered by ``CaseOpened``."""

    benchmark: str
    params: Params
    min_sample_ns: int
    loops: int | None
    layout_seed: int | None = None
    """Seed of the memory layouts that are drawn before the set-up and before each sample; None for
    the layout that follows from the code."""


class TakeSample(Struct, frozen=True, tag="take"):
    """Take one sample of the open case; answered by ``SampleTaken``."""


class MeasureStages(Struct, frozen=True, tag="divide"):
    """Measure each stage of the open case; answered by ``StagesMeasured``."""


class SampleLines(Struct, frozen=True, tag="sample_lines"):
    """Sample the lines of the open case for ``seconds`` of CPU time; answered by ``LinesSampled``.

    Of this version's own workers only.
    """

    seconds: float


class MeasureMemory(Struct, frozen=True, tag="weigh"):
    """Measure the memory of the open case; answered by ``MemoryMeasured``."""


class CountBytecodes(Struct, frozen=True, tag="count_bytecodes"):
    """Count the bytecodes in ``calls`` of the open case; answered by ``BytecodesCounted``."""

    calls: int
    most: int
    """Number of bytecodes at which to give up."""


class CloseCase(Struct, frozen=True, tag="close"):
    """Close the open case; answered by ``CaseClosed``."""


class RunLoad(Struct, frozen=True, tag="drive"):
    """Set a load case up, run its load and close it; answered by ``LoadFinished``."""

    case: str
    benchmark: str
    params: Params
    plan: LoadPlan
    seed: int
    trials: tuple[Trial, ...] = ()
    """Trials of a search in earlier processes, which this one goes on from."""


class RunShard(Struct, frozen=True, tag="join"):
    """Set a load case up, and run one shard of its load on a remote system.

    Answered by ``ShardPrepared`` and then ``ShardFinished``.
    """

    benchmark: str
    params: Params
    plan: LoadPlan
    """Load plan, with the number of shards."""
    seed: int
    """Seed of the whole schedule."""
    shard: int
    """Index of the shard, from 0."""
    address: str
    """Address of the remote system."""
    token: str
    """Shared secret by which the remote system accepts shards."""
    timeout_s: float
    """Time limit for reaching the remote system."""


class WorkerReady(Struct, frozen=True, tag="ready"):
    """The worker has imported everything."""

    protocol: int = 0


class CalibrationMeasured(Struct, frozen=True, tag="calibrated"):
    """Time of the calibration run."""

    calibration_ns: float


class CasesDiscovered(Struct, frozen=True, tag="surveyed"):
    """Cases that this worker's code has."""

    cases: tuple[Case, ...]
    modules: tuple[str, ...]
    """Modules that the cases come from."""
    unknown: dict[str, str]
    """Patterns that match nothing, each with the reason."""
    missing: tuple[str, ...] | None = None
    """Modules that this side does not have; None from earlier workers, which don't tell."""


class CaseOpened(Struct, frozen=True, tag="opened"):
    """The case is set up."""

    loops: int
    operations: int
    in_stages: bool
    """True where the case names its stages."""
    setup_ns: int | None = None
    """Wall time of the set-up; None from workers before protocol 2."""
    warmup: Sample | None = None
    """The sample that ended the calibration, as long as those to come; None where ``loops`` was
    known, and from earlier workers."""


class SampleTaken(Struct, frozen=True, tag="taken"):
    """Result of one sample."""

    sample: Sample


class StagesMeasured(Struct, frozen=True, tag="divided"):
    """Time of each stage."""

    figures: dict[str, float]


class LinesSampled(Struct, frozen=True, tag="lines_sampled"):
    """The line that has most samples; None where none is known."""

    line: HotLine | None


class MemoryMeasured(Struct, frozen=True, tag="weighed"):
    """Allocations of one operation, by the names of ``core.case.MEMORY_METRICS``."""

    figures: dict[str, float]


class BytecodesCounted(Struct, frozen=True, tag="bytecodes_counted"):
    """Bytecodes in all the calls together; None if there are too many."""

    bytecodes: int | None


class CaseClosed(Struct, frozen=True, tag="closed"):
    """The case is closed."""


class LoadTicked(Struct, frozen=True, tag="ticked"):
    """Progress of a load, before its answer."""

    so_far: LoadSoFar


class LoadFinished(Struct, frozen=True, tag="driven"):
    """Result of a load."""

    result: CaseResult


class ShardPrepared(Struct, frozen=True, tag="standing"):
    """The shard is set up and waits for the others; comes before its answer."""


class ShardFinished(Struct, frozen=True, tag="joined"):
    """Result of a shard."""

    report: msgspec.Raw
    """``ShardReport`` as JSON, as its type takes long to import."""


class RequestFailed(Struct, frozen=True, tag="failed"):
    """The request raised in the worker; no case is open any more."""

    failure: Failure


Request = (
    StartWorker
    | MeasureCalibration
    | DiscoverCases
    | OpenCase
    | TakeSample
    | MeasureStages
    | SampleLines
    | MeasureMemory
    | CountBytecodes
    | CloseCase
    | RunLoad
    | RunShard
)
Reply = (
    WorkerReady
    | CalibrationMeasured
    | CasesDiscovered
    | CaseOpened
    | SampleTaken
    | StagesMeasured
    | LinesSampled
    | MemoryMeasured
    | BytecodesCounted
    | CaseClosed
    | LoadTicked
    | LoadFinished
    | ShardPrepared
    | ShardFinished
    | RequestFailed
)


class NumberedRequest(Struct, frozen=True):
    """Request as sent on the wire."""

    number: int
    body: Request


class NumberedReply(Struct, frozen=True):
    """Answer as sent on the wire."""

    number: int
    body: Reply


_encoder = msgspec.json.Encoder()
_request_decoder = msgspec.json.Decoder(NumberedRequest)
_reply_decoder = msgspec.json.Decoder(NumberedReply)


def encode_line(message: NumberedRequest | NumberedReply) -> bytes:
    """Encode ``message`` as one line, newline included."""
    return _encoder.encode(message) + b"\n"


def decode_request_line(line: bytes) -> NumberedRequest:
    """Decode the request in ``line``."""
    return _request_decoder.decode(line)


def decode_reply(line: bytes, number: int) -> Reply:
    """Decode the answer to request ``number`` in ``line``.

    Raises:
        WorkerProtocolError: it is not that.
    """
    try:
        reply = _reply_decoder.decode(line)
    except msgspec.DecodeError as error:
        raise WorkerProtocolError(
            f"the worker sent an answer that can't be read: {line[:80]!r} ({error})"
        ) from error
    if reply.number != number:
        raise WorkerProtocolError(f"the worker answered request {reply.number}, not {number}")
    return reply.body
