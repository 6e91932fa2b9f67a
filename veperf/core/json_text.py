"""Parsing of untrusted JSON, never nested deeper than a decoder can follow."""

import json
import re
from collections.abc import Iterator
from itertools import accumulate

_BLANKS = re.compile(r"[ \t\r\n]*")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def nesting_depth(data: bytes) -> int:
    """Return the nesting depth of lists and objects in the JSON ``data``, in linear time.

    For invalid JSON, at least the depth to which a decoder would descend before it gives up.
    """
    without_escapes = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_of_strings = b"".join(without_escapes.split(b'"')[::2])
    brackets = outside_of_strings.translate(None, _NO_BRACKETS)
    return max(accumulate(1 if b in b"[{" else -1 for b in brackets), default=0)


MAX_DEPTH = 200
_MOST_DIGITS = 4_000


def parse_json(text: str) -> object:
    """Return the value of ``text``; NaN and infinities, which several tools write, are allowed.

    Raises:
        ValueError: it is no JSON (then a ``json.JSONDecodeError``), or nested too deeply.
    """
    check_nesting(text)
    return json.loads(text, parse_int=_whole_number)


def parse_json_sequence(text: str) -> Iterator[object]:
    """Yield the values in ``text``, which follow each other with nothing but blanks in between.

    Raises:
        ValueError: as ``parse_json``, of the value that is read next.
    """
    check_nesting(text)
    decoder, at = json.JSONDecoder(parse_int=_whole_number), 0
    while (match := _BLANKS.match(text, at)) is not None and match.end() < len(text):
        value, at = decoder.raw_decode(text, match.end())
        yield value


def _whole_number(digits: str) -> int:
    # Python's own limit, whose message tells how to lift it.
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits")
    return int(digits)


def check_nesting(text: str) -> None:
    """Check in linear time that brackets in ``text``, JSON or not, nest at most 200 deep.

    Raises:
        ValueError: they nest deeper.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    if nesting_depth(text.encode(errors="surrogatepass")) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
