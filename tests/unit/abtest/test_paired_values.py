"""Base, New and the change of a row agree, whatever the medians of the two sides are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ab_runs import ab_run, change
from veperf.abtest.ab_result import ABResult
from veperf.abtest.comparison_report import pair_changes_table
from veperf.core.ab_records import ABChange
from veperf.core.case import TIME, Metric
from veperf.core.verdict import ChangeStatus

RATIOS = st.floats(0.5, 2.0)


def changed(base: float, new: float, ratio: float, metric: Metric = TIME) -> ABChange:
    """A change with these medians and this ratio."""
    example = change("mine/work", ChangeStatus.OK)
    return ABChange(
        case=example.case,
        metric=metric,
        status=example.status,
        severity=example.severity,
        reason=example.reason,
        base=base,
        new=new,
        ratio=ratio,
        pairs=example.pairs,
    )


@given(st.floats(1, 1e9), st.floats(1, 1e9), RATIOS)
def test_new_is_worse_than_base_by_the_ratio(base: float, new: float, ratio: float) -> None:
    """In the direction of the metric: longer, or fewer a second."""
    rate = Metric("rate", "1/s", "higher")

    assert ratio == pytest.approx((changed(base, new, ratio).paired_new or 0) / base)
    assert ratio == pytest.approx(base / (changed(base, new, ratio, rate).paired_new or 0))


def test_a_row_no_longer_contradicts_itself() -> None:
    """Medians of 522 and 552 ns, 0.4 % slower in pairs: New is 524 ns."""
    row = changed(522.0, 552.0, 1.004)

    (cells,) = pair_changes_table([row], "").rows
    frame = ABResult(ab_run(row), __file__).frame()  # type: ignore[arg-type]  # nothing is read

    assert ["522\u202fns", "524\u202fns", "0.4\u202f% slower"] == [cell.text for cell in cells[2:5]]
    assert (522.0, 552.0) == (frame["base"].item(), frame["new_median"].item())
    assert np.isclose(522.0 * 1.004, frame["new"].item())


def test_without_a_ratio_the_medians_stand() -> None:
    """As where a benchmark failed on its way."""
    example = change("mine/work", ChangeStatus.ERROR)

    assert 5.0 == changed(4.0, 5.0, 0.0).paired_new
    assert example.new == example.paired_new
