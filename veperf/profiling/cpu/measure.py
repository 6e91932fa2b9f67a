"""What is done in the process in which code is looked at."""

from collections.abc import Callable

from msgspec import Struct

from veperf.core import registry
from veperf.core.case import Params
from veperf.core.errors import UsageError
from veperf.profiling.cpu.sampler import sample
from veperf.profiling.cpu.stacks import Sampled


class LookAt(Struct, frozen=True):
    """What to set up, and for how much CPU time to look at it."""

    modules: tuple[str, ...]
    benchmark: str
    params: Params
    seconds: float


def warmed_up(call: Callable[[], object], seconds: float) -> Sampled:
    """What is found of ``call``, once it has been called."""
    call()
    return sample(call, seconds)


def look_at(request: LookAt) -> Sampled:
    """Set the benchmark up and look at it.

    Raises:
        Whatever the benchmark does.
    """
    found = registry.load(request.modules).benchmarks[request.benchmark]
    task = found.setup(**request.params)
    if not isinstance(task, registry.Task):
        raise UsageError(f"{request.benchmark} is a load, which has no call to look at")
    return warmed_up(task.call, request.seconds)
