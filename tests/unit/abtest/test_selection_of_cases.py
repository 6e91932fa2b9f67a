"""Which of the cases that two sides have a comparison takes."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.support.runs import case
from veperf.abtest import discovery
from veperf.abtest.discovery import discover_cases
from veperf.abtest.pair import SideLetter
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import ABConfig, ABSide
from veperf.core.case import Case, Level, Metric
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.measure.protocol import CasesDiscovered
from veperf.measure.worker_client import CodeSource

OLD = [case("s/hash"), replace(case("s/execute"), level=Level.COMPONENT), case("s/gone_hash")]
NEW = [case("s/hash"), replace(case("s/execute"), level=Level.COMPONENT), case("s/new")]


def config(levels: Sequence[str] = (), expression: str = "") -> ABConfig:
    return ABConfig((), (), 1, 1, 1, 60.0, 6, 0.05, levels=tuple(levels), expression=expression)


@pytest.fixture(autouse=True)
def _sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that know patterns and no more, as those of earlier commits."""
    found: dict[str, list[Case]] = {"old": OLD, "new": NEW}

    def answer(side: PreparedSide, _: object) -> CasesDiscovered:
        return CasesDiscovered(tuple(found[side.description.name]), (), {}, ())

    monkeypatch.setattr(discovery, "_discover_side", answer)


SIDES: dict[SideLetter, PreparedSide] = {
    "a": PreparedSide(ABSide("old"), CodeSource()),
    "b": PreparedSide(ABSide("new"), CodeSource()),
}


@pytest.mark.parametrize(
    ("settings", "common", "only"),
    [
        ((), ["s/hash", "s/execute"], {"s/gone_hash": "a", "s/new": "b"}),
        ((["micro"],), ["s/hash"], {"s/gone_hash": "a", "s/new": "b"}),
        ((["micro", "component"], "not hash"), ["s/execute"], {"s/new": "b"}),
        (([], "hash"), ["s/hash"], {"s/gone_hash": "a"}),
    ],
)
def test_levels_and_expression_narrow_both_sides(settings, common, only):
    """In this process: what only one side has is narrowed alike."""
    actual = discover_cases(SIDES, config(*settings))

    assert (common, only) == ([c.id for c in actual.common], actual.only)
    assert bool(settings) == config(*settings).is_selection


def test_what_is_read_and_not_timed_has_no_pairs(monkeypatch: pytest.MonkeyPatch):
    """It is left out beside others, and refused alone."""
    size = replace(case("s/size"), metrics=(Metric("constraints", "constraints", exact=True),))
    for number, cases in enumerate(([*OLD, size], [size])):
        found = CasesDiscovered(tuple(cases), (), {}, ())
        monkeypatch.setattr(discovery, "_discover_side", lambda *_, found=found: found)
        if number:
            with pytest.raises(UsageError, match="s/size is read, not timed"):
                discover_cases(SIDES, config())
        else:
            assert {c.id for c in OLD} == {c.id for c in discover_cases(SIDES, config()).common}


def test_what_leaves_nothing_is_refused():
    """With what there is; loads can't be compared so at all."""
    with pytest.raises(UnknownBenchmarkError, match="they are of level micro and component"):
        discover_cases(SIDES, config(["integration"]))
    with pytest.raises(UsageError, match="make two runs and use `veperf compare`"):
        discover_cases(SIDES, config(["load"]))
