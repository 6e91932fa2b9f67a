"""VirtEngine's own files: baseline metrics as targets, and targets of Go benchmarks."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.hostile_files import VECTORS
from veperf.archive.baselines import load_targets
from veperf.core import units
from veperf.core.errors import CorruptFileError, DataError
from veperf.core.run import Run
from veperf.core.verdict import TargetStatus
from veperf.formats import virtengine
from veperf.formats.readers import read_runs
from veperf.formats.source import SourceFile
from veperf.formats.virtengine import (
    GoBenchmarks,
    load_go_benchmarks,
    unlisted_packages,
    vanished_benchmarks,
    with_go_targets,
    with_listing,
)
from veperf.verdicts.targets import judge_targets

BASELINES = Path(__file__).parents[3] / "data" / "baselines"
METRICS = VECTORS / "BASELINE_METRICS.json"
MODULE = "github.com/virtengine/virtengine"


def go(text: str) -> Run:
    (actual,) = read_runs(text.encode(), "f", format="go")
    return with_go_targets(actual.run, load_go_benchmarks())


def metrics(text: str):
    return virtengine.read_baseline_metrics(SourceFile(text.encode(), "f"))


# ---------------------------------------------------------------- BASELINE_METRICS.json


def test_the_originals_baselines_are_the_published_targets() -> None:
    """Every field is mapped, each to the limit, the unit and the aim that targets.json has."""
    published = load_targets(BASELINES)
    entries = json.loads((BASELINES / "targets.json").read_text(encoding="utf-8"))["targets"]
    originals = {entry["id"] for entry in entries if "original_field" in entry}

    actual = virtengine.read_baseline_metrics_file(METRICS)

    assert 43 == len(originals)
    assert tuple(t for t in published.targets if t.id in originals) == actual.targets
    assert ("1.0.0", str(METRICS)) == (actual.version, actual.source)


def test_limits_are_the_files() -> None:
    """A changed limit is read in the target's unit; targets without a field are left out."""
    actual = metrics(
        '{"version": "2", "memory": {"max_heap_objects_millions": 3},'
        ' "transaction": {"target_tps": 20000, "min_acceptable_tps": 15000}}'
    )

    assert [
        ("transaction/throughput", 15_000, 20_000, "tx/s"),
        ("memory/heap_objects", 3e6, None, "objects"),
    ] == [(t.id, t.limit, t.target, t.unit) for t in actual.targets]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"bidding": {"signing": 1}}', "no published target is made from bidding.signing"),
        ('{"staking": {"max_ms": 1}}', "no published target is made from staking.max_ms"),
        ('{"transaction": {"target_tps": 1}}', "must be given together"),
        ('{"transaction": {"hash_compute_ns": 0}}', "hash_compute_ns is not a positive number"),
        ('{"transaction": {"hash_compute_ns": true}}', "not a positive number"),
        ('{"transaction": {"hash_compute_ns": "1000"}}', "not a positive number"),
        ('{"transaction": {"hash_compute_ns": NaN}}', "not a positive number"),
        ('{"transaction": {"hash_compute_ns": 1e999}}', "not a positive number"),
        (f'{{"transaction": {{"hash_compute_ns": {"9" * 400}}}}}', "not a positive number"),
        ('{"transaction": 3}', "transaction is not a section"),
        ('{"version": 3, "transaction": {"hash_compute_ns": 1}}', "$.version"),
        ("{}", "no baseline metrics"),
        ("[]", "not an object"),
        ("[" * 10_000, "nested deeper"),
        ("", "not valid JSON"),
    ],
)
def test_baselines_that_can_not_be_believed(text: str, said: str) -> None:
    """An unknown field above all is an error: its limit would never be checked."""
    with pytest.raises(CorruptFileError, match="f") as caught:
        metrics(text)

    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a DataError."""
    with pytest.raises(DataError, match="no such file"):
        virtengine.read_baseline_metrics_file(tmp_path / "none.json")


# ---------------------------------------------------------------- go_benchmarks.json


def test_every_listed_target_exists_and_can_be_measured_so() -> None:
    """Its id is published, and the benchmark's unit converts to the target's."""
    expected = {target.id: target.unit for target in load_targets(BASELINES).targets}
    listed = [
        answer
        for benchmarks in load_go_benchmarks().packages.values()
        for answers in benchmarks.values()
        for answer in answers.items()
    ]

    assert 30 == len(listed)
    for unit, id in listed:
        assert units.convert(1.0, unit, expected[id]) > 0


def test_what_go_test_wrote_answers_targets() -> None:
    """Times, rates and shares of three packages get targets in their units; others get none."""
    (actual,) = read_runs((VECTORS / "interop" / "go_virtengine.json").read_bytes(), "f")

    judged = judge_targets(
        with_go_targets(actual.run, load_go_benchmarks()), load_targets(BASELINES)
    )

    assert {
        "transaction/throughput": TargetStatus.PASS,
        "transaction/error_rate": TargetStatus.PASS,
        "transaction/hash_compute": TargetStatus.PASS,
        "verification/score_update": TargetStatus.PASS,
        "bidding/rate_limiter": TargetStatus.PASS,
        "zk_proof/nonce": TargetStatus.PASS,
    } == {item.target.id: item.status for item in judged}
    assert all(item.processes == 6 for item in judged)


def test_a_slow_benchmark_fails_its_target() -> None:
    """By name and package; on 8 processors as on one; memory by what -benchmem says."""
    run = go(
        f"pkg: {MODULE}/tests/benchmark\n"
        + "BenchmarkTransactionValidation-8 100 13000 ns/op\n" * 3
        + "BenchmarkTransactionProcessing 100 13000 ns/op 9011.2 B/op 3 allocs/op\n" * 3
    )

    judged = judge_targets(run, load_targets(BASELINES))

    assert [
        ("transaction/validation", TargetStatus.FAIL, 13_000),
        ("memory/per_transaction", TargetStatus.PASS, 8.8),
    ] == [(item.target.id, item.status, item.value) for item in judged]


@pytest.mark.parametrize(
    ("package", "name", "targets"),
    [
        (f"{MODULE}/pkg/provider_daemon", "BenchmarkRateLimiter", {"time": "bidding/rate_limiter"}),
        (
            "example.org/fork/pkg/provider_daemon",
            "BenchmarkRateLimiter-4",
            {"time": "bidding/rate_limiter"},
        ),
        ("", "BenchmarkRateLimiter", {"time": "bidding/rate_limiter"}),
        (f"{MODULE}/x/market", "BenchmarkRateLimiter", {}),
        ("example.org/mypkg/provider_daemon2", "BenchmarkRateLimiter", {}),
        (f"{MODULE}/pkg/provider_daemon", "BenchmarkRateLimiter/burst", {}),
        (f"{MODULE}/pkg/provider_daemon", "BenchmarkRateLimiter/size=5", {}),
        (f"{MODULE}/pkg/provider_daemon", "BenchmarkRateLimiterParallel", {}),
    ],
)
def test_only_the_benchmark_itself_answers(package: str, name: str, targets: object) -> None:
    """In its package or a fork's, or where no package is named; no part of it, none of its name."""
    (case,) = go(f"pkg: {package}\n{name} 1 2 ns/op\n").cases

    assert targets == case.targets


def test_a_benchmark_that_is_listed_nowhere_is_named() -> None:
    """An unlisted benchmark of the module's own packages is named; others are not."""
    run = go(
        f"pkg: {MODULE}/tests/benchmark\nBenchmarkStateWrite 1 2 ns/op\n"
        "BenchmarkTxValidation-8 1 2 ns/op\n"
        "BenchmarkConcurrentProcessing/concurrency_64 1 2 ns/op\n"
        "pkg: example.org/x/veid/keeper\nBenchmarkOther 1 2 ns/op\n"
        f"FAIL\t{MODULE}/pkg/provider_daemon [build failed]\n"
    )

    assert ("tests-benchmark/BenchmarkTxValidation-8",) == with_listing(
        run, load_go_benchmarks()
    ).unlisted
    other = replace(run, source="pyperf")
    assert other == with_listing(other, load_go_benchmarks())


def test_a_figure_that_the_file_lacks_is_no_answer() -> None:
    """Without -benchmem, without a time, or in one file of two; unlike what failed, or is there."""
    text = (
        f"pkg: {MODULE}/tests/benchmark\n"
        + "BenchmarkTransactionValidation-8 100 20 tps\n" * 3
        + "BenchmarkTransactionProcessing 100 9000 ns/op\n" * 3
        + "BenchmarkTransactionProcessing-8 100 9000 ns/op 100 B/op\n" * 3
        + "--- FAIL: BenchmarkTransactionProcessingParallel\n"
    )

    judged = judge_targets(go(text), load_targets(BASELINES))

    assert {
        ("transaction/validation", "", "not measured", "the file has no time of it"),
        ("transaction/throughput", "Parallel", "error", "it failed in 1 pass"),
        ("transaction/error_rate", "Parallel", "error", "it failed in 1 pass"),
        ("memory/per_transaction", "", "not measured",
         "the file has no B/op of it; run with -benchmem"),
        ("memory/per_transaction", "-8", "pass", "1/82 of its limit"),
    } == {
        (v.target.id, (v.case or "").partition("Processing")[2], v.status, v.reason)
        for v in judged
    }  # fmt: skip


def test_targets_without_their_benchmark_are_named() -> None:
    """In the packages that the run is of, also a fork's; a benchmark that failed is there."""
    listed = {"BenchmarkA": {"ns/op": "a"}, "BenchmarkB": {"ns/op": "b"}, "BenchmarkC": {}}
    mine = GoBenchmarks("1", "m", {"p": listed, "q": {"BenchmarkD": {"ns/op": "d"}}})
    run = go("pkg: m/p\nBenchmarkA-8 1 2 ns/op\n")
    fork = go("pkg: fork/m/p\nBenchmarkA-8 1 2 ns/op\n--- FAIL: BenchmarkB\n")
    parts = go("pkg: m/p\nBenchmarkA/size=5 1 2 ns/op\nBenchmarkB/small 1 2 ns/op\n")
    both = replace(run, cases=(*run.cases, *fork.cases))

    assert (("m/p", "BenchmarkB"),) == vanished_benchmarks(run, mine)
    assert () == vanished_benchmarks(fork, mine)
    assert (("m/p", "BenchmarkA"), ("m/p", "BenchmarkB")) == vanished_benchmarks(parts, mine)
    assert (("m/p", "BenchmarkB"),) == vanished_benchmarks(both, mine)
    assert () == vanished_benchmarks(replace(run, source="pyperf"), mine)


def test_a_package_with_targets_that_is_gone_as_a_whole_is_noted() -> None:
    """With the number of its targets, beside other packages with some; elsewhere it is no news."""
    listed = replace(
        load_go_benchmarks(),
        packages={
            "x/a": {"BenchmarkA": {"ns/op": "t/a"}},
            "x/b": {"BenchmarkB": {"ns/op": "t/b", "B/op": "t/c"}, "BenchmarkC": {"ns/op": "t/b"}},
            "x/c": {"BenchmarkC": {}},
        },
    )
    inside, elsewhere = (
        with_listing(go(f"pkg: {package}\nBenchmarkA 1 5 ns/op\nPASS\n"), listed)
        for package in ("fork/x/a", "example.org/z")
    )

    said = "not in this run, so that their targets are not judged: x/b (2 targets)"
    assert ((said,), ()) == (inside.notes, elsewhere.notes)
    assert (said,) == with_listing(inside, listed).notes


def test_packages_of_the_module_that_nothing_is_known_of() -> None:
    """Of the module alone: other packages are nobody's business."""
    run = go(
        f"pkg: {MODULE}/x/new\nBenchmarkA 1 2 ns/op\npkg: example.org/y\nBenchmarkA 1 2 ns/op\n"
        f"pkg: {MODULE}/tests/benchmark\nBenchmarkStateRead 1 2 ns/op\n"
    )

    assert (f"{MODULE}/x/new",) == unlisted_packages(run, load_go_benchmarks())


def test_a_folders_own_list_comes_first(tmp_path: Path) -> None:
    """A folder's own file is used; a damaged one is an error."""
    mine = {"version": "1", "module": "m", "packages": {"p": {"BenchmarkX": {"ns/op": "a/b"}}}}
    assert MODULE == load_go_benchmarks(tmp_path).module

    (tmp_path / virtengine.GO_BENCHMARKS_FILE).write_text(json.dumps(mine))
    assert "m" == load_go_benchmarks(tmp_path).module

    (tmp_path / virtengine.GO_BENCHMARKS_FILE).write_text('{"packages": []}')
    with pytest.raises(CorruptFileError):
        load_go_benchmarks(tmp_path)
