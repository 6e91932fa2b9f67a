"""Gate: the questions about a run or a comparison, their answers, and the decision that follows.

Answers are facts, and the policy says what each of them does (``veperf.core.policy``). Every
command, page and export takes its outcome, exit code and headline from one ``GateDecision``.
"""

from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    """Outcome of a whole verdict."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    INCONCLUSIVE = "inconclusive"


class Question(StrEnum):
    """Kind of a question."""

    TARGET = "target"
    """Is it fast enough?"""
    CHANGE = "change"
    """Is it slower than it was?"""
    COUNT = "count"
    """Is a count, which repeats exactly, worse than it was?"""
    LOAD = "load"
    """Was the load put on the system as planned?"""
    PRESENCE = "presence"
    """Was it there, and could it be measured?"""


class Answer(StrEnum):
    """Answer to a question."""

    MET = "met"
    MISSED = "missed"
    SLOWER = "slower"
    FASTER = "faster"
    WITHIN = "within"
    """A slowdown of the margin or more is ruled out; of a count, that it does not differ."""
    CHANGED = "changed"
    """More or less, of a metric whose better direction is not known."""
    INCONCLUSIVE = "inconclusive"
    SUSPECT = "suspect"
    MISSING = "missing"
    """It was there before, or should be, and is not."""
    NEW = "new"
    """Nothing is known of it yet: no baseline, no target."""
    FAILED = "failed"
    """It raised, crashed or hung, or gave no number."""
    NOT_COMPARABLE = "not comparable"
    """Both sides are there, but of different machines."""
    NOT_MEASURED = "not measured"


JUDGED = frozenset(
    {
        Answer.MET,
        Answer.MISSED,
        Answer.SLOWER,
        Answer.FASTER,
        Answer.WITHIN,
        Answer.CHANGED,
        Answer.INCONCLUSIVE,
        Answer.SUSPECT,
    }
)
"""Answers that come of a judgement."""


class Effect(StrEnum):
    """Effect of an answer on the outcome."""

    PASS = "pass"
    NOTE = "note"
    """Shown, and never more."""
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ERROR = "error"


class KnownMiss(Struct, frozen=True):
    """Reason why a target is known to be missed."""

    reason: str = ""
    floor: str = ""
    """Case that no implementation beats, such as the library call alone; that of the benchmark
    where it is empty."""


class GateItem(Struct, frozen=True, kw_only=True):
    """A question with its answer, and the effect of that."""

    question: Question
    answer: Answer
    effect: Effect
    reason: str
    """The evidence, in a sentence."""
    rule: str
    """The rule that decided on the effect, with its threshold."""
    case: str = ""
    """Case; empty where nothing answers a target, or where it is about the whole."""
    metric: str = ""
    target: str = ""
    """Id of the target, where the question is about one."""
    place: str = ""
    """Machine class, of a comparison on several."""
    size: str = ""
    """How much, in short: by 12 %, 3.4 times its limit, within 3 %."""
    source: str = ""
    """Baseline, commit or file that it was compared with."""
    extent: float = 0.0
    """Size as a number, by which equals are ordered: the larger, the worse."""
    known_miss: KnownMiss | None = None
    """Set where a target is known to be missed, and is."""
    guardrail: bool = False
    """True of a secondary metric, which can only warn."""
    cut_short: str = ""
    """Event that came before an answer: the time budget ran out, or it was stopped by hand."""
    next_step: str = ""
    """Command that finds out more."""

    @property
    def name(self) -> str:
        """Name of what is asked about: the target, or else case and metric."""
        name = self.target or " ".join(filter(None, (self.case, self.metric)))
        return f"{name} on {self.place}" if self.place and name else name or self.place


class GateDecision(Struct, frozen=True):
    """Decision on a run, a comparison or several of them."""

    outcome: Outcome
    exit_code: int
    headline: str
    """The whole in one sentence, problems first."""
    items: tuple[GateItem, ...] = ()
    """Every question, the most urgent first."""
    notes: tuple[str, ...] = ()
    """Reservations about the policy: rules that matched nothing."""
