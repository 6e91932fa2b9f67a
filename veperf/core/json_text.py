"""Parsing of untrusted JSON, never nested deeper than a decoder can follow."""

import json
from itertools import accumulate

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


def parse_json(text: str) -> object:
    """Return the value of ``text``; NaN and infinities, which several tools write, are allowed.

    Raises:
        ValueError: it is no JSON (then a ``json.JSONDecodeError``), or nested too deeply.
    """
    check_nesting(text)
    return json.loads(text)


def check_nesting(text: str) -> None:
    """Check in linear time that brackets in ``text``, JSON or not, nest at most 200 deep.

    Raises:
        ValueError: they nest deeper.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    if nesting_depth(text.encode(errors="surrogatepass")) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
