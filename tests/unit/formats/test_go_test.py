"""Reading Go benchmark output, as text and as JSON events."""

import json

import pytest

from tests.support.hostile_files import VECTORS
from veperf.core.case import Metric
from veperf.core.errors import DataError
from veperf.formats.imported_run import ImportedRun
from veperf.formats.readers import read_runs, read_runs_from

FILES = VECTORS / "interop"


def go(text: str, by: str = "") -> tuple[ImportedRun, ...]:
    return read_runs(text.encode(), "f", format="go", by=by)


def figures(found: ImportedRun) -> dict[str, list[dict[str, float]]]:
    kept: dict[str, list[dict[str, float]]] = {}
    for item in found.run.passes:
        for result in item.results:
            if result.figures:
                kept.setdefault(result.case, []).append(result.figures)
    return kept


def test_text_of_several_packages() -> None:
    """Metrics with directions, Unit lines, a torn result, a failure, -cpu, parameters, the CPU."""
    (actual,) = read_runs_from(FILES / "go_test.txt")

    run = actual.run
    by_id = {case.id: case for case in run.cases}
    verify = "veid-keeper/BenchmarkVerify-8"
    assert [98000.0, 98010.0] == [v["time"] for v in figures(actual)[verify]]
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
    assert any("line 19: package example.org" in note for note in actual.notes)
    assert ("Box 9000 @ 3.00GHz", "linux/amd64") == (run.machine.cpu_model, run.machine.system)


def test_events_of_packages_that_take_turns() -> None:
    """Events with pieces of lines, interleaved packages, and a log between name and figures."""
    (actual,) = read_runs_from(FILES / "go_test.json")

    times = {case: [v["time"] for v in all_] for case, all_ in figures(actual).items()}
    assert {
        "veid-keeper/BenchmarkVerify-8": [98000.5 + 10 * i for i in range(6)],
        "market-keeper/BenchmarkMatch/providers=100-8": [1040.0 + i for i in range(6)],
    } == times


def test_events_cut_anywhere_read_the_same() -> None:
    """A text as events of one character each is read as the text."""
    text = (FILES / "go_test.txt").read_text()
    events = "".join(
        json.dumps({"Action": "output", "Package": "p", "Output": c}) + "\n" for c in text
    )

    (whole,), (pieces,) = read_runs(text.encode(), "f"), read_runs(events.encode(), "f")

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
    """Name, iterations and time are read."""
    (actual,) = go(f"goos: linux\n{line}\nPASS\n")

    assert {"go/BenchmarkX-8": [{"time": 250.5}]} == figures(actual)
    assert 1000 == actual.run.passes[0].results[0].loops


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
    """A line that is not a result adds nothing to the result beside it."""
    (actual,) = go(f"BenchmarkGood 1 2 ns/op\n{line}\n")

    assert {"go/BenchmarkGood": [{"time": 2.0}]} == figures(actual)


def test_what_did_not_get_to_its_end_is_a_failure() -> None:
    """A benchmark that panics, one that fails, and a package that does not build."""
    (actual,) = go(
        "FAIL\texample.org/p/broken [build failed]\n"
        "pkg: example.org/p/fatal\n"
        "BenchmarkGood-2 1 5 ns/op\n--- FAIL: BenchmarkF\n    a_test.go:4: no luck\n"
        "--- SKIP: BenchmarkSkipped\nFAIL\nexit status 1\nFAIL\texample.org/p/fatal\t0.1s\n"
        "pkg: example.org/p/panics\n"
        "BenchmarkP-2      \tpanic: boom\n\ngoroutine 10 [running]:\nexit status 2\n"
        "FAIL\texample.org/p/panics\t0.1s\nFAIL\n"
    )

    run = actual.run
    failures = {r.case: r.failure.message for p in run.passes for r in p.results if r.failure}
    assert {
        "p-broken/(the package)": "its package failed, see line 1: [build failed]",
        "p-fatal/BenchmarkF": "it failed, see line 4",
        "p-panics/BenchmarkP-2": "its package failed, see line 15: panic: boom, 0.1s",
    } == failures
    assert {"p-fatal/BenchmarkGood-2": [{"time": 5.0}]} == figures(actual)


def test_configurations_are_told_apart_when_asked() -> None:
    """A key splits a file into runs; without one they are merged, with a note."""
    text = "note: a\nBenchmarkX 1 1 ns/op\nnote: b\nBenchmarkX 1 2 ns/op\nnote:\nBenchmarkX 1 3 x\n"

    (merged,) = go(text)
    apart = go(text, by="note")

    assert 3 == merged.values
    assert any("note varies (a, b)" in note for note in merged.notes)
    assert ["a", "b", ""] == [item.label for item in apart]


def test_the_direction_of_a_unit_is_never_guessed() -> None:
    """It is unknown, with a note, unless a Unit line anywhere in the file sets it."""
    (unknown,) = go("BenchmarkX 1 5 frobs\n")
    (notices,) = go("BenchmarkX 1 5 frobs\nUnit frobs better=higher\nUnit frobs better=lower\n")

    assert (Metric("frobs", "frobs", "unknown"),) == unknown.run.cases[0].metrics
    assert any("direction of frobs is not known" in note for note in unknown.notes)
    assert (Metric("frobs", "frobs", "higher"),) == notices.run.cases[0].metrics
    assert any("already" in note for note in notices.notes)


def test_packages_of_one_name_stay_apart() -> None:
    """Suites contain as much of the package path as makes them unique."""
    text = "".join(f"pkg: {p}\nBenchmarkX 1 2 ns/op\n" for p in ("a/x/keeper", "b/x/keeper", "k"))

    (actual,) = go(text)

    assert ["x-keeper", "b-x-keeper", "k"] == [case.suite for case in actual.run.cases]


def test_names_of_any_letter() -> None:
    """benchstat takes any result that begins with Benchmark; text that does is none."""
    (actual,) = go("Benchmarkuber_zap_total 1 20149055 total-bytes\nBenchmarking 5 things\n")

    assert {"go/Benchmarkuber_zap_total": [{"total-bytes": 20149055.0}]} == figures(actual)


LATE = (
    "pkg: ex/odd\n"
    "BenchmarkPlain   \t 20 \t 367.6 ns/op\n"
    "BenchmarkLate    \t 20 \t 10.0 ns/op\n"
    "BenchmarkLate    \t--- FAIL: BenchmarkLate\n"
    "    odd_test.go:12: boom at 20\n"
    "BenchmarkLate-2  \t--- FAIL: BenchmarkLate-2\n"
    "--- FAIL: BenchmarkProbe\n"
    "BenchmarkAfter-2 \t 20 \t 7.5 ns/op\n"
    "FAIL\nexit status 1\nFAIL\tex/odd\t1.7s\n"
)


def test_failures_of_text_are_those_of_events() -> None:
    """Each is that of its own number of processors; a benchmark after them is fine."""
    event = {"Action": "output", "Package": "ex/odd"}
    events = [event | {"Output": f"{line}\n"} for line in LATE.split("\n")]
    events.append({"Action": "fail", "Package": "ex/odd"})

    (text,) = go(LATE)
    (json_,) = read_runs("\n".join(map(json.dumps, events)).encode(), "f")

    expected = {"ex-odd/BenchmarkLate", "ex-odd/BenchmarkLate-2", "ex-odd/BenchmarkProbe"}
    assert expected == text.run.first_failures.keys() == json_.run.first_failures.keys()
    assert figures(text) == figures(json_)


def test_a_file_in_which_nothing_could_be_measured() -> None:
    """It is a Go file all the same, with its failures; so is that of a package without a build."""
    failing = "pkg: ex/a\n--- FAIL: BenchmarkA\n    boom\nFAIL\nFAIL\tex/a\t1s\n"
    broken = "# ex/a\n./a.go:1:1: oops\nFAIL\tex/a [build failed]\nFAIL\n"

    (failed,) = read_runs(failing.encode(), "f")
    (not_built,) = read_runs(broken.encode(), "f")

    assert ["ex-a/BenchmarkA"] == list(failed.run.first_failures)
    assert ["ex-a/(the package)"] == list(not_built.run.first_failures)


def test_packages_without_tests_are_noted() -> None:
    """All in a single note; where there is nothing else, the file has no results."""
    text = "?   \tex/b\t[no test files]\n?   \tex/c\t[no test files]\n"

    (actual,) = go(f"{text}BenchmarkX 1 1 ns/op\nok  \tex/a\t1s\n")

    assert ("no test files in ex/b, ex/c",) == actual.notes
    with pytest.raises(DataError, match="no benchmark results"):
        go(text)


def test_a_package_that_fails_without_a_word() -> None:
    """An event alone is enough, and that of another test is not about a benchmark."""
    lines = [
        {"Action": "output", "Package": "ex/a", "Output": "BenchmarkX 1 1 ns/op\n"},
        {"Action": "fail", "Package": "ex/b", "Test": "TestY"},
        {"Action": "fail", "Package": "ex/c", "Elapsed": 0.1},
    ]

    (actual,) = read_runs("\n".join(map(json.dumps, lines)).encode(), "f")

    assert ["ex-c/(the package)"] == list(actual.run.first_failures)


def test_a_result_without_its_name_is_noted() -> None:
    """Where output tore the line of its name away; the value is not lost in silence."""
    (actual,) = go("BenchmarkX 1 1 ns/op\n 20 \t 573.4 ns/op\n")

    assert "line 2 left out: a result without a name of its own" in actual.notes


@pytest.mark.parametrize(
    "text",
    [
        "no newline BenchmarkP   \tline\n 20 \t 573.4 ns/op\n",
        "partialBenchmarkP   \tpartial   20\t 573.4 ns/op\n",
        "BenchmarkP   \tpartialpartial   20\t 573.4 ns/op\n",
    ],
)
def test_text_without_a_line_end_hides_no_name(text: str) -> None:
    """What a benchmark or a test prints goes before the name of the next one on its line."""
    (actual,) = go(f"BenchmarkX 1 1 ns/op\n{text}")

    assert [{"time": 573.4}] == figures(actual)["go/BenchmarkP"]


def test_events_without_line_ends() -> None:
    """Between the events, in their output and after the last one, and beside other text."""
    texts = [
        "pkg: ex/a\n",
        "hello",
        "BenchmarkA-8  \t",
        " 10\t 5.0 ns/op\n",
        "BenchmarkB-8 \t 10\t 6 ns/op",
    ]
    events = [json.dumps({"Action": "output", "Package": "ex/a", "Output": text}) for text in texts]
    end = json.dumps({"Action": "pass", "Package": "ex/a"})

    for output in ("".join([*events, end]), "\n".join([*events, end]), "go: x" + "".join(events)):
        (actual,) = read_runs(output.encode(), "f")
        assert {"ex-a/BenchmarkA-8": [{"time": 5.0}], "ex-a/BenchmarkB-8": [{"time": 6.0}]} == (
            figures(actual)
        )


def test_a_logged_result_is_none() -> None:
    """A line of a test's log, which begins with its file, names no benchmark."""
    (actual,) = go("BenchmarkX 1 1 ns/op\n    a_test.go:5: BenchmarkY \t 10\t 5 ns/op\n")

    assert ["go/BenchmarkX"] == [case.id for case in actual.run.cases]
    assert "line 2 left out: a result without a name of its own" in actual.notes


@pytest.mark.parametrize("is_json", [False, True])
def test_colours_are_no_part_of_lines(is_json: bool) -> None:
    """Nor is what else a terminal is told: around a line, a name or a unit, of some or all."""
    lines = [
        "\x1b[36mpkg: ex/a\x1b[0m\n",
        "\x1b[32mBenchmarkA-8 \t 10\t 5 ns/op\t 3 B/op\x1b[0m\n",
        "BenchmarkA-8 \t 10\t 6 ns/op\t 3 B/op\x1b[K\n",
        "\x1b[1;31mBenchmarkA-8\x1b[m \t 10\t \x1b[1m7\x1b[0m ns/op\t 3 B/op\n",
    ]
    if is_json:
        lines = [f"{json.dumps({'Action': 'output', 'Output': line})}\n" for line in lines]

    (actual,) = read_runs("".join(lines).encode(), "f")

    assert {"ex-a/BenchmarkA-8": [{"time": t, "B/op": 3.0} for t in (5.0, 6.0, 7.0)]} == (
        figures(actual)
    )


def test_a_file_in_which_every_benchmark_logs() -> None:
    """No line is a whole result; that is a file of Go's all the same."""
    text = (
        "pkg: ex/a\nBenchmarkA-8   \t2026/11/30 12:00:00 ready\n"
        "2026/11/30 12:00:00 done\n     100\t 10 ns/op\nPASS\nok  \tex/a\t1.0s\n"
    )

    (actual,) = read_runs(text.encode(), "f")

    assert {"ex-a/BenchmarkA-8": [{"time": 10.0}]} == figures(actual)
