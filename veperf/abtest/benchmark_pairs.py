"""Pairs of benchmark processes: two fresh ones alive together, sample by sample in turn.

Both keep to one CPU, a calm one, so that CPUs of different speeds are not compared; with a memory
layout of its own each, drawn anew for every sample. Where that disturbs nothing, two benchmarks are
measured at the same time; see ``lanes``.
"""

import contextlib
import random
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from msgspec import structs

from veperf.abtest.lanes import LANES, LaneChoice, measure_in_lanes
from veperf.abtest.pair import LETTERS, PairResult, SideLetter, alternate_sides
from veperf.core.ab_records import ABConfig
from veperf.core.case import Case, Level
from veperf.core.errors import MeasureError, WorkerTimeoutError
from veperf.core.run import CaseResult, Sample
from veperf.measure.cpus import choose_cpu, stay_off, usable_cpus
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
# Long calls vary less, in relation to their length, and fewer of them are enough.
_LEAST_SAMPLES = 3
_SIDE_NS = 200_000_000

_Expected = TypeVar("_Expected", bound=Reply)


@dataclass(slots=True)
class BenchmarkPairs:
    """Measures the pairs of one comparison; keeps the loops that earlier pairs calibrated."""

    sides: Mapping[SideLetter, CodeSource]
    modules: Mapping[SideLetter, tuple[str, ...]]
    """Modules to import on each side."""
    config: ABConfig
    is_time_alone: bool = False
    """True where long pairs and memory, for the guardrails, are left out."""
    _loops: dict[str, int] = field(default_factory=dict)
    _samples: dict[str, int] = field(default_factory=dict)
    _lanes: LaneChoice = field(default_factory=LaneChoice)

    def lengthened(self, samples: Mapping[str, int]) -> "BenchmarkPairs":
        """Return the same pairs with so many samples of each side, by case."""
        config = structs.replace(self.config, samples=max(samples.values(), default=1))
        return replace(self, config=config, _samples=dict(samples))

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure pair ``index``, its cases in an order drawn from the seed.

        A failure costs only its own case: the next one gets two fresh processes.

        Raises:
            MeasureError: a worker fails before its first case.
        """
        generator = random.Random(f"{self.config.seed}/{index}")  # noqa: S311 - an order, no secret
        order = list(cases)
        generator.shuffle(order)
        if index == 0:  # it shows what each costs, and lower levels mostly cost less
            order.sort(key=lambda case: list(Level).index(case.level))
        cpus = usable_cpus()
        shared = [case for case in order if not case.multithreaded]
        in_lanes = self._lanes.allows(index, len(shared), len(cpus))
        if in_lanes:
            order = [case for case in order if case.multithreaded]
            for result in self._in_lanes(index, shared, generator):
                self._lanes.add(result, in_lanes=True)
                yield result
        if order:
            workers = _WorkerPair(self, index, generator, choose_cpu(cpus, index))
            for result in self._one_by_one(workers, index, order, generator):
                self._lanes.add(result, in_lanes=False)
                yield result

    def _in_lanes(
        self, index: int, cases: Sequence[Case], generator: random.Random
    ) -> Generator[PairResult, None, None]:
        seeds = [generator.randrange(1 << 32) for _ in range(LANES)]
        draws = [random.Random(seed) for seed in seeds]  # noqa: S311 - orders and layouts
        workers = [_WorkerPair(self, index, draws[i], usable_cpus()[i]) for i in range(LANES)]

        def measure(lane: int, of_lane: Sequence[Case]) -> Generator[PairResult, None, None]:
            return self._one_by_one(workers[lane], index, of_lane, draws[lane])

        def stop() -> None:
            for pair in workers:
                pair.kill()

        return measure_in_lanes(measure, stop, cases)

    def _one_by_one(
        self,
        workers: "_WorkerPair",
        index: int,
        cases: Sequence[Case],
        generator: random.Random,
    ) -> Generator[PairResult, None, None]:
        try:
            for case in cases:
                pair = workers.current()
                with workers.place(case):
                    result = self._case(pair, index, case, generator)
                if result.has_failed:
                    workers.stop()
                yield result
        finally:
            workers.stop()

    def _case(
        self,
        workers: Mapping[SideLetter, Worker],
        index: int,
        case: Case,
        generator: random.Random,
    ) -> PairResult:
        began = time.monotonic()
        sides = {
            letter: _SideMeasurement(workers[letter], case, 2 * self.config.timeout_s)
            for letter in LETTERS
        }
        with contextlib.suppress(_SideFailedError):
            # The base comes first in the first pair, as both sides use its loops; later they take
            # turns, as the second set-up may find the caches warm.
            for letter in LETTERS if index == 0 else alternate_sides(index, 1):
                side = sides[letter]
                loops, layout_seed = self._loops.get(case.id), generator.randrange(1 << 32)
                opened = side.open(self.config.min_sample_ns, loops, layout_seed)
                self._loops.setdefault(case.id, opened.loops)
            turns = alternate_sides(index, _WARMUPS + self.config.samples)
            for _ in range(2 * _WARMUPS):
                sides[next(turns)].take_sample()
            shortest_ns = min(side.last_sample.undelayed_ns for side in sides.values())
            samples = self._samples.setdefault(case.id, self._enough(shortest_ns))
            for letter in islice(turns, 2 * samples):
                sides[letter].take_sample()
            for side in sides.values():
                side.close()
        seconds = time.monotonic() - began
        return PairResult(case, sides["a"].result, sides["b"].result, seconds)

    def _enough(self, sample_ns: int) -> int:
        """Return the number of samples to take on each side, if one lasts ``sample_ns``."""
        affordable = round(_SIDE_NS / max(1, sample_ns))
        return min(self.config.samples, max(_LEAST_SAMPLES, affordable))


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

    @property
    def last_sample(self) -> Sample:
        return self._samples[-1]

    def open(self, min_sample_ns: int, loops: int | None, layout_seed: int) -> CaseOpened:
        case = self._case
        request = OpenCase(case.benchmark, case.params, min_sample_ns, loops, layout_seed)
        self._opened = self._ask(request, CaseOpened)
        return self._opened

    def take_sample(self) -> None:
        self._samples.append(self._ask(TakeSample(), SampleTaken).sample)

    def close(self) -> None:
        self._ask(CloseCase(), CaseClosed)
        setup_ns = self._opened.setup_ns
        self.result = CaseResult(
            self._case.id,
            loops=self._opened.loops,
            operations=self._opened.operations,
            samples=tuple(self._samples[_WARMUPS:]),
            figures={} if setup_ns is None else {"setup": setup_ns},
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

    def __init__(
        self, pairs: BenchmarkPairs, index: int, generator: random.Random, cpu: int | None
    ) -> None:
        first = next(alternate_sides(index, 1))
        self.cpu = cpu
        self._pairs = pairs
        self._order = sorted(LETTERS, key=lambda letter: letter != first)
        self._generator = generator
        self._workers: dict[SideLetter, Worker] = {}

    def current(self) -> Mapping[SideLetter, Worker]:
        """Return both, started now if there are none.

        They have the same hash seed, but memory layouts of their own.
        """
        if not self._workers:
            hash_seed = self._generator.randrange(1 << 32)
            for letter in self._order:
                self._workers[letter], _ = start_worker(
                    self._pairs.modules[letter],
                    hash_seed=hash_seed,
                    layout_seed=self._generator.randrange(1 << 32),
                    code=self._pairs.sides[letter],
                )
        return self._workers

    @contextlib.contextmanager
    def place(self, case: Case) -> Iterator[None]:
        """Keep both to one CPU for the time of the block, and this thread off it.

        A multithreaded case gets all CPUs.
        """
        cpu = None if case.multithreaded else self.cpu
        for worker in self._workers.values():
            worker.keep_to(usable_cpus() if cpu is None else (cpu,))
        with stay_off(cpu):
            yield

    def kill(self) -> None:
        """End both, from any thread: what is measured on them fails."""
        for worker in [*self._workers.values()]:
            worker.kill()

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers = {}
