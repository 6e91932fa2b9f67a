"""Account of reading a file: what became of each of its lines or entries.

Nothing is lost in silence. A reader says how many parts there are, and of each whether it was taken
as a result, skipped as something else, or refused. A part that it says nothing about counts among
the refused ones. Where several things are said of one part, as of an event with many lines, the
gravest counts.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import groupby
from typing import TypeVar

from veperf.core.text import join_words, plural

T = TypeVar("T")

_MOST_REASONS = 1_000
_LISTED = 3
_MOST_NOTES = 10
_EXPLAINED = 1_000
_UNKNOWN = "the reader says nothing of it"
_MORE = "for other reasons"
_TAKEN = 1
"""Index of what is said of most parts."""


class Fate(IntEnum):
    """Outcomes of a part, the gravest last."""

    UNKNOWN = 0
    SKIPPED = 1
    TAKEN = 2
    REFUSED = 3


class FileAccount:
    """Account of the file ``file``, whose parts have numbers from 1; a reader fills it in."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.part = "line"
        """What the file consists of, in the singular."""
        self.notes: list[str] = []
        """Notes on the file as a whole, such as its encoding."""
        # By number, the index of what was said of it: two bytes a line.
        self._outcomes = array("H", [0])
        self._words: list[tuple[Fate, str]] = [(Fate.UNKNOWN, _UNKNOWN), (Fate.TAKEN, "")]
        self._codes: dict[tuple[Fate, str], int] = {(Fate.TAKEN, ""): _TAKEN}
        self._summed_up: dict[Fate, dict[str, list[range]]] | None = None

    def begin(self, part: str, count: int) -> None:
        """Say that the file has ``count`` parts, such as lines, rows or benchmarks."""
        self.part = part
        self._summed_up = None
        self._outcomes = array("H", bytes(2 * (count + 1)))

    def each(self, part: str, items: Sequence[T]) -> Iterator[tuple[int, T]]:
        """Begin with ``items`` as the parts, and yield each with its number."""
        self.begin(part, len(items))
        return enumerate(items, 1)

    def take_all(self, part: str, count: int) -> None:
        """Say that the file has ``count`` parts, and that all were taken."""
        self.begin(part, count)
        self.take_each(range(1, count + 1))

    def take(self, number: int) -> None:
        """Say that part ``number`` was taken as a result."""
        if 0 < number < len(self._outcomes) and not self._outcomes[number]:
            self._outcomes[number] = _TAKEN
            self._summed_up = None
        else:
            self._say(number, Fate.TAKEN, "")

    def take_each(self, numbers: range) -> None:
        """Say that the parts of these ``numbers``, which the file has, were taken."""
        if any(self._outcomes[numbers.start : numbers.stop]):
            for number in numbers:
                self.take(number)
        else:
            taken = array("H", [_TAKEN]) * len(numbers)
            self._outcomes[numbers.start : numbers.stop] = taken
            self._summed_up = None

    def skip(self, number: int, what: str) -> None:
        """Say that part ``number`` is no result, but ``what`` is in the plural: settings."""
        self._say(number, Fate.SKIPPED, what)

    def refuse(self, number: int, why: str) -> None:
        """Say that part ``number`` could be a result, and ``why`` it was not taken."""
        self._say(number, Fate.REFUSED, why)

    def _say(self, number: int, fate: Fate, words: str) -> None:
        if not 0 < number < len(self._outcomes):
            return
        self._summed_up = None
        key = fate, words
        code = self._codes.get(key)
        if code is None:
            if len(self._words) > _MOST_REASONS + _TAKEN and words != _MORE:
                self._say(number, fate, _MORE)
                return
            code = self._codes[key] = len(self._words)
            self._words.append(key)
        if self._words[self._outcomes[number]][0] <= fate:
            self._outcomes[number] = code

    @property
    def seen(self) -> int:
        """The number of parts; 0 where the reader keeps no account."""
        return len(self._outcomes) - 1

    @property
    def taken(self) -> int:
        """The number of parts taken as results."""
        return sum(map(len, self._spans[Fate.TAKEN].get("", [])))

    @property
    def skipped(self) -> dict[str, list[range]]:
        """The numbers of parts that are no results, by what they are."""
        return self._spans[Fate.SKIPPED]

    @property
    def refused(self) -> dict[str, list[range]]:
        """The numbers of parts that were refused, or of which nothing was said, by the reason."""
        return self._spans[Fate.REFUSED] | self._spans[Fate.UNKNOWN]

    @property
    def _spans(self) -> dict[Fate, dict[str, list[range]]]:
        """The numbers of parts by their fate, and by what was said."""
        if self._summed_up is None:
            self._summed_up = {fate: {} for fate in Fate}
            start = 1
            for code, group in groupby(self._outcomes[1:]):
                end = start + sum(1 for _ in group)
                fate, words = self._words[code]
                self._summed_up[fate].setdefault(words, []).append(range(start, end))
                start = end
        return self._summed_up


def summarise_accounts(accounts: Iterable[FileAccount]) -> str:
    """Return in one line how many parts were taken, skipped and refused; empty without accounts."""
    kept = [account for account in accounts if account.seen]
    if not kept:
        return ""
    seen, taken = sum(a.seen for a in kept), sum(a.taken for a in kept)
    parts = list(dict.fromkeys(account.part for account in kept))
    words = [f"{taken:,} taken"]
    skipped = _counts(account.skipped for account in kept)
    if skipped:
        listing = ", ".join(f"{what} {count:,}" for what, count in skipped.items())
        words.append(f"{sum(skipped.values()):,} skipped ({listing})")
    refused = sum(_counts(account.refused for account in kept).values())
    words.append(f"{refused or 'none'} refused")
    of = f" of {plural(len(kept), 'file')}" if len(kept) > 1 else ""
    part = parts[0] if len(parts) == 1 else "part"
    return f"{plural(seen, part, _several(part))}{of}: {', '.join(words)}"


def account_notes(accounts: Iterable[FileAccount]) -> list[str]:
    """Return the notes on the files, and one for each reason why parts were refused, at most 10."""
    whole: dict[str, None] = {}
    notes: dict[str, list[str]] = {}
    for account in accounts:
        whole |= dict.fromkeys(account.notes)
        for why, spans in account.refused.items():
            notes.setdefault(why, []).append(_places(account.part, spans, _LISTED))
    listed = [
        f"{join_words([*places[:_LISTED], *_more(places[_LISTED:])])} left out: {why}"
        for why, places in list(notes.items())[:_MOST_NOTES]
    ]
    if rest := len(notes) - len(listed):
        listed.append(f"more was left out for {plural(rest, 'other reason')}: see import --explain")
    return [*list(whole)[:_MOST_NOTES], *listed]


def explain_account(account: FileAccount) -> list[str]:
    """Return the whole account, a line for each thing that became of parts."""
    lines = [f"{summarise_accounts([account]) or 'no account was kept'}"]
    for title, places in (("skipped", account.skipped), ("refused", account.refused)):
        for words, spans in places.items():
            count = sum(map(len, spans))
            lines.append(f"{title} {count:,}: {words}: {_places(account.part, spans, _EXPLAINED)}")
    return lines


def _counts(by_account: Iterable[dict[str, list[range]]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for by_words in by_account:
        for words, spans in by_words.items():
            counts[words] = counts.get(words, 0) + sum(map(len, spans))
    return counts


def _places(part: str, spans: Sequence[range], most: int) -> str:
    """Return places in words: line 7; lines 3 to 5, 9 and 20 more."""
    ranges = [str(s[0]) if len(s) == 1 else f"{s[0]} to {s[-1]}" for s in spans[:most]]
    rest = sum(map(len, spans[most:]))
    word = part if sum(map(len, spans)) == 1 else _several(part)
    return f"{word} {join_words([*ranges, *([f'{rest:,} more'] if rest else [])])}"


def _several(part: str) -> str:
    return f"{part.removesuffix('y')}ies" if part.endswith("y") else f"{part}s"


def _more(rest: Sequence[str]) -> list[str]:
    return [f"others in {plural(len(rest), 'file')} more"] if rest else []
