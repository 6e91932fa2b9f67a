"""Projections and filters of Go benchmark results, in the syntax of benchstat.

A projection is a list of keys whose values say to what table, row or column a result belongs; a
filter selects results. The syntax, and what keys there are, is that of
golang.org/x/perf/benchproc/syntax::

    .name,/size@num  note@(before after)         a projection: keys with orders of their values
    goos:linux /size:(1k OR 4k) -.unit:B/op      a filter: key:value, key:/regexp/, AND, OR, -

Keys are ``.name``, ``.fullname``, ``.file``, ``/parameter``, ``.unit`` (in filters), ``.config``
for all settings of a file (in projections), and any other word for one of its settings.
"""

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from veperf.core.errors import UsageError
from veperf.core.units import base_unit

CONFIG, FULL_NAME, NAME, FILE, UNIT = ".config", ".fullname", ".name", ".file", ".unit"
_GOMAXPROCS = "/gomaxprocs"
_ORDERS = ("alpha", "num")
_MOST_TERMS = 100

_TOKEN = re.compile(
    r"""\s*(?:(?P<operator>[():@,])|(?P<start>[-*])|(?P<quoted>"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<word>[^\s():@,"*-][^\s():@,]*))"""
)
# Slashes within brackets or behind a backslash belong to the expression.
_REGEXP = re.compile(
    r"\s*/((?:[^/\\\[(]|\\.|\[(?:[^\]\\]|\\.)*\]|\((?:[^)\\]|\\.)*\))*)/(?=[\s()]|$)"
)
_PROCESSORS = re.compile(r"-\d+$", re.ASCII)
_NUMBER = re.compile(r"([0-9.]+)([kKMGTPEZY]i?)?[bB]?", re.ASCII)
_PREFIXES = "KMGTPEZY"


@dataclass(frozen=True, slots=True)
class ResultKeys:
    """A result by its keys: its name without the word Benchmark, and the settings of its file."""

    name: str
    config: Mapping[str, str]
    file: str

    def value(self, key: str) -> str:
        """Return the value of a key; empty where there is none."""
        match key:
            case ".name":
                return self._parts[0]
            case ".fullname":
                return self.name
            case ".file":
                return self.file
        if not key.startswith("/"):
            return self.config.get(key, "")
        parts = self._parts[1:]
        if key == _GOMAXPROCS and parts and parts[-1].startswith("-"):
            return parts[-1][1:]
        return next((p.removeprefix(f"{key}=") for p in parts if p.startswith(f"{key}=")), "")

    def name_without(self, keys: frozenset[str]) -> str:
        """Return the full name without parameters that have keys of their own; ``*`` for a name."""
        base, *parts = self._parts
        kept = [
            part
            for part in parts
            if not ("=" in part and part.partition("=")[0] in keys)
            and not (part.startswith("-") and _GOMAXPROCS in keys)
        ]
        return "".join(["*" if NAME in keys else base, *kept])

    @property
    def _parts(self) -> list[str]:
        """The name, its parameters, each with the slash before it, and ``-`` with processors."""
        processors = _PROCESSORS.search(self.name)
        end = processors.start() if processors and processors.start() else len(self.name)
        base, *parts = self.name[:end].split("/")
        return [base, *(f"/{part}" for part in parts), *filter(None, [self.name[end:]])]


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a projection, with the order of its values."""

    key: str
    order: str = ""
    """Named order; that of their first results where empty."""
    fixed: tuple[str, ...] = ()
    """The values in order, where it is fixed: no others are kept."""


Keeps: TypeAlias = Callable[[ResultKeys, str], bool]
"""Test whether a filter keeps the values of a result in a unit."""


class _Regexp:
    """A regular expression of RE2, which is Go's syntax: its time is linear in any text."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.is_in = lru_cache(maxsize=65_536)(self._is_in)
        """Test whether a text has a match in it; a ValueError where the pattern is none."""

    def _is_in(self, text: str) -> bool:
        import pyarrow as pa
        import pyarrow.compute as pc

        encoded = pa.scalar(text.encode("utf-8", "backslashreplace").decode())
        return bool(pc.match_substring_regex(encoded, pattern=self._pattern).as_py())


class _Tokens:
    """Tokens of an expression; the current one is looked at before it is taken."""

    def __init__(self, option: str, text: str) -> None:
        self.option, self._text, self._place = option, text, 0
        self.terms = 0

    def peek(self) -> tuple[str, str]:
        """Return kind and text of the next token, without taking it; two empty texts at the end."""
        return self._next()[:2]

    def take(self) -> tuple[str, str]:
        """Return kind and text of the next token."""
        kind, text, self._place = self._next()
        return kind, text

    def take_if(self, *texts: str) -> bool:
        """Take the next token where it is one of these operators or words."""
        kind, text = self.peek()
        if kind == "quoted" or text not in texts or not text:
            return False
        self.take()
        return True

    def take_word(self, what: str) -> str:
        """Return the next token, which must be a word, be it in quotes."""
        if self.peek()[0] not in ("word", "quoted"):
            raise self.error(f"{what} is expected")
        return self.take()[1]

    def take_regexp(self) -> "_Regexp | None":
        """Return the regular expression that comes next; None where something else does."""
        match = _REGEXP.match(self._text, self._place)
        if match is None:
            if self.peek()[1].startswith("/"):
                raise self.error("a regular expression ends with / before a blank")
            return None
        regexp = _Regexp(match[1])
        try:
            regexp.is_in("")
        except ValueError as error:
            raise self.error(f"no regular expression as Go has them: {error}") from error
        self._place = match.end()
        return regexp

    def error(self, problem: str) -> UsageError:
        """Return the error that ``problem`` is at the next token."""
        rest = self._text[self._place :].strip()
        where = f"at {rest[:40]!r}" if rest else "at its end"
        return UsageError(f"{self.option} {self._text[:200]!r}: {problem} {where}")

    def _next(self) -> tuple[str, str, int]:
        if not self._text[self._place :].strip():
            return "", "", len(self._text)
        match = _TOKEN.match(self._text, self._place)
        if match is None:
            raise self.error("a quote is not closed")
        kind = str(match.lastgroup)
        text = match[kind]
        if kind == "quoted":
            try:
                text = str(ast.literal_eval(text))
            except (SyntaxError, ValueError) as error:
                raise self.error("a quoted word has an unknown escape") from error
        return kind, text, match.end()


def parse_projection(option: str, text: str) -> tuple[Field, ...]:
    """Parse the projection ``text`` that ``option`` has.

    Raises:
        UsageError: it is none; the message says where.
    """
    tokens, fields = _Tokens(option, text), list[Field]()
    while tokens.peek()[0]:
        if fields:
            tokens.take_if(",")
        key = tokens.take_word("a key")
        if key in (UNIT, ""):
            raise UsageError(f"{option} {text[:200]!r}: {key!r} is no key of a projection")
        if not tokens.take_if("@"):
            fields.append(Field(key))
        elif tokens.take_if("("):
            fixed = [tokens.take_word("a value")]
            while not tokens.take_if(")"):
                fixed.append(tokens.take_word("a value or )"))
            if key == CONFIG:
                raise tokens.error(f"{CONFIG} has no fixed order")
            fields.append(Field(key, fixed=tuple(fixed)))
        else:
            order = tokens.take_word(f"an order ({', '.join(_ORDERS)} or values in parentheses)")
            if order not in _ORDERS:
                raise tokens.error(f"there is no order {order!r}, but {' and '.join(_ORDERS)},")
            fields.append(Field(key, order))
    return tuple(fields)


def parse_filter(option: str, text: str) -> Keeps:
    """Parse the filter ``text`` that ``option`` has; an empty one keeps everything.

    Raises:
        UsageError: it is none; the message says where.
    """
    if not text.strip():
        return lambda _keys, _unit: True
    tokens = _Tokens(option, text)
    keeps = _either(tokens)
    if tokens.peek()[0]:
        raise tokens.error("something is not expected")
    return keeps


def _either(tokens: _Tokens) -> Keeps:
    terms = [_all(tokens)]
    while tokens.take_if("OR"):
        terms.append(_all(tokens))
    return lambda keys, unit: any(term(keys, unit) for term in terms)


def _all(tokens: _Tokens) -> Keeps:
    terms = [_term(tokens)]
    while True:
        tokens.take_if("AND")
        kind, text = tokens.peek()
        if not kind or (kind != "quoted" and text in (")", "OR")):
            return lambda keys, unit: all(term(keys, unit) for term in terms)
        terms.append(_term(tokens))


def _term(tokens: _Tokens) -> Keeps:
    tokens.terms += 1
    if tokens.terms > _MOST_TERMS:
        raise tokens.error(f"there are over {_MOST_TERMS} terms")
    if tokens.take_if("*"):
        return lambda _keys, _unit: True
    if tokens.take_if("-"):
        term = _term(tokens)
        return lambda keys, unit: not term(keys, unit)
    if tokens.take_if("("):
        inner = _either(tokens)
        if not tokens.take_if(")"):
            raise tokens.error(") is expected")
        return inner
    key = tokens.take_word("key:value")
    if key in (CONFIG, ""):
        raise tokens.error(f"{key!r} is no key of a filter, before the value")
    if not tokens.take_if(":"):
        raise tokens.error("key:value is expected")
    if not tokens.take_if("("):
        return _matches(key, _value(tokens))
    values = [_value(tokens)]
    while tokens.take_if("OR"):
        values.append(_value(tokens))
    if not tokens.take_if(")"):
        raise tokens.error("values are separated by OR, and end with )")
    alternatives = [_matches(key, value) for value in values]
    return lambda keys, unit: any(fits(keys, unit) for fits in alternatives)


def _value(tokens: _Tokens) -> _Regexp | str:
    return tokens.take_regexp() or tokens.take_word("a value")


def _matches(key: str, expected: _Regexp | str) -> Keeps:
    def fits(value: str) -> bool:
        return value == expected if isinstance(expected, str) else expected.is_in(value)

    if key == UNIT:
        return lambda _keys, unit: fits(unit) or fits(base_unit(unit)[0])
    return lambda keys, _unit: fits(keys.value(key))


def sort_values(values: Sequence[str], field: Field) -> dict[str, int]:
    """Return the places of ``values``, which are in the order of their first results."""
    distinct = list(dict.fromkeys(values))
    if field.fixed:
        distinct.sort(key=field.fixed.index)
    elif field.order == "alpha":
        distinct.sort()
    elif field.order == "num":
        distinct.sort(key=lambda value: (*_number(value), value))
    return {value: place for place, value in enumerate(distinct)}


def _number(text: str) -> tuple[bool, float]:
    """Return the sort key of a number such as 2k or 1Mi: others come last."""
    try:
        number = float(text)
    except ValueError:
        match = _NUMBER.search(text)
        if match is None or match[1].count(".") > 1 or match[1] == ".":
            return True, 0.0
        prefix = match[2] or ""
        base = 1024.0 if prefix.endswith("i") else 1000.0
        exponent = 1 + _PREFIXES.index(prefix[0].upper()) if prefix else 0
        number = float(match[1]) * base**exponent
    return (False, number) if not math.isnan(number) else (False, math.inf)
