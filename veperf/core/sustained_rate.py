"""The rate that a system sustains: what loads of full length say, each in a fresh process.

A rate that holds now and then is not sustained. So every confirmation counts, and the first two
that agree decide: two that hold, or two that miss, of three at most. A rate that holds with
probability p is then accepted with probability p² (3 - 2 p), and one that holds rarely hardly ever.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct

from veperf.core.load import Trial
from veperf.core.run import Run
from veperf.core.text import format_quantity, join_words

THROUGHPUT = "throughput"
"""The metric that is the sustained rate of a search."""
DECIDING = 2
"""Confirmations that must agree."""
STEP = 0.9
"""Ratio of a rate to the one that was given up before."""


class RateTally(Struct, frozen=True):
    """The confirmations of a rate: how many held, missed, and were void."""

    rate: float
    """Arrivals a second."""
    held: int = 0
    missed: int = 0
    void: int = 0
    gave_out: str = ""
    """What gave out in the last one that missed."""

    @property
    def counted(self) -> int:
        """Number of confirmations that count."""
        return self.held + self.missed

    @property
    def is_sustained(self) -> bool:
        """Return whether most held."""
        return self.held >= DECIDING

    @property
    def is_given_up(self) -> bool:
        """Return whether most missed."""
        return self.missed >= DECIDING

    def with_trial(self, trial: Trial) -> "RateTally":
        """Return the tally with one more confirmation."""
        return RateTally(
            self.rate,
            self.held + (trial.met and not trial.void),
            self.missed + (not trial.met and not trial.void),
            self.void + trial.void,
            self.gave_out if trial.met or trial.void else trial.gave_out,
        )


def tally_rates(trials: Iterable[Trial]) -> tuple[RateTally, ...]:
    """Return the tally of each rate that was confirmed or missed, in the order of the trials."""
    tallies: dict[float, RateTally] = {}
    for trial in trials:
        if trial.kind == "confirmation":
            known = tallies.get(trial.rate, RateTally(trial.rate))
            tallies[trial.rate] = known.with_trial(trial)
    return tuple(tallies.values())


def sustained_rate(trials: Iterable[Trial]) -> RateTally | None:
    """Return the tally of the rate that most confirmations held; None while there is none."""
    return next((tally for tally in tally_rates(trials) if tally.is_sustained), None)


def rate_to_confirm(trials: Sequence[Trial]) -> float | None:
    """Return the rate to confirm next, after ``trials``; None while there is no estimate of it."""
    tallies = tally_rates(trials)
    if not tallies:
        return None
    last = tallies[-1]
    return last.rate * STEP if last.is_given_up else last.rate


class Confirmations(Struct, frozen=True):
    """Confirmations of a search, of all its processes together."""

    tallies: tuple[RateTally, ...]
    sustained: RateTally | None
    processes: int
    """Number of processes whose confirmations of the last rate count."""
    is_bounded: bool
    """True if a higher rate than the last one missed."""
    capacities: tuple[float, ...]
    """Capacity of the drained backlogs, in commits a second."""
    gave_out: str
    """What gave out at the lowest rate that missed, and is none below the last one; as
    ``Trial.gave_out``."""
    bottleneck: str
    """What gave out in the backlogs."""

    @property
    def is_enough(self) -> bool:
        """Return whether a rate is sustained by the word of fresh processes that agree."""
        return self.sustained is not None and self.processes >= DECIDING

    def describe(self, unit: str) -> str:
        """Return words: held in 2 of 3; or why there is no rate yet."""
        if self.sustained is not None:
            return describe_tally(self.sustained)
        tries = [f"{format_quantity(t.rate, unit)} {describe_tally(t)}" for t in self.tallies]
        return "no rate is confirmed: " + (join_words(tries) if tries else "none was tried")


def describe_tally(tally: RateTally) -> str:
    """Return words for the confirmations of a rate: held in 2 of 3; void ones are left out."""
    return f"held in {tally.held} of {tally.counted}"


def confirmations_of(processes: Sequence[Sequence[Trial]]) -> Confirmations | None:
    """Return what the trials of a search say, those of each of its ``processes`` in order.

    None where they have neither confirmations nor backlogs: in earlier runs, in which each process
    went its own way.
    """
    trials = [trial for process in processes for trial in process if not trial.void]
    backlogs = [trial for trial in trials if trial.kind == "backlog"]
    tallies = tally_rates(chain.from_iterable(processes))
    if not tallies and not any(t.kind == "backlog" for t in chain.from_iterable(processes)):
        return None
    sustained = sustained_rate(trials)
    last = sustained or (tallies[-1] if tallies else RateTally(0.0))
    missed = [t for t in trials if not (t.met or t.kind == "backlog" or t.rate < last.rate)]
    lowest = min(missed, key=lambda trial: trial.rate, default=None)
    return Confirmations(
        tallies=tallies,
        sustained=sustained,
        processes=sum(any(_confirms(t, last.rate) for t in process) for process in processes),
        is_bounded=any(trial.rate > last.rate for trial in missed),
        capacities=tuple(trial.rate for trial in backlogs),
        gave_out=lowest.gave_out if lowest else "",
        bottleneck=next((trial.gave_out for trial in backlogs), ""),
    )


def _confirms(trial: Trial, rate: float) -> bool:
    return trial.kind == "confirmation" and not trial.void and trial.rate == rate


def trials_by_process(run: Run) -> dict[str, list[tuple[Trial, ...]]]:
    """Return the trials of each search of ``run``, by case and for each of its processes."""
    trials: dict[str, list[tuple[Trial, ...]]] = {}
    for pass_ in run.passes:
        for result in pass_.results:
            if result.trials:
                trials.setdefault(result.case, []).append(result.trials)
    return trials
