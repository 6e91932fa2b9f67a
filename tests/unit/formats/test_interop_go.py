"""Go benchmark results in all the shapes that they have in real life."""

import json

import pytest

from tests.support.hostile_files import VECTORS
from veperf.core.case import Metric
from veperf.formats.imported_run import Imported
from veperf.formats.readers import read, read_path

FILES = VECTORS / "interop"


def go(text: str, by: str = "") -> tuple[Imported, ...]:
    return read(text.encode(), "f", format="go", by=by)


def figures(found: Imported) -> dict[str, list[dict[str, float]]]:
    kept: dict[str, list[dict[str, float]]] = {}
    for one in found.run.passes:
        for result in one.results:
            if result.figures:
                kept.setdefault(result.case, []).append(result.figures)
    return kept


def test_text_of_several_packages() -> None:
    """Metrics with directions, Unit lines, a torn result, a failure, -cpu, parameters, the CPU."""
    (found,) = read_path(FILES / "go_test.txt")

    run = found.run
    by_id = {case.id: case for case in run.cases}
    verify = "veid-keeper/BenchmarkVerify-8"
    assert [98000.0, 98010.0] == [v["time"] for v in figures(found)[verify]]
    assert (
        Metric("time", "ns"),
        Metric("MB/s", "MB/s", "higher"),
        Metric("B/op", "B/op"),
        Metric("allocs/op", "allocs/op"),
    ) == by_id[verify].metrics
    score = by_id["veid-keeper/BenchmarkScore-4"]
    assert Metric("score", "score", "higher") in score.metrics
    assert Metric("proofs/op", "proofs/op", "lower", exact=True) in score.metrics
    assert ({"gomaxprocs": 4}, "example.org/chain/x/veid/keeper") == (score.params, score.what)
    assert {"providers": 1000, "gomaxprocs": 8} == by_id[
        "market-keeper/BenchmarkMatch/providers=1000-8"
    ].params
    failed = [r.case for p in run.passes for r in p.results if r.failure]
    assert ["veid-keeper/BenchmarkBroken-8"] == failed
    assert any(":19: package example.org" in note for note in found.notes)
    assert ("Box 9000 @ 3.00GHz", "linux/amd64") == (run.machine.cpu_model, run.machine.system)


def test_events_of_packages_that_take_turns() -> None:
    """Output cut into pieces, packages interleaved, a log between name and figures."""
    (found,) = read_path(FILES / "go_test.json")

    times = {case: [v["time"] for v in all_] for case, all_ in figures(found).items()}
    assert {
        "veid-keeper/BenchmarkVerify-8": [98000.5 + 10 * i for i in range(6)],
        "market-keeper/BenchmarkMatch/providers=100-8": [1040.0 + i for i in range(6)],
    } == times


def test_events_cut_anywhere_read_the_same() -> None:
    """Text as events, one a character, is the text."""
    text = (FILES / "go_test.txt").read_text()
    events = "".join(
        json.dumps({"Action": "output", "Package": "p", "Output": c}) + "\n" for c in text
    )

    (whole,), (pieces,) = read(text.encode(), "f"), read(events.encode(), "f")

    assert figures(whole) == figures(pieces)


@pytest.mark.parametrize(
    "line",
    [
        "BenchmarkX-8   1000   250.5 ns/op",
        "BenchmarkX-8\t1000\t250.5 ns/op\r",
        "BenchmarkX-8   \tsome log on the same line   1000\t250.5 ns/op",
        "BenchmarkX-8   \n    1000\t250.5 ns/op",
        "BenchmarkX\nBenchmarkX-8   \nlog: 5\n    1000\t250.5 ns/op",
    ],
)
def test_a_result_however_it_is_torn(line: str) -> None:
    """Name, iterations and time are found."""
    (found,) = go(f"goos: linux\n{line}\nPASS\n")

    assert {"go/BenchmarkX-8": [{"time": 250.5}]} == figures(found)
    assert 1000 == found.run.passes[0].results[0].loops


@pytest.mark.parametrize(
    "line",
    [
        "Benchmarking 5 things 3 ns/op",
        "BenchmarkX 1000",
        "BenchmarkX 1000 5",
        "BenchmarkX ten 5 ns/op",
        "BenchmarkX 10 0x5 ns/op",
        "BenchmarkX 10 1_0 ns/op",
        "BenchmarkX 10 \uff11 ns/op",
        "BenchmarkX 10 1e999 ns/op",
        "BenchmarkX 10 NaN ns/op",
        f"BenchmarkX 10 {'9' * 10_000} ns/op",
        "  BenchmarkX 10 5 ns/op",
    ],
)
def test_what_is_no_result(line: str) -> None:
    """It adds nothing to the result beside it."""
    (found,) = go(f"BenchmarkGood 1 2 ns/op\n{line}\n")

    assert {"go/BenchmarkGood": [{"time": 2.0}]} == figures(found)


def test_what_did_not_get_to_its_end_is_a_failure() -> None:
    """A benchmark that panics, one that fails, and a package that does not even build."""
    (found,) = go(
        "FAIL\texample.org/p/broken [build failed]\n"
        "pkg: example.org/p/fatal\n"
        "BenchmarkGood-2 1 5 ns/op\n--- FAIL: BenchmarkF\n    a_test.go:4: no luck\n"
        "--- SKIP: BenchmarkSkipped\nFAIL\nexit status 1\nFAIL\texample.org/p/fatal\t0.1s\n"
        "pkg: example.org/p/panics\n"
        "BenchmarkP-2      \tpanic: boom\n\ngoroutine 10 [running]:\nexit status 2\n"
        "FAIL\texample.org/p/panics\t0.1s\nFAIL\n"
    )

    run = found.run
    failures = {r.case: r.failure.message for p in run.passes for r in p.results if r.failure}
    assert {
        "p-broken/(the package)": "its package failed, says line 1: [build failed]",
        "p-fatal/BenchmarkF": "it failed, says line 4",
        "p-panics/BenchmarkP-2": "its package failed, says line 15: 0.1s",
    } == failures
    assert {"p-fatal/BenchmarkGood-2": [{"time": 5.0}]} == figures(found)


def test_configurations_are_told_apart_when_asked() -> None:
    """By a key one run each; otherwise they are merged, and that is said."""
    text = "note: a\nBenchmarkX 1 1 ns/op\nnote: b\nBenchmarkX 1 2 ns/op\nnote:\nBenchmarkX 1 3 x\n"

    (merged,) = go(text)
    apart = go(text, by="note")

    assert 3 == merged.values
    assert any("note varies (a, b)" in note for note in merged.notes)
    assert ["a", "b", ""] == [one.label for one in apart]


def test_an_unknown_unit_is_lower_and_said() -> None:
    """Unless a Unit line says otherwise, wherever in the file it stands."""
    (guessed,) = go("BenchmarkX 1 5 frobs\n")
    (told,) = go("BenchmarkX 1 5 frobs\nUnit frobs better=higher\nUnit frobs better=lower\n")

    assert (Metric("frobs", "frobs"),) == guessed.run.cases[0].metrics
    assert any("frobs" in note for note in guessed.notes)
    assert (Metric("frobs", "frobs", "higher"),) == told.run.cases[0].metrics
    assert any("already" in note for note in told.notes)


def test_packages_of_one_name_stay_apart() -> None:
    """Their suites take in as much of the path as tells them apart."""
    text = "".join(f"pkg: {p}\nBenchmarkX 1 2 ns/op\n" for p in ("a/x/keeper", "b/x/keeper", "k"))

    (found,) = go(text)

    assert ["x-keeper", "b-x-keeper", "k"] == [case.suite for case in found.run.cases]
