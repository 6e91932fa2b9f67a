"""Changes that low values of the time can't show are warned of, and unchanged code is not."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks.guardrail_simulation import NOISES, PLANTS, simulated_change
from tests.support.ab_pairs import CASE, timed
from tests.support.ab_runs import ab_run, change
from tests.support.fleets import at
from tests.support.pair_noise import KINDS, Noise, sides
from veperf.abtest.ab_result import ABResult
from veperf.abtest.fleet_verdict import fleet_sentence
from veperf.abtest.gate import decide_comparison
from veperf.abtest.guardrails import (
    GUARDRAIL_RULES,
    LONG_RULE,
    PAIR_RULES,
    CaseGuardrails,
    evaluate_guardrail,
    guardrail_warnings,
    notable_guardrails,
)
from veperf.abtest.memory_pairs import judge_memory
from veperf.abtest.pair import OUT_OF_TIME, PairResult
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABChange, ABGuardrail
from veperf.core.gate import Outcome
from veperf.core.run import CaseResult, Sample
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.look_schedule import LOOKS, schedule_looks
from veperf.stats.paired import PairRule

DOCS = Path(__file__).parents[3] / "docs" / "verdicts.md"
OK, FASTER, SLOWER = ChangeStatus.OK, ChangeStatus.FASTER, ChangeStatus.SLOWER
RULES = GUARDRAIL_RULES
HIGHER = ABGuardrail(
    "mean", "ns", SLOWER, Severity.WARN, "mean 18 % higher", 100.0, 118.0, 1.18, 1.15, 1.2, 19
)
LOWER = replace(HIGHER, status=FASTER, severity=Severity.NONE, ratio=0.9, low=0.88, high=0.92)


def tailed(cpu_ns: np.ndarray, *, waits: int = 0, setup_ns: float | None = None) -> CaseResult:
    """A side with these CPU times, on the CPU all the while."""
    samples = tuple(Sample(round(ns * 1.001), round(ns), 0, waits) for ns in cpu_ns)
    figures = {} if setup_ns is None else {"setup": setup_ns}
    return CaseResult(CASE.id, samples=samples, figures=figures)


def compared(pair: Callable[[np.random.Generator], PairResult], benchmarks: int = 1) -> ABChange:
    """Pairs until they decide."""
    chance = np.random.default_rng(5)
    comparison = SequentialComparison(CASE, PairRule(comparisons=benchmarks), schedule_looks())
    while (decided := comparison.add(pair(chance))) is None:
        pass
    return decided


def calm(chance: np.random.Generator) -> np.ndarray:
    return 1e6 * np.exp(chance.normal(0, 0.01, 20) + chance.normal(0, 0.01))


def statuses(decided: ABChange) -> dict[str, ChangeStatus]:
    return {guardrail.name: guardrail.status for guardrail in decided.guardrails}


@pytest.mark.parametrize("benchmarks", [1, 45])
def test_a_longer_tail_is_a_warning_where_the_time_is_within_its_margin(benchmarks: int) -> None:
    """Samples of which one in ten takes twice as long raise the mean by 10 %, low values by 0."""

    def pair(chance: np.random.Generator) -> PairResult:
        new = calm(chance)
        new[chance.choice(20, 2, replace=False)] *= 2
        return PairResult(CASE, tailed(calm(chance)), tailed(new))

    actual = compared(pair, benchmarks)
    warnings = {guardrail.name: guardrail for guardrail in guardrail_warnings(actual)}

    assert OK is actual.status
    assert pytest.approx(1.1, abs=0.02) == warnings["mean"].ratio
    assert pytest.approx(2.0, abs=0.1) == warnings["p99"].ratio
    assert Outcome.WARN is decide_comparison(ab_run(actual)).outcome


def test_an_early_ok_waits_while_a_guardrail_hints() -> None:
    """Without the tail fewer pairs are enough; with it, as many are taken as prove it."""

    def pair(chance: np.random.Generator, factor: float = 1.0) -> PairResult:
        new = calm(chance)
        new[:2] *= factor
        return PairResult(CASE, tailed(calm(chance)), tailed(new))

    undisturbed, hinted = compared(pair), compared(lambda chance: pair(chance, 2.0))

    assert len(undisturbed.pairs) < len(hinted.pairs)
    assert OK is hinted.status
    assert () == guardrail_warnings(undisturbed)
    assert guardrail_warnings(hinted)


@pytest.mark.parametrize(
    ("added_ns", "base_ns", "status"),
    [(300e6, 1e6, SLOWER), (4e6, 1e6, OK), (10e6, 1e9, OK), (-300e6, 400e6, FASTER)],
)
def test_set_up_counts_beyond_a_share_and_a_length(
    added_ns: float, base_ns: float, status: ChangeStatus
) -> None:
    """More than 10 % and 5 ms: 4 ms are too short, 1 % is too little."""

    def pair(chance: np.random.Generator) -> PairResult:
        noise = np.exp(chance.normal(0, 0.02, 2))
        return PairResult(
            CASE,
            tailed(calm(chance), setup_ns=base_ns * noise[0]),
            tailed(calm(chance), setup_ns=(base_ns + added_ns) * noise[1]),
        )

    decided = compared(pair)
    if status is FASTER:  # an improvement is no reason to wait
        assert "setup" not in {guardrail.name for guardrail in guardrail_warnings(decided)}
    else:
        assert status is statuses(decided)["setup"]


def test_workers_of_earlier_versions_have_no_set_up_time() -> None:
    """Where one side lacks it, nothing is judged."""

    def pair(chance: np.random.Generator) -> PairResult:
        return PairResult(CASE, tailed(calm(chance)), tailed(calm(chance), setup_ns=1e9))

    assert "setup" not in statuses(compared(pair))


def test_new_waits_are_a_warning_though_there_were_none() -> None:
    """A count that was zero has no ratio, but a difference."""

    def pair(chance: np.random.Generator) -> PairResult:
        return PairResult(CASE, tailed(calm(chance)), tailed(calm(chance), waits=1))

    (waits,) = (g for g in guardrail_warnings(compared(pair)) if g.name == "waits")

    assert (0.0, 1.0, None) == (waits.base, waits.new, waits.ratio)
    assert waits.reason.startswith("voluntary waits from 0")


def test_a_slowdown_needs_no_warning_of_the_same() -> None:
    """Mean and p99 that move with the time are not told twice."""
    decided = compared(lambda _: timed(100.0, 130.0), benchmarks=1)

    assert SLOWER is decided.status
    assert () == notable_guardrails(decided)


def test_a_mean_that_grows_far_more_than_the_time_is_told() -> None:
    """3 % slower, and in the mean 80 %."""
    slight = replace(change("mine/a", SLOWER, ratio=1.03), guardrails=(HIGHER,))

    assert (HIGHER,) == notable_guardrails(slight)
    assert () == notable_guardrails(replace(slight, high=1.19))


@pytest.mark.parametrize("noise", KINDS)
def test_equal_code_is_warned_of_no_more_often_than_alpha(noise: Noise) -> None:
    """Each guardrail at a level of 5 %, and at the smallest change that matters, over all looks."""
    chance = np.random.default_rng(11)
    rule, looks = RULES["mean"], schedule_looks()
    levels = looks.levels_change(0.05)
    false = 0
    for _ in range(300):
        base, new = sides(noise(chance, LOOKS[-1]), chance)
        new = new * (1 + rule.effect)
        false += any(
            evaluate_guardrail(rule, base[:n], new[:n], 0.05).p_worse <= level
            for n, level in zip(LOOKS, levels, strict=True)
        )

    assert false <= 26  # 99 % of the binomial distribution of 300 and 5 %


@pytest.mark.parametrize("noise", ["calm", "in bursts"])
def test_suites_of_unchanged_code_have_no_warning(noise: str) -> None:
    """Fifteen benchmarks of a suite of 45, with heavy tails and a busy scheduler."""
    chance = np.random.default_rng(3)
    changes = [
        simulated_change(chance, NOISES[noise], lambda _, cpu: (cpu, np.zeros(cpu.size), 0.0))
        for _ in range(15)
    ]

    assert [] == [guardrail for c in changes for guardrail in guardrail_warnings(c)]


@pytest.mark.parametrize("plant", list(PLANTS))
def test_planted_changes_are_warned_of(plant: str) -> None:
    """Each of them, within a suite of 45 benchmarks on a busy machine."""
    chance = np.random.default_rng(4)
    changes = [simulated_change(chance, NOISES["two modes"], PLANTS[plant]) for _ in range(4)]

    assert all(guardrail_warnings(c) or c.status is SLOWER for c in changes)


def test_a_last_look_spends_what_is_left() -> None:
    """When time is up after 7 pairs, a doubled tail is proven that a look at 6 could not."""
    chance = np.random.default_rng(1)
    guardrails = CaseGuardrails(PairRule(), schedule_looks())
    measured = []
    for _ in range(9):
        new = calm(chance)
        new[:2] *= 3
        measured.append(PairResult(CASE, tailed(calm(chance)), tailed(new)))
    guardrails.look(measured[:6], "cpu")
    assert guardrails.hints_at_worse
    guardrails.finish(measured, "cpu")

    assert "mean" in {g.name for g in guardrails.results if g.status is SLOWER}
    assert not guardrails.hints_at_worse


@pytest.mark.parametrize(
    ("pairs", "status"),
    [
        ([(100.0, 4_000_100.0)] * 3, SLOWER),
        ([(4_000_100.0, 100.0)] * 3, FASTER),
        ([(100.0, 150.0)], OK),
        ([(1_000_000.0, 1_009_000.0)], OK),
        ([(100.0, 4_000_100.0), (100.0, 100.0)], OK),
        ([(0.0, 4_096.0)] * 3, SLOWER),
        ([], ChangeStatus.INCONCLUSIVE),
    ],
)
def test_memory_counts_where_all_processes_agree(
    pairs: list[tuple[float, float]], status: ChangeStatus
) -> None:
    """More than 1 % and 64 B; a difference that does not come again is none."""
    figures = [{"a": {"memory_total": a}, "b": {"memory_total": b}} for a, b in pairs]
    actual = judge_memory(RULES["memory_total"], figures, "new code: no")  # type: ignore[arg-type]

    assert status is actual.status
    assert (Severity.WARN if status is SLOWER else Severity.NONE) is actual.severity
    assert pairs or "new code: no" in actual.reason


def test_warnings_are_in_the_sentence_and_in_all_forms() -> None:
    """The sentence counts and names them; improvements are shown without a warning."""
    run = ab_run(replace(change("mine/tail", OK), guardrails=(HIGHER, replace(LOWER, name="wall"))))
    result = ABResult(run, Path("reports"))

    headline = result.decision.headline
    assert headline.startswith("1 guardrail worse (tail, mean 18\u202f% higher); 1 within 3\u202f%")
    for rendered in (repr(result), result._repr_html_(), result._repr_markdown_()):
        assert re.search("mean.*18(\\.0)?\u202f% higher", rendered, re.DOTALL)
        assert re.search("mean wall time.*10(\\.0)?\u202f% lower", rendered, re.DOTALL)
    lines = [line for line in repr(result).splitlines() if "mine/tail: " in line]
    assert 2 == len(lines)
    assert all(len(line) <= 80 for line in lines)
    assert ["mean", "wall"] == list(result.guardrails()["guardrail"])
    assert 0 == len(ABResult(ab_run(), Path("reports")).guardrails())
    assert "1 warning on small: mean of mine/tail" in fleet_sentence([at("small", *run.changes)])


def test_a_guardrail_that_was_not_measured_is_not_called_worse() -> None:
    """Nor its benchmark not measured: there was no time left for more than its time."""
    reason = f"bytes allocated not measured: {OUT_OF_TIME}"
    missing = replace(
        HIGHER, status=ChangeStatus.INCONCLUSIVE, severity=Severity.NONE, reason=reason
    )
    run = ab_run(replace(change("mine/a", OK), guardrails=(missing,)), change("mine/b", OK))
    headline = ABResult(run, Path("reports")).decision.headline

    assert "1 without all guardrails (a)" in headline
    assert "worse" not in headline
    assert "not measured" not in headline


def test_unchanged_guardrails_are_in_the_details_alone() -> None:
    """No line in text or Markdown; a folded row in HTML."""
    quiet = replace(
        HIGHER, status=OK, severity=Severity.NONE, reason="not over 5 %: mean unchanged"
    )
    result = ABResult(ab_run(replace(change("mine/a", OK), guardrails=(quiet,))), Path("reports"))

    assert "mean unchanged" not in repr(result) + result._repr_markdown_()
    assert "mean unchanged" in result._repr_html_()


def test_the_table_in_the_docs_has_every_rule() -> None:
    """Name, share and least change, as they are declared."""
    text = DOCS.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", text, re.MULTILINE))

    assert RULES.keys() <= rows.keys()
    for name, rule in RULES.items():
        assert f"{100 * rule.effect:g} %" in rows[name]
    assert "5 ms" in rows["setup"]
    assert "64 B" in rows["memory_total"]
    assert {rule.name for rule in (*PAIR_RULES, LONG_RULE)} <= rows.keys()
