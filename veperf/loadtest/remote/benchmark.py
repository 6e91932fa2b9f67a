"""The part of a load benchmark that a target and shards need."""

from collections.abc import Iterator
from contextlib import contextmanager

from veperf.core.case import Level, Params
from veperf.core.errors import MeasureError, UsageError
from veperf.core.load import Search
from veperf.core.registry import REGISTRY, Apart, Benchmark, LoadTask

_RATE = "rate"


@contextmanager
def apart_of(benchmark: str, params: Params) -> Iterator[Apart]:
    """Set ``benchmark`` up, and let go of it afterwards. Its module has been loaded.

    Raises:
        UsageError: it is no load, or ``checked_apart`` says that it can't be had.
        MeasureError: it can't be set up.
    """
    found = REGISTRY.benchmarks.get(benchmark)
    try:
        task = found.setup(**params) if found else None
    except Exception as error:  # a benchmark may raise anything
        raise MeasureError(
            f"{benchmark} can't be set up: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(task, LoadTask):
        raise UsageError(f"{benchmark} is no load")
    try:
        yield checked_apart(benchmark, task)
    finally:
        if task.close is not None:
            task.close()


def checked_apart(benchmark: str, task: LoadTask) -> Apart:
    """What shards need of ``task``, which ``benchmark`` has set up.

    Raises:
        UsageError: it has no target apart, or looks for a rate; which benchmarks can is said.
    """
    if task.apart is not None and not isinstance(task.load, Search):
        return task.apart
    why = (
        "it searches for a rate, and what shards divide among themselves is one rate"
        if isinstance(task.load, Search)
        else "it has no target apart (`apart` of its LoadTask)"
    )
    raise UsageError(f"{benchmark} can't be put on by shards: {why}{_instead(benchmark)}")


def subject_of(benchmark: str, params: Params) -> str:
    """What a load is put on: the benchmark and its parameters, all but the rate."""
    given = ",".join(f"{name}={value}" for name, value in sorted(params.items()) if name != _RATE)
    return f"{benchmark}[{given}]" if given else benchmark


def _instead(benchmark: str) -> str:
    """What can be, those of the same suite first; empty where nothing can."""
    suite = benchmark.partition("/")[0]
    able = [found for found in REGISTRY.benchmarks.values() if _has_apart(found)]
    names = [found.id for found in sorted(able, key=lambda found: found.suite != suite)]
    if not names:
        return ""
    example = f"`veperf load {names[0]} --rate RATE --shards 2`"
    return f"; what can be is {', '.join(names)}, as in {example}"


def _has_apart(benchmark: Benchmark) -> bool:
    """Whether its default case can be put on by shards; one that can't be set up can't."""
    if benchmark.level is not Level.LOAD:
        return False
    try:
        task = benchmark.setup(**benchmark.cases()[0].params)
    except Exception:  # noqa: BLE001 - a benchmark may raise anything
        return False
    if not isinstance(task, LoadTask):
        return False
    if task.close is not None:
        task.close()
    return task.apart is not None and not isinstance(task.load, Search)
