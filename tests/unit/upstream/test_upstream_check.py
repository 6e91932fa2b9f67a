"""Drift of a clone: each kind of change is found, and nothing else is."""

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.go_clone import (
    FILES,
    MAPPING,
    METRICS,
    METRICS_FILE,
    SCALE,
    SCALE_FILE,
    Content,
    chain,
    check,
    commit,
    git,
)
from veperf.core.errors import UsageError
from veperf.upstream.check import UpstreamDrift
from veperf.upstream.clone import Clone
from veperf.upstream.record import make_record

_OTHER = 'package keeper\nimport "testing"\nfunc BenchmarkOther(b *testing.B) {}\n'
_TESTS = "x/kyc/keeper/keeper_test.go"


def _text(name: str) -> str:
    content = FILES[name]
    assert isinstance(content, str)
    return content


def _drift(folder: Path, files: dict[str, Content]) -> UpstreamDrift:
    repository, record, targets = chain(folder)
    commit(repository, files)
    return check(repository, record, targets)


def _changes(drift: UpstreamDrift) -> list[tuple[str, str, str]]:
    return [(item.kind, item.change, item.name) for item in drift.drift]


def test_nothing_drifts_without_a_change(tmp_path: Path) -> None:
    """A commit is equal to its own record, and to one that differs by layout and comments."""
    tests = _text(_TESTS).replace("\tk := setup(b)\n", "\n\t// first\n\tk  :=  setup( b )\n\n")

    drift = _drift(tmp_path, {_TESTS: tests, "README.md": "new"})

    assert () == drift.drift
    assert (2, 1, 1) == (drift.benchmarks, drift.mapped, drift.targets)
    assert ("kyc/rate",) == drift.without_functions


@pytest.mark.parametrize(
    ("name", "old", "new", "function"),
    [
        (_TESTS, "k.Store(", "_ = i; k.Store(", "x/kyc/keeper.BenchmarkCommit"),
        ("x/kyc/types/types.go", "comment {", "comment  {", "x/kyc/types.Commitment"),
        ("x/kyc/keeper/keeper.go", "k.last = value", "k.last = value[:1]",
         "x/kyc/keeper.Keeper.Store"),
        (_TESTS, "return &Keeper{}", "return &Keeper{last: `a`}", "x/kyc/keeper.setup"),
    ],
)  # fmt: skip
def test_functions_behind_a_target(
    tmp_path: Path, name: str, old: str, new: str, function: str
) -> None:
    """The benchmark's own, and those that it calls: in its package, in another, methods."""
    assert old in _text(name)

    drift = _drift(tmp_path, {name: _text(name).replace(old, new)})

    assert [("target", "changed", "kyc/commit")] == _changes(drift)
    assert (function,) == drift.drift[0].functions


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("func (o Other) Store(value string) {}", "func (o Other) Store(v string) { _ = v }"),
        ("return i * 2", "return i * 3"),
    ],
)
def test_functions_behind_no_target(tmp_path: Path, old: str, new: str) -> None:
    """Another type's method of that name, and what only others call, are no drift."""
    name = "x/kyc/keeper/keeper.go"

    assert () == _drift(tmp_path, {name: _text(name).replace(old, new)}).drift


def test_a_benchmark_that_is_new(tmp_path: Path) -> None:
    """One that the mapping does not have, in a package that it does not have either."""
    text = 'package y\nimport "testing"\nfunc BenchmarkMore(b *testing.B) { go func() {}() }\n'

    drift = _drift(tmp_path, {"y/y_test.go": text, "y/testdata/z_test.go": text})

    assert [("benchmark", "new", "y.BenchmarkMore")] == _changes(drift)


def test_a_benchmark_that_is_gone(tmp_path: Path) -> None:
    """And with it the answer to its target."""
    start = _text(_TESTS).index("func BenchmarkCommit")
    end = _text(_TESTS).index("func BenchmarkLookup")

    drift = _drift(tmp_path, {_TESTS: _text(_TESTS)[:start] + _text(_TESTS)[end:]})

    gone = ("benchmark", "gone", "x/kyc/keeper.BenchmarkCommit")
    assert [gone, ("target", "gone", "kyc/commit")] == _changes(drift)


@pytest.mark.parametrize(
    ("name", "also", "reason"),
    [
        ("BenchmarkQuery", ("", ""), "the same code"),
        ("BenchmarkLookups", ("find(i)", "find(i + 1)"), "a similar name"),
    ],
)
def test_a_benchmark_that_was_renamed(
    tmp_path: Path, name: str, also: tuple[str, str], reason: str
) -> None:
    """By its code whatever it is called, else by its name."""
    drift = _drift(
        tmp_path, {_TESTS: _text(_TESTS).replace("BenchmarkLookup", name).replace(*also)}
    )

    assert [("benchmark", "renamed", "x/kyc/keeper.BenchmarkLookup")] == _changes(drift)
    assert drift.drift[0].detail.startswith(f"now {name} ({reason})")


@pytest.mark.parametrize("code", ["i", "i + 1"])
def test_a_package_that_moved(tmp_path: Path, code: str) -> None:
    """Its benchmarks are known by their code, and the functions behind them by where they are."""
    moved: dict[str, Content] = {}
    for name in (_TESTS, "x/kyc/keeper/keeper.go"):
        moved |= {name: None, name.replace("x/kyc/keeper", "y/keeper"): _text(name)}
    moved["x/kyc/types/types.go"] = _text("x/kyc/types/types.go").replace("value +", "value+")
    moved["y/keeper/keeper_test.go"] = _text(_TESTS).replace("find(i)", f"find({code})")

    drift = _drift(tmp_path, moved | {"x/kyc/keeper/other_test.go": _OTHER})

    commit_, lookup = drift.drift[:2]
    assert ("renamed", "renamed" if code == "i" else "gone") == (commit_.change, lookup.change)
    assert "now BenchmarkCommit of y/keeper (the same code)" in commit_.detail
    assert not [item for item in drift.drift if item.kind == "target"]


def test_a_benchmark_that_is_another_one(tmp_path: Path) -> None:
    """Other code and another name: one is gone, one is new."""
    text = _text(_TESTS).replace("BenchmarkLookup", "BenchmarkZebra").replace("find(i)", "find(9)")

    assert [
        ("benchmark", "gone", "x/kyc/keeper.BenchmarkLookup"),
        ("benchmark", "new", "x/kyc/keeper.BenchmarkZebra"),
    ] == _changes(_drift(tmp_path, {_TESTS: text}))


def test_figures_that_differ(tmp_path: Path) -> None:
    """Changed, new and gone, of both files."""
    metrics = {**METRICS, "kyc": {"commit_ns": 6000, "min_rate": 100, "more_ns": 1}}
    limits = {"marketplace_operations": {"order_iteration_rate": 600, "max_memory_mb": 1}}

    drift = _drift(
        tmp_path,
        {METRICS_FILE: json.dumps(metrics), SCALE_FILE: json.dumps(SCALE | {"baselines": limits})},
    )

    of = "SCALE_BASELINES.json: baselines.marketplace_operations"
    assert [
        ("figure", "changed", "kyc.commit_ns"),
        ("figure", "gone", "kyc.target_rate"),
        ("figure", "new", "kyc.more_ns"),
        ("figure", "changed", f"{of}.order_iteration_rate"),
        ("figure", "new", f"{of}.max_memory_mb"),
    ] == _changes(drift)
    assert "5000 is 6000 now; made into kyc/commit" == drift.drift[0].detail


@pytest.mark.parametrize(
    ("content", "change"),
    [
        (None, "gone"),
        ("{", "unreadable"),
        ("[]", "unreadable"),
        ('{"kyc": {"commit_ns": "5"}}', "unreadable"),
        (b"\xff\xfe\x00", "unreadable"),
        (b" " * (5 << 20), "unreadable"),
        ('{"a":' * 200_000, "unreadable"),
    ],
)
def test_a_result_file_that_is_no_use(tmp_path: Path, content: Content, change: str) -> None:
    """Gone, damaged, huge: drift, and the rest is compared all the same."""
    drift = _drift(tmp_path, {METRICS_FILE: content, SCALE_FILE: content})

    assert [("figure", change, METRICS_FILE), ("figure", change, SCALE_FILE)] == _changes(drift)


def test_a_target_whose_revision_was_moved(tmp_path: Path) -> None:
    """A record of another revision than the target's answers nothing."""
    repository, record, targets = chain(tmp_path)
    moved = tuple(replace(t, revision="0" * 40) for t in targets.targets)

    drift = check(repository, record, replace(targets, targets=moved))

    assert [("target", "not recorded", "kyc/commit")] == _changes(drift)


def test_links_lead_nowhere(tmp_path: Path) -> None:
    """A link is not followed, inside the clone or out of it, and is said."""
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(METRICS))
    repository, record, targets = chain(tmp_path / "clone")
    (repository / METRICS_FILE).unlink()
    (repository / METRICS_FILE).symlink_to(secret)
    (repository / "x/kyc/keeper/more_test.go").symlink_to("keeper_test.go")
    (repository / "y").symlink_to("x")
    commit(repository, {})

    drift = check(repository, record, targets)

    assert [("figure", "unreadable", METRICS_FILE)] == _changes(drift)
    assert any("2 files not read (a link" in note for note in drift.notes)


def test_files_of_odd_names_and_content(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, a file named as a folder and a folder named as a file."""
    repository, record, targets = chain(tmp_path)
    odd = repository / "x/kyc/keeper" / os.fsdecode(b"\xff\x1b[31m_test.go")
    odd.write_bytes(
        b'package keeper\n// \xff\nfunc Benchmark\xc3\x9c(b *testing.B) { _ = "\xfe" }\n'
    )
    (repository / "z").write_text("no folder")
    (repository / "folder_test.go").mkdir()
    commit(repository, {"folder_test.go/BASELINE_METRICS.json": "{", "go.sum": "\n" * (6 << 20)})

    drift = check(repository, record, targets)

    assert [("benchmark", "new", "x/kyc/keeper.BenchmarkÜ")] == _changes(drift)


def test_a_package_that_is_a_file_now(tmp_path: Path) -> None:
    """All of its benchmarks are gone; of a clone in which all are, that it is none."""
    repository, record, targets = chain(tmp_path)
    git(repository, "rm", "-q", "-r", "x")
    commit(repository, {"x": "no folder"})

    with pytest.raises(UsageError, match="is this a clone of VirtEngine"):
        check(repository, record, targets)


def test_a_bare_clone_is_read_as_well(tmp_path: Path) -> None:
    """And any commit of it, without a work tree."""
    repository, record, targets = chain(tmp_path / "clone")
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")

    assert () == check(tmp_path / "bare.git", record, targets).drift


@pytest.mark.parametrize("revision", ["none", "--all", "", "HEAD:go.mod", "0" * 40, "a\0b"])
def test_revisions_that_are_none(tmp_path: Path, revision: str) -> None:
    """A usage error, and never an option of git."""
    repository, _, _ = chain(tmp_path)

    with pytest.raises(UsageError, match="no commit in"):
        Clone(repository).resolve(revision)


def test_folders_that_are_no_clone(tmp_path: Path) -> None:
    """A folder inside a repository is not its top; a file and nothing are no folder."""
    repository, _, _ = chain(tmp_path)

    for folder in (repository / "x", repository / "none", repository / "go.mod"):
        with pytest.raises(UsageError, match=r"no git repository|no such folder"):
            Clone(folder)


def test_nothing_of_the_clone_runs(tmp_path: Path) -> None:
    """Its settings name programs for hooks, monitors and filters; none is started."""
    repository, record, targets = chain(tmp_path / "clone")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "filter.x.smudge", "alias.log"):
        git(repository, "config", key, str(trap))
    (repository / ".git/info/attributes").write_text("* filter=x\n")

    assert () == check(repository, record, targets).drift
    assert not (tmp_path / "sprung").exists()


def test_a_tree_of_billions_of_files(tmp_path: Path) -> None:
    """Ten folders, each of the same ten, ten times over, are a few hundred bytes in git."""
    repository, _, _ = chain(tmp_path)
    row = f"100644 blob {git(repository, 'rev-parse', 'HEAD:go.mod')}\tgo.mod\n"
    for _ in range(10):
        tree = git(repository, "mktree", text=row)
        row = "".join(f"040000 tree {tree}\tfolder{i}\n" for i in range(10))
    bomb = git(repository, "commit-tree", "-m", "many", git(repository, "mktree", text=row))

    with pytest.raises(UsageError, match="more than 500,000 files"):
        Clone(repository).tree(bomb)


def test_a_shallow_clone_has_its_drift(tmp_path: Path) -> None:
    """Without the revision that the targets mean: hashes stand for it, and a record needs it."""
    repository, record, targets = chain(tmp_path / "clone")
    commit(repository, {"README.md": "new"})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")

    assert () == check(tmp_path / "shallow", record, targets).drift
    with pytest.raises(UsageError, match="unshallow"):
        make_record(Clone(tmp_path / "shallow"), "HEAD", targets, MAPPING)
