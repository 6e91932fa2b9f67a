"""Pairs of benchmark processes: two fresh ones alive together, sample by sample in turn."""

import contextlib
import random
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from veperf.abtest.pair import LETTERS, PairResult, SideLetter, alternate_sides
from veperf.core.ab_records import ABConfig
from veperf.core.case import Case
from veperf.core.errors import MeasureError, WorkerTimeoutError
from veperf.core.run import CaseResult, Sample
from veperf.measure.protocol import (
    CaseClosed,
    CaseOpened,
    CloseCase,
    OpenCase,
    Reply,
    Request,
    SampleTaken,
    TakeSample,
)
from veperf.measure.worker_client import (
    CodeSource,
    RequestFailedError,
    Worker,
    as_failure,
    expect_reply,
    start_worker,
)

_WARMUPS = 1

_Expected = TypeVar("_Expected", bound=Reply)


@dataclass(slots=True)
class BenchmarkPairs:
    """Measures the pairs of one comparison; keeps the loops that earlier pairs calibrated."""

    sides: Mapping[SideLetter, CodeSource]
    modules: Mapping[SideLetter, tuple[str, ...]]
    """Modules to import on each side."""
    config: ABConfig
    _loops: dict[str, int] = field(default_factory=dict)

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure pair ``index``, its cases in an order drawn from the seed.

        A failure costs only its own case: the next one gets two fresh processes.

        Raises:
            MeasureError: a worker fails before its first case.
        """
        generator = random.Random(f"{self.config.seed}/{index}")  # noqa: S311 - an order, no secret
        order = list(cases)
        generator.shuffle(order)
        workers = _WorkerPair(self, next(alternate_sides(index, 1)), generator)
        try:
            for case in order:
                result = self._case(workers.current(), index, case)
                if result.has_failed:
                    workers.stop()
                yield result
        finally:
            workers.stop()

    def _case(self, workers: Mapping[SideLetter, Worker], index: int, case: Case) -> PairResult:
        sides = {
            letter: _SideMeasurement(workers[letter], case, 2 * self.config.timeout_s)
            for letter in LETTERS
        }
        with contextlib.suppress(_SideFailedError):
            for side in sides.values():  # the base comes first: both sides use its loops
                opened = side.open(self.config.min_sample_ns, self._loops.get(case.id))
                self._loops.setdefault(case.id, opened.loops)
            for letter in alternate_sides(index, _WARMUPS + self.config.samples):
                sides[letter].take_sample()
            for side in sides.values():
                side.close()
        return PairResult(case, sides["a"].result, sides["b"].result)


class _SideFailedError(Exception):
    """A side failed; its result has the failure."""


class _SideMeasurement:
    """Measurement of one case on one side."""

    def __init__(self, worker: Worker, case: Case, allowed_s: float) -> None:
        self.result = CaseResult(case.id)
        self._worker = worker
        self._case = case
        self._allowed_s = allowed_s
        self._deadline = time.monotonic() + allowed_s
        self._opened = CaseOpened(1, 1, in_stages=False)
        self._samples: list[Sample] = []
        worker.forget_output()

    def open(self, min_sample_ns: int, loops: int | None) -> CaseOpened:
        request = OpenCase(self._case.benchmark, self._case.params, min_sample_ns, loops)
        self._opened = self._ask(request, CaseOpened)
        return self._opened

    def take_sample(self) -> None:
        self._samples.append(self._ask(TakeSample(), SampleTaken).sample)

    def close(self) -> None:
        self._ask(CloseCase(), CaseClosed)
        self.result = CaseResult(
            self._case.id,
            loops=self._opened.loops,
            operations=self._opened.operations,
            samples=tuple(self._samples[_WARMUPS:]),
        )

    def _ask(self, request: Request, expected: type[_Expected]) -> _Expected:
        try:
            return expect_reply(self._worker.ask(request, deadline=self._deadline), expected)
        except RequestFailedError as error:
            failure = error.failure
        except MeasureError as error:
            message = str(error)
            if isinstance(error, WorkerTimeoutError):
                message = f"both sides together were not done within {self._allowed_s:g} s"
            failure = as_failure(error, message, self._worker.output)
        self.result = CaseResult(self._case.id, failure=failure)
        raise _SideFailedError


class _WorkerPair:
    """The two workers of a pair, replaced by fresh ones after a failure."""

    def __init__(self, pairs: BenchmarkPairs, first: SideLetter, generator: random.Random) -> None:
        self._pairs = pairs
        self._order = sorted(LETTERS, key=lambda letter: letter != first)
        self._generator = generator
        self._workers: dict[SideLetter, Worker] = {}

    def current(self) -> Mapping[SideLetter, Worker]:
        """Return both, started now with the same hash seed if there are none."""
        if not self._workers:
            hash_seed = self._generator.randrange(1 << 32)
            for letter in self._order:
                modules, code = self._pairs.modules[letter], self._pairs.sides[letter]
                self._workers[letter], _ = start_worker(modules, hash_seed=hash_seed, code=code)
        return self._workers

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers = {}
