"""What a whole comparison comes to, whatever its parts are."""

import pytest

from tests.support.ab_runs import ab_run, change
from veperf.abtest.verdict import comparison_outcome, comparison_sentence
from veperf.core.verdict import ChangeStatus, Outcome, Severity
from veperf.verdicts.verdict import exit_code_of

OK, FASTER, SLOWER = ChangeStatus.OK, ChangeStatus.FASTER, ChangeStatus.SLOWER
UNSURE, FEW = ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH
ERROR, ALONE = ChangeStatus.ERROR, ChangeStatus.ONE_SIDED


@pytest.mark.parametrize(
    ("statuses", "word", "code", "strict"),
    [
        ([OK, FASTER], Outcome.PASS, 0, 0),
        ([OK, ALONE], Outcome.PASS, 0, 0),
        ([OK, SLOWER], Outcome.WARN, 0, 0),
        ([OK, UNSURE], Outcome.INCONCLUSIVE, 0, 4),
        ([OK, FEW], Outcome.INCONCLUSIVE, 0, 4),
        ([SLOWER, UNSURE], Outcome.INCONCLUSIVE, 0, 4),
        ([OK, SLOWER, ERROR], Outcome.ERROR, 3, 3),
        ([], Outcome.INCONCLUSIVE, 0, 4),
        ([ALONE], Outcome.INCONCLUSIVE, 0, 4),
    ],
)
def test_the_worst_part_decides(
    statuses: list[ChangeStatus], word: Outcome, code: int, strict: int
) -> None:
    """Error, then failure, inconclusive, warning, pass; nothing compared is never a pass."""
    actual = ab_run(*(change(f"mine/{n}", status) for n, status in enumerate(statuses)))

    assert word is comparison_outcome(actual)
    assert (code, strict) == (
        exit_code_of(comparison_outcome(actual)),
        exit_code_of(comparison_outcome(actual), strict=True),
    )


def test_a_slowdown_fails_by_its_severity() -> None:
    """Surely beyond the threshold is exit code 1; an undecided neighbour changes nothing."""
    bad = change("mine/bad", SLOWER, severity=Severity.FAIL)
    actual = ab_run(bad, change("mine/unsure", UNSURE))

    assert Outcome.FAIL is comparison_outcome(actual)
    assert (1, 1) == (
        exit_code_of(comparison_outcome(actual)),
        exit_code_of(comparison_outcome(actual), strict=True),
    )


def test_the_sentence_counts_and_names_what_is_wrong() -> None:
    """Slow ones with how much, undecided ones by name, and why it ended early."""
    actual = ab_run(
        change("mine/bad", SLOWER, ratio=1.1),
        change("mine/unsure", UNSURE),
        change("mine/good", OK),
        stopped="time",
    )

    assert (
        "1 slower (bad, by 10\u202f%), 1 inconclusive (unsure), 1 no slower; "
        "2 pairs in 0.5 minutes; "
        "the time budget ran out before all were decided" == comparison_sentence(actual)
    )
