"""The record of VirtEngine's code that the mapping and the targets mean: ``upstream.json``.

::

    {"version": "1.0.0", "module": "github.com/virtengine/virtengine",
     "benchmarks": {"revision": "4954b9cc...",
                    "packages": {"pkg/cache": {"BenchmarkMemoryCache_Get": "0f3c..."}}},
     "targets": {"zk_proof/nonce": {"revision": "f6e1471a...",
                                    "functions": {"x/veid/keeper": {"Name": "a41b..."}}}},
     "figures": {"revision": "4954b9cc...", "files": {"SCALE_BASELINES.json": {"a.b": 10}}}}

Hashes are those of ``GoFunction.digest``; no code is kept. So that what changed since is known
without the history, which a shallow clone lacks.
"""

from pathlib import Path

from msgspec import Struct

from veperf.archive.files import encode_json, read_json, write_file
from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.paths import published_file
from veperf.core.target import TargetSet
from veperf.formats.scale_baselines import SCALE_FILE, scale_figures
from veperf.formats.source import SourceFile
from veperf.formats.virtengine import GoBenchmarks
from veperf.upstream.clone import Clone, CommitTree
from veperf.upstream.functions import FunctionName, GoModule

RECORD_FILE = "upstream.json"
SCALE_PATH = f"tests/load/scale/{SCALE_FILE}"


class BenchmarkRecord(Struct, frozen=True):
    """Benchmark functions of a revision: the hash of each, by package and name."""

    revision: str
    packages: dict[str, dict[str, str]]


class TargetRecord(Struct, frozen=True):
    """Functions behind a target at its revision: the hash of each, by package and name."""

    revision: str
    functions: dict[str, dict[str, str]]

    @property
    def named(self) -> dict[FunctionName, str]:
        """The hashes by function."""
        return {
            FunctionName(package, key): digest
            for package, digests in self.functions.items()
            for key, digest in digests.items()
        }


class FigureRecord(Struct, frozen=True):
    """Figures of VirtEngine's result files that are no published targets, by file and field."""

    revision: str
    files: dict[str, dict[str, float]]


class UpstreamRecord(Struct, frozen=True):
    """Content of upstream.json."""

    version: str
    module: str
    benchmarks: BenchmarkRecord
    targets: dict[str, TargetRecord]
    figures: FigureRecord


def load_record(folder: Path) -> UpstreamRecord:
    """Load the record in ``folder``, or veperf's own where it has none.

    Raises:
        CorruptFileError: it is damaged.
    """
    return read_json(published_file(folder, RECORD_FILE), UpstreamRecord)


def save_record(folder: Path, record: UpstreamRecord) -> Path:
    """Write the ``record`` into ``folder``, and return its path.

    Raises:
        StorageError: it can't be written.
    """
    path = folder / RECORD_FILE
    write_file(path, encode_json(record))
    return path


def make_record(
    clone: Clone, revision: str, targets: TargetSet, mapping: GoBenchmarks
) -> UpstreamRecord:
    """Return the record of ``clone``: benchmarks and files at ``revision``, each target at its own.

    Raises:
        UsageError: the clone lacks a revision, or the functions behind a target at its revision.
        CorruptFileError: a result file is damaged.
        MeasureError: git fails.
    """
    commit = clone.resolve(revision)
    tree = clone.tree(commit)
    module = GoModule(tree)
    modules = {commit: module}
    records = {}
    for target in targets.targets:
        functions = answering_functions(mapping, target.id)
        if not functions or not target.revision:
            continue
        own = clone.resolve(target.revision)
        if own not in modules:
            modules[own] = GoModule(clone.tree(own))
        record = functions_behind(modules[own], functions)
        if not record:
            names = ", ".join(f"{name} of {package}" for package, name in functions)
            raise UsageError(
                f"{names} is not there at {own[:12]}, the revision of {target.id}: correct its "
                "`revision` in targets.json, or the mapping in go_benchmarks.json"
            )
        records[target.id] = TargetRecord(own, by_package(record))
    return UpstreamRecord(
        "1.0.0",
        module.path,
        BenchmarkRecord(commit, module.benchmarks()),
        records,
        FigureRecord(commit, {SCALE_FILE: read_scale_figures(tree) or {}}),
    )


def answering_functions(mapping: GoBenchmarks, target: str) -> list[tuple[str, str]]:
    """Return package and name of each Go benchmark that answers a target."""
    return [
        (package, name)
        for package, listed in mapping.packages.items()
        for name, answers in listed.items()
        if target in answers.values()
    ]


def functions_behind(module: GoModule, functions: list[tuple[str, str]]) -> dict[FunctionName, str]:
    """Return the hashes of the functions behind some benchmarks, empty if none is there."""
    return {
        name: digest
        for package, benchmark in functions
        for name, digest in module.behind(package, benchmark).items()
    }


def by_package(digests: dict[FunctionName, str]) -> dict[str, dict[str, str]]:
    """Return hashes of functions by package and key, both in order."""
    functions: dict[str, dict[str, str]] = {}
    for name in sorted(digests, key=lambda name: (name.package, name.key)):
        functions.setdefault(name.package, {})[name.key] = digests[name]
    return functions


def read_scale_figures(tree: CommitTree) -> dict[str, float] | None:
    """Return the figures of SCALE_BASELINES.json in a tree; None where it is not there.

    Raises:
        CorruptFileError: it is damaged.
    """
    source = result_file(tree, SCALE_PATH)
    return None if source is None else scale_figures(source)


def result_file(tree: CommitTree, path: str) -> SourceFile | None:
    """Return a file of the tree for reading; None where it is not there.

    Raises:
        CorruptFileError: it is there, and can't be read: a link, or too large.
    """
    if path not in tree.entries:
        return None
    text = tree.read(path)
    if text is None:
        raise CorruptFileError(f"{path} can't be read: {tree.reason(path)}")
    return SourceFile(text.encode("utf-8", "surrogateescape"), path)
