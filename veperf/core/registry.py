"""The registered benchmarks, by id: the only mutable state at module level in the package.

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
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol, TypeVar

from veperf.core.case import TIME, Case, Level, Metric, Params
from veperf.core.errors import UnknownBenchmarkError, UsageError, VeperfError
from veperf.core.load import Finished, Search
from veperf.core.nearest_names import nearest_names
from veperf.core.remote_load import RemoteLoad
from veperf.core.selection import narrow_cases, require_words

DEFAULT_SUITES = {
    "transaction": "veperf.workloads.transaction.benchmarks",
    "verification": "veperf.workloads.verification.benchmarks",
    "bidding": "veperf.workloads.bidding.benchmarks",
    "zk_proof": "veperf.workloads.zk.benchmarks",
}
"""The suites that are measured where nothing is named: those of the published targets."""

NAMED_SUITES = {
    "market": "veperf.workloads.market.benchmarks",
    "validator_set": "veperf.workloads.validator_set.benchmarks",
    "state_sync": "veperf.workloads.state_sync.benchmarks",
    "inference": "veperf.workloads.inference.benchmarks",
}
"""The suites that are measured only where they, or benchmarks of theirs, are named."""

SUITES = DEFAULT_SUITES | NAMED_SUITES
"""The modules of all suites."""

EVERYTHING = "*"
"""The pattern that names every benchmark."""

MEMORY_SUITE = "veperf.profiling.memory_suite"
"""The suite of whole processes' memory: a part of every run, and of nothing that compares times."""


@dataclass(frozen=True, slots=True)
class Task:
    """Work to time, which the set-up of a benchmark returns."""

    call: Callable[[], object]
    """Does the work once. Must be repeatable: the hundredth call costs what the first did."""
    operations: int = 1
    """How many operations one call performs."""
    close: Callable[[], object] | None = None
    """Releases what the set-up acquired: files, processes."""
    stages: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """The steps of one call by name, for the chart of its CPU time by stage.

    Each is called with the result of the one before, the first with None.
    """


class System(Protocol):
    """The system under load. It shares a thread with the generator: no call may take long."""

    def offer(self, tag: int) -> bool:
        """Accept item ``tag`` (0, 1, 2 ...), or return False for back pressure: it is full."""

    def step(self) -> Finished:
        """Do a little work and return the items finished since the last call.

        If there is nothing to do but wait for other threads or processes, wait for about a
        millisecond at most: arrivals that fall due meanwhile are late.
        """

    def costs(self) -> Mapping[str, float]:
        """Return the CPU time in ns of a committed item by stage; empty if it is not known."""

    def close(self) -> None:
        """Shut the system down and release its resources, whatever is still in flight."""


@dataclass(frozen=True, slots=True)
class LoadTask:
    """A load to run, which the set-up of a benchmark of level load returns."""

    system: Callable[[int], System]
    """Makes a fresh system, from the highest number of items that it will be offered."""
    load: float | Search
    """Arrivals a second, or a search for the highest sustained rate."""
    close: Callable[[], object] | None = None
    """Releases what the set-up acquired: files, processes."""
    remote: RemoteLoad | None = None
    """The same load with system and items in processes of their own, if that is possible."""


@dataclass(frozen=True, slots=True)
class MetricsTask:
    """Metrics other than time to read, which the set-up of a benchmark returns."""

    read: Callable[[], Mapping[str, float]]
    """Measures the metrics that the benchmark declares, by name; called once in a process."""


Setup = Callable[..., Task | LoadTask | MetricsTask]
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
    """The work uses other threads than the caller's: CPU time is the whole process's."""
    lower_bound: str = ""
    """The benchmark that measures the lower bound of this one, such as a library call alone."""
    slow: tuple[str, ...] = ()
    """Cases that quick runs leave out unless they are named: ``accounts=1000000``; ``*`` is all."""

    @property
    def suite(self) -> str:
        """Part of the id before the slash."""
        return self.id.partition("/")[0]

    @property
    def what(self) -> str:
        """First line of the set-up function's docstring."""
        return (inspect.getdoc(self.setup) or "").partition("\n")[0]

    @property
    def code(self) -> str:
        """Source of the set-up function; empty if Python can't find it."""
        try:
            return inspect.getsource(self.setup)
        except (OSError, TypeError):
            return ""

    def cases(self) -> tuple[Case, ...]:
        """Return the default case, then a case for each other value of each parameter."""
        default: Params = {name: values[0] for name, values in self.params.items()}
        cases = [self._case(default, {})]
        for name, values in self.params.items():
            cases += [self._case(default | {name: v}, {name: v}) for v in values[1:]]
        return tuple(cases)

    @property
    def is_default(self) -> bool:
        """Return whether it is measured where nothing is named."""
        return self.setup.__module__ not in NAMED_SUITES.values()

    def is_slow(self, case: Case) -> bool:
        """Return whether quick runs leave ``case`` out."""
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
            lower_bound="" if changed else self.lower_bound,
            multithreaded=self.multithreaded,
        )


@dataclass(slots=True)
class Registry:
    """Benchmarks by id, in the order in which they were registered."""

    benchmarks: dict[str, Benchmark] = field(default_factory=dict)

    def add(self, new: Benchmark) -> None:
        """Register ``new``; an id can be used only once.

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
    lower_bound: str = "",
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
                lower_bound,
                slow,
            )
        )
        return setup

    return register


def prepare_import(module: str) -> None:
    """Have ``module``, if it is a user's, found in the current folder and the project's root.

    Raises:
        UsageError, DataError: the project's file can't be read, or is broken.
    """
    if not module.startswith("veperf."):
        from veperf.core.project import make_importable

        make_importable()


def load_registry(modules: Iterable[str]) -> Registry:
    """Import ``modules``, which register their benchmarks, and return the registry.

    Those of a user are looked for in the current folder and the project's root first.

    Raises:
        UsageError: a module can't be imported, or a benchmark of it is declared wrongly.
        DataError: the project's file is broken.
    """
    for name in modules:
        prepare_import(name)
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(
                f"module {name} can't be imported ({error}); is it in {Path.cwd()}, or installed?"
            ) from error
        except VeperfError:
            raise
        except (Exception, SystemExit) as error:  # a module may raise anything, and end anything
            last = traceback.extract_tb(error.__traceback__)[-1]
            # A syntax error names the place by itself, and its last frame is the import's.
            place = f" ({last.filename}, line {last.lineno})"
            raise UsageError(
                f"module {name} can't be imported: {type(error).__name__}: {error}"
                f"{'' if isinstance(error, SyntaxError) else place}"
            ) from error
    return REGISTRY


def matching_cases(
    registry: Registry, patterns: Iterable[str] = (), *, quick: bool = False
) -> tuple[Case, ...]:
    """Return the cases that match any of ``patterns``, as registered.

    Without patterns these are all but those of ``NAMED_SUITES``. A pattern is a suite
    (``transaction``), a benchmark (``transaction/execution``, with its scaling curve), one case
    (``transaction/execution[transactions=100]``; also the default case with one of its defaults
    written out) or a glob (``*/hash*``; ``*`` is everything). ``quick`` leaves slow cases out
    unless their benchmark or they are named.

    Raises:
        UnknownBenchmarkError: a pattern matches nothing.
    """
    pairs = [(b, case) for b in registry.benchmarks.values() for case in b.cases()]
    patterns = list(patterns)
    for pattern in patterns:
        if not any(_matches(case, pattern) for _, case in pairs):
            raise UnknownBenchmarkError(_not_found(pattern, [case for _, case in pairs]))
    return tuple(
        case
        for b, case in pairs
        if (any(_matches(case, pattern) for pattern in patterns) if patterns else b.is_default)
        and not (quick and b.is_slow(case) and not {case.benchmark, case.id} & set(patterns))
    )


def select_cases(
    select: Sequence[str] = (),
    modules: Sequence[str] = (),
    *,
    levels: Sequence[str] = (),
    expression: str = "",
    quick: bool = False,
) -> tuple[Case, ...]:
    """Return the cases that match ``select``, among the built-in suites and ``modules``.

    Where nothing is selected, those that the project selects, or else the default ones. Of these,
    the ones that are of one of the ``levels`` and fit ``expression``, where these are not empty.
    ``quick`` leaves slow cases out unless they are named.

    Raises:
        UnknownBenchmarkError: a pattern or a word matches nothing, or nothing is left.
        UsageError: a module can't be imported, or the expression can't be read.
    """
    from veperf.core.project import project_selection

    select = project_selection(select)
    registry = load_registry([*SUITES.values(), MEMORY_SUITE, *modules])
    default = () if select else matching_cases(registry)
    require_words(expression, matching_cases(registry, [EVERYTHING]), default)
    try:
        return narrow_cases(matching_cases(registry, select, quick=quick), levels, expression)
    except UnknownBenchmarkError:
        if not quick:
            raise
        slow = narrow_cases(matching_cases(registry, select), levels, expression)
        raise UnknownBenchmarkError(
            "profile quick leaves out what is slow, and nothing else is selected: name "
            f"{' or '.join(case.id for case in slow[:3])}, or take another profile"
        ) from None


def find_case(cases: Sequence[Case], name: str) -> Case:
    """Return the one of ``cases`` whose id is ``name``.

    Raises:
        UnknownBenchmarkError: there is none.
    """
    for case in cases:
        if case.id == name:
            return case
    names = " or ".join(case.id for case in cases[:3])
    raise UnknownBenchmarkError(f"{name!r} is not one benchmark; did you mean {names}?")


def _matches(case: Case, pattern: str) -> bool:
    exact = pattern in (case.suite, case.benchmark, case.id)
    return exact or fnmatchcase(case.benchmark, pattern) or _is_default(case, pattern)


def _is_default(case: Case, pattern: str) -> bool:
    """Return whether ``pattern`` is the default case with one of its defaults written out."""
    patterns = (f"{case.benchmark}[{name}={value}]" for name, value in case.params.items())
    return case.id == case.benchmark and pattern in patterns


def _not_found(pattern: str, cases: list[Case]) -> str:
    own = [case for case in cases if case.benchmark == pattern.partition("[")[0]]
    if own:
        pairs = dict.fromkeys(f"{name}={value}" for c in own for name, value in c.params.items())
        hint = ", ".join(sorted(pairs)) or "no parameters"
        return f"no case matches {pattern!r}; {own[0].benchmark} has {hint}"
    names = list(dict.fromkeys(name for c in cases for name in (c.suite, c.benchmark)))
    close = nearest_names(pattern, names)
    hint = f"; did you mean {' or '.join(close)}?" if close else "; `veperf list` shows them all"
    return f"no benchmark matches {pattern!r}{hint}"
