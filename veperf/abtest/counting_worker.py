"""Worker in which the operations of cases are counted, on one side, without timing them."""

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from veperf.core.case import Case
from veperf.core.errors import MeasureError
from veperf.core.run import Failure
from veperf.measure.protocol import CaseClosed, CaseOpened, CloseCase, OpenCase, Reply, Request
from veperf.measure.worker_client import (
    CodeSource,
    RequestFailedError,
    Worker,
    as_failure,
    expect_reply,
    start_worker,
)

# Of both sides, as counts depend on it.
_HASH_SEED = 0

_Expected = TypeVar("_Expected", bound=Reply)


class CountingFailedError(Exception):
    """A case can't be counted on this side."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(slots=True)
class CountingWorker:
    """Worker of one side, without a random memory layout; a fresh one after each failure."""

    code: CodeSource
    modules: tuple[str, ...]
    start_timeout_s: float
    case_timeout_s: float
    protocol: int = 0
    """Protocol of the worker, once it was started."""
    _worker: Worker | None = None
    _start_failure: Failure | None = None
    _deadline: float = 0.0

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._running().pid

    @contextlib.contextmanager
    def opened(
        self,
        case: Case,
        *,
        loops: int | None,
        min_sample_ns: int = 0,
        until: float | None = None,
    ) -> Iterator[CaseOpened]:
        """Open ``case`` for the time of the block, with so many loops or calibrated ones.

        Nothing takes longer than ``until`` (``time.monotonic``).

        Raises:
            CountingFailedError: it can't be opened or closed, or the worker can't be started.
        """
        end = math.inf if until is None else until
        self._start(end)
        self._deadline = min(time.monotonic() + self.case_timeout_s, end)
        request = OpenCase(case.benchmark, case.params, min_sample_ns, loops)
        yield self.ask(request, CaseOpened)
        self.ask(CloseCase(), CaseClosed)

    def ask(self, request: Request, expected: type[_Expected]) -> _Expected:
        """Send ``request``, while a case is open.

        Raises:
            CountingFailedError: there is no such answer in time.
        """
        worker = self._running()
        try:
            return expect_reply(worker.ask(request, deadline=self._deadline), expected)
        except RequestFailedError as error:
            failure = error.failure
        except MeasureError as error:
            failure = as_failure(error, output=worker.output)
        self.stop()
        raise CountingFailedError(failure)

    def stop(self) -> None:
        """End the worker, if there is one."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _start(self, end: float) -> None:
        if self._worker is not None:
            return
        if self._start_failure is not None:  # it would take as long again
            raise CountingFailedError(self._start_failure)
        try:
            self._worker, ready = start_worker(
                self.modules,
                hash_seed=_HASH_SEED,
                code=self.code,
                timeout_s=min(self.start_timeout_s, end - time.monotonic()),
            )
        except MeasureError as error:
            self._start_failure = as_failure(error)
            raise CountingFailedError(self._start_failure) from error
        self.protocol = ready.protocol

    def _running(self) -> Worker:
        assert self._worker is not None, "a case is open"
        return self._worker
