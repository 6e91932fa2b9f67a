"""Files of Rust's, Java's, .NET's and JavaScript's tools, of Catch2 and of load tests are read."""

import contextlib
import json
import random
import time

import pytest

from tests.support.hostile_files import VECTORS, check, mutated
from veperf.core.case import Metric
from veperf.core.errors import CorruptFileError, DataError
from veperf.core.run import Run, Summary
from veperf.core.verdict import ChangeStatus
from veperf.formats import k6
from veperf.formats.readers import INPUT_FORMATS, read_runs, read_runs_from
from veperf.formats.source import SourceFile
from veperf.verdicts.screen import compare_runs

FILES = VECTORS / "interop"
TIME = Metric("time", "ns")
EXAMPLES = [
    ("benchmark_dotnet_brief.json", "benchmark-dotnet"),
    ("benchmark_dotnet_full.json", "benchmark-dotnet"),
    ("cargo_bench.txt", "cargo-bench"),
    ("catch2.xml", "catch2"),
    ("criterion.txt", "criterion"),
    ("gungraun.txt", "gungraun"),
    ("gungraun_summary.json", "gungraun-json"),
    ("jmh.json", "jmh"),
    ("k6_points.json", "k6-points"),
    ("k6_summary.json", "k6"),
    ("vegeta.json", "vegeta"),
    ("vegeta.txt", "vegeta-text"),
    ("virtengine_load.json", "virtengine-load"),
    ("vitest.json", "vitest"),
    ("wrk.txt", "wrk"),
]


def read(name: str) -> Run:
    (imported,) = read_runs_from(FILES / name)
    return imported.run


def read_text(text: str, format: str = "") -> Run:
    (imported,) = read_runs(text.encode(), "f", format=format)
    return imported.run


def values(run: Run, case: str, metric: str = "time") -> list[float]:
    results = [r for p in run.passes for r in p.results if r.case == case]
    return [r.figures[metric] for r in results if metric in r.figures]


def summary(run: Run, case: str, metric: str = "time") -> Summary:
    (result,) = (r for p in run.passes for r in p.results if r.case == case)
    return result.summaries[metric]


def failures(run: Run) -> dict[str, str]:
    return {case: failure.message for case, failure in run.first_failures.items()}


def metrics(run: Run, case: str) -> dict[str, Metric]:
    (metrics,) = (c.metrics for c in run.cases if c.id == case)
    return {metric.name: metric for metric in metrics}


@pytest.mark.parametrize(("name", "format"), EXAMPLES)
def test_a_file_is_of_its_tool_and_of_no_other(name: str, format: str) -> None:
    """Whatever its encoding and line ends; all formats are asked, not the first that fits."""
    data = (FILES / name).read_bytes()

    for variant in (data, data.decode().replace("\n", "\r\n").encode("utf-16")):
        source = SourceFile(variant, "f")
        assert [format] == [known.name for known in INPUT_FORMATS if known.matches(source)]
        (imported,) = read_runs(variant, "f")
        assert len(imported.run.cases) == len(read(name).cases)


@pytest.mark.parametrize(("name", "_format"), EXAMPLES)
def test_every_part_is_accounted_for(name: str, _format: str) -> None:
    """Nothing of the examples is refused, and something is taken."""
    (imported,) = read_runs_from(FILES / name)

    (account,) = imported.accounts
    assert {} == account.refused
    assert account.taken > 0


def test_cargo_bench() -> None:
    """Thousands separators, MB/s, output within a line; FAILED is a failure, tests are none."""
    run = read("cargo_bench.txt")
    lib = "cargo-bench/unittests src/lib.rs (ledger): "

    assert [1234.56] == values(run, f"{lib}codec::encode")
    assert [812.0] == values(run, f"{lib}codec::encode", "throughput")
    assert [2500.0] == values(run, f"{lib}codec::decode")
    assert [42.1] == values(run, f"{lib}codec::hash")
    assert {f"{lib}codec::verify": "it failed, see line 9"} == failures(run)
    assert Metric("throughput", "MB/s", "higher") in run.cases[0].metrics
    assert f"{lib}codec::tests::round_trip" not in [case.id for case in run.cases]


def test_cargo_bench_of_several_programs_and_runs() -> None:
    """The same program again is a repetition; two that share a name are two benchmarks."""
    line = "test sort ... bench:  {} ns/iter (+/- 2)\n"
    one = "     Running benches/a.rs (target/release/deps/a-1)\n" + line
    other = "     Running benches/b.rs (target/release/deps/b-1)\n" + line

    repeated = read_text(one.format(100) + one.format("1,100"))
    two = read_text(one.format(100) + other.format(200))

    assert [100.0, 1100.0] == values(repeated, "cargo-bench/benches/a.rs: sort")
    assert [200.0] == values(two, "cargo-bench/benches/b.rs: sort")


def test_other_units_of_cargo_bench() -> None:
    """Units of time become ns; what is none has no better direction."""
    run = read_text(
        "test a ... bench:     22 ms/iter (+/- 1)\n"
        "test b ... bench:  2,845 cycles/iter (+/- 19)\n"
        "test c ... bench:  1,911 MS/s (+/- 420)\n"
    )

    assert [22e6] == values(run, "cargo-bench/a")
    assert [2845.0] == values(run, "cargo-bench/b", "value")
    assert {"value": Metric("value", "cycles/iter", "unknown")} == metrics(run, "cargo-bench/b")
    assert [1911.0] == values(run, "cargo-bench/c", "value")


@pytest.mark.parametrize("name", ["cargo_bench.txt", "criterion.txt", "gungraun.txt"])
def test_a_program_that_failed_between_benchmarks(name: str) -> None:
    """It has failures of benchmarks, or else one of its own, also where there is nothing else."""
    tool = name.partition(".")[0].replace("_", "-")
    text = (FILES / name).read_text()
    good = text.partition("test codec::verify")[0].partition("Benchmarking sums/broken")[0]

    run = read_text(good + "thread 'main' panicked at a.rs:1:1\nerror: bench failed\n")
    alone = read_text("   Compiling a\nerror: bench failed, to rerun pass `--bench a`\n")

    assert [f"{tool}/(the program)"] == list(failures(run))
    assert {"cargo-bench/(the program)": "cargo says that it failed, see line 2"} == failures(alone)
    assert f"{tool}/(the program)" not in failures(read(name))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("test a ... bench: 1 ns/iter (+/- 0)\ntest b ... ", "it began, and has no result"),
        ("test a ... bench: 1 ns/iter (+/- 0)\ntest b ... bench: 1,2", "incomplete result"),
        ("test a ... bench: 1 ns/iter (+/- 0)\ntest b ... FAILED", "it failed, see line 2"),
        ("test b ... FAILED\ntest result: FAILED. 0 passed; 1 failed", "it failed, see line 1"),
        ("test b ... bench: 0 ns/iter (+/- 0)", "1 of 1 repetitions gave a time of 0"),
    ],
)
def test_failures_of_cargo_bench(text: str, message: str) -> None:
    """Also in a file with nothing but failures, and at its end."""
    (failure,) = failures(read_text(text)).items()

    assert "cargo-bench/b" == failure[0]
    assert message in failure[1]


def test_text_of_criterion() -> None:
    """Names on the line or above it, units of each end, throughput; changes are not results."""
    run = read("criterion.txt")

    assert Summary("mean", low=912.34, high=918.22, confidence=0.95) == summary(
        run, "criterion/sum flat"
    )
    assert [915.12] == values(run, "criterion/sum flat")
    assert [1.06 * 2**30] == values(run, "criterion/sum flat", "throughput")
    assert [2.5306e6] == values(run, "criterion/sums/fold over a long list")
    assert ["criterion/sums/broken"] == list(failures(run))
    assert "panicked at benches/sums.rs:31:9" in failures(run)["criterion/sums/broken"]
    assert Metric("throughput", "B/s", "higher") == metrics(run, "criterion/sum flat")["throughput"]


def test_text_of_criterion_in_a_terminal() -> None:
    """Colours and overwritten progress are removed; other measurements keep their unit."""
    bar = "\r                \r"
    a, b = ("a                       time:   [", "b                       time:   [")
    run = read_text(
        f"Benchmarking a{bar}\x1b[32m{a}\x1b[2m990.00 ps\x1b[22m 1.0000 ns 1.0100 ns]\n"
        f"{b}1.0 Kcycles 1.5 Kcycles 2.0 Kcycles]\n"
    )

    assert [1.0] == values(run, "criterion/a")
    assert Summary("mean", low=0.99, high=1.01, confidence=0.95) == summary(run, "criterion/a")
    assert [1.5] == values(run, "criterion/b", "value")
    assert Metric("value", "Kcycles", "unknown") == metrics(run, "criterion/b")["value"]


def test_gungraun() -> None:
    """Left of the bar is this run; figures of several tools are of one benchmark."""
    run = read("gungraun.txt")

    short, long = ("gungraun/ledger_bench::codec::encode " + i for i in ("short", "long"))
    assert [1734.0] == values(run, short, "instructions")
    assert [2464.0] == values(run, short, "estimated_cycles")
    assert [180214.0] == values(run, long, "instructions")
    assert [4096.0] == values(run, long, "total_bytes")
    assert [2.0] == values(run, long, "total_blocks")
    assert ("lower", "unknown") == tuple(
        metrics(run, short)[name].better for name in ("instructions", "l1_hits")
    )


def test_figures_of_gungraun_are_counts() -> None:
    """One value a side is enough: the same is no change, a tenth more is slower."""
    text = (FILES / "gungraun.txt").read_text()
    base, new = read_text(text), read_text(text.replace(" 2464|", " 2711|"))

    assert {ChangeStatus.OK} == {change.status for change in compare_runs(base, base)}
    slower = {c.metric for c in compare_runs(base, new) if c.status is ChangeStatus.SLOWER}
    assert {"estimated_cycles"} == slower


def test_a_benchmark_of_gungraun_that_was_not_run() -> None:
    """It has a figure of the earlier run alone."""
    run = read_text("a::b c:1\n  Instructions:       N/A|1734       (*********)\n")

    assert {"gungraun/a::b c": "1 of 1 repetitions gave no number of instructions"} == failures(run)


def test_names_of_gungraun_in_several_lines() -> None:
    """An argument may have some; the same name once more is a repetition."""
    figures = "  Instructions:      {}|N/A      (*********)\n  Bus Events:   5|N/A\n"
    run = read_text(
        "running 0 tests\n\n"
        "a::b c:text of two\nlines\n" + figures.format(1) + "a::b c:one\n" + figures.format(2)
    )

    assert [1.0, 2.0] == values(run, "gungraun/a::b c", "instructions")
    assert ["instructions"] == list(metrics(run, "gungraun/a::b c"))


def test_details_of_gungraun() -> None:
    """They are taken where there is nothing else, and compared for equality."""
    run = read_text("a::b c:1\n  I1mr:   5|N/A   (*********)\n  L1 Hits:  N/A|1\n")
    detail = read_text("a::b c:1\n  I1mr:   5|N/A   (*********)\n  Errors:  0|N/A\nd::e f:2\n"
                       "  I1 Miss Rate:  1.5|N/A  (*********)\n")  # fmt: skip

    assert {"gungraun/a::b c": "1 of 1 repetitions gave no number of l1_hits"} == failures(run)
    assert [0.0] == values(detail, "gungraun/a::b c", "errors")
    assert {"I1MissRate": Metric("I1MissRate", "%", "unknown", exact=True)} == metrics(
        detail, "gungraun/d::e f"
    )


def test_summaries_of_gungraun_among_other_output() -> None:
    """In lines or indented, after what cargo prints; one that is cut off is noted."""
    first, second, *_ = (FILES / "gungraun_summary.json").read_text().splitlines()
    indented = json.dumps(json.loads(second), indent=2)

    run = read_text(f"running 0 tests\n{{ no JSON\n{first}\nfrom cargo\n{indented}\n{first[:-9]}\n")

    assert ["short", "ledger_bench::codec::decode"] == [c.id.split("/")[-1].split(" ")[-1]
                                                        for c in run.cases]  # fmt: skip
    assert "a summary is cut off, or can't be read" in run.notes


def test_summaries_of_gungraun() -> None:
    """Layouts 2, 6 and 7, one after the other; the name is that of the text."""
    run = read("gungraun_summary.json")

    assert [1734.0] == values(run, "gungraun/ledger_bench::codec::encode short", "instructions")
    assert [4096.0] == values(run, "gungraun/ledger_bench::codec::encode short", "total_bytes")
    assert [687.0] == values(run, "gungraun/ledger_bench::codec::decode", "instructions")
    assert [9001.0] == values(run, "gungraun/ledger_bench::codec::verify", "instructions")
    assert {"gungraun/ledger_bench::codec::gone": "its summary has no figures"} == failures(run)


def test_jmh() -> None:
    """Iterations of all forks, in ops/s or ns; profilers' rates have no better direction."""
    run = read("jmh.json")

    encode = "jmh/ledger.Codec.encode[size=10]"
    assert [1e6, 2e6, 3e6, 4e6] == values(run, encode, "throughput")
    assert [90.0, 100.0, 110.0, 100.0] == values(run, encode, "gc.alloc.rate")
    assert {
        "throughput": Metric("throughput", "ops/s", "higher"),
        "gc.alloc.rate": Metric("gc.alloc.rate", "MB/sec", "unknown"),
        "gc.alloc.rate.norm": Metric("gc.alloc.rate.norm", "B/op"),
    } == metrics(run, encode)
    assert [1250.0, 1750.0] == values(run, "jmh/ledger.Codec.decode[threads=4]")
    assert {"jmh/ledger.Codec.decode[threads=4]": "1 of 3 repetitions gave no number"} == failures(
        run
    )
    # (3 * 1 + 1 * 5) / 4 and 3 ms.
    assert [2e6, 3e6] == values(run, "jmh/ledger.Codec.decode:sample")
    assert Summary("mean", low=11e6, high=13e6, confidence=0.999) == summary(
        run, "jmh/ledger.Codec.open:ss"
    )


def test_benchmark_dotnet() -> None:
    """Values, else measurements of the result stage by operations, else the median."""
    run = read("benchmark_dotnet_full.json")

    assert [100.0, 102.5, 99.5] == values(run, "benchmark-dotnet/Ledger.Codec.Encode(N: 10)")
    assert [48.0] == values(run, "benchmark-dotnet/Ledger.Codec.Encode(N: 10)", "allocated")
    assert [50.0, 60.0] == values(run, "benchmark-dotnet/Ledger.Codec.Decode(N: 10)")
    assert ["benchmark-dotnet/Ledger.Codec.Broken"] == list(failures(run))
    assert ("Box 9000", 8) == (run.machine.cpu_model, run.machine.cores)


def test_jobs_of_a_brief_report() -> None:
    """Two jobs of a benchmark are told apart; statistics stand in place of values."""
    run = read("benchmark_dotnet_brief.json")

    job = "benchmark-dotnet/Ledger.Codec.Encode: Job-{}(Runtime=.NET {}.0)"
    assert [100.0] == values(run, job.format("A", 8))
    assert [80.0] == values(run, job.format("B", 9))
    expected = Summary(
        "median", 20, standard_deviation=4.0, q1=95.0, q3=104.0, minimum=90.0, maximum=120.0
    )
    assert expected == summary(run, job.format("A", 8))


def test_catch2() -> None:
    """Names of test case and sections, the mean with its interval; failures of either kind."""
    run = read("catch2.xml")

    assert [1250.5] == values(run, "catch2/codec/encode & sign")
    assert Summary(
        "mean", 100, low=1240.25, high=1262.0, confidence=0.95, standard_deviation=50.5
    ) == summary(run, "catch2/codec/encode & sign")
    assert {
        "catch2/codec/cold/decode": "std::bad_alloc",
        "catch2/wallet": "its test case failed",
    } == failures(run)


def test_a_test_case_that_fails_takes_its_benchmarks_along() -> None:
    """They may have measured something else than what was to be tested."""
    text = (
        (FILES / "catch2.xml")
        .read_text()
        .replace('Result success="true"', 'Result success="false"')
    )

    run = read_text(text)

    assert "its test case failed" == failures(run)["catch2/codec/encode & sign"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("?>\n", '?>\n<!DOCTYPE a [<!ENTITY a "aaaa">]>\n'), "document type"),
        (("?>\n", '?>\n<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">\n'), "document type"),
        (("encode &amp;", "encode &lol;"), "undefined entity"),
        (("</TestCase>", "</Test>"), "mismatched tag"),
        (("<OverallResults ", "<Section>" * 300 + "<OverallResults "), "deeper than 200"),
        (("</Catch2TestRun>\n", ""), "no element found"),
    ],
)
def test_xml_that_is_refused(change: tuple[str, str], message: str) -> None:
    """Entities can't be declared, nothing is fetched, depth is bounded; the line is said."""
    text = (FILES / "catch2.xml").read_text()
    assert change[0] in text

    with pytest.raises(CorruptFileError, match=message):
        read_text(text.replace(*change))


def test_vitest() -> None:
    """ms become ns; the interval of the mean is that of its margin of error; samples count."""
    run = read("vitest.json")

    normal, reverse, broken = (
        f"vitest/test/sort.bench.ts > sort > {name}" for name in ("normal", "reverse", "broken")
    )
    assert [250_000.0] == values(run, normal)
    expected = Summary(
        "mean", 2000, low=0.249, high=0.251, confidence=0.95, standard_deviation=0.02,
        minimum=0.18, maximum=0.9,
    ).times(1e6)  # fmt: skip
    assert expected == summary(run, normal)
    assert [500_000.0, 750_000.0] == values(run, reverse)
    assert {
        reverse: "1 of 3 repetitions gave no number",
        broken: "it has no mean: it failed",
    } == failures(run)


def test_summary_of_k6() -> None:
    """Trends, rates and counters with their units and directions; users are no result."""
    run = read("k6_summary.json")

    duration = "k6/http_req_duration"
    figures = {name: values(run, duration, name) for name in metrics(run, duration)}
    assert {
        "latency": [130.25],
        "latency_mean": [138.5],
        "latency_p90": [191.5],
        "latency_p95": [198.25],
        "latency_max": [204.75],
    } == figures
    assert {Metric(name, "ms") for name in figures} == {*metrics(run, duration).values()}
    assert [2.0] == values(run, "k6/http_req_failed", "error_rate")
    assert [98.0] == values(run, "k6/checks", "rate")
    assert [100.0] == values(run, "k6/http_reqs", "throughput")
    assert {
        "k6/http_req_failed": "lower", "k6/checks": "higher", "k6/http_reqs": "higher",
        "k6/data_received": "unknown", "k6/queue_length": "unknown",
    }.items() <= {case.id: case.metrics[0].better for case in run.cases}.items()  # fmt: skip
    assert "k6/vus" not in [case.id for case in run.cases]
    assert "k6's threshold p(90)<150 of http_req_duration was crossed" in run.notes
    assert not any("avg<500" in note for note in run.notes)


def test_other_layouts_of_k6_summaries() -> None:
    """The exported one, in which true is a threshold that was crossed, and the one by lists."""
    exported = {
        "http_req_duration": {"avg": 12.5, "med": 10.0, "max": 99.0, "p(95)": 45.5,
                              "thresholds": {"p(95)<40": True, "p(95)<500": False}},
        "http_reqs": {"count": 18000, "rate": 300.0},
        "http_req_failed": {"passes": 3, "fails": 17997, "value": 0.25},
        "vus": {"value": 3, "min": 1, "max": 3},
    }  # fmt: skip
    listed = [
        {"name": "http_req_duration", "type": "trend", "contains": "time",
         "values": {"med": 10.0, "p(95)": 45.5}},
        {"name": "http_req_failed", "type": "rate", "contains": "default",
         "values": {"matches": 3, "rate": 0.25, "total": 12}},
        {"name": "iterations", "type": "counter", "contains": "default", "values": {"count": 9}},
    ]  # fmt: skip

    old = read_text(json.dumps({"metrics": exported}))
    new = read_text(json.dumps({"version": "1", "results": {"metrics": listed}}))

    for run in (old, new):
        assert [10.0] == values(run, "k6/http_req_duration", "latency")
        assert [45.5] == values(run, "k6/http_req_duration", "latency_p95")
        assert [25.0] == values(run, "k6/http_req_failed", "error_rate")
    assert [300.0] == values(old, "k6/http_reqs", "throughput")
    assert [9.0] == values(new, "k6/iterations", "count")
    assert "k6's threshold p(95)<40 of http_req_duration was crossed" in old.notes
    assert not any("p(95)<500" in note for note in old.notes)


def test_points_of_k6() -> None:
    """Each of a trend is a value; two requests in 4 s are 0.5 in a second, one of two failed."""
    run = read("k6_points.json")

    assert [12.5, 14.25, 13.0] == values(run, "k6/http_req_duration", "latency")
    assert [0.5] == values(run, "k6/http_reqs", "throughput")
    assert [50.0] == values(run, "k6/http_req_failed", "error_rate")
    assert "k6/vus" not in [case.id for case in run.cases]


def test_a_load_of_k6_in_which_every_request_failed() -> None:
    """Latencies of errors are not those of the system."""
    line = '{{"type":"Point","metric":"{}","data":{{"time":"2026-01-30T09:00:00Z","value":{}}}}}\n'
    run = read_text(line.format("http_req_duration", 0.5) + line.format("http_req_failed", 1))

    assert {"k6/http_req_duration": "every request failed"} == failures(run)


def test_vegeta() -> None:
    """ns become ms, the share of successes an error rate; throughput is that of successes."""
    run = read("vegeta.json")

    expected = {
        "latency_mean": 2.371194, "latency_min": 1.949582, "latency_p50": 2.854306,
        "latency_p90": 3.228223, "latency_p95": 3.478629, "latency_p99": 3.53,
        "latency_max": 3.660505, "throughput": 9.599, "error_rate": 5.0,
    }  # fmt: skip
    assert {n: [v] for n, v in expected.items()} == {
        name: values(run, "vegeta/load", name) for name in metrics(run, "vegeta/load")
    }


def test_reports_of_vegeta_that_were_appended() -> None:
    """Each is a repetition; one without a success makes the load a failure."""
    report = json.loads((FILES / "vegeta.json").read_text())
    text = json.dumps(report) + "\n" + json.dumps(report | {"throughput": 11.0}, indent=1)

    assert [9.599, 11.0] == values(read_text(text), "vegeta/load", "throughput")
    bad = read_text(text + json.dumps(report | {"success": 0}))
    assert {"vegeta/load": "all of its 100 requests failed"} == failures(bad)
    assert "500 Internal" not in bad.notes


def test_text_of_vegeta() -> None:
    """Durations of Go in whatever units; the second report is a repetition, errors are not told."""
    run = read("vegeta.txt")

    load = "vegeta/load"
    assert [2.371194, 62_500.0] == values(run, load, "latency_mean")
    assert [0.9505, 1_000.0] == values(run, load, "latency_p50")
    assert [3.53, 3_600_000.0] == values(run, load, "latency_p99")
    assert [9.599, 4.5] == values(run, load, "throughput")
    assert [5.0, 50.0] == values(run, load, "error_rate")
    assert {} == failures(run)
    assert "example" not in repr(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("95.00%", "0.00%"), "all of its 100 requests failed"),
        (("950.5\N{MICRO SIGN}s", "soon"), "1 of 2 repetitions gave no number of latency_p50"),
        (("Latencies", "Latency"), "a report ends before its figures do"),
    ],
)
def test_failures_of_vegeta(change: tuple[str, str], message: str) -> None:
    """Of a load, of a figure, of a text that is cut off."""
    text = (FILES / "vegeta.txt").read_text()
    assert change[0] in text

    assert {"vegeta/load": message} == failures(read_text(text.replace(*change)))


def test_load_test_of_virtengine() -> None:
    """ns become ms; an endpoint of which every request failed has failed."""
    run = read("virtengine_load.json")

    submit = "virtengine-load/veid_submit"
    assert [22.0] == values(run, submit, "latency_p95")
    assert [12.5] == values(run, submit, "latency_mean")
    assert [100.5] == values(run, submit, "throughput")
    assert [0.5] == values(run, submit, "error_rate")
    assert {"virtengine-load/order_create": "all of its 50 requests failed"} == failures(run)


def test_wrk() -> None:
    """Units of each figure, the corrected distribution alone, and an address without secrets."""
    run = read("wrk.txt")

    (case,) = run.cases
    assert "wrk/http://127.0.0.1:8080/index.html" == case.id
    expected = {
        "latency_mean": 0.63591, "latency_max": 12.92, "latency_p50": 0.612, "latency_p75": 0.88,
        "latency_p99": 2.5, "latency_p999": 1100.0, "throughput": 2000.25,
        "error_rate": 100 * 32 / 60020,
    }  # fmt: skip
    assert expected == {name: pytest.approx(values(run, case.id, name)[0]) for name in expected}
    assert "secret" not in repr(run)
    assert "token" not in repr(run)


def test_loads_of_wrk_that_follow_each_other() -> None:
    """A second one of the same address is a repetition; one that was cut off is a failure."""
    text = (FILES / "wrk.txt").read_text()
    address = "wrk/http://127.0.0.1:8080/index.html"

    twice = read_text(text + text.replace("2000.25", "1999.75"))
    cut = read_text(text.partition("Requests/sec")[0])

    assert [2000.25, 1999.75] == values(twice, address, "throughput")
    assert {address: "the text ends before the load does"} == failures(cut)


def test_joined_files_of_google_benchmark() -> None:
    """Each has its repetitions, or aggregates; fits of complexity are no results."""
    entry = {"run_type": "iteration", "time_unit": "us", "iterations": 1}
    first = {"context": {"num_cpus": 4}, "benchmarks": [
        entry | {"name": "f", "real_time": 1.0}, entry | {"name": "f", "real_time": 2.0},
        {"name": "f_BigO", "run_type": "aggregate", "aggregate_name": "BigO"},
    ]}  # fmt: skip
    median = {"run_type": "aggregate", "aggregate_name": "median", "run_name": "f"}
    second = {"context": {"num_cpus": 8}, "benchmarks": [
        median | {"name": "f_median", "time_unit": "us", "real_time": 4.0},
    ]}  # fmt: skip

    (imported,) = read_runs((json.dumps(first) + "\n" + json.dumps(second)).encode(), "f")

    assert [1000.0, 2000.0, 4000.0] == values(imported.run, "google-benchmark/f")
    assert {} == failures(imported.run)
    assert "its parts are of machines with different numbers of CPUs" in imported.notes


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"group_id":"g","function_id":"f","full_id":"g/f","directory_name":"g"}', "criterion's"),
        (
            '{"mean":{"point_estimate":0.1},"median":{"point_estimate":0.1}}',
            "criterion's changes against an earlier run",
        ),
        ('{"machine":"m","arch":"x","cpu":"c","num_cpu":"4","os":"l","ram":"1"}', "asv's"),
        ('{"b.time_f":{"code":"x","name":"b","type":"time","unit":"s"},"version":2}', "asv's list"),
        ('{"attack":"","seq":0,"code":200,"timestamp":"x","latency":5}\n' * 2, "of Vegeta"),
        ("<!DOCTYPE html><html></html>", "a web page"),
        ('<?xml version="1.0"?><testsuites><testsuite/></testsuites>', "JUnit XML"),
        ("window.BENCHMARK_DATA = {}", "github-action-benchmark"),
        ("# callgrind format\nversion: 1\n", "a profile of callgrind"),
        ('{"dhatFileVersion":2,"mode":"heap","pps":[]}', "a profile of DHAT"),
        ("unable to connect to 127.0.0.1:1 Connection refused\n", "what wrk says"),
        ("fib(10) x 1,431,759 ops/sec ±0.74% (93 runs sampled)\n", "what Benchmark.js prints"),
        ("metric_name,timestamp,metric_value,check\n", "k6's CSV"),
        ("     http_req_duration..............: avg=144ms\n", "--summary-export"),
        ("| Command | Mean [s] | Min [s] |\n|:---|---:|---:|\n", "--export-json"),
        ("Benchmark 1: sleep 1\n  Time (mean ± \u03c3):      1.0 s\n", "--export-json"),
        (
            "Benchmark      Mode  Cnt  Score   Error  Units\nA.b  thrpt  5  1 ± 1 ops/s\n",
            "-rf json",
        ),
        ("Benchmark                 Time             CPU   Iterations\n", "format=json"),
        ("name,iterations,real_time,cpu_time,time_unit\nf,1,2,3,ns\n", "format=json"),
        ("running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed\n", "no benchmark was run"),
        (
            "          │   a.txt   │   b.txt   │\n          │  sec/op   │  sec/op  vs base │\n",
            "benchstat",
        ),
        ("PK\x03\x04", "unpack it"),
        ('{"results": []}', "as a file of hyperfine"),
    ],
)
def test_a_file_without_results_is_named(text: str, what: str) -> None:
    """The error says what the file is, and what to do, in place of a list of formats."""
    with pytest.raises(DataError) as caught:
        read_text(text)

    assert what in str(caught.value)
    assert "unknown format" not in str(caught.value)


@pytest.mark.parametrize(("name", "format"), EXAMPLES)
def test_a_file_of_another_tool_than_was_said(name: str, format: str) -> None:
    """The error says of which tool it is."""
    with pytest.raises(DataError, match=f"by its content it is a file of {format}$"):
        read_runs_from(FILES / name, format="pyperf")


def test_loads_under_headings_are_told_apart() -> None:
    """In Markdown that several loads were put into; its title says nothing, code is no heading."""
    report = (
        "```text\n# not a heading\nRequests      [total, rate, throughput]  10, 1.00, 2.00\n"
        "Latencies     [mean]  {0}ms\nSuccess       [ratio]  100.00%\n```\n"
    )
    load = "Running 5s test @ http://a/b\n  10 requests in 5.00s, 1MB read\nRequests/sec: {0}.0\n"
    parts = "# Results\n## One\n{0}\n## Two\n### Cold ##\n{1}\n### Warm\n{2}"

    vegeta = read_text(parts.format(*(report.format(n) for n in (1, 2, 3))))
    wrk = read_text(parts.format(*(load.format(n) for n in (1, 2, 3))))
    titles = read_text(f"# One\n{load.format(1)}\n# Two\n{load.format(2)}")

    names = ["One", "Two / Cold ##", "Two / Warm"]
    assert [f"vegeta/{name}" for name in names] == [case.id for case in vegeta.cases]
    assert [f"wrk/{name}: http://a/b" for name in names] == [case.id for case in wrk.cases]
    assert ["wrk/One: http://a/b", "wrk/Two: http://a/b"] == [case.id for case in titles.cases]
    assert ["vegeta/load"] == [case.id for case in read_text(report.format(1)).cases]


def test_loads_of_wrk_of_other_sizes_are_other_benchmarks() -> None:
    """Ten connections are no repetition of a hundred, though they load the same address."""
    load = (
        "Running {1}s test @ http://a/b\n  2 threads and {0} connections\n"
        "  10 requests in 5.00s, 1MB read\nRequests/sec: {0}.0\n"
    )
    run = read_text("".join(load.format(*size) for size in ((10, 5), (100, 5), (10, 5), (10, 30))))

    sizes = {
        (case.params["connections"], case.params["duration"]): values(run, case.id, "throughput")
        for case in run.cases
    }
    assert {(10, "5s"): [10.0, 10.0], (100, "5s"): [100.0], (10, "30s"): [10.0]} == sizes
    assert "wrk/http://a/b" == read_text(load.format(10, 5)).cases[0].id


def test_a_text_of_cargo_bench_without_its_end_is_said() -> None:
    """The rest of it may be missing; criterion's lines in that form have neither begin nor end."""
    line = "test a ... bench:         508 ns/iter (+/- 18)\n"
    end = "test result: ok. 0 passed; 0 failed; 0 ignored; 1 measured\n"

    cut, whole, plain = (
        read_text(text)
        for text in (f"running 2 tests\n{line}test b", f"running 1 test\n{line}\n{end}", line)
    )

    assert any("without a line `test result`" in note for note in cut.notes)
    assert not any("test result" in note for note in (*whole.notes, *plain.notes))


def test_a_round_that_is_a_text_fails_alone() -> None:
    """As in a file that somebody has made shorter by hand."""
    stats = '{"data":[1.5,"... omitted"],"iterations":1,"rounds":2,"median":1.5,"min":1.5}'
    run = read_text(f'{{"machine_info":{{}},"benchmarks":[{{"name":"a","stats":{stats}}}]}}')

    assert [1.5e9] == values(run, "pytest-benchmark/a", "time")
    assert "1 of 2 repetitions" in failures(run)["pytest-benchmark/a"]


def test_more_points_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly spread ones of k6's points are; one that is no number fails the benchmark."""
    monkeypatch.setattr(k6, "MAX_REPETITIONS", 100)
    line = '{"type":"Point","metric":"iteration_duration","data":{"time":"","value":%s}}\n'
    text = "".join(line % (index + 1) for index in range(200))

    run = read_text(text)
    broken = read_text(text + line % "null")

    kept = values(run, "k6/iteration_duration", "latency")
    assert [float(index) for index in range(1, 200, 2)] == kept
    assert any("of 200 points" in note for note in run.notes)
    assert "gave no number of latency" in failures(broken)["k6/iteration_duration"]


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 800), pytest.param(2, 6_000, marks=pytest.mark.slow)]
)
def test_mutated_files(seed: int, count: int) -> None:
    """Damaged in several places, a file is read, or refused by an error of veperf's own."""
    dice = random.Random(seed)
    outcomes = {True: 0, False: 0}

    for _ in range(count):
        name, format = dice.choice(EXAMPLES)
        data = (FILES / name).read_bytes()
        for _ in range(dice.choice((1, 1, 2, 5))):
            data = mutated(data, dice)
        run = check(data, "f", dice.choice(("", format)), deep=dice.random() < 0.02)
        outcomes[run is not None] += 1

    # Neither all that is damaged is refused, nor all taken.
    assert min(outcomes.values()) > count // 10


@pytest.mark.parametrize(
    ("format", "start"),
    [
        ("cargo-bench", "test a ... bench: 1 ns/iter (+/- 0)\ntest b ... "),
        ("catch2", "<Catch2TestRun><TestCase name='a'>"),
        ("criterion", "a   time:   [1 ns 1 ns 1 ns]\n"),
        ("gungraun", "a\n  Instructions: 5\n"),
        ("gungraun-json", '{"benchmark_exe"\n'),
        ("vegeta-text", "Requests   [total, rate] 1\n"),
        ("wrk", "Running 1s test @ http://a/\n "),
    ],
)
def test_cost_grows_with_the_size_only(format: str, start: str) -> None:
    """Eight times as much of the same takes no more than some sixteen times as long."""
    for piece in ("x\n", "a ", "  A: 1\n", "[1 ns ", "{\n", "<a>", "1m"):
        spent = []
        for size in (10_000, 80_000):
            data = (start + piece * (size // len(piece))).encode()
            started = time.thread_time()
            with contextlib.suppress(DataError):
                read_runs(data, "f", format=format)
            spent.append(max(time.thread_time() - started, 4e-3))
        assert spent[1] < 40 * spent[0], piece
