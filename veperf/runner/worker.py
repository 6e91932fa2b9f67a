"""Worker process: sets cases up and takes samples on request. Started by ``worker_client``.

``python -m veperf.runner.worker REQUESTS ANSWERS``, two open file descriptors. The benchmarks'
output goes to standard error, which the parent keeps as evidence.
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
from veperf.core.run import Failure, Sample
from veperf.measure.clock import calibrate, checked, measure_calibration_run, take_sample
from veperf.measure.complete_call import require_done
from veperf.measure.layout_randomization import (
    BLOCKS_OF_PROCESS,
    BLOCKS_OF_SAMPLE,
    LayoutRandomizer,
)
from veperf.measure.protocol import (
    PROTOCOL,
    BytecodesCounted,
    CalibrationMeasured,
    CaseClosed,
    CaseOpened,
    CasesDiscovered,
    CloseCase,
    CountBytecodes,
    DiscoverCases,
    LinesSampled,
    LoadFinished,
    LoadTicked,
    MeasureCalibration,
    MeasureMemory,
    MeasureStages,
    MemoryMeasured,
    NumberedReply,
    OpenCase,
    Reply,
    Request,
    RequestFailed,
    RunLoad,
    RunShard,
    SampleLines,
    SampleTaken,
    ShardFinished,
    ShardPrepared,
    StagesMeasured,
    StartWorker,
    TakeSample,
    WorkerReady,
    decode_request_line,
    encode_line,
)
from veperf.profiling.cpu.sampler import find_hot_line
from veperf.runner.bytecode_tracer import count_bytecodes

_STAGES_NS = 50_000_000
_MAX_STAGE_ROUNDS = 200
_FEW_BLOCKS = 5_000
"""Blocks of Python's allocator, half a megabyte, that closed cases leave, most of them cached, and
that are not worth a whole collection."""


def measure_stages(
    stages: Mapping[str, Callable[[Any], Any]], operations: int, *, multithreaded: bool = False
) -> dict[str, float]:
    """Return the CPU time of one operation in µs by stage: ``cpu_decrypt`` for ``decrypt``.

    Runs ``stages`` in order, each called with the result of the one before and the first with None,
    until they have taken 50 ms of CPU time, after a warm-up round. A stage's figure is its lowest
    time, which leaves out the disturbances of a busy machine.
    """
    clock = time.process_time_ns if multithreaded else time.thread_time_ns
    lowest: dict[str, int] = {}
    spent = 0
    for number in range(_MAX_STAGE_ROUNDS):
        value: Any = None
        for name, stage in stages.items():
            began = clock()
            value = stage(value)
            elapsed = clock() - began
            if number:
                lowest[name] = min(elapsed, lowest.get(name, elapsed))
                spent += elapsed
        if spent >= _STAGES_NS:
            break
    return {f"cpu_{name}": ns / 1000 / operations for name, ns in lowest.items()}


def find_cases(request: DiscoverCases) -> CasesDiscovered:
    """Import the modules that exist on this side, and find the selected cases.

    Raises:
        UsageError: a module exists but can't be imported.
    """
    origins: dict[str, str] = {}
    existing = list(filter(_exists, request.modules))
    for name in existing:
        registry.load_registry([name])
        for benchmark in registry.REGISTRY.benchmarks:
            origins.setdefault(benchmark, name)
    unknown: dict[str, str] = {}
    for pattern in request.patterns:
        try:
            registry.matching_cases(registry.REGISTRY, [pattern])
        except UnknownBenchmarkError as error:
            unknown[pattern] = str(error)
    known = tuple(pattern for pattern in request.patterns if pattern not in unknown)
    cases = _select_cases(known) if known or not request.patterns else ()
    needed = dict.fromkeys(origins[case.benchmark] for case in cases)
    missing = tuple(name for name in request.modules if name not in existing)
    return CasesDiscovered(cases, tuple(needed), unknown, missing)


def _select_cases(patterns: tuple[str, ...]) -> tuple[Case, ...]:
    """Return the cases without load and slow ones, unless these are named."""
    return tuple(
        case
        for case in registry.matching_cases(registry.REGISTRY, patterns, quick=True)
        if case.level is not Level.LOAD or {case.id, case.benchmark} & set(patterns)
    )


def _exists(module: str) -> bool:
    registry.prepare_import(module)
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor does the package that it would be in
        return False


_PR_SET_PDEATHSIG = 1


class WorkerSession:
    """State of the worker between requests: the open case."""

    def __init__(self) -> None:
        self._task: registry.Task | None = None
        self._reading: registry.MetricsTask | None = None
        self._loops = 0
        self._multithreaded = False
        self._is_checked = False
        self._layout: LayoutRandomizer | None = None
        self._lasting_blocks = 0
        self._is_interrupted = False

    def interrupt(self) -> None:
        """End the current load, or the next one, at once."""
        self._is_interrupted = True

    def answer(self, request: Request, send: Callable[[Reply], object]) -> Reply:
        """Carry ``request`` out; whatever the benchmark raises becomes ``RequestFailed``.

        ``send`` takes replies that come before the answer.
        """
        try:
            match request:
                case StartWorker():
                    registry.load_registry(request.modules)
                    return WorkerReady(PROTOCOL)
                case MeasureCalibration():
                    return CalibrationMeasured(measure_calibration_run())
                case DiscoverCases():
                    return find_cases(request)
                case OpenCase():
                    return self._open(request)
                case TakeSample():
                    return SampleTaken(self._take_sample())
                case MeasureStages():
                    return self._measure_stages()
                case SampleLines():
                    return LinesSampled(find_hot_line(self._opened().call, request.seconds))
                case MeasureMemory():
                    return self._measure_memory()
                case CountBytecodes():
                    call = self._next_call(request.calls)
                    return BytecodesCounted(count_bytecodes(call, request.calls, request.most))
                case CloseCase():
                    self._close()
                    return CaseClosed()
                case RunLoad():
                    return self._run_load(request, send)
                case RunShard():
                    return self._run_shard(request, send)
        except Exception as error:  # noqa: BLE001 - a benchmark may raise anything
            self._task = self._reading = None
            return RequestFailed(
                Failure("raised", _describe_error(error)[:2000], traceback.format_exc()[-20_000:])
            )

    def _open(self, request: OpenCase) -> CaseOpened:
        benchmark = registry.REGISTRY.benchmarks[request.benchmark]
        self._layout = None
        if request.layout_seed is not None:
            self._layout = LayoutRandomizer(request.layout_seed)
            self._layout.draw(BLOCKS_OF_PROCESS)
        began = time.perf_counter_ns()
        task = benchmark.setup(**request.params)
        setup_ns = time.perf_counter_ns() - began
        if isinstance(task, registry.MetricsTask):
            # None of its figures is a time, so it is never called for samples.
            self._reading = task
            return CaseOpened(1, 1, in_stages=False, setup_ns=setup_ns)
        if not isinstance(task, registry.Task):
            raise MeasureError(f"{benchmark.id} sets up a load: declare it as level load")
        self._task = task
        self._multithreaded = benchmark.multithreaded
        # Frozen, the objects of the set-up add nothing to the collections that samples pay for.
        gc.collect()
        gc.freeze()
        warmup = None
        self._is_checked = not request.loops
        if request.loops:
            self._loops = request.loops
        else:
            self._loops, warmup = calibrate(
                task.call, request.min_sample_ns, multithreaded=self._multithreaded
            )
        return CaseOpened(self._loops, task.operations, bool(task.stages), setup_ns, warmup)

    def _take_sample(self) -> Sample:
        call = self._next_call(self._loops)
        if self._layout is not None:
            self._layout.draw(BLOCKS_OF_SAMPLE)
        return take_sample(call, self._loops, multithreaded=self._multithreaded)

    def _measure_stages(self) -> StagesMeasured:
        task = self._opened()
        return StagesMeasured(
            measure_stages(task.stages, task.operations, multithreaded=self._multithreaded)
        )

    def _measure_memory(self) -> MemoryMeasured:
        if self._reading is not None:
            return MemoryMeasured(dict(self._reading.read()))
        # Not at the top: memray must not be loaded in a pass that measures time.
        from veperf.profiling.memory.operation_memory import measure_operation_memory

        task = self._opened()
        memory = measure_operation_memory(
            task.call, task.operations, multithreaded=self._multithreaded
        )
        return MemoryMeasured(
            {
                "memory_peak": memory.peak_bytes,
                "memory_total": memory.total_bytes,
                "memory_allocations": memory.allocations,
            }
        )

    def _next_call(self, calls: int) -> Callable[[], object]:
        """Return the open case's call, which so many ``calls`` are to be made of.

        The first time it is checked that it does all of its work, unless calibration has. An extra
        call is dear only where there is one to make, which then takes the check's 0.1 µs in.
        """
        call = self._opened().call
        if self._is_checked:
            return call
        self._is_checked = True
        if calls == 1:
            return checked(call)
        require_done(call())
        return call

    def _opened(self) -> registry.Task:
        assert self._task is not None, "the parent asks for samples of an open case only"
        return self._task

    def _close(self) -> None:
        task, self._task, self._reading = self._task, None, None
        self._layout = None
        try:
            if task is not None and task.close is not None:
                task.close()
        finally:
            del task
            self._collect()

    def _collect(self) -> None:
        """Free what the closed case left, unless that is next to nothing.

        What lasts stays frozen, so that the next set-up's collection only looks at its own objects.
        """
        if sys.getallocatedblocks() > self._lasting_blocks + _FEW_BLOCKS:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            self._lasting_blocks = sys.getallocatedblocks()

    def _run_load(self, request: RunLoad, send: Callable[[Reply], object]) -> LoadFinished:
        # Only load cases need it: numpy and the histogram package take 0.1 s to import.
        from veperf.loadtest.case import measure_load

        with _set_up(request) as task:
            return LoadFinished(
                measure_load(
                    request.case,
                    task,
                    request.plan,
                    request.seed,
                    _report_ticks(send),
                    request.trials,
                    self._is_stopped,
                )
            )

    def _run_shard(self, request: RunShard, send: Callable[[Reply], object]) -> ShardFinished:
        from veperf.loadtest.sharded.shard import run_shard  # as above

        with _set_up(request) as task:
            notify_prepared = partial(send, ShardPrepared())
            report = run_shard(
                task, request, _report_ticks(send), notify_prepared, self._is_stopped
            )
        return ShardFinished(msgspec.Raw(msgspec.json.encode(report)))

    def _is_stopped(self) -> bool:
        return self._is_interrupted


def _report_ticks(send: Callable[[Reply], object]) -> Callable[[LoadSoFar], bool]:
    def report(so_far: LoadSoFar) -> bool:
        send(LoadTicked(so_far))
        return True

    return report


def _describe_error(error: Exception) -> str:
    """Return the message; with its type, unless it is an error raised on purpose."""
    if isinstance(error, VeperfError):
        return str(error)
    return "".join(traceback.format_exception_only(error)).strip()


@contextmanager
def _set_up(request: RunLoad | RunShard) -> Iterator[registry.LoadTask]:
    """Set up the load that ``request`` is about, for the time of the block."""
    task = registry.REGISTRY.benchmarks[request.benchmark].setup(**request.params)
    if not isinstance(task, registry.LoadTask):
        raise MeasureError(f"{request.benchmark} is declared as level load, but sets up no load")
    try:
        yield task
    finally:
        if task.close is not None:
            task.close()


def answer_requests(
    session: WorkerSession, requests: BinaryIO, write: Callable[[bytes], object]
) -> None:
    """Answer requests until the parent closes its end."""
    for line in requests:
        request = decode_request_line(line)

        def send(reply: Reply, number: int = request.number) -> None:
            write(encode_line(NumberedReply(number, reply)))

        send(session.answer(request.body, send))


def main() -> None:
    """Serve on the two descriptors named on the command line."""
    requests, answers = map(int, sys.argv[1:3])
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    faulthandler.enable()
    session = WorkerSession()
    signal.signal(signal.SIGINT, lambda *_: session.interrupt())
    if sys.platform == "linux":
        # A parent that is killed must not leave a worker behind.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with os.fdopen(requests, "rb") as incoming, os.fdopen(answers, "wb", buffering=0) as outgoing:
        answer_requests(session, incoming, outgoing.write)


if __name__ == "__main__":
    main()
