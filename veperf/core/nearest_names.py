"""The names that somebody may have meant by one that does not exist."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^/_\[\]=,.\-\s]+")
_LEAST_SIMILARITY = 0.65
_CLOSE_TO_BEST = 0.1


def nearest_names(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return up to ``most`` of the ``known`` names that are like ``name``, the likeliest first.

    A name that holds all of ``name`` comes first. Else each word of ``name`` is held against the
    words of a known one, so that ``transaction/hsh`` is ``transaction/hash_compute`` and not
    ``transaction/sign``, whose letters agree as well: a name is as near as its words are on
    average, and those that are about as near as the best are returned.
    """
    names = list(dict.fromkeys(known))
    if inside := [other for other in names if name and name.lower() in other.lower()]:
        return inside[:most]
    nearness = {other: _nearness(name.lower(), other.lower()) for other in names}
    ranked = sorted(names, key=lambda other: (-nearness[other], len(other)))
    best = max(nearness.values(), default=0.0)
    least = max(_LEAST_SIMILARITY, best - _CLOSE_TO_BEST)
    return [other for other in ranked[:most] if nearness[other] >= least]


def _nearness(name: str, other: str) -> float:
    """Return the mean over the words of ``name`` of their likeness to the nearest of ``other``."""
    words, others = _WORD.findall(name), _WORD.findall(other)
    if not words or not others:
        return 0.0
    return sum(max(_likeness(word, o) for o in others) for word in words) / len(words)


def _likeness(word: str, other: str) -> float:
    """Return how like two words are, from 0 to 1, which is that one begins with the other."""
    from difflib import SequenceMatcher  # takes a while to load, for an error alone

    if min(len(word), len(other)) > 2 and (word.startswith(other) or other.startswith(word)):
        return 1.0
    return SequenceMatcher(None, word, other, autojunk=False).ratio()
