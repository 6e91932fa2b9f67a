"""The part of a load benchmark that a target and shards need."""

from collections.abc import Iterator
from contextlib import contextmanager

from veperf.errors import MeasureError, UsageError
from veperf.model import Params
from veperf.registry import REGISTRY, Apart, LoadTask

_RATE = "rate"


@contextmanager
def apart_of(benchmark: str, params: Params) -> Iterator[Apart]:
    """Set ``benchmark`` up, and let go of it afterwards. Its module has been loaded.

    Raises:
        UsageError: it is no load, or has no target apart.
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
        if task.apart is None:
            raise UsageError(
                f"{benchmark} can't be put under load from other processes: it has no target "
                "apart (`apart` of its LoadTask)"
            )
        yield task.apart
    finally:
        if task.close is not None:
            task.close()


def subject_of(benchmark: str, params: Params) -> str:
    """What a load is put on: the benchmark and its parameters, all but the rate."""
    given = ",".join(f"{name}={value}" for name, value in sorted(params.items()) if name != _RATE)
    return f"{benchmark}[{given}]" if given else benchmark
