"""JSON from elsewhere, never nested deeper than a decoder can follow."""

import json
from itertools import accumulate

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def depth(data: bytes) -> int:
    """How many lists and objects stand in one another in the JSON ``data``, at the most.

    Of what is no JSON, it says at least as much as a decoder would descend before it gives up.
    Takes linear time.
    """
    without_escapes = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_of_strings = b"".join(without_escapes.split(b'"')[::2])
    brackets = outside_of_strings.translate(None, _NO_BRACKETS)
    return max(accumulate(1 if b in b"[{" else -1 for b in brackets), default=0)


MAX_DEPTH = 200


def parse(text: str) -> object:
    """The value of ``text``; NaN and infinities included, which several tools write.

    Raises:
        ValueError: it is no JSON (then a ``json.JSONDecodeError``), or none that can be read.
    """
    refuse_depth(text)
    return json.loads(text)


def refuse_depth(text: str) -> None:
    """Whatever ``text`` is, refuse it where brackets nest deeper than 200. Takes linear time.

    Raises:
        ValueError: they do.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    if depth(text.encode(errors="surrogatepass")) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
