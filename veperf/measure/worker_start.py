"""A fresh worker, ready to measure; and what it means when one fails."""

import time
from collections.abc import Mapping
from types import MappingProxyType

from veperf.core.case import Case
from veperf.core.errors import (
    MeasureError,
    WorkerCrashedError,
    WorkerProtocolError,
    WorkerTimeoutError,
)
from veperf.core.run import CaseResult, Failure, FailureKind
from veperf.measure.code_source import HERE, Side
from veperf.measure.protocol import Begin, Failed, Ready, Reply
from veperf.measure.worker_client import Worker

START_TIMEOUT_S = 60.0

_KINDS: Mapping[type[Exception], FailureKind] = MappingProxyType(
    {
        WorkerCrashedError: "crashed",
        WorkerTimeoutError: "timeout",
        WorkerProtocolError: "protocol",
    }
)


def started(modules: tuple[str, ...], *, hash_seed: int, side: Side = HERE) -> tuple[Worker, Ready]:
    """A worker that has imported ``modules``, and what it said then.

    Raises:
        MeasureError: it can't start, or can't import them; a note has what it wrote.
    """
    worker = Worker(hash_seed=hash_seed, side=side)
    try:
        ready = worker.ask(Begin(modules), deadline=time.monotonic() + START_TIMEOUT_S)
        if not isinstance(ready, Ready):
            raise MeasureError(f"a worker can't start: {what_went_wrong(ready)}")
    except BaseException as error:
        worker.stop()
        if isinstance(error, MeasureError) and worker.output:
            error.add_note(worker.output)
        raise
    return worker, ready


def failed(case: Case, reply: Reply) -> CaseResult:
    """The result of a case at which the worker did not do what it was asked for.

    Raises:
        WorkerProtocolError: it did something else.
    """
    if not isinstance(reply, Failed):
        raise WorkerProtocolError(f"the worker {what_went_wrong(reply)}")
    return CaseResult(case.id, failure=reply.failure)


def lost(case: Case, error: MeasureError, words: str, output: str) -> CaseResult:
    """The result of a case at which the worker itself was lost; ``output`` is its last."""
    return CaseResult(case.id, failure=failure_of(error, words, output))


def failure_of(error: Exception, words: str = "", output: str = "") -> Failure:
    """``error`` as a failure, in ``words`` or its own; ``output`` is the worker's last."""
    return Failure(_KINDS.get(type(error), "raised"), words or str(error), output)


def what_went_wrong(reply: Reply) -> str:
    """A reply that is not the one that was wanted, in words."""
    if isinstance(reply, Failed):
        return reply.failure.message
    return f"answered with {type(reply).__name__} out of turn"
