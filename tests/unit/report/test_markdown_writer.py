"""Markdown of decisions: one heading, the worst first, whole rows within the limit, inert names."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.ab_runs import ab_run, change
from tests.support.helpers import HOSTILE
from veperf.abtest.comparison_report import comparison_markdown, comparison_parts
from veperf.abtest.gate import decide_comparison
from veperf.core.ab_records import ABSide
from veperf.core.errors import UsageError
from veperf.core.gate import Answer, Effect, GateDecision, GateItem, Outcome, Question
from veperf.core.run import Revision
from veperf.core.verdict import ChangeStatus, Severity
from veperf.formats.exported import JudgedPairs
from veperf.formats.markdown import MARKER
from veperf.formats.writers import write_judged
from veperf.report.markdown_writer import (
    MOST_COMMENT_BYTES,
    MarkdownPart,
    write_decision,
    write_markdown,
)
from veperf.report.report_links import NO_REPORT, ReportLinks, find_report_links
from veperf.report.tables.status import Mark
from veperf.report.tables.table import Cell, Table, columns

NASTY = (
    HOSTILE, "a|b", "`code`", "``", "</details>", "<details><summary>x</summary>", "@everyone",
    "cc @org/team", "#1", "GH-1", "a\n\n# Pass\n", "\r\n| a | b |", "\u202eevil", "\\", "\\|",
    "[x](http://x.invalid)", "![x](y)", "<!-- ", "-->", "&lt;b&gt;", "$x$", "~~x~~", "https://x.y",
    "www.x.invalid", "\U000e0041" * 500, "é" * 2_000, "1" * 40, "commit 1234567890", "- x", "> x",
    "```", "---", "***", "| --- |", "\x1b[31m", "a@b.invalid", "",
)  # fmt: skip
names = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))
LINKS = ReportLinks("https://ci.invalid/runs/7", "https://ci.invalid/o/r/commit/", is_page=True)
ALLOWED = {"h3", "p", "ul", "li", "strong", "a", "code", "table", "thead", "tbody", "tr", "th",
           "td", "br", "em", "details", "summary"}  # fmt: skip


class _Page(HTMLParser):
    """Elements of a page, its links, its text, and the cells of each row."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.tables: list[list[int]] = []
        self.text = ""
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append(0)
        elif tag in ("td", "th"):
            self.tables[-1][-1] += 1
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def decision_on(texts: list[str], size: int) -> GateDecision:
    """A decision on ``size`` benchmarks with names and reasons of ``texts`` in turn."""
    effects = sorted(Effect, key=list(Effect).index, reverse=True)
    items = tuple(
        GateItem(
            question=Question.CHANGE,
            answer=Answer.SLOWER,
            effect=effects[i * len(effects) // size],
            reason=texts[(i + 1) % len(texts)],
            rule="a rule",
            case=texts[i % len(texts)],
            size=texts[(i + 2) % len(texts)],
            next_step=f"veperf ab main {texts[i % len(texts)]}",
        )
        for i in range(size)
    )
    return GateDecision(Outcome.FAIL, 1, f"{size} slower ({'; '.join(texts)})", items)


def parts_on(texts: list[str], size: int) -> list[MarkdownPart]:
    """Parts with ``size`` rows and a note, under hostile titles and columns."""
    marks = (Mark("slower", "fail", 1), None, Mark("within 3 %", "pass", 7))
    rows = tuple(
        (
            Cell("", mark=marks[i % 3]),
            Cell(texts[i % len(texts)], note=texts[(i + 1) % len(texts)]),
            Cell(str(i)),
        )
        for i in range(size)
    )
    table = Table(texts[0], columns("Status", texts[-1], "Number"), rows)
    return [MarkdownPart(texts[0], (table, texts[-1])), MarkdownPart("", (table,))]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(names, min_size=1, max_size=8), st.integers(0, 3_000), st.booleans())
@example(["\U0010ffff" * 300, "1" * 40 + " " + "1" * 40], 3_000, True)
@example(["|" * 1_000], 1, True)
@example(["---"], 0, False)
@example(["1. x"], 0, False)
@example(["\n"], 1, False)
@example([" "], 1, True)
def test_any_decision_is_sound_markdown(texts: list[str], size: int, linked: bool) -> None:
    """By another parser: one heading, balanced folds, equal rows, own links, below the limit."""
    links = LINKS if linked else NO_REPORT
    text = write_decision(
        decision_on(texts, size),
        parts_on(texts, size),
        links=links,
        most=MOST_COMMENT_BYTES,
        marker=MARKER,
    )

    page = _Page(text)

    assert text.startswith(f"{MARKER}\n### ✗ Fail\n")
    assert len(text.encode()) <= MOST_COMMENT_BYTES
    assert set(page.tags) <= ALLOWED
    assert ([], 1) == (page.open, page.tags.count("h3"))
    assert page.tags.count("details") == page.tags.count("summary")
    assert all(rows == [3] * len(rows) for rows in page.tables)
    assert all(link.startswith("https://ci.invalid/") for link in page.links)
    assert not re.search(r"@\w|#\d|GH-\d|www\.", page.text, re.IGNORECASE)
    assert not re.search(r"[\x00-\x08\x1b\u202a-\u202e]", page.text)
    assert not re.search(r"(?<!\w)[0-9a-f]{40}(?!\w)", page.text)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(300, 3_000))
def test_the_least_urgent_rows_go_first(urgencies: list[int], most: int) -> None:
    """No row that is left out is more urgent than one that stays; the number is right."""
    rows = tuple((Cell(f"row {i}", mark=Mark("x", "fail", u)),) for i, u in enumerate(urgencies))
    half = len(rows) // 2
    parts = [
        MarkdownPart(f"part {number}", (Table("", columns("Name"), part, row_header=0),))
        for number, part in enumerate((rows[:half], rows[half:]))
    ]

    text = write_markdown(["head"], parts, most=most)

    kept = [int(i) for i in re.findall(r"row (\d+) ", text)]
    gone = set(range(len(rows))) - set(kept)
    assert len(text.encode()) <= most
    assert sorted(kept) == kept
    assert max((urgencies[i] for i in kept), default=0) <= min(
        (urgencies[i] for i in gone), default=8
    )
    counts = re.findall(r"limit: (\d+) row", text)
    assert ([str(len(gone))] if gone else []) == counts


def test_everything_is_there_where_it_fits() -> None:
    """Below the limit nothing is cut, up to the last byte."""
    parts = parts_on(["a", "b"], 100)
    whole = write_markdown(["head"], parts)

    assert "Cut to fit" not in whole
    assert 204 == len(re.findall(r"^\| .", whole, re.MULTILINE))
    assert whole == write_markdown(["head"], parts, most=len(whole.encode()))
    assert "Cut to fit" in write_markdown(["head"], parts, most=len(whole.encode()) - 1)


def test_the_worst_three_have_link_and_next_command() -> None:
    """In the order of the decision, with what is only noted left to the folds."""
    decision = decision_on(["mine/a", "mine/b", "mine/c"], 12)

    lines = write_decision(decision, [], links=LINKS).splitlines()

    items = [line for line in lines if line.startswith("- ")]
    assert [f"mine/{name}" for name in "abc"] == [re.findall(r"mine/\w", i)[0] for i in items]
    for item in items:
        (case,) = set(re.findall(r"\[\*\*(.*?)\*\*\]", item))
        assert f"(https://ci.invalid/runs/7#{case})" in item
        assert f"Next: `veperf ab main {case}`" in item
    calm = GateDecision(Outcome.PASS, 0, "all met", decision.items[-2:])
    assert "- " not in write_decision(calm, [])


def test_a_comment_about_several_things_has_one_decision() -> None:
    """A comparison that passes and one that fails: one heading, the worst first, one marker."""
    good = ab_run(change("mine/good", ChangeStatus.OK))
    slow = change("mine/slow", ChangeStatus.SLOWER, ratio=1.4, severity=Severity.FAIL)
    judged = [JudgedPairs(run, decide_comparison(run)) for run in (good, ab_run(slow))]

    text = str(write_judged(judged, "comment", LINKS).data)

    assert text.startswith(f"{MARKER}\n### ✗ Fail\n\n1 slower (slow, by 40")
    assert (1, 1) == (text.count("### "), text.count(MARKER))
    assert "[Report](https://ci.invalid/runs/7)" in text.splitlines()[3]
    assert "| ✗ slower | mine/slow |" in text
    assert re.search(r"\| ✓ within 3\s% \| mine/good \|", text)


def test_commits_are_short_and_linked() -> None:
    """Seven digits, also where a side is named by its hash; the hash is in the address alone."""
    commit = "0123456789" * 4
    run = ab_run(change("mine/a", ChangeStatus.OK))
    run = type(run)(**{f: getattr(run, f) for f in run.__struct_fields__} | {
        "base": ABSide(commit, Revision(commit, "main"))})  # fmt: skip

    plain = comparison_markdown(run, decide_comparison(run))
    linked = write_decision(decide_comparison(run), comparison_parts(run), links=LINKS)

    assert "against 0123456, side by side" in plain
    assert not re.search("[0-9a-f]{8}", plain)
    assert f"against [0123456](https://ci.invalid/o/r/commit/{commit}), side by side" in linked
    assert "commit [0123456](" in linked


GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_RUN_ID": "77",
}
GITLAB = {"CI_JOB_URL": "https://gl.x/g/p/-/jobs/5", "CI_PROJECT_URL": "https://gl.x/g/p"}


@pytest.mark.parametrize(
    ("environ", "report", "commits"),
    [
        ({}, "", ""),
        (GITHUB, "https://github.com/o/r/actions/runs/77", "https://github.com/o/r/commit/"),
        (GITLAB, "https://gl.x/g/p/-/jobs/5", "https://gl.x/g/p/-/commit/"),
        ({"CI_JOB_URL": "javascript:alert(1)"}, "", ""),
        (GITHUB | {"GITHUB_REPOSITORY": "o/r) [x](y"}, "", ""),
    ],
)
def test_the_job_says_where_its_report_is(
    environ: dict[str, str], report: str, commits: str
) -> None:
    """On GitHub and GitLab; what is no address is no link."""
    assert ReportLinks(report, commits) == find_report_links("", environ)


def test_a_report_is_linked_to_by_its_address() -> None:
    """An address comes before that of the job; each case is linked to; others are refused."""
    links = find_report_links("https://pages.invalid/r/index.html", GITHUB)

    assert "https://pages.invalid/r/index.html#mine/a%5Bn=1%5D" == links.case("mine/a[n=1]")
    assert "https://github.com/o/r/commit/" == links.commits
    for wrong in ("report.html", "javascript:x", "https://x.y/a b", "https://x.y/)", "https://a@b"):
        with pytest.raises(UsageError, match="no address of a report"):
            find_report_links(wrong, {})
