"""Which pages a report has, and how they lead to each other."""

from html.parser import HTMLParser

from msgspec.structs import replace

from tests.support.helpers import (
    HOSTILE,
    hostile_run,
    judged,
    plausible_baselines,
    plausible_run,
    with_load,
)
from tests.support.runs import timed_run
from veperf.core.case import MEMORY_METRICS, Level
from veperf.report.html.links import Links, anchor
from veperf.report.html.page import Sibling, navigation
from veperf.report.pages.page_list import report_pages
from veperf.report.tables.status import outcome_mark
from veperf.report.view import ReportView

TWO = {"alpha/one": [100.0] * 6, "beta/two": [5_000.0] * 6}


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        actual = dict(attrs)
        self.ids += [actual["id"]] if actual.get("id") else []
        self.links += [actual["href"]] if tag == "a" else []


def _elements(html: str) -> _Elements:
    parser = _Elements()
    parser.feed(html)
    return parser


def test_a_run_has_a_page_for_each_suite_between_overview_and_changes():
    """In the run's order; a suite that veperf does not bring is told to the notebook for any."""
    actual = report_pages(timed_run(TWO))

    assert ["index", "alpha", "beta", "regression"] == [page.name for page in actual]
    assert ["run", "suite", "suite", "run_regression"] == [page.notebook for page in actual]
    assert {"suite": "beta"} == actual[2].parameters
    assert {"pages": {"alpha": "alpha.html", "beta": "beta.html"}} == actual[0].parameters
    assert "transaction" == report_pages(plausible_run())[1].notebook


def test_many_packages_are_on_one_page_that_takes_no_kernel():
    """Up to twelve have a page each, of which another tool's run executes no notebook."""
    run = timed_run({f"package{n}/Work": [1.0] * 6 for n in range(13)})
    imported = replace(run, source="go")
    few = report_pages(replace(imported, cases=imported.cases[:12]))

    assert ["index", "regression"] == [page.name for page in report_pages(imported)]
    assert not any(page.is_executed for page in report_pages(imported))
    assert all(page.is_executed for page in report_pages(run))
    assert 14 == len(few)
    assert ["index", "regression"] == [page.name for page in few if page.is_executed]


def test_one_page_has_contents_and_a_section_for_each_package():
    """Every link of it and of the changes leads to an element that is there, once."""
    sizes = {f"package{n}/Work[n={size}]": [1.0 * size] * 6 for n in range(20) for size in (1, 2)}
    run = timed_run({f"package{n}/Work": [1.0] * 6 for n in range(20)} | sizes)
    files = dict.fromkeys((case.suite for case in run.cases), "index.html")
    view = ReportView(run, judged(run), pages=files)
    html = view.overview.html
    elements = _elements(html)
    links = {*elements.links, *_elements(view.regression.html).links}

    assert 20 == html.count('<details class="vp-package">')
    assert len(elements.ids) == len(set(elements.ids))
    assert {*elements.ids} >= {link.partition("#")[2] for link in links}
    assert {f"#{anchor(f'package={suite}')}" for suite in files} <= links
    assert len(run.cases) <= len(links)


def test_one_page_of_too_many_charts_has_tables(monkeypatch):
    """It says where the charts are, and nothing links to one."""
    monkeypatch.setattr("veperf.report.view.MOST_CARDS", 12)
    run = timed_run({f"package{n}/Work": [1.0] * 6 for n in range(13)})
    html = ReportView(run, judged(run)).overview.html

    assert "Charts are left out" in html
    assert all(case.id in html for case in run.cases)
    assert all(link.startswith("#package=") for link in _elements(html).links)
    assert 13 == len(_elements(html).links) == len(_elements(html).ids)


def test_memory_has_a_page_where_it_was_measured():
    """Before the changes, and only then."""
    run = timed_run(TWO)
    with_memory = replace(
        run, cases=tuple(replace(c, metrics=(*c.metrics, *MEMORY_METRICS)) for c in run.cases)
    )

    assert "operation_memory" not in [page.name for page in report_pages(run)]
    assert ["operation_memory", "regression"] == [page.name for page in report_pages(with_memory)][
        -2:
    ]


def test_no_suite_writes_where_it_should_not():
    """Names that are paths, markup, or those of other pages get a file of their own."""
    names = ["index", "../evil", "", HOSTILE, "Index", "operation_memory", "x" * 200]
    run = timed_run({f"{name}/case": [1.0] * 6 for name in names})
    run = replace(
        run, cases=tuple(replace(c, suite=n) for c, n in zip(run.cases, names, strict=True))
    )
    files = [page.file for page in report_pages(run)]

    assert len(files) == len({file.lower() for file in files})
    assert all(set(file) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.") for file in files)


def test_every_link_of_the_overview_leads_to_a_card_of_a_suites_page():
    """Each case's name leads to an element that is there, and no two elements share an id."""
    run = with_load(plausible_run(slower={"transaction/decode": 1.5}))
    baselines = plausible_baselines()
    view = ReportView(run, judged(run, baselines), baselines, pages={"transaction": "t.html"})
    suite = view.of_suite("transaction")
    ids = _elements(suite.benchmarks.html).ids
    links = _elements(view.overview.html).links + _elements(view.alerts.html).links

    assert len(ids) == len(set(ids))
    assert len(run.cases) < len(links)
    assert {f"t.html#{id}" for id in ids} <= {*links}
    assert {*links} <= {f"t.html#{id}" for id in ids} | {"t.html"}
    assert {f"#{id}" for id in ids} >= {*_elements(suite.findings.html).links}


def test_a_hostile_case_has_a_harmless_address():
    """An address has no character that ends an attribute or begins another part of it."""
    run = hostile_run()
    links = Links.to(run.cases, [run.cases[0].id], {"evil": "evil.html"})

    assert not set("<>\"'& \n\x00#?") & set(anchor(HOSTILE))
    assert f"evil.html#{anchor(run.cases[0].id)}" == links.of(run.cases[0].id)
    assert "" == links.of("unknown")


def test_navigation_says_where_one_is():
    """A landmark with a name; the current page is marked, a verdict has a word."""
    siblings = [
        Sibling("index.html", "Overview", outcome_mark(judged(plausible_run()).decision.outcome)),
        Sibling("a.html", "<a>"),
    ]
    html = navigation(siblings, "a.html")

    assert '<nav class="vp-nav" aria-label="Pages">' in html
    assert 1 == html.count('aria-current="page"')
    assert html.index("index.html") < html.index("aria-current")
    assert 'role="img" aria-label="Fail"' in html
    assert "&lt;a&gt;" in html
    assert "" == navigation([], "a.html")


def test_a_suites_verdict_is_part_of_the_whole():
    """The same targets and changes with the same p, summed up anew; other suites are left out."""
    slow = {"alpha/one": [100.0, 101, 102, 103, 104, 105], "beta/two": [5e3] * 6}
    run = timed_run(slow, targets={"alpha/one": "transaction/hash_compute"})
    whole = judged(run)
    view = ReportView(run, whole)

    parts = [view.of_suite(suite) for suite in ("alpha", "beta")]

    assert ["alpha/one"] == [case.id for case in parts[0].run.cases]
    assert ["transaction/hash_compute"] == [v.target.id for v in parts[0].verdict.targets]
    assert () == parts[1].verdict.targets
    assert all(len(pass_.results) == 1 for part in parts for pass_ in part.run.passes)
    assert {c for p in parts for c in p.verdict.changes} == {*whole.changes}
    assert all(c.level is Level.MICRO for part in parts for c in part.run.cases)
