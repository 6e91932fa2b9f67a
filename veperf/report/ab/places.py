"""A comparison on several places, as it is handed to what shows it and writes it."""

from dataclasses import dataclass

from veperf.model import ABPlace, ABSide, Outcome


@dataclass(frozen=True, slots=True)
class At:
    """One place, and what its comparison comes to."""

    place: ABPlace
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of them, and what they come to together."""

    sweep: str
    base: ABSide
    new: ABSide
    outcome: Outcome
    sentence: str
    notes: tuple[str, ...]
    places: tuple[At, ...]
