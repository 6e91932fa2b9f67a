"""Examples of docstrings as blocks of code on the documentation's site."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"(?:^(?:>>>|\.\.\.).*(?:\n|\Z))+", re.MULTILINE)


class FencedExamples(griffe.Extension):
    """Fences the lines of a session, which in Markdown would be quotations of quotations."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence the examples of an object's docstring."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = _EXAMPLE.sub(lambda m: f"```pycon\n{m[0].rstrip()}\n```\n", text)
