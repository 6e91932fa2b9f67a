"""What a whole comparison comes to, whatever its parts are."""

from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest.ab_result import ABResult
from veperf.abtest.gate import decide_comparison
from veperf.abtest.run import ab_commands
from veperf.core.ab_records import ABRun
from veperf.core.gate import Outcome
from veperf.core.policy import GatePolicy, PolicyRule
from veperf.core.verdict import ChangeStatus

OK, FASTER, SLOWER = ChangeStatus.OK, ChangeStatus.FASTER, ChangeStatus.SLOWER
UNSURE, FEW = ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH
NEVER = ChangeStatus.NOT_MEASURED
ERROR, ALONE = ChangeStatus.ERROR, ChangeStatus.ONE_SIDED


def decided(run: ABRun, *, strict: bool = False) -> tuple[Outcome, int]:
    decision = decide_comparison(run, GatePolicy(strict=strict))
    return decision.outcome, decision.exit_code


@pytest.mark.parametrize(
    ("statuses", "word", "code", "strict"),
    [
        ([OK, FASTER], Outcome.PASS, 0, 0),
        ([OK, ALONE], Outcome.PASS, 0, 0),
        ([OK, SLOWER], Outcome.WARN, 0, 0),
        ([OK, UNSURE], Outcome.INCONCLUSIVE, 0, 4),
        ([OK, FEW], Outcome.INCONCLUSIVE, 0, 4),
        ([OK, NEVER], Outcome.ERROR, 3, 3),
        ([SLOWER, UNSURE], Outcome.INCONCLUSIVE, 0, 4),
        ([OK, SLOWER, ERROR], Outcome.ERROR, 3, 3),
        ([], Outcome.ERROR, 3, 3),
        ([ALONE], Outcome.ERROR, 3, 3),
    ],
)
def test_the_worst_part_decides(
    statuses: list[ChangeStatus], word: Outcome, code: int, strict: int
) -> None:
    """Error, then failure, inconclusive, warning, pass; nothing compared is never a pass."""
    actual = ab_run(*(change(f"mine/{n}", status) for n, status in enumerate(statuses)))

    assert (word, code) == decided(actual)
    assert strict == decided(actual, strict=True)[1]


def test_a_slowdown_fails_by_its_severity() -> None:
    """Surely beyond the threshold is exit code 1; an undecided neighbour changes nothing."""
    bad = change("mine/bad", SLOWER, ratio=1.1)
    actual = ab_run(bad, change("mine/unsure", UNSURE))

    assert (Outcome.FAIL, 1) == decided(actual) == decided(actual, strict=True)


def test_the_sentence_counts_and_names_what_is_wrong() -> None:
    """Slow ones with how much, undecided ones by name, and why it ended early."""
    actual = ab_run(
        change("mine/bad", SLOWER, ratio=1.1),
        change("mine/unsure", UNSURE),
        change("mine/good", OK),
        stopped="time",
    )

    assert (
        "1 slower (bad, by 10\u202f%), 1 inconclusive (unsure), "
        "the time budget ran out before all were decided; "
        "1 within 3\u202f% against main, side by side" == decide_comparison(actual).headline
    )


@pytest.mark.parametrize("stopped", ["time", "hand"])
@pytest.mark.parametrize("status", [UNSURE, FEW, NEVER])
def test_a_pass_whose_time_ran_out_is_none(
    stopped: Literal["time", "hand"], status: ChangeStatus
) -> None:
    """One undecided benchmark is enough: exit code 4, strict or not, and the sentence says why."""
    changes = change("mine/good", OK), change("mine/late", status)
    cut_short = ABResult(ab_run(*changes, stopped=stopped), Path())
    in_time = ABResult(ab_run(*changes), Path())

    assert (Outcome.INCONCLUSIVE, 4, 4) == (
        cut_short.decision.outcome,
        cut_short.exit_code(),
        cut_short.exit_code(strict=True),
    )
    expected = (3, 3) if status is NEVER else (0, 4)
    assert expected == (in_time.exit_code(), in_time.exit_code(strict=True))
    assert "late" in cut_short.decision.headline
    assert "before all were decided" in cut_short.decision.headline
    assert "before all were decided" not in in_time.decision.headline


def test_a_last_look_that_decides_all_is_in_time() -> None:
    """The budget was just enough: a pass, without a word of time that ran out."""
    actual = ABResult(ab_run(change("mine/good", OK), stopped="time"), Path())

    assert (Outcome.PASS, 0) == (actual.decision.outcome, actual.exit_code())
    assert "ran out" not in actual.decision.headline


def test_a_failure_stays_one_when_time_runs_out() -> None:
    """What was proven until then counts: 1 before 4."""
    bad = change("mine/bad", SLOWER, ratio=1.1)
    actual = ABResult(ab_run(bad, change("mine/late", NEVER), stopped="time"), Path())

    assert (Outcome.FAIL, 1) == (actual.decision.outcome, actual.exit_code())


@pytest.mark.parametrize(
    ("options", "threshold", "by_policy"),
    [
        ({}, (0.05, False), (Outcome.WARN, 0)),
        ({"fail_over": 0.05}, (0.05, True), (Outcome.FAIL, 1)),
        ({"fail_over": 0.2}, (0.2, True), (Outcome.WARN, 0)),
        ({"min_effect": 0.06, "margin": 0.1}, (0.06, False), (Outcome.WARN, 0)),
    ],
)
def test_a_threshold_that_is_asked_for_wins_over_the_policy(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: dict[str, float],
    threshold: tuple[float, bool],
    by_policy: tuple[Outcome, int],
) -> None:
    """Also where it equals the default; the record knows whether it was."""
    slower = ab_run(change("mine/a", SLOWER, ratio=1.1))
    monkeypatch.setattr(
        "veperf.abtest.run.compare_commands",
        lambda _sides, _value, _printed, config, _display: replace(slower, config=config),
    )
    lax = GatePolicy(rules=(PolicyRule(match=("mine/*",), fail_over=0.5),))

    result = ab_commands("a", "b", archive=tmp_path, progress=False, **options)

    config = result.ab.config
    assert threshold == (config.fail_over, config.fail_over_given)
    decision = decide_comparison(result.ab, lax)
    assert by_policy == (decision.outcome, decision.exit_code)


def test_a_failure_is_about_the_whole_benchmark() -> None:
    """A rule for its time alone doesn't excuse it."""
    run = ab_run(change("mine/a", ERROR), change("mine/b", OK))

    for metric, code in (("*", 0), ("time", 3)):
        rule = PolicyRule(match=("mine/a",), metric=metric, failed="note", reason="known")
        assert code == decide_comparison(run, GatePolicy(rules=(rule,))).exit_code


def test_rules_about_nothing_are_named_but_of_a_selection() -> None:
    """Which leaves out what other rules are about."""
    run = ab_run(change("mine/a", OK))
    policy = GatePolicy(rules=(PolicyRule(match=("mine/a", "thine/*"), fail_over=0.5),))
    selected = replace(run, config=replace(run.config, select=("mine",)))

    assert ("rule 1 ('thine/*') matched nothing",) == decide_comparison(run, policy).notes
    assert () == decide_comparison(selected, policy).notes
