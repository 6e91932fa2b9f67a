"""A case of a load benchmark with parameters that the user chooses."""

import math
from collections.abc import Mapping

from msgspec.structs import replace

from veperf.core.case import Case, Level, Metric
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.mix import MIX, format_mix, kind_metrics, known_kinds, parse_mix
from veperf.core.registry import Benchmark, Registry

RATE = "rate"

Value = int | float | str


def custom_load_case(registry: Registry, benchmark_id: str, params: Mapping[str, str]) -> Case:
    """Return the case of a load benchmark with ``params``, the others at their defaults.

    A number may be any of its kind; a text must be one of those that the benchmark names, and a mix
    may be any of the kinds that its mixes name, each of which has metrics of its own then. Only the
    default case answers the published targets.

    Raises:
        UnknownBenchmarkError: there is no such benchmark.
        UsageError: it is no load benchmark, has no such parameter, or can't have such a value.
    """
    benchmark = registry.benchmarks.get(benchmark_id)
    loads = ", ".join(b.id for b in registry.benchmarks.values() if b.level is Level.LOAD)
    if benchmark is None:
        raise UnknownBenchmarkError(f"no load benchmark {benchmark_id!r}; there are {loads}")
    if benchmark.level is not Level.LOAD:
        raise UsageError(f"{benchmark_id} is no load benchmark; there are {loads}")
    default = benchmark.cases()[0]
    values = {name: _parse_value(benchmark, name, text) for name, text in params.items()}
    changed = {
        name: values[name]
        for name in benchmark.params
        if name in values and values[name] != default.params[name]
    }
    if not changed:
        return default
    suffix = ",".join(f"{name}={value}" for name, value in changed.items())
    return replace(
        default,
        id=f"{benchmark_id}[{suffix}]",
        params=default.params | changed,
        targets={},
        lower_bound="",
        metrics=_metrics(default, str(changed.get(MIX, ""))),
    )


def _metrics(default: Case, mix: str) -> tuple[Metric, ...]:
    """Return the metrics of ``default``, with those of the kinds of ``mix`` in place of its own."""
    if not mix:
        return default.metrics
    old = kind_metrics(parse_mix(str(default.params[MIX])))
    kept = [metric for metric in default.metrics if metric not in old]
    return (*kept, *kind_metrics(parse_mix(mix)))


def sharded_case(case: Case, shards: int) -> Case:
    """Return ``case`` with its load put on by ``shards`` processes, as its id says.

    It answers no published target: those are about a system that shares its thread with the load.
    """
    name = case.id.removesuffix("]") + ("," if case.id.endswith("]") else "[")
    return replace(case, id=f"{name}shards={shards}]", targets={}, lower_bound="")


def _parse_value(benchmark: Benchmark, name: str, text: str) -> Value:
    if name not in benchmark.params:
        names = ", ".join(benchmark.params) or "none"
        raise UsageError(f"{benchmark.id} has no parameter {name!r}; it has {names}")
    known = benchmark.params[name]
    if name == MIX:
        return format_mix(parse_mix(text, known_kinds(map(str, known))))
    if isinstance(known[0], str):
        if text not in known:
            choices = ", ".join(map(str, known))
            raise UsageError(f"{name} can't be {text!r}; it can be {choices}")
        return text
    kind = int if all(isinstance(value, int) for value in known) else float
    try:
        value = kind(text)
    except ValueError:
        kind_name = "a whole number" if kind is int else "a number"
        raise UsageError(f"{name} must be {kind_name}, not {text!r}") from None
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} must be more than 0 and finite, not {text!r}")
    return value
