"""A comparison on several places as it is shown: everything said, nothing interpreted."""

import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from tests.support.fleets import at, fleet, lacking
from tests.support.helpers import HOSTILE
from tests.support.pages import without_own_script
from veperf.abtest.fleet_result import FleetResult
from veperf.core.ab_records import ABPlace, ABSide
from veperf.core.run import Failure
from veperf.core.verdict import ChangeStatus, Severity

SLOW = change("mine/work", ChangeStatus.SLOWER, ratio=1.1, severity=Severity.FAIL)
FAST = change("mine/work", ChangeStatus.FASTER, ratio=0.9)
GOOD = change("mine/same", ChangeStatus.OK)
EVERY = [change(f"mine/{n}", status) for n, status in enumerate(ChangeStatus)]
MIXED = fleet(at("small", FAST, GOOD), at("large", SLOW), lacking("gpu"))


def _forms(found: FleetResult) -> list[str]:
    return [repr(found), found._repr_html_(), found._repr_markdown_(), found.page()]


def test_all_forms_say_the_same() -> None:
    """Outcome, sentence, every place with its verdict, every benchmark with its change there."""
    for rendered in _forms(MIXED):
        plain = rendered.replace("\\", "")
        assert "Could not measure" in plain
        assert "Slower on large: mine/work +10.0 % (+9.0 to +11.0); not measured on gpu" in plain
        assert "Slower on large, but faster on small: mine/work" in plain
        assert "main, commit 2222222" in plain
        for output in (
            "small",
            "large",
            "gpu",
            "mine/work",
            "mine/same",
            "+10.0\u202f%",
            "not there",
        ):
            assert output in plain


def test_the_worst_benchmark_comes_first() -> None:
    """By its worst place, whatever the others say."""
    slightly = change("mine/b", ChangeStatus.SLOWER, ratio=1.02, severity=Severity.WARN)
    actual = fleet(at("x", GOOD, FAST, slightly), at("y", GOOD, SLOW))

    for rendered in (repr(actual), actual._repr_html_(), actual._repr_markdown_()):
        table = rendered[rendered.rindex("Benchmark") :]
        assert re.search("mine/work.*mine/b.*mine/same", rendered.replace("\\", ""), re.DOTALL), (
            table
        )


@pytest.mark.parametrize("one", EVERY)
def test_every_status_can_be_shown(one) -> None:
    """Beside a place that lacks the benchmark, and one that was not measured."""
    broken = replace(one, ratio=None, low=None, high=None, failure=Failure("raised", "no", "Trace"))
    for each in (one, broken):
        actual = fleet(at("x", each), at("y", GOOD), lacking("z"))
        for rendered in _forms(actual):
            assert one.case in rendered.replace("\\", "")


def test_many_places_fit() -> None:
    """In text a few at a time, in a page and in Markdown side by side."""
    actual = fleet(*(at(f"class{n}", SLOW, GOOD) for n in range(8)))

    assert max(map(len, repr(actual).split("\n\n")[3].splitlines())) <= 160
    for n in range(8):
        assert f"class{n}" in repr(actual)
    assert "class0 | class1 | class2 | class3 | class4 | class5 | class6 | class7" in (
        actual._repr_markdown_()
    )


def test_hostile_names_stay_text() -> None:
    """Of places, benchmarks, refs, failures and sweeps."""
    evil = replace(SLOW, case=HOSTILE, reason=HOSTILE, failure=Failure("raised", HOSTILE, HOSTILE))
    places = (ABPlace(HOSTILE, ab_run(evil, GOOD)), ABPlace(HOSTILE + "2", None, HOSTILE))
    actual = FleetResult(HOSTILE, ABSide(HOSTILE), ABSide(HOSTILE), places, MIXED.page_at)

    for rendered in _forms(actual):
        assert not re.search(r"[\x00\x1b\u202a-\u202e]", rendered)
    for page in (actual._repr_html_(), without_own_script(actual.page())):
        assert "<script" not in page
        assert not re.search(r"<[^>]*\son\w+=", page)
    assert not re.search(r"(?<!\\)<script", actual._repr_markdown_())


def test_the_page_needs_nothing_but_itself() -> None:
    """No script but its own, no address, every element closed; each comparison in full."""
    page = without_own_script(MIXED.page())

    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="', page)
    assert 2 == page.count("While measuring")
    open_elements: list[str] = []

    class Checked(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "br", "path"):
                open_elements.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag != "path":
                assert tag == open_elements.pop()

    Checked().feed(page)
    assert [] == open_elements
