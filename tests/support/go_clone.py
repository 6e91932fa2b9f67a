"""A git repository of Go files that are VirtEngine's in layout and in nothing else."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from veperf.core.target import Target, TargetSet
from veperf.formats.source import SourceFile
from veperf.formats.virtengine import GoBenchmarks
from veperf.upstream.check import UpstreamDrift, check_clone
from veperf.upstream.clone import Clone
from veperf.upstream.record import UpstreamRecord, make_record

MODULE = "example.org/chain"
Content = str | bytes | None

_BENCHMARKS = """package keeper

import (
\t"testing"

\t"example.org/chain/x/kyc/types"
)

func setup(b *testing.B) *Keeper {
\tb.Helper()
\treturn &Keeper{}
}

func BenchmarkCommit(b *testing.B) {
\tk := setup(b)
\tfor i := 0; i < b.N; i++ {
\t\tk.Store(types.Commitment("value", i))
\t}
}

func BenchmarkLookup(b *testing.B) {
\tfor i := 0; i < b.N; i++ {
\t\t_ = find(i)
\t}
}
"""
_KEEPER = """package keeper

// Keeper keeps.
type Keeper struct{ last string }

// Store stores.
func (k *Keeper) Store(value string) { k.last = value }

// Other is called by nobody.
type Other struct{}

func (o Other) Store(value string) {}

func find(i int) int { return i * 2 }
"""
_TYPES = """package types

import "crypto/sha256"

// Commitment hides a value.
func Commitment(value string, salt int) string {
\tsum := sha256.Sum256([]byte(value + "// no comment {"))
\treturn string(sum[:])
}
"""
METRICS_FILE = "tests/benchmark/BASELINE_METRICS.json"
SCALE_FILE = "tests/load/scale/SCALE_BASELINES.json"
METRICS = {"version": "1.0.0", "kyc": {"commit_ns": 5000, "target_rate": 200, "min_rate": 100}}
SCALE = {
    "environment": {"target_orders": 1000},
    "baselines": {"marketplace_operations": {"order_iteration_rate": 500}},
    "degradation_thresholds": {"acceptable_factor": 2, "warning_factor": 5, "critical_factor": 10},
}
FILES: Mapping[str, Content] = {
    "go.mod": f"module {MODULE}\n\ngo 1.21\n",
    "x/kyc/keeper/keeper.go": _KEEPER,
    "x/kyc/keeper/keeper_test.go": _BENCHMARKS,
    "x/kyc/types/types.go": _TYPES,
    METRICS_FILE: json.dumps(METRICS),
    SCALE_FILE: json.dumps(SCALE),
}
MAPPING = GoBenchmarks(
    "1.0.0",
    MODULE,
    {"x/kyc/keeper": {"BenchmarkCommit": {"ns/op": "kyc/commit"}, "BenchmarkLookup": {}}},
)


def git(folder: Path, *words: str, text: str = "") -> str:
    """What git prints, with ``text`` as its input, whatever settings the machine has."""
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@localhost")
    return subprocess.run(
        ["git", "-C", str(folder), *who, "-c", "commit.gpgsign=false", *words],
        check=True, capture_output=True, text=True, input=text,
        env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    ).stdout.strip()  # fmt: skip


def commit(folder: Path, files: Mapping[str, Content]) -> str:
    """A commit in which ``files`` are written, or removed where they are None; its hash."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q")
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(folder, "add", "--all", ".")
    git(folder, "commit", "-q", "--allow-empty", "-m", "a change")
    return git(folder, "rev-parse", "HEAD")


def chain(folder: Path) -> tuple[Path, UpstreamRecord, TargetSet]:
    """A repository with one commit, its record, and the targets that mean that commit."""
    revision = commit(folder, FILES)
    targets = published_targets(revision)
    return folder, make_record(Clone(folder), "HEAD", targets, MAPPING), targets


def published_targets(revision: str) -> TargetSet:
    """Two targets, of which a Go function answers the first."""
    return TargetSet(
        "1.0.0",
        "tests",
        10,
        20,
        (
            Target("kyc/commit", 5000, "ns", "lower", "commits", revision=revision),
            Target("kyc/rate", 100, "1/s", "higher", "lookups", target=200, revision=revision),
        ),
    )


def targets_file(targets: TargetSet) -> SourceFile:
    """The targets as the file that says from which fields they were made."""
    fields = {"kyc/commit": "kyc.commit_ns", "kyc/rate": "kyc.target_rate, min_rate"}
    document = {
        "version": "1.0.0",
        "source": "tests",
        "warn_percent": 10,
        "fail_percent": 20,
        "targets": [
            {
                "id": t.id,
                "limit": t.limit,
                "unit": t.unit,
                "better": t.better,
                "what": t.what,
                "target": t.target,
                "revision": t.revision,
                "original_field": fields[t.id],
            }
            for t in targets.targets
        ],
    }
    return SourceFile(json.dumps(document).encode(), "targets.json")


def check(folder: Path, record: UpstreamRecord, targets: TargetSet) -> UpstreamDrift:
    """The drift of the repository's last commit."""
    return check_clone(Clone(folder), "HEAD", targets, targets_file(targets), MAPPING, record)
