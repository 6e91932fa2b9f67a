"""What there is to measure on this side, where the other side may have something else."""

import importlib.util

from veperf.core import registry
from veperf.core.case import Case, Level
from veperf.core.errors import UnknownBenchmarkError
from veperf.measure.protocol import Survey, Surveyed


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
