"""What a user may give for an archive: a folder, or a URL, and no credentials in it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from veperf.core.errors import UsageError

Location: TypeAlias = str | Path
"""A folder, or a URL as text."""

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://(.*)", re.DOTALL)
_HALF = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):/?(?=[^/])", re.DOTALL)
_LOCAL = ("file", "local")
_ADVICE = (
    "credentials come from the environment or from where the provider's own tools keep them; "
    "see docs/formats.md"
)


@dataclass(frozen=True, slots=True)
class Url:
    """A place that is no folder of this machine."""

    scheme: str
    rest: str
    """What follows ``://``, without a slash at the end."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.rest}"


def locate(given: Location) -> Path | Url:
    """The folder or URL that is ``given``.

    Raises:
        UsageError: it is neither, or holds credentials; the message does not repeat them.
    """
    if isinstance(given, Path):
        return _folder(given)
    if "::" in given.partition("://")[0] and "://" in given:
        raise UsageError("an archive's address is a single one, such as s3://bucket/folder")
    found = _URL.fullmatch(given)
    if found is None:
        return _folder(Path(given))
    scheme, rest = found[1].lower(), found[2]
    if scheme in _LOCAL:
        return _of_file(scheme, rest)
    _refuse_credentials(scheme, rest)
    if re.search(r"[\x00-\x20\x7f]|::", rest):
        raise UsageError(
            f"that {scheme}:// address has blanks, control characters or `::` in it; an archive's "
            "is plain, such as s3://bucket/folder"
        )
    rest = rest.rstrip("/")
    if not rest or rest.startswith("/") or {"", ".", ".."} & set(rest.split("/")):
        raise UsageError(
            f"a {scheme}:// address names a place and folders in it, none of them empty, `.` or "
            "`..`, such as s3://bucket/folder"
        )
    return Url(scheme, rest)


def location_of(given: Location) -> str:
    """The same as text, to pass on: an absolute path stays so, a URL is in its plain form.

    Raises:
        UsageError: as ``locate``.
    """
    return str(locate(given))


def _folder(given: Path) -> Path:
    half = _HALF.match(str(given))
    if half is not None and half[1].lower() in (*_LOCAL, "s3", "s3a", "gs", "gcs", "memory"):
        scheme = half[1].lower()
        raise UsageError(
            f"{scheme}: wants two slashes after it, and the address given as text (a Path drops "
            f"one of them): {'file:///folder' if scheme in _LOCAL else f'{scheme}://bucket/folder'}"
        )
    return given


def _of_file(scheme: str, rest: str) -> Path:
    path = rest.removeprefix("localhost")
    if not path.startswith("/") or {"?", "#"} & set(path):
        raise UsageError(
            f"{scheme}:// wants an absolute path and nothing else, such as {scheme}:///srv/runs; "
            "a folder can also be given as it is"
        )
    return Path(unquote(path))


def _refuse_credentials(scheme: str, rest: str) -> None:
    # A secret may have a slash in it, so that what stands before the @ need not end at the first.
    if re.search(r":[^@]*@", rest) or (scheme.startswith("s3") and "@" in rest.partition("/")[0]):
        raise UsageError(f"that {scheme}:// address has a name or password before an @: {_ADVICE}")
    if "?" in rest or "#" in rest:
        raise UsageError(f"that {scheme}:// address has a `?` or `#`, which none needs: {_ADVICE}")
