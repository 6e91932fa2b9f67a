"""The part of a load benchmark that a target and its shards need."""

from collections.abc import Iterator
from contextlib import contextmanager

from veperf.core.case import Level, Params
from veperf.core.errors import MeasureError, UsageError
from veperf.core.load import Search
from veperf.core.registry import REGISTRY, Benchmark, LoadTask
from veperf.core.remote_load import RemoteLoad
from veperf.loadtest.custom_case import RATE


@contextmanager
def set_up_remote_load(benchmark_id: str, params: Params) -> Iterator[RemoteLoad]:
    """Set a benchmark up for the time of the block. Its module has been loaded.

    Raises:
        UsageError: it is no load, or has no remote part (see ``remote_load_of``).
        MeasureError: it can't be set up.
    """
    benchmark = REGISTRY.benchmarks.get(benchmark_id)
    try:
        task = benchmark.setup(**params) if benchmark else None
    except Exception as error:  # a benchmark may raise anything
        raise MeasureError(
            f"{benchmark_id} can't be set up: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(task, LoadTask):
        raise UsageError(f"{benchmark_id} is no load benchmark")
    try:
        yield remote_load_of(benchmark_id, task)
    finally:
        if task.close is not None:
            task.close()


def remote_load_of(benchmark_id: str, task: LoadTask) -> RemoteLoad:
    """Return the part of ``task``, which the benchmark has set up, that shards need.

    Raises:
        UsageError: it has no such part, or searches for a rate; the message names benchmarks that
            can be loaded by shards.
    """
    if task.remote is not None and not isinstance(task.load, Search):
        return task.remote
    reason = (
        "it searches for a rate, and shards divide one given rate"
        if isinstance(task.load, Search)
        else "its system can't run in a process of its own (its LoadTask has no `remote`)"
    )
    raise UsageError(
        f"{benchmark_id} can't be put on by shards: {reason}{_alternatives(benchmark_id)}"
    )


def load_subject(benchmark_id: str, params: Params) -> str:
    """Return the name of a load's system: the benchmark and its parameters without the rate."""
    others = ",".join(f"{name}={value}" for name, value in sorted(params.items()) if name != RATE)
    return f"{benchmark_id}[{others}]" if others else benchmark_id


def _alternatives(benchmark_id: str) -> str:
    """Name the benchmarks that shards can load, same suite first; empty where there are none."""
    suite = benchmark_id.partition("/")[0]
    able = [benchmark for benchmark in REGISTRY.benchmarks.values() if _has_remote_load(benchmark)]
    names = [benchmark.id for benchmark in sorted(able, key=lambda b: b.suite != suite)]
    if not names:
        return ""
    example = f"`veperf load {names[0]} --rate RATE --shards 2`"
    return f"; those that can: {', '.join(names)}, as in {example}"


def _has_remote_load(benchmark: Benchmark) -> bool:
    """Return True if shards can load its default case at a rate; False if that can't be set up."""
    if benchmark.level is not Level.LOAD or RATE not in benchmark.params:
        return False
    try:
        task = benchmark.setup(**benchmark.cases()[0].params)
    except Exception:  # noqa: BLE001 - a benchmark may raise anything
        return False
    if not isinstance(task, LoadTask):
        return False
    if task.close is not None:
        task.close()
    return task.remote is not None and not isinstance(task.load, Search)
