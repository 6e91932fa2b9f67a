"""JSON from elsewhere, never nested deeper than a decoder can follow."""

import json

from veperf.nesting import depth

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
