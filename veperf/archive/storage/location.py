"""The location of an archive as users give it: a folder, or a URL without credentials."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from veperf.core.errors import UsageError

Location: TypeAlias = str | Path
"""A folder, or a URL as text."""

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://(.*)", re.DOTALL)
_HALF_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):/?(?=[^/])", re.DOTALL)
_LOCAL = ("file", "local")
_ADVICE = (
    "credentials come from the environment or from where the provider's own tools keep them; "
    "see docs/formats.md"
)


@dataclass(frozen=True, slots=True)
class Url:
    """A storage location that is not a local folder."""

    scheme: str
    rest: str
    """The part after ``://``, without a slash at the end."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.rest}"


def locate(location: Location) -> Path | Url:
    """Parse a location into a folder or a URL.

    Raises:
        UsageError: it is neither, or contains credentials, which the message does not repeat.
    """
    if isinstance(location, Path):
        return _folder(location)
    if "::" in location.partition("://")[0] and "://" in location:
        raise UsageError(
            "give a single URL, such as s3://bucket/folder; chained ones (`::`) are not supported"
        )
    match = _URL.fullmatch(location)
    if match is None:
        return _folder(Path(location))
    scheme, rest = match[1].lower(), match[2]
    if scheme in _LOCAL:
        return _file_url_path(scheme, rest)
    _refuse_credentials(scheme, rest)
    if re.search(r"[\x00-\x20\x7f]|::", rest):
        raise UsageError(
            f"that {scheme}:// URL contains blanks, control characters or `::`; give a plain one, "
            "such as s3://bucket/folder"
        )
    rest = rest.rstrip("/")
    if not rest or rest.startswith("/") or {"", ".", ".."} & set(rest.split("/")):
        raise UsageError(
            f"a {scheme}:// URL names a bucket and folders in it, such as s3://bucket/folder; none "
            "of them may be empty, `.` or `..`"
        )
    return Url(scheme, rest)


def _folder(folder: Path) -> Path:
    half = _HALF_URL.match(str(folder))
    if half is not None and half[1].lower() in (*_LOCAL, "s3", "s3a", "gs", "gcs", "memory"):
        scheme = half[1].lower()
        raise UsageError(
            f"{scheme}: needs two slashes after it, and the URL as text (a Path drops one): "
            f"{'file:///folder' if scheme in _LOCAL else f'{scheme}://bucket/folder'}"
        )
    return folder


def _file_url_path(scheme: str, rest: str) -> Path:
    path = rest.removeprefix("localhost")
    if not path.startswith("/") or {"?", "#"} & set(path):
        raise UsageError(
            f"{scheme}:// needs an absolute path and nothing else, such as {scheme}:///srv/runs; "
            "a folder can also be given as a plain path"
        )
    return Path(unquote(path))


def _refuse_credentials(scheme: str, rest: str) -> None:
    # A secret may contain a slash, so the part before the @ need not end at the first slash.
    if re.search(r":[^@]*@", rest) or (scheme.startswith("s3") and "@" in rest.partition("/")[0]):
        raise UsageError(f"that {scheme}:// URL has a name or password before an @: {_ADVICE}")
    if "?" in rest or "#" in rest:
        raise UsageError(
            f"that {scheme}:// URL has a `?` or `#`, which is not supported: {_ADVICE}"
        )
