"""DataFrames that show themselves."""

import re

import pandas as pd

from tests.support.helpers import HOSTILE, hostile_run, plausible_run
from veperf.report.tables import frames


def test_a_shown_frame_is_a_frame():
    """It has a row a case; what is made of it is pandas' own, and shows as pandas does."""
    cases = plausible_run().cases

    frame = frames.benchmarks_frame(cases)

    assert [case.id for case in cases] == frame.index.to_list()
    assert ["transaction/validation"] == frame.loc["transaction/validation", "targets"]
    assert {pd.DataFrame} == {type(frame.head()), type(frame[frame["level"] == "micro"])}
    assert frames.benchmarks_frame([]).empty


def test_each_suite_is_folded_under_its_name():
    """Text and HTML name every case; in HTML under a line for each suite."""
    cases = plausible_run().cases
    frame = frames.benchmarks_frame(cases)

    assert 1 == len(re.findall("<details>", frame._repr_html_()))
    assert f"<summary>transaction: {len(cases)} cases</summary>" in frame._repr_html_()
    assert all(case.id in repr(frame) for case in cases)


def test_hostile_names_are_shown_as_text():
    """Markup, terminal colours and text that turns round are spelt out."""
    frame = frames.benchmarks_frame(hostile_run().cases)

    assert HOSTILE not in frame._repr_html_()
    assert not re.search(r"<script|<img|[\x00\x1b\u202e]", frame._repr_html_())
    assert not re.search(r"[\x00\x1b\u202e]", repr(frame))
