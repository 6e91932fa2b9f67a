"""One benchmark's pairs, until they decide."""

from veperf.gate import change
from veperf.gate.values import clock_of, pair_of
from veperf.judge.looks import Plan
from veperf.judge.pairs import PairRule
from veperf.judge.sequential import Sequential
from veperf.measure.ab.pair import Measured
from veperf.model import ABChange, ABPair, Case, Clock


class Contest:
    """Takes the pairs of ``case`` in, and says what they come to.

    By which clock is settled by the pairs of the first look, before any of them is judged.
    """

    def __init__(self, case: Case, rule: PairRule, plan: Plan) -> None:
        self.case = case
        self.decided: ABChange | None = None
        """What it came to; None while it is open."""
        self._rule = rule
        self._first_look = plan.looks[0]
        self._sequential = Sequential(rule, plan)
        self._measured: list[Measured] = []
        self._clock: Clock | None = None

    @property
    def pairs(self) -> int:
        """How many were taken in."""
        return len(self._measured)

    def add(self, new: Measured) -> ABChange | None:
        """Take in one more pair, and return the decision if that brought it."""
        if new.failed:
            self.decided = change.failed(self._measured_so_far(), new)
            return self.decided
        self._measured.append(new)
        if self.pairs >= self._first_look:
            self._judge()
        if (verdict := self._sequential.verdict) is not None:
            self.decided = change.decided(self._measured_so_far(), verdict)
        return self.decided

    def run_out(self) -> ABChange:
        """The decision where time is up: a last look at the pairs there are."""
        if self.decided is None:
            self._judge()
            self.decided = change.decided(self._measured_so_far(), self._sequential.finish())
        return self.decided

    def break_off(self) -> ABChange:
        """The decision where somebody had seen enough: none, as what they saw may be why."""
        if self.decided is None:
            self.decided = change.broken_off(self._measured_so_far(), self._rule)
        return self.decided

    def _judge(self) -> None:
        """Hand the pairs on that have not been judged yet."""
        if self._clock is None:
            self._clock = clock_of(self._measured)
        for pair in self._pairs()[self._sequential.pairs :]:
            if self._sequential.add(pair.base, pair.new) is not None:
                return

    def _measured_so_far(self) -> change.SoFar:
        loops = self._measured[0].a.loops if self._measured else 1
        clock = self._clock or clock_of(self._measured)
        return change.SoFar(self.case.id, self.case.metrics[0], clock, loops, self._pairs())

    def _pairs(self) -> tuple[ABPair, ...]:
        clock = self._clock or clock_of(self._measured)
        return tuple(pair_of(one, self.case.metrics[0], clock) for one in self._measured)
