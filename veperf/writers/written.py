"""What a writer hands back."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Written:
    """A file's content: text, or bytes where the format is no text."""

    data: str | bytes
    notes: tuple[str, ...] = ()
    """What whoever writes it should know, such as what the format can't hold."""

    @property
    def encoded(self) -> bytes:
        """The content as a file has it: text in UTF-8."""
        return self.data.encode() if isinstance(self.data, str) else self.data


def json_text(document: object) -> str:
    """``document`` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"
