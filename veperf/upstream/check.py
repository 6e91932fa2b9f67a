"""Drift: what differs between a clone of VirtEngine and what veperf knows of it.

Three questions, each answered for the whole of a commit:

- Which benchmark functions are new, gone or renamed? A function that is gone was renamed where one
  that is new has the same code, or, in the same package, a similar name.
- Which figures of VirtEngine's result files differ from those that targets were made from?
- Which functions behind a target changed since the revision whose code its limit was set for?
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.target import TargetSet
from veperf.core.text import plural
from veperf.formats.scale_baselines import SCALE_FILE
from veperf.formats.source import SourceFile
from veperf.formats.virtengine import GoBenchmarks, baseline_figures, published_figures
from veperf.upstream.clone import Clone, CommitTree
from veperf.upstream.functions import FunctionName, GoModule
from veperf.upstream.record import (
    SCALE_PATH,
    UpstreamRecord,
    answering_functions,
    read_scale_figures,
    result_file,
)

METRICS_PATH = "tests/benchmark/BASELINE_METRICS.json"
_SIMILAR = 0.72
"""Least similarity of names, by difflib's ratio, without ``Benchmark``."""
_LONG = 200
_MANY = 5_000
"""Letters of a name, and new functions, from which on names are not compared."""
_SHORT = 12

Kind = Literal["benchmark", "figure", "target"]
Change = Literal["new", "gone", "renamed", "changed", "unreadable", "not recorded"]


class Difference(Struct, frozen=True):
    """A difference."""

    kind: Kind
    change: Change
    name: str
    """Function with its package, field of a file, or target."""
    detail: str = ""
    functions: tuple[str, ...] = ()
    """Functions that changed, of a target."""
    next_step: str = ""


class UpstreamDrift(Struct, frozen=True):
    """All differences of a commit."""

    revision: str
    module: str
    benchmarks: int
    """Benchmark functions at the revision."""
    mapped: int
    """Benchmark functions that answer a target or have a counterpart, and are there."""
    targets: int
    """Targets whose functions were compared."""
    without_functions: tuple[str, ...]
    """Targets that no Go benchmark answers."""
    drift: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def has_drifted(self) -> bool:
        """Return whether anything differs."""
        return bool(self.drift)


def check_clone(
    clone: Clone,
    revision: str,
    targets: TargetSet,
    published: SourceFile,
    mapping: GoBenchmarks,
    record: UpstreamRecord,
) -> UpstreamDrift:
    """Compare ``clone`` at ``revision`` with what is known.

    Args:
        clone: of VirtEngine, or a fork.
        revision: any name of a commit.
        targets: the published targets.
        published: the file that they were read from.
        mapping: which Go benchmark answers which target.
        record: hashes at the revisions that mapping and targets mean.

    Raises:
        UsageError: the clone lacks the revision, or has no package of the mapping.
        MeasureError: git fails.
    """
    commit = clone.resolve(revision)
    tree = clone.tree(commit)
    module = GoModule(tree)
    benchmarks = module.benchmarks()
    renamed = _renamed_benchmarks(benchmarks, mapping, record)
    if not renamed and not benchmarks.keys() & mapping.packages.keys():
        raise UsageError(
            f"module {module.path} at {commit[:_SHORT]} has no benchmark in any package of the "
            "mapping (go_benchmarks.json): is this a clone of VirtEngine?"
        )
    compared = [t.id for t in targets.targets if answering_functions(mapping, t.id)]
    drift = (
        *_benchmark_drift(benchmarks, mapping, renamed),
        *_figure_drift(tree, published),
        *_scale_drift(tree, record),
        *_target_drift(module, targets, mapping, record, renamed),
    )
    notes = list(tree.notes)
    if module.path != mapping.module:
        notes.append(f"the module is {module.path}: a fork of {mapping.module}?")
    return UpstreamDrift(
        revision=commit,
        module=module.path,
        benchmarks=sum(map(len, benchmarks.values())),
        mapped=sum(
            is_mapped(mapping, package, name)
            for package, names in benchmarks.items()
            for name in names
        ),
        targets=len(compared),
        without_functions=tuple(t.id for t in targets.targets if t.id not in compared),
        drift=drift,
        notes=tuple(notes),
    )


def is_mapped(mapping: GoBenchmarks, package: str, name: str) -> bool:
    """Return whether a Go benchmark answers a target, or does the same work as one of veperf."""
    answers = mapping.packages.get(package, {}).get(name)
    return bool(answers) or name in mapping.counterparts.get(package, {})


_Key = tuple[str, str]
"""Package and name of a function."""


def _keys(functions: Mapping[str, Iterable[str]]) -> set[_Key]:
    return {(package, name) for package, names in functions.items() for name in names}


def _renamed_benchmarks(
    benchmarks: Mapping[str, Mapping[str, str]], mapping: GoBenchmarks, record: UpstreamRecord
) -> dict[_Key, tuple[_Key, str]]:
    """Return for each benchmark that is gone what has become of it, and how that is known."""
    recorded = record.benchmarks.packages
    there, known = _keys(benchmarks), _keys(mapping.packages)
    return _renamed(
        {key: recorded.get(key[0], {}).get(key[1], "") for key in sorted(known - there)},
        {key: benchmarks[key[0]][key[1]] for key in sorted(there - known)},
    )


def _benchmark_drift(
    benchmarks: Mapping[str, Mapping[str, str]],
    mapping: GoBenchmarks,
    renamed: Mapping[_Key, tuple[_Key, str]],
) -> Iterator[Difference]:
    there, known = _keys(benchmarks), _keys(mapping.packages)
    for key in sorted(known - there):
        package, name = key
        answers = {*mapping.packages[package][name].values()}
        counterpart = mapping.counterparts.get(package, {}).get(name)
        answers |= {counterpart} if counterpart else set()
        lost = f"answered by {', '.join(sorted(answers))}" if answers else "nothing answers it"
        if key in renamed:
            other, reason = renamed[key]
            now = f"{other[1]} of {other[0]}" if other[0] != package else other[1]
            yield Difference(
                "benchmark", "renamed", f"{package}.{name}", f"now {now} ({reason}); {lost}"
            )
        else:
            yield Difference("benchmark", "gone", f"{package}.{name}", lost)
    found_again = {other for other, _ in renamed.values()}
    for package, name in sorted(there - known):
        if (package, name) not in found_again:
            step = "add it to go_benchmarks.json, with its targets or {}"
            yield Difference("benchmark", "new", f"{package}.{name}", step)


def _renamed(gone: Mapping[_Key, str], new: Mapping[_Key, str]) -> dict[_Key, tuple[_Key, str]]:
    """Return for each function that is gone the new one that it has become, and how it is known."""
    pairs: list[tuple[float, _Key, _Key, str]] = []
    for old, digest in gone.items():
        for other, other_digest in new.items():
            is_near = old[0] == other[0]
            if digest and digest == other_digest:
                likeness = 2 + is_near + _likeness(old[1], other[1])
                pairs.append((likeness, old, other, "the same code"))
            elif is_near and len(new) < _MANY and (likeness := _likeness(old[1], other[1])):
                pairs.append((likeness, old, other, "a similar name"))
    renamed: dict[_Key, tuple[_Key, str]] = {}
    taken: set[_Key] = set()
    for _, old, other, reason in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        if old not in renamed and other not in taken:
            renamed[old] = other, reason
            taken.add(other)
    return renamed


def _likeness(old: str, new: str) -> float:
    """Return the likeness of two names, 0 where it is not enough."""
    names = old.removeprefix("Benchmark"), new.removeprefix("Benchmark")
    if max(map(len, names)) > _LONG:
        return 0.0
    likeness = SequenceMatcher(None, *names, autojunk=False).ratio()
    return likeness if likeness >= _SIMILAR else 0.0


def _figure_drift(tree: CommitTree, published: SourceFile) -> Iterator[Difference]:
    expected = published_figures(published)
    try:
        source = result_file(tree, METRICS_PATH)
        figures = None if source is None else baseline_figures(source)
    except CorruptFileError as error:
        yield Difference("figure", "unreadable", METRICS_PATH, str(error))
        return
    if figures is None:
        yield Difference("figure", "gone", METRICS_PATH, f"{plural(len(expected), 'figure')} in it")
        return
    values = {field: value for field, (_, value) in expected.items()}
    for drift in _compare_figures(values, figures):
        target = expected[drift.name][0] if drift.name in expected else ""
        detail = "; ".join(filter(None, [drift.detail, target and f"made into {target}"]))
        yield Difference("figure", drift.change, drift.name, detail)


def _scale_drift(tree: CommitTree, record: UpstreamRecord) -> Iterator[Difference]:
    recorded = record.figures.files.get(SCALE_FILE, {})
    try:
        figures = read_scale_figures(tree)
    except CorruptFileError as error:
        yield Difference("figure", "unreadable", SCALE_PATH, str(error))
        return
    if figures is None:
        if recorded:
            yield Difference(
                "figure", "gone", SCALE_PATH, f"{plural(len(recorded), 'figure')} in it"
            )
        return
    for drift in _compare_figures(recorded, figures):
        yield Difference("figure", drift.change, f"{SCALE_FILE}: {drift.name}", drift.detail)


def _compare_figures(
    expected: Mapping[str, float], now: Mapping[str, float]
) -> Iterator[Difference]:
    for field, value in expected.items():
        if field not in now:
            yield Difference("figure", "gone", field, f"was {value:g}")
        elif abs(now[field] - value) > 1e-9 * value:
            yield Difference("figure", "changed", field, f"{value:g} is {now[field]:g} now")
    for field in sorted(now.keys() - expected.keys()):
        yield Difference("figure", "new", field, f"{now[field]:g}")


def _target_drift(
    module: GoModule,
    targets: TargetSet,
    mapping: GoBenchmarks,
    record: UpstreamRecord,
    renamed: Mapping[_Key, tuple[_Key, str]],
) -> Iterator[Difference]:
    for target in targets.targets:
        functions = answering_functions(mapping, target.id)
        if not functions:
            continue
        known = record.targets.get(target.id)
        if known is None or not known.revision.startswith(target.revision or "none"):
            revision = target.revision[:_SHORT] or "no revision: say in targets.json whose code"
            yield Difference(
                "target", "not recorded", target.id,
                f"its functions at {revision} are not in upstream.json",
                next_step="veperf upstream record CLONE",
            )  # fmt: skip
            continue
        now = _functions_now(module, functions, renamed)
        changed = sorted(
            name.text
            for name in known.named.keys() | now.keys()
            if known.named.get(name) != now.get(name)
        )
        if not now:
            names = ", ".join(name for _, name in functions)
            yield Difference("target", "gone", target.id, f"{names} is not there any longer")
        elif changed:
            detail = f"since {known.revision[:_SHORT]}: {_describe(changed, known.named, now)}"
            yield Difference("target", "changed", target.id, detail, tuple(changed))


def _functions_now(
    module: GoModule, functions: Iterable[_Key], renamed: Mapping[_Key, tuple[_Key, str]]
) -> dict[FunctionName, str]:
    """Return the hashes of the functions behind benchmarks; of a renamed one by its old names."""
    digests: dict[FunctionName, str] = {}
    for old in functions:
        new, _ = renamed.get(old, (old, ""))
        for name, digest in module.behind(*new).items():
            package = old[0] if name.package == new[0] else name.package
            is_own = (name.package, name.key) == new
            digests[FunctionName(package, old[1] if is_own else name.key)] = digest
    return digests


def _describe(
    changed: list[str], before: Mapping[FunctionName, str], now: Mapping[FunctionName, str]
) -> str:
    """Return the functions in short, without their folders; with + what is new, with - gone."""
    old, new = ({name.text for name in names} for names in (before, now))
    signs = {name: "+" if name not in old else ("-" if name not in new else "") for name in changed}
    return ", ".join(f"{signs[name]}{name.rpartition('/')[2]}" for name in changed)
