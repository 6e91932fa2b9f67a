"""VirtEngine's own files: ``BASELINE_METRICS.json`` and ``go_benchmarks.json``.

``BASELINE_METRICS.json`` has the limits of VirtEngine's own comparator, read here as targets. Each
published target names in ``original_field`` the field of that file from which it was made, such as
``zk_proof.nonce_generation_ns``; of ``transaction.target_tps, min_acceptable_tps`` the first is the
goal and the second the limit. The fields' units are those of the targets, except for millions of
objects.

``go_benchmarks.json`` maps metrics of Go benchmarks to published targets::

    {"version": "1.0.0", "module": "github.com/virtengine/virtengine",
     "packages": {"tests/benchmark": {"BenchmarkStateWrite": {"ns/op": "transaction/state_write"},
                                      "BenchmarkStateRead": {}}}}

``counterparts``, by package and benchmark, names veperf's own benchmark that does the same work.
Benchmarks without a target are listed as well. An unlisted benchmark was renamed or is new: its
targets are unknown, and it is shown, not judged. One with a target that the file lacks, though it
is of its package, is missing, and a target whose metric it lacks is not measured: neither passes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from veperf.core import paths
from veperf.core.case import TIME, Case
from veperf.core.run import Run
from veperf.core.target import Target, TargetSet
from veperf.core.text import join_words, plural
from veperf.formats import go_test
from veperf.formats.source import SourceFile, load_source, shorten

_ABOUT = frozenset({"version", "generated_at", "platform", "go_version"})
_MILLIONS = "_millions"


class _TargetOrigin(Struct, frozen=True):
    id: str
    original_field: str = ""


class _TargetOrigins(Struct, frozen=True):
    targets: tuple[_TargetOrigin, ...]


class _Metrics(Struct, frozen=True):
    version: str = ""


def read_baseline_metrics_file(path: str | Path, published: Path | None = None) -> TargetSet:
    """Read the targets in the file ``path``, as ``read_baseline_metrics`` does.

    Raises:
        CorruptFileError: it can't be read, or as ``read_baseline_metrics``.
    """
    return read_baseline_metrics(load_source(Path(path)), published)


def read_baseline_metrics(source: SourceFile, published: Path | None = None) -> TargetSet:
    """Return the published targets with the limits of ``source``, without those that it lacks.

    Args:
        source: the file.
        published: a ``targets.json``; by default veperf's own.

    Raises:
        CorruptFileError: a field is unknown, not a positive number, or half of a pair.
    """
    path = published or paths.published_file(paths.default_baselines_folder(), "targets.json")
    document = load_source(path)
    known = {target.id: target for target in document.document_as(TargetSet).targets}
    figures = baseline_figures(source)
    targets: list[Target] = []
    for origin in document.document_as(_TargetOrigins).targets:
        fields = _names(origin.original_field)
        values = [figures.pop(name) for name in fields if name in figures]
        if values and len(values) < len(fields):
            raise source.corrupt(f"{' and '.join(fields)} must be given together")
        if values:
            goal = values[0] if len(values) > 1 else None
            targets.append(replace(known[origin.id], limit=values[-1], target=goal))
    if figures:
        raise source.corrupt(f"no published target is made from {shorten(', '.join(figures))}")
    if not targets:
        raise source.corrupt("no baseline metrics in it")
    return replace(
        document.document_as(TargetSet),
        version=source.document_as(_Metrics).version,
        source=source.name,
        targets=tuple(targets),
    )


def _names(original_field: str) -> list[str]:
    """Return ``a.b`` and ``a.c`` for ``a.b, c``."""
    section, _, names = original_field.partition(".")
    return [f"{section}.{name.strip()}" for name in names.split(",") if name.strip()]


def published_figures(targets: SourceFile) -> dict[str, tuple[str, float]]:
    """Return target and value of each field of BASELINE_METRICS.json that ``targets.json`` has.

    Raises:
        CorruptFileError: the file is damaged.
    """
    known = {target.id: target for target in targets.document_as(TargetSet).targets}
    figures: dict[str, tuple[str, float]] = {}
    for origin in targets.document_as(_TargetOrigins).targets:
        target = known[origin.id]
        values = [target.limit] if target.target is None else [target.target, target.limit]
        figures |= {
            field: (origin.id, value)
            for field, value in zip(_names(origin.original_field), values, strict=False)
        }
    return figures


def baseline_figures(source: SourceFile) -> dict[str, float]:
    """Return every figure in a BASELINE_METRICS.json by section and name, in its target's unit.

    Raises:
        CorruptFileError: it is damaged, or a field is not a positive number.
    """
    document = source.document
    if not isinstance(document, Mapping):
        raise source.corrupt("no baseline metrics: not an object")
    figures: dict[str, float] = {}
    for section, fields in document.items():
        if section in _ABOUT:
            continue
        if not isinstance(fields, Mapping):
            raise source.corrupt(f"{shorten(section)} is not a section of baseline metrics")
        for name, value in fields.items():
            figures[f"{section}.{name}"] = _number(source, f"{section}.{name}", value)
    return figures


def _number(source: SourceFile, field: str, value: object) -> float:
    # Integers of any size can be compared with floats, where float() would overflow.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e300:
        raise source.corrupt(f"{shorten(field)} is not a positive number")
    return value * 1e6 if field.endswith(_MILLIONS) else float(value)


GO_BENCHMARKS_FILE = "go_benchmarks.json"

_TIME_UNIT = "ns/op"
_PROCESSORS = "gomaxprocs"
_NAMED = 5


class GoBenchmarks(Struct, frozen=True):
    """Content of go_benchmarks.json."""

    version: str
    module: str
    packages: dict[str, dict[str, dict[str, str]]]
    """Target id by package, name without a final ``-8``, and unit."""
    counterparts: dict[str, dict[str, str]] = {}
    """Benchmark of veperf that does the same work, by package and name."""
    source: str = ""


def load_go_benchmarks(baselines: Path | None = None) -> GoBenchmarks:
    """Load the file in the folder ``baselines``, by default veperf's own about VirtEngine.

    Raises:
        CorruptFileError: it is damaged.
    """
    is_there = baselines and (baselines / GO_BENCHMARKS_FILE).exists()
    folder = baselines if baselines and is_there else paths.default_baselines_folder()
    return load_source(paths.published_file(folder, GO_BENCHMARKS_FILE)).document_as(GoBenchmarks)


def with_go_targets(run: Run, benchmarks: GoBenchmarks) -> Run:
    """Return ``run`` with the targets of its Go benchmarks; a run of another tool unchanged."""
    if run.source != go_test.TOOL:
        return run
    return replace(run, cases=tuple(_case_with_targets(case, benchmarks) for case in run.cases))


def with_listing(run: Run, benchmarks: GoBenchmarks) -> Run:
    """Return ``run`` with the targets of its Go benchmarks, and with what it lacks or has besides.

    A run of another tool is unchanged.
    """
    if run.source != go_test.TOOL:
        return run
    unknown = set(unlisted_packages(run, benchmarks))
    unlisted = set(unlisted_cases(run, benchmarks))
    note = _absent_packages(run, benchmarks)
    return replace(
        with_go_targets(run, benchmarks),
        notes=run.notes if not note or note in run.notes else (*run.notes, note),
        vanished=_targets_of_vanished(run, benchmarks),
        unlisted=tuple(c.id for c in run.cases if c.id in unlisted or c.what in unknown),
    )


def _absent_packages(run: Run, benchmarks: GoBenchmarks) -> str:
    """Return the note on packages with targets of which ``run``, of others with some, has nothing.

    A run of some packages is no fault, so that they are not missing; nor are they passed over.
    """
    measured = {case.what for case in run.cases if case.what}
    targeted = {
        package: len({target for answers in listed.values() for target in answers.values()})
        for package, listed in benchmarks.packages.items()
    }
    absent = {
        package: plural(count, "target")
        for package, count in targeted.items()
        if count and not any(f"/{path}".endswith(f"/{package}") for path in measured)
    }
    if not absent or len(absent) == sum(map(bool, targeted.values())):
        return ""
    names = join_words([f"{package} ({count})" for package, count in absent.items()])
    return f"not in this run, so that their targets are not judged: {names}"


def _targets_of_vanished(run: Run, benchmarks: GoBenchmarks) -> dict[str, tuple[str, ...]]:
    targets: dict[str, tuple[str, ...]] = {}
    for package, name in vanished_benchmarks(run, benchmarks):
        for known, listed in benchmarks.packages.items():
            if f"/{package}".endswith(f"/{known}") and name in listed:
                suite = next(case.suite for case in run.cases if case.what == package)
                id = f"{suite}/{name}"
                answers = {*targets.get(id, ()), *listed[name].values()}
                targets[id] = tuple(sorted(answers))
    return targets


def unlisted_cases(run: Run, benchmarks: GoBenchmarks) -> tuple[str, ...]:
    """Return the ids of the cases in the module's packages that ``benchmarks`` does not list."""
    if run.source != go_test.TOOL:
        return ()
    packages = {f"{benchmarks.module}/{package}": package for package in benchmarks.packages}
    return tuple(
        case.id
        for case in run.cases
        if case.what in packages
        and _function(case) not in benchmarks.packages[packages[case.what]]
        and _name(case) != go_test.WHOLE_PACKAGE
    )


def unlisted_packages(run: Run, benchmarks: GoBenchmarks) -> tuple[str, ...]:
    """Return the packages of the module in ``run`` of which ``benchmarks`` knows nothing."""
    if run.source != go_test.TOOL:
        return ()
    packages = dict.fromkeys(case.what for case in run.cases)
    inside = f"{benchmarks.module}/"
    return tuple(
        package
        for package in packages
        if package.startswith(inside) and package.removeprefix(inside) not in benchmarks.packages
    )


def vanished_benchmarks(run: Run, benchmarks: GoBenchmarks) -> tuple[tuple[str, str], ...]:
    """Return package and name of each benchmark with a target that ``run`` lacks.

    Looked for in the packages that the run is of, be they a fork's. A benchmark that failed is
    there, with its failure; all those of a package that failed as a whole are not, nor is one of
    which there are sub-benchmarks alone, which answer nothing.
    """
    if run.source != go_test.TOOL:
        return ()
    names: dict[str, set[str]] = {case.what: set() for case in run.cases if case.what}
    for case in run.cases:
        if case.what and _is_whole(case):
            names[case.what].add(_name(case))
    return tuple(
        (package, name)
        for package in names
        for known, listed in benchmarks.packages.items()
        if f"/{package}".endswith(f"/{known}")
        for name, answers in listed.items()
        if answers and name not in names[package]
    )


def unlisted_message(cases: Sequence[str]) -> str:
    """Return the message about ``cases`` that are not listed."""
    more = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    return (
        f"{GO_BENCHMARKS_FILE} does not list {', '.join(cases[:_NAMED])}{more}: shown, not judged; "
        "add the targets of each, {} for none"
    )


def is_listed_go_benchmark(case: Case, benchmarks: GoBenchmarks) -> bool:
    """Return whether ``benchmarks`` lists the Go benchmark ``case``, be it without targets."""
    return any(_function(case) in listed for listed in _listings(case, benchmarks))


def _case_with_targets(case: Case, benchmarks: GoBenchmarks) -> Case:
    """Return ``case`` with all targets that it is to answer, also by what the file lacks."""
    if case.targets or not _is_whole(case):
        return case
    targets = {
        TIME.name if unit == _TIME_UNIT else unit: target
        for listed in _listings(case, benchmarks)
        for unit, target in listed.get(_name(case), {}).items()
    }
    return replace(case, targets=targets)


def _is_whole(case: Case) -> bool:
    """Return whether it is a Go function with any number of processors, not a part of one."""
    return not case.params.keys() - {_PROCESSORS}


def _listings(case: Case, benchmarks: GoBenchmarks) -> Iterator[dict[str, dict[str, str]]]:
    """Yield the listings of the case's package, also in a fork; of all if it is unknown."""
    for package, listed in benchmarks.packages.items():
        if not case.what or f"/{case.what}".endswith(f"/{package}"):
            yield listed


def _name(case: Case) -> str:
    """Return the name without the suite and the number of processors."""
    return case.benchmark.removeprefix(f"{case.suite}/")


def _function(case: Case) -> str:
    """Return the Go function, under which its sub-benchmarks are listed as well."""
    return _name(case).partition("/")[0]
