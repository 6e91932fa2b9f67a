"""A run and its verdict, told as text, Markdown and HTML."""

import json
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from tests.support.archives import dated_run
from tests.support.helpers import (
    HOSTILE,
    hostile_run,
    judged,
    plausible_baselines,
    plausible_run,
    with_load,
)
from tests.support.runs import timed_run
from veperf.core.run import Failure
from veperf.core.verdict import ChangeStatus, TargetStatus
from veperf.report import rendering
from veperf.report.sections import identity
from veperf.report.tables import status
from veperf.report.view import ReportView
from veperf.verdicts.baseline import baselines_of

CRASH = Failure("crashed", "killed by signal 11", "Traceback:\n  here")
PARTS = (
    "headline",
    "identity",
    "findings",
    "alerts",
    "overview",
    "targets",
    "load",
    "stages",
    "benchmarks",
    "scaling",
    "memory",
    "regression",
    "slowdowns",
    "glossary",
    "method",
    "files",
    "raw",
)


def _view() -> ReportView:
    run = with_load(
        plausible_run(
            slower={"transaction/decode": 1.35, "transaction/sign": 1.08},
            failing={"transaction/encode": CRASH},
        ),
        invalid=[(1, 10_000)],
    )
    baselines = plausible_baselines()
    return ReportView(run, judged(run, baselines), baselines)


class _Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def _elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(html)
    parser.close()
    return parser.found


def test_every_status_has_a_symbol_and_a_word():
    """No status hangs on its colour alone, and none is forgotten."""
    marks = [status.TARGET_MARKS[s] for s in TargetStatus]
    marks += [status.CHANGE_MARKS[s] for s in ChangeStatus]

    assert all(mark.symbol and mark.word for mark in marks)


def test_failures_come_first_and_passes_are_folded():
    """What could not be measured, then targets missed, then slowdowns; what is well is folded."""
    html = _view().findings.html
    order = [
        html.index(text)
        for text in (
            "transaction/encode</b>",
            ">transaction/validation<small>",
            "transaction/decode</th>",
        )
    ]
    met = re.search(r"<details><summary>[^<]*targets? met</summary>.*?</details>", html)

    assert sorted(order) == order
    assert "<details><summary>Traceback</summary><pre>Traceback:\n  here</pre>" in html
    assert met is not None
    assert "transaction/hash_compute" in met[0]


def test_each_change_says_how_much_and_how_sure():
    """A slower case gives effect, interval, reason and a picture of the interval."""
    html = _view().findings.html
    row = next(r for r in html.split("<tr>") if "transaction/decode</th>" in r)

    assert re.search(r"3\d\.\d\u202f% slower", row)
    assert re.search(r"\+\d+\.\d\u202f% to \+\d+\.\d\u202f%", row)
    assert re.search(r"p (=|&lt;)[ \u202f]0\.\d+", row)
    assert 'class="vp-forest"' in row


def test_each_benchmark_shows_baseline_and_run():
    """A card has both rows of dots, the value with its interval, p99, and processes."""
    html = _view().benchmarks.html
    card = next(c for c in html.split("<article") if "<h3>transaction/decode</h3>" in c)

    assert ">baseline</text>" in card
    assert ">this run</text>" in card
    assert "97\u202f% sure" in card
    assert "<dt>p99</dt>" in card
    assert "<dt>Processes</dt><dd>6</dd>" in card
    assert html.index("transaction/encode") < html.index("transaction/hash_compute")


def test_tables_and_headings_speak_to_a_screen_reader():
    """Captions, scopes, labelled pictures, frames that a keyboard reaches, no gap in headings."""
    view = _view()
    for name in PARTS:
        elements = _elements(getattr(view, name).html)
        tables = [tag for tag, _ in elements if tag == "table"]
        captions = [tag for tag, _ in elements if tag == "caption"]

        assert len(tables) == len(captions)
        assert all(a.get("scope") in ("col", "row") for tag, a in elements if tag == "th")
        assert all(
            a.get("aria-label") or a.get("aria-hidden") for tag, a in elements if tag == "svg"
        )
        assert {"h3"} >= {tag for tag, _ in elements if re.fullmatch(r"h\d", tag)}
        assert all(
            a.get("tabindex") == "0" and a.get("aria-label")
            for _, a in elements
            if a.get("class") in ("vp-scroll", "vp-wide")
        )


def test_a_load_case_is_one_card():
    """Its dozen metrics share one card, named once, and make no scaling curve."""
    view = _view()
    headings = re.findall("<h3>(.*?)</h3>", view.benchmarks.html)
    card = next(c for c in view.benchmarks.html.split("<article") if "<h3>transaction/load<" in c)

    assert len(headings) == len(set(headings))
    assert {"transaction/load", "transaction/throughput"} <= set(headings)
    assert not any("·" in heading or "rate=" in heading for heading in headings)
    for name in ("Offered", "Achieved", "p50", "p99", "p99.9", "Max", "Errors", "Lag"):
        assert f"<dt>{name}</dt>" in card
    assert ">p95 met</span>" in card
    assert "transaction/load" not in view.scaling.html


def test_a_lower_bound_stands_beside_the_value_and_in_the_reason_of_a_miss():
    """The library alone takes 2.5 times the limit: the card and the next step both say so."""
    view = _view()
    card = next(c for c in view.benchmarks.html.split("<article") if "<h3>transaction/valid" in c)
    row = next(r for r in view.headline.html.split("<li>") if ">transaction/validation<" in r)

    assert re.search(r"sure; lower bound 2\d\.\d\u202fµs", card)
    assert re.search(r"transaction/validation_library alone, is 4\d\u202f% of it", card)
    assert re.search(r"2\.\d times the library floor of 2\d\.\d\u202fµs", row)


def test_load_does_not_flood_the_comparison():
    """Neither a row nor a name for what is never compared."""
    view = _view()
    text = rendering.verdict_text(view.verdict)

    assert "transaction/load" not in view.findings.html.split("Changes: is it slower")[1]
    assert "transaction/throughput" not in text.split("Against")[1]
    assert "no baseline" not in text.split("Against")[1]


def test_an_invalid_load_is_called_so():
    """Not "could not be measured": it was, but the load was not as planned."""
    view = _view()

    assert "[rate=10000] is void: the generator fell behind" in rendering.verdict_text(view.verdict)
    assert re.search(r"rate=10000.*is void: the gen", rendering.verdict_markdown(view.verdict))
    assert ">void</span> <b>transaction/load[rate=10000]</b>" in view.findings.html


@pytest.mark.parametrize("tell", [rendering.run_text, rendering.run_markdown, rendering.run_html])
def test_a_run_has_one_line_for_each_load(tell):
    """Rates in their unit, latencies in ms, and no line for each metric."""
    run = with_load(plausible_run(passes=3))
    text = tell(run)
    (line,) = re.findall(r".*transaction/throughput.*", text.replace("</tr>", "\n"))

    assert re.search(r"\b8,\d{3}\u202ftx/s", line)
    assert re.search(r"\b\d\d\.\d\u202fms", line)
    assert "latency_p" not in text
    assert "cpu_" not in text


def test_a_run_of_loads_only_has_no_empty_table():
    """Where everything is a load, the table of the others is left out."""
    run = with_load(replace(plausible_run(passes=3), cases=()))

    assert 1 == rendering.run_text(run).count("───\n")
    assert "No value" not in rendering.run_html(run)


def test_the_raw_figures_are_json_with_every_value():
    """The embedded JSON parses and holds each process's value to six digits."""
    view = _view()
    content = json.loads(view.raw.text)
    decode = next(s for s in content["series"] if s["case"] == "transaction/decode")

    assert view.run.id == content["run"]
    assert 6 == len(decode["values"])
    assert ["transaction/throughput"] == [
        item["case"] for item in content["figures"] if "throughput" in item["figures"]
    ]
    assert content["verdict"]["decision"]["headline"] == view.verdict.decision.headline


@pytest.mark.parametrize("part", PARTS)
def test_nothing_hostile_gets_out_of_its_place(part):
    """Names, messages and tracebacks that hold markup, escapes and bidi overrides stay text."""
    run = hostile_run()
    html = getattr(ReportView(run, judged(run)), part).html
    elements = _elements(html)

    assert not {"script", "img"} & {tag for tag, _ in elements}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)
    assert all(not name.startswith("on") for _, attrs in elements for name in attrs)


def test_plain_text_has_no_control_characters():
    """A terminal gets nothing that it would act upon, whatever a run is called."""
    run = hostile_run()
    text = (
        rendering.run_text(run)
        + rendering.verdict_text(judged(run))
        + rendering.changes_text(judged(run).changes)
    )

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", text)
    assert "<script>" in text


def test_markdown_tables_keep_their_columns():
    """Every row of a table has as many cells as its head, with hostile names too."""
    run = hostile_run()
    whole = plausible_run()
    for text in (
        rendering.run_markdown(run),
        rendering.run_markdown(whole),
        rendering.verdict_markdown(judged(whole)),
    ):
        tables = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
        counts = [
            {len(re.findall(r"(?<!\\)\|", line)) for line in item.splitlines()} for item in tables
        ]
        assert "<script" not in text.replace(r"\<script", "")
        assert counts
        assert all(1 == len(widths) for widths in counts)


def test_a_verdict_in_text_says_the_sentence_and_the_targets():
    """The outcome first, then what could not be measured, targets, and changes with their p."""
    view = _view()
    text = rendering.verdict_text(view.verdict)

    assert text.startswith("✗ Could not measure: ")
    assert "transaction/encode could not be measured: killed by signal 11" in text
    assert re.search(r"✗ missed +transaction/validation", text)
    assert re.search(r"✗ slower +transaction/decode .*% slower", text)
    assert max(map(len, text.splitlines()[1:])) < 200


def test_a_run_without_baseline_says_how_to_get_one():
    """No empty table of changes, but the command that makes them possible, on one page."""
    run = plausible_run()
    view = ReportView(run, judged(run))

    assert "veperf baseline record" in view.regression.html
    assert "No baseline" in view.regression.html
    for elsewhere in (view.alerts, view.findings, view.overview):
        assert "veperf baseline record" not in elsewhere.html
    assert ">baseline</text>" not in view.benchmarks.html
    assert "no baseline" not in rendering.verdict_text(view.verdict).split("\n", 1)[1]


def test_results_by_themselves_bring_their_style():
    """What a notebook's cell shows is styled without the page; comparing nothing is said."""
    run = plausible_run()

    for html in (
        rendering.run_html(run),
        rendering.verdict_html(judged(run)),
        rendering.changes_html(()),
    ):
        assert html.startswith('<div class="vp"><style>')
    assert "Nothing to compare" in rendering.changes_html(())
    assert "Nothing to compare" in rendering.changes_text(())
    assert "Nothing to compare" in str(rendering.changes_parts(()))
    assert HOSTILE not in html


def test_what_was_not_judged_is_never_called_free_of_slowdowns():
    """Against another machine nothing is judged: no all-clear in HTML or Markdown."""
    here = plausible_run()
    there = tuple(
        replace(b, machine=replace(b.machine, name="other", cpu_model="Other"))
        for b in plausible_baselines()
    )
    actual = judged(here, there)

    for text in (ReportView(here, actual, there).findings.html, rendering.verdict_markdown(actual)):
        assert "14 comparisons not judged" in text
        assert "that passes" not in text
        assert "that pass" not in text
        assert "Every comparison passes" not in text
    assert ">baseline</text>" not in ReportView(here, actual, there).benchmarks.html


def test_what_is_undecided_is_no_all_clear():
    """Where comparisons decide nothing, the report says so, on the first page and the others."""
    run, baselines = plausible_run(), plausible_baselines()
    actual = judged(run, baselines)
    unsure = tuple(replace(c, status=ChangeStatus.INCONCLUSIVE) for c in actual.changes[:3])
    view = ReportView(run, replace(actual, changes=unsure), baselines)

    for part in (view.alerts, view.findings, view.regression):
        assert "No slowdown is certain, but 3 comparisons are undecided." in part.html
        assert "Every comparison passes" not in part.html


def test_the_first_page_leaves_what_is_well_to_the_others():
    """It has the changes that need attention, and no row for any other."""
    view = _view()

    assert "transaction/decode</" in view.alerts.html
    assert "within 3" not in view.alerts.html
    assert "within 3" in view.overview.html


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "recorded from this run"), (-3, "3 days older"), (2, "2 days newer")]
)
def test_a_baseline_has_its_age(days: int, expected: str):
    """Of this very run, of an earlier one, of a later one."""
    run = dated_run(10)
    (baseline,) = baselines_of(dated_run(10 + days))

    assert f", {expected}, commit" in dict(identity.run_details(run, [baseline]))["Compared with"]


@pytest.mark.parametrize(("packages", "named"), [(12, 12), (50, 3)])
def test_of_many_baselines_the_first_are_named(packages: int, named: int):
    """With the number of the others."""
    run = timed_run({f"package{n}/Work": [1.0] * 6 for n in range(packages)})

    text = dict(identity.run_details(run, baselines_of(run)))["Compared with"]

    assert named == text.count("package")
    assert (" and 47 more baselines of " in text) == (packages > named)
