"""Selection of cases by level and by an expression, as ``pytest -k`` takes it.

::

    expression = term { "or" term }
    term       = factor { "and" factor }
    factor     = "not" factor | "(" expression ")" | word

A word fits a case whose id contains it, in any case of letters, or whose level it is.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from veperf.core.case import Case
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.nearest_names import nearest_names
from veperf.core.text import join_words

_TOKEN = re.compile(r"\s*(?:(?P<token>[()]|[\w./:+\-\[\]=,]+)|(?P<other>\S))")
_OPERATORS = frozenset({"and", "or", "not", "(", ")"})
_DEEPEST = 30
_LISTED = 5

Predicate = Callable[[Case], bool]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read."""

    text: str
    words: tuple[str, ...]
    positive_words: frozenset[str]
    """Those that stand somewhere without a ``not``, or with an even number of them."""
    fits: Predicate
    """Returns whether a case is selected."""


def parse_expression(text: str) -> Expression:
    """Read an expression; an empty one fits every case.

    Raises:
        UsageError: it can't be read; the message points to the place.
    """
    if not text.strip():
        return Expression(text, (), frozenset(), lambda _: True)
    return _Parser(text).expression()


def fits_word(case: Case, word: str) -> bool:
    """Return whether ``word`` of an expression is a part of the id of ``case``, or its level."""
    return word.lower() in case.id.lower() or word.lower() == case.level


def narrow_cases(cases: Sequence[Case], levels: Iterable[str], expression: str) -> tuple[Case, ...]:
    """Return those of ``cases`` that are of one of the ``levels`` and fit ``expression``.

    Either narrows nothing where it is empty.

    Raises:
        UnknownBenchmarkError: none is left; the message says what there is.
        UsageError: the expression can't be read.
    """
    names, parsed = set(levels), parse_expression(expression)
    of_levels = [case for case in cases if not names or case.level in names]
    if cases and not of_levels:
        present = dict.fromkeys(case.level.value for case in cases)
        raise UnknownBenchmarkError(
            f"no benchmark of level {' or '.join(sorted(names))} among those that are selected: "
            f"they are of level {join_words(present)}"
        )
    fitting = tuple(case for case in of_levels if parsed.fits(case))
    if of_levels and not fitting:
        raise UnknownBenchmarkError(
            f"no benchmark fits -k {expression!r}; there are {_listing(of_levels)}"
        )
    return fitting


def require_words(expression: str, cases: Sequence[Case], default: Sequence[Case] = ()) -> None:
    """Check that each word of ``expression`` fits one of ``cases``, which are all there are.

    Otherwise ``hash or nonec`` would measure less than it asks for. ``default`` are the cases to
    choose from where nothing is named; a word that fits none of them, but others, would do so, too,
    unless it is only negated: ``not market`` asks for nothing that isn't measured anyway.

    Raises:
        UnknownBenchmarkError: one fits none.
        UsageError: the expression can't be read.
    """
    parsed = parse_expression(expression)
    for word in parsed.words:
        suites = {case.suite for case in cases if fits_word(case, word)}
        is_default = not default or any(fits_word(case, word) for case in default)
        if suites and not is_default and word in parsed.positive_words:
            raise UnknownBenchmarkError(
                f"{word!r} of -k fits only what is measured where it is named: name "
                f"{' or '.join(sorted(suites))} as well"
            )
        if suites:
            continue
        parts = {part for case in cases for part in re.split(r"[/_\[\]=,]", case.benchmark)}
        names = sorted(parts | {case.benchmark.partition("/")[2] for case in cases})
        close = nearest_names(word, names)
        hint = f"did you mean {' or '.join(close)}?" if close else "`veperf list` shows them all"
        raise UnknownBenchmarkError(f"no benchmark's id has {word!r} of -k in it; {hint}")


def _listing(cases: Sequence[Case]) -> str:
    names = list(dict.fromkeys(case.benchmark for case in cases))
    more = len(names) - _LISTED
    return join_words([*names[:_LISTED], *([f"{more} more"] if more > 0 else [])])


class _Parser:
    """Reads an expression by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._place = 0
        self._depth = 0
        self._words: list[str] = []
        self._positive: set[str] = set()
        self._is_negated = False

    def expression(self) -> Expression:
        """Return the whole."""
        fits = self._any()
        if self._next:
            raise self._error("`and`, `or` or the end")
        return Expression(self._text, tuple(self._words), frozenset(self._positive), fits)

    @property
    def _next(self) -> str:
        """The token that comes next; empty at the end."""
        return self._tokens[self._place][1] if self._place < len(self._tokens) else ""

    def _takes(self, token: str) -> bool:
        """Go past ``token`` if it comes next."""
        is_next = self._next == token
        self._place += is_next
        return is_next

    def _any(self) -> Predicate:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return lambda case: any(part(case) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._factor()]
        while self._takes("and"):
            parts.append(self._factor())
        return lambda case: all(part(case) for part in parts)

    def _factor(self) -> Predicate:
        is_negated = False
        while self._takes("not"):
            is_negated = not is_negated
        self._is_negated ^= is_negated
        fits = self._word_or_parenthesis()
        self._is_negated ^= is_negated
        return (lambda case: not fits(case)) if is_negated else fits

    def _word_or_parenthesis(self) -> Predicate:
        if self._takes("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._error(f"at most {_DEEPEST} parentheses in each other")
            fits = self._any()
            if not self._takes(")"):
                raise self._error("`and`, `or` or `)`")
            self._depth -= 1
            return fits
        word = self._next
        if not word or word in _OPERATORS:
            raise self._error("a word, `not` or `(`")
        self._place += 1
        self._words.append(word)
        if not self._is_negated:
            self._positive.add(word)
        return lambda case: fits_word(case, word)

    def _error(self, expected: str) -> UsageError:
        at = self._tokens[self._place][0] if self._next else len(self._text.rstrip())
        return _error_at(self._text, at, expected, self._next)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Yield the tokens of ``text``, with their places."""
    end = len(text.rstrip())
    at = 0
    while at < end:
        match = _TOKEN.match(text, at)
        assert match is not None, "a character that is no space is a token or another"
        if match["other"]:
            raise _error_at(text, match.start("other"), "a word", match["other"])
        yield match.start("token"), match["token"]
        at = match.end()


def _error_at(text: str, at: int, expected: str, actual: str) -> UsageError:
    """Return the error, with a pointer below the character at index ``at``."""
    line = "".join(character if character.isprintable() else " " for character in text)
    where = f"not {actual!r}" if actual else "not the end"
    return UsageError(f"-k: expected {expected}, {where}\n  {line}\n  {' ' * at}^")
