"""A case of a load benchmark with parameters of one's own."""

import math
from collections.abc import Mapping

from msgspec.structs import replace

from veperf.core.case import Case, Level
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.registry import Benchmark, Registry

RATE = "rate"

Value = int | float | str


def load_case(registry: Registry, benchmark: str, given: Mapping[str, str]) -> Case:
    """The case of the load ``benchmark`` with the parameters ``given``, the others as they are.

    A number may be any of its kind; words must be among those that the benchmark names. Only the
    defaults answer the published targets.

    Raises:
        UnknownBenchmarkError: there is no such benchmark.
        UsageError: it is no load, has no such parameter, or that can't have such a value.
    """
    found = registry.benchmarks.get(benchmark)
    loads = [b.id for b in registry.benchmarks.values() if b.level is Level.LOAD]
    if found is None:
        raise UnknownBenchmarkError(f"no load {benchmark!r}; there are {', '.join(loads)}")
    if found.level is not Level.LOAD:
        raise UsageError(f"{benchmark} is no load; there are {', '.join(loads)}")
    default = found.cases()[0]
    values = {name: _value(found, name, text) for name, text in given.items()}
    changed = {n: values[n] for n in found.params if n in values and values[n] != default.params[n]}
    if not changed:
        return default
    shown = ",".join(f"{name}={value}" for name, value in changed.items())
    params = default.params | changed
    return replace(default, id=f"{benchmark}[{shown}]", params=params, targets={}, floor="")


def by_shards(case: Case, shards: int) -> Case:
    """``case``, with its load put on by ``shards`` processes, which its id says.

    It answers no published target: those are about a system that shares its thread with the load.
    """
    name = case.id.removesuffix("]") + ("," if case.id.endswith("]") else "[")
    return replace(case, id=f"{name}shards={shards}]", targets={}, floor="")


def _value(benchmark: Benchmark, name: str, text: str) -> Value:
    if name not in benchmark.params:
        names = ", ".join(benchmark.params) or "none"
        raise UsageError(f"{benchmark.id} has no parameter {name!r}; it has {names}")
    known = benchmark.params[name]
    if isinstance(known[0], str):
        if text not in known:
            choices = ", ".join(map(str, known))
            raise UsageError(f"{name} can't be {text!r}; it can be {choices}")
        return text
    kind = int if all(isinstance(value, int) for value in known) else float
    try:
        value = kind(text)
    except ValueError:
        words = "a whole number" if kind is int else "a number"
        raise UsageError(f"{name} must be {words}, not {text!r}") from None
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} must be more than 0 and finite, not {text!r}")
    return value
