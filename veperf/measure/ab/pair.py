"""What a pair is, whatever it is a pair of; and in which order its two sides take turns."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from veperf.model import Case, CaseResult

Letter = Literal["a", "b"]
"""``a`` is the base, ``b`` the new code."""
LETTERS: tuple[Letter, Letter] = ("a", "b")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one pair learnt of one case; where one side failed, the other one is empty."""

    case: Case
    a: CaseResult
    b: CaseResult

    @property
    def failed(self) -> bool:
        """Whether there is nothing to compare."""
        return self.a.failure is not None or self.b.failure is not None


class Pairs(Protocol):
    """Something that measures both sides in pairs."""

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[Measured, None, None]:
        """Make pair ``index``: each of ``cases`` once, in whatever order.

        Raises:
            MeasureError: a side can't be run at all.
        """


def turns(index: int, rounds: int) -> Iterator[Letter]:
    """A B B A A B B A ..., ``rounds`` turns for each side; B begins in every other pair.

    Whatever changes steadily meanwhile then adds the same to both sides.
    """
    for number in range(rounds):
        yield from ("a", "b") if (index + number) % 2 == 0 else ("b", "a")
