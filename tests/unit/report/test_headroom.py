"""Margins say in words what the figures say."""

import pytest

from veperf.core.case import Better
from veperf.core.target import Target
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.report.sections.headroom import headroom_section, headroom_sentence


def _verdict(value: float | None, limit: float, better: Better = "lower", unit: str = "ms"):
    over = None
    if value is not None:
        over = (value - limit if better == "lower" else limit - value) / limit
    target = Target("a/b", limit, unit, better, "Works.")
    return TargetVerdict(
        target,
        TargetStatus.PASS,
        "a/b",
        value,
        None,
        None,
        None,
        over,
        6,
        known_miss=False,
        reason="",
    )


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (_verdict(2.0, 100), "2.00 ms (at most 100 ms), 50 times faster than required"),
        (_verdict(80.0, 100), "80.0 ms (at most 100 ms), 20 % below its limit"),
        (_verdict(130.0, 100), "130 ms (at most 100 ms), 30 % over its limit"),
        (_verdict(400.0, 100), "400 ms (at most 100 ms), 4.0 times its limit"),
        (_verdict(0.0, 100), "100 % below its limit"),
        (_verdict(90.0, 10, "higher", "1/s"), "(at least 10 1/s), 9.0 times better"),
        (_verdict(9.0, 10, "higher", "1/s"), "(at least 10 1/s), 10 % below its limit"),
        (_verdict(2.0, 8, unit="KiB"), "(at most 8 KiB), 4.0 times better than required"),
    ],
)
def test_a_margin_in_words(verdict, text):
    """A multiple where there is twice as much room as needed, a share of the limit elsewhere."""
    assert text in headroom_sentence(verdict).replace("\u202f", " ")


def test_the_tightest_comes_first_and_what_was_not_measured_not_at_all():
    """The reader's eye begins where there is least room."""
    lines = headroom_section(
        [_verdict(2.0, 100), _verdict(None, 5), _verdict(99.0, 100)]
    ).text.splitlines()

    assert ["99.0", "2.00"] == [line.split()[1].split("\u202f")[0] for line in lines]
    assert "No target was measured." == headroom_section([_verdict(None, 5)]).text
