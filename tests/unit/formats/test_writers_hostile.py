"""Hostile names stay text in every written format, and size limits hold."""

import csv
import html
import io
import json
import math
import re
import unicodedata
import xml.etree.ElementTree as ET

import pyperf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.helpers import HOSTILE, hostile_run, judged
from tests.support.runs import case, one_pass, timed, whole_run
from veperf.core.case import Metric
from veperf.core.errors import UsageError
from veperf.core.gate import GateDecision, Outcome
from veperf.core.run import CaseResult, Failure, Machine, Run
from veperf.core.verdict import Verdict
from veperf.formats.exported import unique_names
from veperf.formats.markdown import MARKER
from veperf.formats.readers import read_runs
from veperf.formats.rows import COLUMNS
from veperf.formats.writers import OUTPUT_FORMAT_NAMES, write_run
from veperf.report.markdown_writer import MOST_COMMENT_BYTES, MOST_SUMMARY_BYTES

NASTY = (
    HOSTILE, "]]>", "<![CDATA[", "a\nb", "a\r\nBenchmarkX 1 2 ns/op", "a | b", "`code`", "\x1b[2J",
    "\u202eevil", "\ufffe\uffff", "\ud800", "=1+1", "@everyone", "#12", "--> <b>", "\u2028x", "-",
    "</details>", "<details>", "x" * 2_000, "%20", "a b", "a\tb", "NaN", "1e5", "[a=1]", "/", "//",
    "\x85", "\xa0", "|||", "\\", "\\|", "nan-8", ";", '"', "'",
)  # fmt: skip
units = st.sampled_from(["ns", "ms", "s", "B", "B/op", "tx/s", "%", "tasks", ""])
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -1.0, 5e-324, 1e308, 1.0]),
)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Up to 4 cases with arbitrary names, metrics, units and values, some of which fail."""
    names = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    cases, results = [], []
    for name in names:
        metric = draw(
            st.builds(
                Metric, texts, units | texts, st.sampled_from(["lower", "higher"]), st.booleans()
            )
        )
        chosen = case(f"s/{name}", metrics=(metric,)) if draw(st.booleans()) else case(f"s/{name}")
        cases.append(chosen)
        bad = CaseResult(chosen.id, failure=Failure("raised", draw(texts)))
        good = timed(chosen.id, 123.5)
        figures = CaseResult(chosen.id, figures={metric.name: draw(values)})
        results.append(draw(st.sampled_from([bad, good, figures])))
    text = draw(texts)
    machine = Machine(text, text, 1, None, text, text)
    passes = [one_pass(results, index) for index in range(3)]
    return whole_run(cases, passes, id=text, created=text, machine=machine)


@pytest.mark.slow
@settings(max_examples=150)
@given(runs())
def test_every_format_stays_what_it_is(run: Run):
    """Each file parses as its format, in UTF-8, without control characters or markup."""
    for format in OUTPUT_FORMAT_NAMES:
        try:
            data = write_run(run, format, lambda: judged(run)).encoded
        except UsageError as refused:
            assert "has nothing that can be written" in str(refused)  # noqa: PT017 - may be raised
            continue
        if format == "parquet":
            assert data.startswith(b"PAR1")
            continue
        text = data.decode()
        assert_harmless(text if format in ("summary", "comment") else _parsed(format, text))


def _parsed(format: str, text: str) -> str:
    """All text that a reader of the format sees, joined."""
    if format == "junit":
        return _junit(text)
    if format == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        assert {len(COLUMNS)} == {len(row) for row in rows}
        assert not any(cell[:1] in tuple("=@+") for row in rows for cell in row)
        return "".join("".join(row) for row in rows)
    if format == "go":
        return _go(text)
    document = json.loads(text)
    if format == "bencher":
        assert all(0 < len(name) <= 1024 for name in document)
        assert all(0 < len(measure) <= 64 for actual in document.values() for measure in actual)
    if format == "pyperf":
        suite = pyperf.BenchmarkSuite.loads(text)
        assert len(document["benchmarks"]) == len(suite)
        assert all(b.get_dates() is None or len(b.get_dates()) == 2 for b in suite)
    return "".join(_strings(document))


def _junit(text: str) -> str:
    root = ET.fromstring(text)
    assert "testsuites" == root.tag
    known = {"testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
             "system-out"}  # fmt: skip
    assert {element.tag for element in root.iter()} - {"testsuites"} <= known
    for suite in root:
        tests = suite.findall("testcase")
        for attribute, tag in (
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            assert suite.get(attribute) == str(len(suite.findall(f"testcase/{tag}")))
        assert suite.get("tests") == str(len(tests))
        assert all(t.get("name") is not None and t.get("classname") for t in tests)
        assert all(len(t) <= 1 for t in tests)
    return "".join(
        (element.text or "").strip("\n ") + "".join(element.attrib.values())
        for element in root.iter()
    )


def _go(text: str) -> str:
    lines = text.split("\n")
    results = [line.split() for line in lines if line.startswith("Benchmark")]
    others = [line for line in lines if not line.startswith("Benchmark")]
    known = re.compile(
        r"(# run |Unit \S+ better=|goos: |goarch: |cpu: |pkg: |"
        r"--- FAIL: Benchmark\S*$|FAIL\t\S+$|$)"
    )
    assert all(map(known.match, others))
    for name, count, *pairs in results:
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Zs") for c in name)
        assert count.isdigit()
        assert len(pairs) % 2 == 0
        assert pairs
        assert all(math.isfinite(float(value)) for value in pairs[::2])
        assert not any(re.fullmatch(r"[+-]?[\d.]+|nan|inf", unit, re.I) for unit in pairs[1::2])
    return text.replace("\n", "").replace("\t", "")


def _strings(document: object) -> list[str]:
    if isinstance(document, dict):
        return [s for k, v in document.items() for s in (k, *_strings(v))]
    if isinstance(document, list):
        return [s for v in document for s in _strings(v)]
    return [document.replace("\n", "")] if isinstance(document, str) else []


def assert_harmless(text: str) -> None:
    """The text has no control characters but line ends, no bidi overrides, no surrogates."""
    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not bad - {"\n", "\u200b"}, bad


@settings(max_examples=150)
@given(runs())
def test_no_markup_of_a_name_reaches_markdown(run: Run):
    """A comment has only veperf's own tags, one hidden marker, and tables with equal rows."""
    text = str(write_run(run, "comment", lambda: judged(run)).data)

    assert text.startswith(MARKER + "\n")
    body = text.removeprefix(MARKER)
    own = re.sub(r"(?<!\\)<(br|/?details|/?summary)>", "", body)
    assert not re.search(r"(?<!\\)(\\\\)*[<>](?! )", re.sub(r"(?m)^> ", "", own))
    assert body.count("<details>") == body.count("</details>")
    for block in re.findall(r"(?:^\|.*\n)+", body, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert 1 == len(widths), block


def test_a_comment_mentions_nobody():
    """A comment mentions neither people nor issues, whatever a benchmark is called."""
    names = ["by/@someone", "by/\\@other", "fixes/#12", "fixes/\\#13", "GH-7", "http://x.invalid"]
    crash = Failure("crashed", "cc @org/team, www.x.invalid")
    run = whole_run(
        [case(name) for name in names],
        [one_pass([CaseResult(name, failure=crash) for name in names])],
    )

    text = str(write_run(run, "comment", lambda: judged(run)).data)

    assert not re.search(r"@\w|#\d|GH-\d|://|www\.", text)
    assert 1 == len(re.findall("^#", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("format", "most"), [("comment", MOST_COMMENT_BYTES), ("summary", MOST_SUMMARY_BYTES)]
)
def test_what_is_too_long_is_cut_and_says_so(format: str, most: int):
    """Rows are left out whole below GitHub's limits, and counted."""
    names = [f"mine/{'é' * 60}_{i}" for i in range(12_000)]
    cases = [case(name) for name in names]
    crash = Failure("crashed", "killed by a signal")
    run = whole_run(cases, [one_pass([CaseResult(n, failure=crash) for n in names])])
    failed = Verdict(
        run.id, GateDecision(Outcome.ERROR, 3, ""), (), (), dict.fromkeys(names, crash)
    )

    text = str(write_run(run, format, lambda: failed).data)

    assert most - 500 < len(text.encode()) <= most < {"comment": 64_000, "summary": 1 << 20}[format]
    (left_out,) = re.findall(r"Cut to fit the size limit: ([\d,]+) rows less urgent", text)
    written = len(re.findall(r"^\| ✗", text, re.MULTILINE))
    assert 12_000 == written + int(left_out.replace(",", ""))
    assert text.count("<details>") == text.count("</details>")


@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "b", ""]), max_size=12))
def test_names_are_made_unlike(names: list[str]):
    """Names are unique and complete, and a unique name is unchanged."""
    actual = unique_names(names)

    assert len(names) == len(set(actual))
    for before, after in zip(names, actual, strict=True):
        assert after == before or names.count(before) > 1 or before in actual


@pytest.mark.parametrize(
    "names", [("mine/a", "mine/\x1b[31ma"), ("mine/a b", "mine/a%20b"), ("mine/A", "mine/a")]
)
def test_names_that_look_alike_when_made_safe_stay_apart(names: tuple[str, str]):
    """A coloured name and a plain one stay two benchmarks in every format."""
    run = whole_run(
        [case(name) for name in names],
        [one_pass([timed(name, 2.0) for name in names], i) for i in range(3)],
    )

    for format in ("pytest-benchmark", "pyperf", "go", "csv"):
        (actual,) = read_runs(write_run(run, format, lambda: judged(run)).encoded, "file")
        assert 2 == len(actual.run.cases), format
    assert 2 == len(json.loads(write_run(run, "bencher", lambda: judged(run)).data))


@pytest.mark.parametrize("name", ["5", "nan", "1e5", ""])
def test_values_that_are_no_numbers_and_units_that_are(name: str):
    """Values that are not finite are left out, and each process keeps its number."""
    odd = case("mine/a", metrics=(Metric(name, name),))
    figures = [CaseResult("mine/a", figures={name: v}) for v in (7.5, math.nan, math.inf, 8.5)]
    run = whole_run([odd], [one_pass([item], i) for i, item in enumerate(figures)])

    rows = list(csv.DictReader(io.StringIO(str(write_run(run, "csv", lambda: judged(run)).data))))
    assert [("0", "7.5"), ("3", "8.5")] == [(row["process"], row["value"]) for row in rows]
    lines = [
        x
        for x in str(write_run(run, "go", lambda: judged(run)).data).split("\n")
        if "BenchmarkA" in x
    ]
    assert [["7.5", f"value-{name}"], ["8.5", f"value-{name}"]] == [x.split()[2:] for x in lines]


def test_the_hostile_run_in_every_format():
    """No format has markup that a page would run."""
    run = hostile_run()
    verdict = judged(run)
    for format in ("summary", "comment", "junit"):
        text = str(write_run(run, format, lambda: verdict).data)
        assert "<script>" not in text
        assert "<script>" in html.unescape(text.replace("\\", ""))
