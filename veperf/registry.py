"""The benchmarks that exist, by id. The only mutable state at module level in the package.

A benchmark is a function that sets up and returns the callable to time::

    @benchmark("transaction/hash_compute", level=Level.MICRO)
    def hash_compute() -> Task:
        '''SHA-256 of an encoded transaction.'''
        raw = example_transaction()
        return Task(lambda: transaction_hash(raw))

Its parameters are those of the function; ``params`` gives each one's values, the default first.
Every value that is not the default makes a case of its own, the other parameters at their
defaults: that is a scaling curve.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from veperf.errors import UnknownBenchmarkError, UsageError
from veperf.model import TIME, Case, Level, Metric, Params


@dataclass(frozen=True, slots=True)
class Task:
    """What a benchmark's set-up returns."""

    call: Callable[[], object]
    """Does the work once. Must be repeatable: the hundredth call costs what the first did."""
    operations: int = 1
    """How many operations one call performs."""
    close: Callable[[], object] | None = None
    """Frees what the set-up took: files, processes."""


Setup = Callable[..., Task]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A registered benchmark."""

    id: str
    level: Level
    setup: Setup
    params: Mapping[str, tuple[int | float | str, ...]]
    targets: Mapping[str, str]
    metrics: tuple[Metric, ...]
    multithreaded: bool
    """Work on other threads than the caller's: CPU time is the whole process's."""

    @property
    def suite(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]

    @property
    def what(self) -> str:
        """The first line of the set-up function's docstring."""
        return (inspect.getdoc(self.setup) or "").partition("\n")[0]

    def cases(self) -> tuple[Case, ...]:
        """The default case first, then one for each other value of each parameter."""
        default: Params = {name: values[0] for name, values in self.params.items()}
        found = [self._case(default, {})]
        for name, values in self.params.items():
            found += [self._case(default | {name: v}, {name: v}) for v in values[1:]]
        return tuple(found)

    def _case(self, params: Params, changed: Params) -> Case:
        suffix = "[" + ",".join(f"{k}={v}" for k, v in changed.items()) + "]" if changed else ""
        return Case(
            id=self.id + suffix,
            benchmark=self.id,
            suite=self.suite,
            level=self.level,
            what=self.what,
            params=params,
            metrics=self.metrics,
            targets={} if changed else dict(self.targets),
        )


@dataclass(slots=True)
class Registry:
    """Benchmarks by id, in the order in which they were registered."""

    benchmarks: dict[str, Benchmark] = field(default_factory=dict)

    def add(self, new: Benchmark) -> None:
        """Register ``new``; an id can be taken only once.

        Raises:
            UsageError: another function has that id.
        """
        old = self.benchmarks.get(new.id)
        if old is not None and old.setup.__qualname__ != new.setup.__qualname__:
            raise UsageError(f"benchmark {new.id} is registered twice; give one another id")
        self.benchmarks[new.id] = new


REGISTRY = Registry()


def benchmark(
    id: str,
    *,
    level: Level,
    params: Mapping[str, tuple[int | float | str, ...]] | None = None,
    targets: Mapping[str, str] | None = None,
    metrics: tuple[Metric, ...] = (TIME,),
    multithreaded: bool = False,
) -> Callable[[Setup], Setup]:
    """Register the decorated set-up function as benchmark ``id`` (``suite/name``)."""

    def register(setup: Setup) -> Setup:
        REGISTRY.add(
            Benchmark(id, level, setup, params or {}, targets or {}, metrics, multithreaded)
        )
        return setup

    return register


def load(modules: Iterable[str]) -> Registry:
    """Import ``modules``, which register their benchmarks, and return the registry.

    Raises:
        UsageError: a module can't be imported.
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(
                f"module {name} can't be imported ({error}); is it installed?"
            ) from error
    return REGISTRY


def select(registry: Registry, patterns: Iterable[str] = ()) -> tuple[Case, ...]:
    """The cases that match any of ``patterns``, in registration order; all when there is none.

    A pattern is a suite (``transaction``), a benchmark (``transaction/execution``, with its
    scaling curve), one case (``transaction/execution[transactions=100]``) or a glob
    (``*/hash*``).

    Raises:
        UnknownBenchmarkError: a pattern matches nothing.
    """
    cases = [case for b in registry.benchmarks.values() for case in b.cases()]
    wanted = list(patterns)
    chosen: set[str] = set()
    for pattern in wanted:
        hits = {c.id for c in cases if _matches(c, pattern)}
        if not hits:
            raise UnknownBenchmarkError(_not_found(pattern, cases))
        chosen |= hits
    return tuple(c for c in cases if c.id in chosen or not wanted)


def _matches(case: Case, pattern: str) -> bool:
    exact = pattern in (case.suite, case.benchmark, case.id)
    return exact or fnmatchcase(case.benchmark, pattern)


def _not_found(pattern: str, cases: list[Case]) -> str:
    from difflib import get_close_matches

    names = list(dict.fromkeys(name for c in cases for name in (c.suite, c.benchmark)))
    inside = [name for name in names if pattern in name]
    close = inside[:3] or get_close_matches(pattern, names, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(close)}?" if close else "; `veperf list` shows them all"
    return f"no benchmark matches {pattern!r}{hint}"
