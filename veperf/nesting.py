"""How deep JSON nests, found out before anything decodes it.

Decoders recurse, and rely on Python's recursion limit to stop them: where a library has raised
that (py_ecc does), depth in a file ends the process.
"""

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
