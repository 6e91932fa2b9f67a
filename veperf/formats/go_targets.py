"""Which figure of which Go benchmark answers which published target: ``go_benchmarks.json``.

::

    {"version": "1.0.0", "module": "github.com/virtengine/virtengine",
     "packages": {"tests/benchmark": {"BenchmarkStateWrite": {"ns/op": "transaction/state_write"},
                                      "BenchmarkStateRead": {}}}}

A benchmark without a target is listed, too. One that is not listed, in a package of the module that
is, was renamed or is new: nobody knows what it has to meet, so it must not pass for met.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from veperf.core import paths
from veperf.core.case import TIME, Case
from veperf.core.errors import UnknownBenchmarkError
from veperf.core.run import Run
from veperf.formats import go_test
from veperf.formats.source import load

FILE = "go_benchmarks.json"

_TIME_UNIT = "ns/op"
_PROCESSORS = "gomaxprocs"
_NAMED = 5


class GoBenchmarks(Struct, frozen=True):
    """The file."""

    version: str
    module: str
    packages: dict[str, dict[str, dict[str, str]]]
    """Package, name without ``-8`` at the end, and unit to the id of a target."""
    source: str = ""


def go_benchmarks(baselines: Path | None = None) -> GoBenchmarks:
    """The file in the folder ``baselines``; veperf's own, about VirtEngine, where that has none.

    Raises:
        CorruptFileError: it is broken.
    """
    folder = baselines if baselines and (baselines / FILE).exists() else paths.baselines()
    return load(paths.published(folder, FILE)).document_as(GoBenchmarks)


def aim(run: Run, benchmarks: GoBenchmarks) -> Run:
    """``run`` with the targets that its Go benchmarks answer; any other run as it is."""
    if run.source != go_test.TOOL:
        return run
    return replace(run, cases=tuple(_aimed(case, benchmarks) for case in run.cases))


def strangers(run: Run, benchmarks: GoBenchmarks) -> tuple[str, ...]:
    """Ids of the cases in the module's packages that ``benchmarks`` does not list."""
    if run.source != go_test.TOOL:
        return ()
    ours = {f"{benchmarks.module}/{package}": package for package in benchmarks.packages}
    return tuple(
        case.id
        for case in run.cases
        if case.what in ours
        and _function(case) not in benchmarks.packages[ours[case.what]]
        and _name(case) != go_test.WHOLE_PACKAGE
    )


def refuse_strangers(run: Run, benchmarks: GoBenchmarks) -> None:
    """Raise where ``run`` has any.

    Raises:
        UnknownBenchmarkError: it has.
    """
    if found := strangers(run, benchmarks):
        raise UnknownBenchmarkError(unlisted(found))


def unlisted(cases: Sequence[str]) -> str:
    """What there is to say about ``cases`` that ought to be listed."""
    more = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    return (
        f"{FILE} does not list {', '.join(cases[:_NAMED])}{more}: "
        "add which targets each answers, {} for none"
    )


def is_listed(case: Case, benchmarks: GoBenchmarks) -> bool:
    """Whether ``benchmarks`` says something of the Go benchmark ``case``, be it only ``{}``."""
    return any(_function(case) in listed for listed in _listings(case, benchmarks))


def _aimed(case: Case, benchmarks: GoBenchmarks) -> Case:
    if case.targets or case.params.keys() - {_PROCESSORS}:
        return case
    metrics = {metric.name for metric in case.metrics}
    targets = {
        metric: target
        for listed in _listings(case, benchmarks)
        for unit, target in listed.get(_name(case), {}).items()
        if (metric := TIME.name if unit == _TIME_UNIT else unit) in metrics
    }
    return replace(case, targets=targets)


def _listings(case: Case, benchmarks: GoBenchmarks) -> Iterator[dict[str, dict[str, str]]]:
    """Of the case's package, wherever a fork keeps it; of all where the package is not known."""
    for package, listed in benchmarks.packages.items():
        if not case.what or f"/{case.what}".endswith(f"/{package}"):
            yield listed


def _name(case: Case) -> str:
    """Without the suite before it and the processors behind it."""
    return case.benchmark.removeprefix(f"{case.suite}/")


def _function(case: Case) -> str:
    """The Go function: sub-benchmarks are known with the benchmark that they are part of."""
    return _name(case).partition("/")[0]
