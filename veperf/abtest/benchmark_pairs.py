"""Benchmarks in pairs: two fresh processes alive together, sample by sample in turn."""

import random
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from veperf.abtest.pair import LETTERS, Letter, Measured, turns
from veperf.core.ab import ABConfig
from veperf.core.case import Case
from veperf.core.errors import MeasureError, WorkerTimeoutError
from veperf.core.run import CaseResult, Sample
from veperf.measure.code_source import Side
from veperf.measure.protocol import Close, Closed, Open, Opened, Reply, Request, Take, Taken
from veperf.measure.worker_client import Worker
from veperf.measure.worker_start import failed, lost, started

_WARMUPS = 1

_Wanted = TypeVar("_Wanted", bound=Reply)


@dataclass(slots=True)
class BenchmarkPairs:
    """Makes the pairs of one comparison; remembers what the earlier ones calibrated."""

    sides: Mapping[Letter, Side]
    modules: Mapping[Letter, tuple[str, ...]]
    """To import on each side."""
    config: ABConfig
    _loops: dict[str, int] = field(default_factory=dict)

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[Measured, None, None]:
        """Make pair ``index``, its cases in an order drawn from the seed.

        What fails costs only itself: the case after it gets two fresh processes.

        Raises:
            MeasureError: a worker fails before it has come to a case.
        """
        chance = random.Random(f"{self.config.seed}/{index}")  # noqa: S311 - an order, no secret
        order = list(cases)
        chance.shuffle(order)
        duo = _Duo(self, next(turns(index, 1)), chance)
        try:
            for case in order:
                measured = self._case(duo.workers(), index, case)
                if measured.failed:
                    duo.dismiss()
                yield measured
        finally:
            duo.dismiss()

    def _case(self, workers: Mapping[Letter, Worker], index: int, case: Case) -> Measured:
        lanes = {side: _Lane(workers[side], case, 2 * self.config.timeout_s) for side in LETTERS}
        try:
            for lane in lanes.values():  # the base comes first: its loops are both sides'
                opened = lane.open(self.config.min_sample_ns, self._loops.get(case.id))
                self._loops.setdefault(case.id, opened.loops)
            for side in turns(index, _WARMUPS + self.config.samples):
                lanes[side].take()
            for lane in lanes.values():
                lane.close()
        except _LaneFailedError:
            pass
        return Measured(case, lanes["a"].result, lanes["b"].result)


class _LaneFailedError(Exception):
    """One side failed; its result says how."""


class _Lane:
    """One side at one case."""

    def __init__(self, worker: Worker, case: Case, allowed_s: float) -> None:
        self.result = CaseResult(case.id)
        self._worker = worker
        self._case = case
        self._allowed_s = allowed_s
        self._deadline = time.monotonic() + allowed_s
        self._opened = Opened(1, 1, in_stages=False)
        self._samples: list[Sample] = []
        worker.forget_output()

    def open(self, min_sample_ns: int, loops: int | None) -> Opened:
        asked = Open(self._case.benchmark, self._case.params, min_sample_ns, loops)
        self._opened = self._ask(asked, Opened)
        return self._opened

    def take(self) -> None:
        self._samples.append(self._ask(Take(), Taken).sample)

    def close(self) -> None:
        self._ask(Close(), Closed)
        self.result = CaseResult(
            self._case.id,
            loops=self._opened.loops,
            operations=self._opened.operations,
            samples=tuple(self._samples[_WARMUPS:]),
        )

    def _ask(self, request: Request, wanted: type[_Wanted]) -> _Wanted:
        try:
            reply = self._worker.ask(request, deadline=self._deadline)
            if isinstance(reply, wanted):
                return reply
            self.result = failed(self._case, reply)
        except MeasureError as error:
            words = str(error)
            if isinstance(error, WorkerTimeoutError):
                words = f"both sides together were not done within {self._allowed_s:g} s"
            self.result = lost(self._case, error, words, self._worker.output)
        raise _LaneFailedError


class _Duo:
    """The two workers of a pair; after a failure, their successors."""

    def __init__(self, pairs: BenchmarkPairs, first: Letter, chance: random.Random) -> None:
        self._pairs = pairs
        self._order = sorted(LETTERS, key=lambda side: side != first)
        self._chance = chance
        self._workers: dict[Letter, Worker] = {}

    def workers(self) -> Mapping[Letter, Worker]:
        """Both, started now where they are not yet, with the same hash seed."""
        if not self._workers:
            hash_seed = self._chance.randrange(1 << 32)
            for side in self._order:
                modules, where = self._pairs.modules[side], self._pairs.sides[side]
                self._workers[side], _ = started(modules, hash_seed=hash_seed, side=where)
        return self._workers

    def dismiss(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers = {}
