"""Pairs judged while they are measured: no more of them than it takes to decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from veperf.core.case import Better
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus
from veperf.core.words import plural
from veperf.stats.look_schedule import LOOKS, Plan, looks_up_to, plan
from veperf.stats.paired import PairedVerdict
from veperf.stats.pairs import (
    Evidence,
    PairRule,
    as_values,
    decide,
    log_ratios,
    obstacle,
    reason,
    severity,
    weigh,
)

# Up to this p of either change, an early ok waits for more pairs.
_HINT = 0.05
_DEFAULT = PairRule()
_PLAN = plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Evidence):
    """The evidence at one look, and how strict it was."""

    alpha_change: float
    """What ``p_slower`` or ``p_faster`` may be at most to decide; 0 is never."""
    alpha_ok: float
    """What ``p_equivalent`` may be at most to decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialVerdict(PairedVerdict):
    """What the pairs used come to, and the way there."""

    path: tuple[Look, ...]


class Sequential:
    """One benchmark's pairs, added as they are measured, until they decide.

    At each look of the plan the tests of ``paired``, at levels by which all looks together keep
    to the rule's ``alpha``. Before the last look, ``ok`` waits while the pairs hint at a change of
    either kind (p up to 5 %), which more of them may then show.
    """

    def __init__(self, rule: PairRule = _DEFAULT, looks: Plan = _PLAN) -> None:
        self._rule = rule
        self._plan = looks
        self._ratios: list[float] = []
        self._path: tuple[Look, ...] = ()
        self._verdict: SequentialVerdict | None = None

    @property
    def verdict(self) -> SequentialVerdict | None:
        """The decision; None while there is none."""
        return self._verdict

    @property
    def path(self) -> tuple[Look, ...]:
        """The looks so far."""
        return self._path

    @property
    def pairs(self) -> int:
        """How many were taken in."""
        return len(self._ratios)

    @property
    def next_look(self) -> int | None:
        """The number of pairs at which it may be decided; None where it is."""
        return None if self._verdict else self._plan.looks[len(self._path)]

    def add(self, old: float, new: float) -> SequentialVerdict | None:
        """Take in one more pair, and return the decision if that brought it.

        A value that is NaN or infinite decides ``error`` at once, one of zero or below
        ``inconclusive``.

        Raises:
            UsageError: it was decided already, or a value is not a number.
        """
        if self._verdict is not None:
            raise UsageError("it is decided: no more pairs are needed")
        values = as_values([old, new])
        if (found := obstacle(values)) is not None:
            return self._end(Evidence(pairs=self.pairs), *found)
        self._ratios.append(float(log_ratios(values[0], values[1], self._rule.better)))
        if self.pairs == self.next_look:
            evidence, status = self._look()
            if self.pairs == self._plan.looks[-1] or not _waits(evidence, status):
                return self._conclude(evidence, status)
        return None

    def finish(self) -> SequentialVerdict:
        """The decision from the pairs there are, at a last look with all that is not yet spent.

        For when time is up; the moment must not depend on what the pairs show.
        ``not enough samples`` with fewer pairs than the first look takes.
        """
        if self._verdict is not None:
            return self._verdict
        least = self._plan.looks[0]
        if self.pairs < least:
            few = f"{plural(self.pairs, 'pair')}, where {least} are the least"
            return self._end(Evidence(pairs=self.pairs), ChangeStatus.NOT_ENOUGH, few)
        self._plan = self._plan.ending_at(self.pairs)
        # Where the last look saw the same pairs, it is taken again.
        self._path = self._path[: len(self._plan.looks) - 1]
        return self._conclude(*self._look())

    def _look(self) -> tuple[Evidence, ChangeStatus]:
        rule, number = self._rule, len(self._path)
        found = weigh(np.array(self._ratios), rule)
        alpha_change = self._plan.levels_change(rule.alpha / rule.comparisons)[number]
        alpha_ok = self._plan.levels_ok(rule.alpha)[number]
        self._path += (Look(**asdict(found), alpha_change=alpha_change, alpha_ok=alpha_ok),)
        return found, decide(found, alpha_change, alpha_ok)

    def _conclude(self, found: Evidence, status: ChangeStatus) -> SequentialVerdict:
        return self._end(found, status, reason(found, status, self._rule))

    def _end(self, found: Evidence, status: ChangeStatus, why: str) -> SequentialVerdict:
        self._verdict = SequentialVerdict(
            **asdict(found),
            status=status,
            severity=severity(found, status, self._rule),
            reason=why,
            path=self._path,
        )
        return self._verdict


def sequential(
    pairs: Iterable[tuple[float, float]],
    *,
    better: Better = _DEFAULT.better,
    min_effect: float = _DEFAULT.min_effect,
    margin: float = _DEFAULT.margin,
    fail_effect: float = _DEFAULT.fail_effect,
    alpha: float = _DEFAULT.alpha,
    comparisons: int = _DEFAULT.comparisons,
    looks: Sequence[int] = LOOKS,
    cap: int | None = None,
    spending: Sequence[float] | None = None,
) -> SequentialVerdict:
    """Take (old, new) values from ``pairs`` until they decide, and no more.

    The tests of ``paired`` at each of the numbers of pairs ``looks``, cut short or gone on with up
    to ``cap`` pairs where that is given (96 costs more than 48, and decides more). ``spending`` is
    the share of alpha that each look may use up for ``slower`` and for ``faster``.

    In the long run, of suites of ``comparisons`` benchmarks at most a share of ``alpha`` have one
    called ``slower`` that is not; and of benchmarks that are worse by the margin at most a share
    of ``alpha`` are called ``ok``. Where the pairs run out undecided, they get a last look.

    Raises:
        UsageError: a setting is out of its range, or an element of ``pairs`` is not two numbers.
    """
    rule = PairRule(
        better=better,
        min_effect=min_effect,
        margin=margin,
        fail_effect=fail_effect,
        alpha=alpha,
        comparisons=comparisons,
    )
    counts = looks if cap is None else looks_up_to(cap, looks)
    state = Sequential(rule, plan(counts, spending))
    for pair in pairs:
        if state.add(*_two(pair)):
            break
    return state.finish()


def sequential_suite(
    streams: Mapping[str, Iterable[tuple[float, float]]],
    rule: PairRule = _DEFAULT,
    looks: Plan = _PLAN,
) -> dict[str, SequentialVerdict]:
    """Judge a suite: in rounds, a pair of each benchmark that is still undecided.

    ``rule`` is corrected for as many comparisons as there are ``streams``.

    Raises:
        UsageError: an element of a stream is not two numbers.
    """
    corrected = replace(rule, comparisons=max(1, len(streams)))
    states = {name: Sequential(corrected, looks) for name in streams}
    going = {name: iter(pairs) for name, pairs in streams.items()}
    while going:
        for name, pairs in tuple(going.items()):
            pair = next(pairs, None)
            if pair is None or states[name].add(*_two(pair)):
                del going[name]
    return {name: state.finish() for name, state in states.items()}


def _waits(found: Evidence, status: ChangeStatus) -> bool:
    hint = min(found.p_slower, found.p_faster) <= _HINT
    return status is ChangeStatus.INCONCLUSIVE or (status is ChangeStatus.OK and hint)


def _two(pair: tuple[float, float]) -> tuple[float, float]:
    try:
        old, new = pair
    except (TypeError, ValueError) as error:
        raise UsageError(f"a pair is two numbers, old and new, not {pair!r}") from error
    return old, new
