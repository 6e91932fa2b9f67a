"""Names from elsewhere: bounded, storable, and fit for folders where they have to be."""

import re
from hashlib import sha256

_LONGEST = 1000
_LONGEST_SLUG = 48


def clean(text: str) -> str:
    """``text`` without lone surrogates, which no file can hold, and at most 1,000 long.

    Nothing else is changed: whoever shows a name escapes it.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= _LONGEST:
        return text
    digest = sha256(text.encode()).hexdigest()[:8]
    return f"{text[: _LONGEST - 9]}…{digest}"


def slug(text: str) -> str:
    """``text`` as a harmless part of a file name; empty where nothing of it is fit for one."""
    found = re.sub(r"[^A-Za-z0-9_.+]+", "-", text[:_LONGEST]).strip("-.")
    return found[:_LONGEST_SLUG].rstrip("-.")
