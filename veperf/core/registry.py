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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

from veperf.core.case import TIME, Case, Level, Metric, Params
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.load import Finished, Search


@dataclass(frozen=True, slots=True)
class Task:
    """What a benchmark's set-up returns."""

    call: Callable[[], object]
    """Does the work once. Must be repeatable: the hundredth call costs what the first did."""
    operations: int = 1
    """How many operations one call performs."""
    close: Callable[[], object] | None = None
    """Frees what the set-up took: files, processes."""
    stages: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """The steps of one call by name, for the picture of where its time goes.

    Each is called with what the one before returned, the first with None.
    """


class System(Protocol):
    """What a load is put on. It shares one thread with the generator, so no call may take long."""

    def offer(self, tag: int) -> bool:
        """Take item ``tag`` (0, 1, 2 ...) in; False where the system is full (back pressure)."""

    def step(self) -> Finished:
        """Do a little work and hand over what got finished since the last call.

        Where there is nothing to do but wait for others, wait, but for about a millisecond at
        most: arrivals that fall due meanwhile are late.
        """

    def costs(self) -> Mapping[str, float]:
        """CPU time in ns by stage, for each item committed so far; empty where it is not known."""

    def close(self) -> None:
        """End the system and free what it took, whatever is still in flight."""


class Target(Protocol):
    """A system in a process of its own; the items that it is offered come over a socket."""

    def offer(self, tag: int, item: bytes) -> bool:
        """Take in ``item``, which is called ``tag`` from now on; False where there is no room."""

    def step(self) -> Finished:
        """As of a ``System``."""

    def costs(self) -> Mapping[str, float]:
        """As of a ``System``."""

    def close(self) -> None:
        """As of a ``System``."""


class Supplied:
    """A ``System`` of a target and the items that it is offered, in one process."""

    def __init__(self, target: Target, items: Iterator[bytes]) -> None:
        self._target = target
        self._items = items
        self._next = next(items)

    def offer(self, tag: int) -> bool:
        """Offer the next item; one that is turned away is offered again under the next tag.

        Left out, it could make those after it invalid that come from the same sender.
        """
        if not self._target.offer(tag, self._next):
            return False
        self._next = next(self._items)
        return True

    def step(self) -> Finished:
        """As of a ``System``."""
        return self._target.step()

    def costs(self) -> Mapping[str, float]:
        """As of a ``System``."""
        return self._target.costs()

    def close(self) -> None:
        """As of a ``System``."""
        self._target.close()


@dataclass(frozen=True, slots=True)
class Apart:
    """A load whose system is one process, and whose items come from others, the shards."""

    target: Callable[[], Target]
    """Makes the system."""
    source: Callable[[int, int], Iterator[bytes]]
    """The items of shard k of n, without end. They are valid in the order in which they come, and
    in whatever order those of other shards come between them."""
    capacity: int
    """Items that may be on their way at once, of all shards together."""


@dataclass(frozen=True, slots=True)
class LoadTask:
    """What the set-up of a benchmark of level load returns."""

    system: Callable[[int], System]
    """Makes a fresh system, told how many items it will be offered at most."""
    load: float | Search
    """Arrivals a second; or a search for the highest rate that does."""
    close: Callable[[], object] | None = None
    """Frees what the set-up took: files, processes."""
    apart: Apart | None = None
    """The same load from other processes, where there is such a thing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the set-up of a benchmark returns whose figures are none of time."""

    read: Callable[[], Mapping[str, float]]
    """Measures the metrics that the benchmark declares, by name; once in a process."""


Setup = Callable[..., Task | LoadTask | Reading]
_AnySetup = TypeVar("_AnySetup", bound=Setup)


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
    floor: str = ""
    """The benchmark that measures what this one can't do without: how fast it could be at best."""
    slow: tuple[str, ...] = ()
    """Cases that quick runs leave out unless they are named: ``accounts=1000000``; ``*`` is all."""

    @property
    def suite(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]

    @property
    def what(self) -> str:
        """The first line of the set-up function's docstring."""
        return (inspect.getdoc(self.setup) or "").partition("\n")[0]

    @property
    def code(self) -> str:
        """The source of the set-up function; empty where Python can't find it."""
        try:
            return inspect.getsource(self.setup)
        except (OSError, TypeError):
            return ""

    def cases(self) -> tuple[Case, ...]:
        """The default case first, then one for each other value of each parameter."""
        default: Params = {name: values[0] for name, values in self.params.items()}
        found = [self._case(default, {})]
        for name, values in self.params.items():
            found += [self._case(default | {name: v}, {name: v}) for v in values[1:]]
        return tuple(found)

    def is_slow(self, case: Case) -> bool:
        """Whether quick runs leave ``case`` out."""
        return "*" in self.slow or case.id.removeprefix(self.id).strip("[]") in self.slow

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
            floor="" if changed else self.floor,
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
    floor: str = "",
    slow: tuple[str, ...] = (),
) -> Callable[[_AnySetup], _AnySetup]:
    """Register the decorated set-up function as benchmark ``id`` (``suite/name``)."""

    def register(setup: _AnySetup) -> _AnySetup:
        REGISTRY.add(
            Benchmark(
                id,
                level,
                setup,
                params or {},
                targets or {},
                metrics,
                multithreaded,
                floor,
                slow,
            )
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


def select(
    registry: Registry, patterns: Iterable[str] = (), *, quick: bool = False
) -> tuple[Case, ...]:
    """The cases that match any of ``patterns``, in registration order; all when there is none.

    A pattern is a suite (``transaction``), a benchmark (``transaction/execution``, with its
    scaling curve), one case (``transaction/execution[transactions=100]``; the default case with
    one of its defaults spelt out) or a glob (``*/hash*``). ``quick`` leaves slow cases out unless
    their benchmark or they are named.

    Raises:
        UnknownBenchmarkError: a pattern matches nothing.
    """
    pairs = [(b, case) for b in registry.benchmarks.values() for case in b.cases()]
    wanted = list(patterns)
    for pattern in wanted:
        if not any(_matches(case, pattern) for _, case in pairs):
            raise UnknownBenchmarkError(_not_found(pattern, [case for _, case in pairs]))
    return tuple(
        case
        for b, case in pairs
        if (not wanted or any(_matches(case, pattern) for pattern in wanted))
        and not (quick and b.is_slow(case) and not {case.benchmark, case.id} & set(wanted))
    )


def _matches(case: Case, pattern: str) -> bool:
    exact = pattern in (case.suite, case.benchmark, case.id)
    return exact or fnmatchcase(case.benchmark, pattern) or _is_default(case, pattern)


def _is_default(case: Case, pattern: str) -> bool:
    """Whether ``pattern`` is the case of defaults with one of them spelt out."""
    spelt = (f"{case.benchmark}[{name}={value}]" for name, value in case.params.items())
    return case.id == case.benchmark and pattern in spelt


def _not_found(pattern: str, cases: list[Case]) -> str:
    from difflib import get_close_matches

    names = list(dict.fromkeys(name for c in cases for name in (c.suite, c.benchmark)))
    inside = [name for name in names if pattern in name]
    close = inside[:3] or get_close_matches(pattern, names, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(close)}?" if close else "; `veperf list` shows them all"
    return f"no benchmark matches {pattern!r}{hint}"
