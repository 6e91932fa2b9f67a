"""Go test binaries that end in every way, played by a script: what is found, and what it costs."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from veperf.abtest.pair import PairResult
from veperf.core.case import Case, Level, Metric
from veperf.programs.go_build import BuiltPackage
from veperf.programs.go_discovery import Discovered, discover, failure_reason
from veperf.programs.go_packages import GoPackage
from veperf.programs.go_pairs import GoBenchmark, GoPairs
from veperf.programs.go_sampling import Sampling

PATH = "example.com/market"
SUITES = {PATH: "market"}

# Runs the benchmarks that fit as a Go binary does, as far as these tests go.
_SCRIPT = """#!{python}
import os, re, sys, time

options = dict(word.removeprefix("-test.").partition("=")[::2] for word in sys.argv[1:])
suffix = "" if options["cpu"] == "1" else "-" + options["cpu"]

def fits(name, pattern):
    parts = name.split("/")
    for alternative in re.split(r"(?<!\\\\)\\|", pattern):
        expressions = alternative.split("/")
        if len(parts) >= len(expressions) and all(map(re.search, expressions, parts)):
            return True
    return False

def result(name, ns=100.0, more=""):
    for _ in range(int(options["count"])):
        count = options["benchtime"].rstrip("xns") if options["benchtime"][-1] == "x" else "20"
        figures = f"{{ns}} ns/op\\t{{more}}8 B/op\\t1 allocs/op"
        print(f"{{name}}{{suffix}}\\t{{count}}\\t{{figures}}", flush=True)

print("goos: linux\\npkg: {path}", flush=True)
status, last = 0, "PASS"
for name, does in {benchmarks!r}.items():
    if not fits(name, options["bench"]) or (options.get("skip") and fits(name, options["skip"])):
        continue
    if "v" in options:
        print(name, flush=True)
    match does:
        case "panic":
            print("panic: no such order\\n\\ngoroutine 1 [running]:", file=sys.stderr)
            sys.exit(2)
        case "exit":
            os._exit(0)
        case "fatal":
            print(f"--- FAIL: {{name}}\\n    a_test.go:7: no such order")
            status, last = 1, "FAIL"
        case "skip":
            print(f"--- SKIP: {{name}}\\n    a_test.go:7: short")
        case "hang":
            time.sleep(60)
        case str():
            result(name, more=does)
        case _:
            result(name, does)
print(last)
sys.exit(status)
"""


def built(folder: Path, benchmarks: dict[str, float | str], name: str = "a") -> BuiltPackage:
    """A package whose binary has these benchmarks: nanoseconds, or what else they do."""
    binary = folder / name
    binary.write_text(
        _SCRIPT.format(python=sys.executable, path=PATH, benchmarks=benchmarks), encoding="utf-8"
    )
    binary.chmod(0o755)
    package = GoPackage(PATH, folder, folder, tuple(benchmarks))
    return BuiltPackage(package, (binary,))


def discovered(
    folder: Path, benchmarks: dict[str, float | str], *, processors: int = 4, timeout_s: float = 20
) -> Discovered:
    """What is found of these benchmarks."""
    return discover(built(folder, benchmarks), ".", processors, timeout_s, SUITES)


@pytest.mark.parametrize(
    ("does", "kind", "said"),
    [
        ("panic", "crashed", "panic: no such order"),
        ("exit", "crashed", "ended before its benchmarks did"),
        ("fatal", "raised", "a_test.go:7: no such order"),
    ],
)
def test_a_failure_costs_only_its_own_benchmark(
    tmp_path: Path, does: str, kind: str, said: str
) -> None:
    """What comes before and after it is found all the same, and the reason is Go's own."""
    actual = discovered(tmp_path, {"BenchmarkA": 5.0, "BenchmarkBad": does, "BenchmarkC/n=1": 7.0})

    assert {"BenchmarkA", "BenchmarkC/n=1"} == set(actual.results)
    assert ["BenchmarkBad"] == list(actual.failures)
    failure = actual.failures["BenchmarkBad"]
    assert kind == failure.kind
    assert said in failure.message
    assert actual.failure is None


def test_a_benchmark_that_hangs_is_ended(tmp_path: Path) -> None:
    """Its time limit is its own; the next one is found."""
    actual = discovered(tmp_path, {"BenchmarkHangs": "hang", "BenchmarkB": 5.0}, timeout_s=1.0)

    assert "timeout" == actual.failures["BenchmarkHangs"].kind
    assert ["BenchmarkB"] == list(actual.results)


def test_a_skipped_benchmark_is_no_failure(tmp_path: Path) -> None:
    """It is known to be skipped."""
    actual = discovered(tmp_path, {"BenchmarkSkips": "skip", "BenchmarkB": 5.0})

    assert {"BenchmarkSkips"} == actual.skipped
    assert ({"BenchmarkB"}, {}) == (set(actual.results), actual.failures)


@pytest.mark.parametrize("processors", [1, 8])
def test_a_number_at_the_end_of_a_name_is_part_of_it(tmp_path: Path, processors: int) -> None:
    """Go appends the number of processors, but not where that is one."""
    actual = discovered(tmp_path, {"BenchmarkTree/n-1": 5.0}, processors=processors)

    assert ["BenchmarkTree/n-1"] == list(actual.results)


def test_a_binary_that_can_not_be_run_says_so(tmp_path: Path) -> None:
    """As one of another machine."""
    package = built(tmp_path, {"BenchmarkA": 5.0})
    package.binaries[0].write_bytes(b"\x7fELF of another machine")

    actual = discover(package, ".", 4, 20.0, SUITES)

    assert actual.failure is not None
    assert "can't be started" in actual.failure.message


def pair(
    folder: Path, a: dict[str, float | str], b: dict[str, float | str], index: int = 0
) -> dict[str, PairResult]:
    """The results of a pair by name, of all benchmarks of ``a``."""
    sides = {"a": built(folder, a, "a"), "b": built(folder, b, "b")}
    metrics = (Metric("time", "ns"), Metric("B/op", "B/op"), Metric("orders", "orders"))
    benchmarks = {
        name: GoBenchmark(
            Case(name, name, "market", Level.MICRO, PATH, metrics=metrics),
            name,
            4,
            Sampling(50, 3),
            {"a": sides["a"], "b": sides["b"]},
        )
        for name in a
    }
    pairs = GoPairs(benchmarks, SUITES, seed=1, timeout_s=20.0)
    cases: Sequence[Case] = [benchmark.case for benchmark in benchmarks.values()]
    return {result.case.id: result for result in pairs.measure(index, cases)}


def test_both_sides_have_the_same_iterations_and_fresh_processes(tmp_path: Path) -> None:
    """Two processes a side, each with a warm-up that is dropped; custom metrics are there, too."""
    actual = pair(tmp_path, {"BenchmarkA/n=1": "12 orders\t"}, {"BenchmarkA/n=1": 110.0})

    a, b = actual["BenchmarkA/n=1"].a, actual["BenchmarkA/n=1"].b
    assert (50, 50) == (a.loops, b.loops)
    assert {"time": 100.0, "B/op": 8.0, "orders": 12.0} == {
        name: a.figures[name] for name in ("time", "B/op", "orders")
    }
    assert 110.0 == b.figures["time"]
    assert [5000] * 4 == [sample.wall_ns for sample in a.samples]


@pytest.mark.parametrize(
    ("does", "said"),
    [("panic", "panic: no such order"), ("fatal", "no such order"), ("skip", "skipped")],
)
def test_a_failure_in_a_pair_is_of_its_side(tmp_path: Path, does: str, said: str) -> None:
    """The other benchmark has its results."""
    a: dict[str, float | str] = {"BenchmarkA": 100.0, "BenchmarkB": 100.0}

    actual = pair(tmp_path, a, a | {"BenchmarkB": does})

    failure = actual["BenchmarkB"].b.failure
    assert failure is not None
    assert said in failure.message
    assert actual["BenchmarkB"].a.failure is None
    assert not actual["BenchmarkA"].has_failed


def test_pairs_of_a_benchmark_take_turns_with_its_binaries(tmp_path: Path) -> None:
    """Whatever the number of the pair, as it is not in each: the tests go by its own pairs."""
    layouts = [built(tmp_path, {"BenchmarkA": ns}, f"{ns:g}") for ns in (100.0, 200.0, 300.0)]
    package = BuiltPackage(layouts[0].package, tuple(each.binaries[0] for each in layouts))
    case = Case("BenchmarkA", "A", "market", Level.MICRO, PATH, metrics=(Metric("time", "ns"),))
    benchmark = GoBenchmark(case, "BenchmarkA", 4, Sampling(50, 1), {"a": package, "b": package})
    pairs = GoPairs({case.id: benchmark}, SUITES, seed=1, timeout_s=20.0)

    actual = [result for index in (1, 2, 5, 9) for result in pairs.measure(index, [case])]

    assert [100.0, 200.0, 300.0, 100.0] == [result.a.figures["time"] for result in actual]
    assert all(result.a.figures == result.b.figures for result in actual)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("--- FAIL: BenchmarkA\n    a_test.go:3: bad\n", "a_test.go:3: bad"),
        ("BenchmarkA\n    a_test.go:3: bad\n--- FAIL: BenchmarkA-2\nFAIL\n", "a_test.go:3: bad"),
        ("--- FAIL: BenchmarkA\nFAIL\n", ""),
        ("PASS\n", ""),
    ],
)
def test_what_a_failed_benchmark_logged_is_the_reason(output: str, expected: str) -> None:
    """Before the line that says that it failed, with -v, or after it."""
    assert expected == failure_reason(output, "BenchmarkA")
