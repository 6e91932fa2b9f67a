"""A worker process: sets cases up and takes samples, as asked. Started by ``client``.

``python -m veperf.runner.worker REQUESTS ANSWERS``, two open file descriptors. Whatever the
benchmarks print goes to standard error, which the parent keeps as evidence.
"""

import ctypes
import faulthandler
import gc
import importlib.util
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO

import msgspec

from veperf.core import registry
from veperf.core.case import Case, Level
from veperf.core.errors import MeasureError, UnknownBenchmarkError, VeperfError
from veperf.core.load import LoadSoFar
from veperf.core.run import Failure
from veperf.measure.calibration import measure_yardstick
from veperf.measure.clock import calibrate, take_sample
from veperf.measure.protocol import (
    PROTOCOL,
    Begin,
    Close,
    Closed,
    Divide,
    Divided,
    Drive,
    Driven,
    Failed,
    Join,
    Joined,
    NumberedReply,
    Open,
    Opened,
    Ready,
    Reply,
    Request,
    Standing,
    Survey,
    Surveyed,
    Take,
    Taken,
    Ticked,
    Weigh,
    Weighed,
    decode_request,
    encode,
)

_ENOUGH_NS = 50_000_000
_ROUNDS = 200


def measure_stages(
    stages: Mapping[str, Callable[[Any], Any]], operations: int, *, multithreaded: bool = False
) -> dict[str, float]:
    """CPU time of one operation in µs by stage, as figures: ``cpu_decrypt`` for ``decrypt``.

    Goes through ``stages`` in order, each called with what the one before returned and the first
    with None, until they have taken 50 ms of CPU time, after one round that does not count. A
    stage's figure is its lowest: what a busy machine adds is no part of it.
    """
    clock = time.process_time_ns if multithreaded else time.thread_time_ns
    lowest: dict[str, int] = {}
    spent = 0
    for number in range(_ROUNDS):
        value: Any = None
        for name, stage in stages.items():
            began = clock()
            value = stage(value)
            took = clock() - began
            if number:
                lowest[name] = min(took, lowest.get(name, took))
                spent += took
        if spent >= _ENOUGH_NS:
            break
    return {f"cpu_{name}": ns / 1000 / operations for name, ns in lowest.items()}


def survey(asked: Survey) -> Surveyed:
    """Import the modules that exist here, and find the cases that are meant.

    Raises:
        UsageError: a module is there, and can't be imported.
    """
    origins: dict[str, str] = {}
    for name in filter(_exists, asked.modules):
        registry.load([name])
        for benchmark in registry.REGISTRY.benchmarks:
            origins.setdefault(benchmark, name)
    unknown: dict[str, str] = {}
    for pattern in asked.patterns:
        try:
            registry.select(registry.REGISTRY, [pattern])
        except UnknownBenchmarkError as error:
            unknown[pattern] = str(error)
    known = tuple(pattern for pattern in asked.patterns if pattern not in unknown)
    cases = _chosen(known) if known or not asked.patterns else ()
    needed = dict.fromkeys(origins[case.benchmark] for case in cases)
    return Surveyed(cases, tuple(needed), unknown)


def _chosen(patterns: tuple[str, ...]) -> tuple[Case, ...]:
    """The cases, less load and slow ones that are not named."""
    return tuple(
        case
        for case in registry.select(registry.REGISTRY, patterns, quick=True)
        if case.level is not Level.LOAD or {case.id, case.benchmark} & set(patterns)
    )


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor does the package that it would be in
        return False


_PR_SET_PDEATHSIG = 1


class Session:
    """What the worker holds between requests: the case that is open."""

    def __init__(self) -> None:
        self._task: registry.Task | None = None
        self._reading: registry.Reading | None = None
        self._loops = 0
        self._multithreaded = False
        self._is_interrupted = False

    def interrupt(self) -> None:
        """End the load that is on, or the next one, as soon as it looks up."""
        self._is_interrupted = True

    def answer(self, request: Request, tell: Callable[[Reply], object]) -> Reply:
        """Carry ``request`` out; whatever the benchmark raises becomes ``Failed``.

        ``tell`` takes what there is to say before the answer.
        """
        try:
            match request:
                case Begin():
                    registry.load(request.modules)
                    return Ready(measure_yardstick(), PROTOCOL)
                case Survey():
                    return survey(request)
                case Open():
                    return self._open(request)
                case Take():
                    sample = take_sample(
                        self._opened().call, self._loops, multithreaded=self._multithreaded
                    )
                    return Taken(sample)
                case Divide():
                    return self._divide()
                case Weigh():
                    return self._weigh()
                case Close():
                    self._close()
                    return Closed()
                case Drive():
                    return self._drive(request, tell)
                case Join():
                    return self._join(request, tell)
        except Exception as error:  # noqa: BLE001 - a benchmark may raise anything
            self._task = self._reading = None
            return Failed(Failure("raised", _words(error)[:2000], traceback.format_exc()[-20_000:]))

    def _open(self, request: Open) -> Opened:
        benchmark = registry.REGISTRY.benchmarks[request.benchmark]
        task = benchmark.setup(**request.params)
        if isinstance(task, registry.Reading):
            # All its figures are none of time, and so it is never called for samples.
            self._reading = task
            return Opened(1, 1, in_stages=False)
        if not isinstance(task, registry.Task):
            raise MeasureError(f"{benchmark.id} sets up a load: declare it as level load")
        self._task = task
        self._multithreaded = benchmark.multithreaded
        # What the set-up made is not garbage: it stays out of the collections that samples pay for.
        gc.collect()
        gc.freeze()
        self._loops = request.loops or calibrate(
            task.call, request.min_sample_ns, multithreaded=self._multithreaded
        )
        return Opened(self._loops, task.operations, bool(task.stages))

    def _divide(self) -> Divided:
        task = self._opened()
        return Divided(
            measure_stages(task.stages, task.operations, multithreaded=self._multithreaded)
        )

    def _weigh(self) -> Weighed:
        if self._reading is not None:
            return Weighed(dict(self._reading.read()))
        # Here alone: memray takes part in no pass that measures time.
        from veperf.profiling.memory.footprint import measure_footprint

        task = self._opened()
        found = measure_footprint(task.call, task.operations, multithreaded=self._multithreaded)
        return Weighed(
            {
                "memory_peak": found.peak_bytes,
                "memory_total": found.total_bytes,
                "memory_allocations": found.allocations,
            }
        )

    def _opened(self) -> registry.Task:
        assert self._task is not None, "the parent asks for samples of an open case only"
        return self._task

    def _close(self) -> None:
        task, self._task, self._reading = self._task, None, None
        try:
            if task is not None and task.close is not None:
                task.close()
        finally:
            del task
            gc.unfreeze()
            gc.collect()

    def _drive(self, request: Drive, tell: Callable[[Reply], object]) -> Driven:
        # Only load cases need it: numpy and the histogram package take 0.1 s to import.
        from veperf.loadtest.case import measure_load

        with _set_up(request) as task:
            watch = self._watch(tell)
            return Driven(measure_load(request.case, task, request.plan, request.seed, watch))

    def _join(self, request: Join, tell: Callable[[Reply], object]) -> Joined:
        from veperf.loadtest.sharded.shard import put_share  # as above

        with _set_up(request) as task:
            waiting = partial(tell, Standing())
            report = put_share(task, request, self._watch(tell), waiting)
        return Joined(msgspec.Raw(msgspec.json.encode(report)))

    def _watch(self, tell: Callable[[Reply], object]) -> Callable[[LoadSoFar], bool]:
        def watch(so_far: LoadSoFar) -> bool:
            tell(Ticked(so_far))
            return not self._is_interrupted

        return watch


def _words(error: Exception) -> str:
    """What is raised on purpose says all by itself; of the rest its type is the half."""
    if isinstance(error, VeperfError):
        return str(error)
    return "".join(traceback.format_exception_only(error)).strip()


@contextmanager
def _set_up(request: Drive | Join) -> Iterator[registry.LoadTask]:
    """The load that ``request`` is about, for the time of the block."""
    task = registry.REGISTRY.benchmarks[request.benchmark].setup(**request.params)
    if not isinstance(task, registry.LoadTask):
        raise MeasureError(f"{request.benchmark} is of level load, and sets up no load")
    try:
        yield task
    finally:
        if task.close is not None:
            task.close()


def serve(session: Session, requests: BinaryIO, write: Callable[[bytes], object]) -> None:
    """Answer requests until the parent closes its end."""
    for line in requests:
        request = decode_request(line)

        def tell(reply: Reply, number: int = request.number) -> None:
            write(encode(NumberedReply(number, reply)))

        tell(session.answer(request.body, tell))


def main() -> None:
    """Serve on the two descriptors named on the command line."""
    requests, answers = map(int, sys.argv[1:3])
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    faulthandler.enable()
    session = Session()
    signal.signal(signal.SIGINT, lambda *_: session.interrupt())
    if sys.platform == "linux":
        # A parent that is killed outright must not leave a worker behind.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with os.fdopen(requests, "rb") as incoming, os.fdopen(answers, "wb", buffering=0) as outgoing:
        serve(session, incoming, outgoing.write)


if __name__ == "__main__":
    main()
