"""Comparisons as they are shown: everything said, nothing interpreted."""

import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from tests.support.helpers import HOSTILE
from veperf.abtest.ab_result import ABResult
from veperf.core.ab_records import ABSide
from veperf.core.errors import UnknownBenchmarkError
from veperf.core.run import Failure
from veperf.core.verdict import ChangeStatus, Severity

SLOW = change("mine/slow", ChangeStatus.SLOWER, ratio=1.1, severity=Severity.FAIL)
SLIGHT = change("mine/slight", ChangeStatus.SLOWER, ratio=1.02, severity=Severity.WARN)
GOOD = change("mine/good", ChangeStatus.OK)
ALONE = replace(change("mine/alone", ChangeStatus.ONE_SIDED), pairs=(), path=(), ratio=None)
BROKEN = replace(
    change("mine/broken", ChangeStatus.ERROR), failure=Failure("raised", "no", "Traceback x")
)


def result(*changes) -> ABResult:
    return ABResult(ab_run(*changes), Path("reports/ab-1"))


def test_all_three_forms_say_the_same() -> None:
    """Outcome, both sides, each benchmark with its change, and why for what needs attention."""
    actual = result(GOOD, SLIGHT, SLOW, ALONE, BROKEN)

    for rendered in (repr(actual), actual._repr_html_(), actual._repr_markdown_()):
        assert "Could not measure" in rendered
        assert "with uncommitted changes" in rendered.replace("\\", "")
        for item in actual.ab.changes:
            assert item.case in rendered.replace("\\", "")
        assert "10.0\u202f% slower" in rendered
    assert "Traceback x" in actual._repr_html_()


def test_the_worst_comes_first() -> None:
    """Failures before warnings before what is well, in the table and for the figures."""
    actual = result(GOOD, SLIGHT, SLOW)

    assert re.search("slow.*slight.*good", repr(actual), re.DOTALL)
    assert "mine/slow" == actual.change().case
    assert "mine/good" == actual.change("mine/good").case
    with pytest.raises(UnknownBenchmarkError, match="mine/slight"):
        actual.change("mine/typo")


def test_a_slowdown_within_the_threshold_is_a_warning() -> None:
    """Its mark is not that of a failure."""
    assert "✗" not in repr(result(SLIGHT))
    assert "▲ slower" in repr(result(SLIGHT))


def test_hostile_names_stay_text() -> None:
    """Markup, colours and invisible characters of names, refs and reasons are shown as such."""
    evil = replace(SLOW, case=HOSTILE, reason=HOSTILE, failure=Failure("raised", HOSTILE, HOSTILE))
    run = replace(ab_run(evil), base=ABSide(HOSTILE), new=ABSide(HOSTILE))
    actual = ABResult(run, Path("reports"))

    assert not re.search(r"[\x00\x1b\u202a-\u202e]", repr(actual) + actual._repr_html_())
    assert "<script" not in actual._repr_html_()
    assert not re.search(r"(?<!\\)<script", actual._repr_markdown_())


def test_frames_have_a_row_each() -> None:
    """A row a benchmark, and a row a pair with its ratio."""
    actual = result(SLOW, GOOD, ALONE)

    assert ["mine/slow", "mine/good", "mine/alone"] == list(actual.frame().index)
    assert ["slower", "ok", "only in one side"] == list(actual.frame()["status"])
    assert 12 == len(actual.pairs())
    assert [pytest.approx(1.1)] * 6 == list(actual.pairs()["ratio"])[:6]
    assert 0 == len(result().pairs())
    assert 0 == len(result().frame())


@pytest.mark.parametrize("one", [SLOW, GOOD, ALONE, BROKEN, replace(SLOW, case=HOSTILE)])
def test_figures_can_always_be_drawn(one) -> None:
    """Of what was decided, broken, or is on one side alone; nothing is left out in silence."""
    actual = result(one)

    for figure in (actual.figure_samples(), actual.figure_pairs(), actual.figure_looks()):
        figure.draw_without_rendering()
    dots = actual.figure_pairs().axes[0].lines[-1]
    assert len(one.pairs) == np.size(dots.get_xdata())


def test_a_pass_names_its_margin_and_its_limits_wherever_it_is_shown() -> None:
    """Within 3 %, or whatever was asked for; a smaller slowdown may be there."""
    wide = replace(GOOD, margin=0.1)

    for item, words in ((GOOD, "ithin 3\u202f%"), (wide, "ithin 10\u202f%")):
        actual = result(item)
        for rendered in (repr(actual), actual._repr_html_(), actual._repr_markdown_()):
            text = rendered.replace("\\", "")
            assert f"w{words}" in text
            assert f"W{words}: a slowdown of" in text
            assert "no slower" not in text
    assert 'title="Within 3\u202f%: a slowdown of 3' in result(GOOD)._repr_html_()


def test_what_led_to_an_early_end_is_said_to_look_larger() -> None:
    """A note where something changed, and none where nothing did."""
    assert "tends to look larger" in repr(result(SLOW, GOOD))
    assert "tends to look larger" not in repr(result(GOOD))
