"""JSON from elsewhere, never nested deeper than a decoder can follow.

Decoders recurse, and rely on Python's recursion limit to stop them: where a library has raised
that (py_ecc does), depth in a file ends the process. So it is bounded before anything decodes.
"""

import json
import re
from itertools import accumulate

MAX_DEPTH = 200

_NO_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^][{}"]++', re.DOTALL)


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
    brackets = _NO_BRACKETS.sub("", text)
    depths = accumulate(1 if b in "[{" else -1 if b in "]}" else 0 for b in brackets)
    if any(depth > MAX_DEPTH for depth in depths):
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
