"""The files of the site, and what each was made of when it was written."""

from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.core.errors import CorruptFileError, DataError

FILE = "pages.json"
# Format history:
#   1  the first
_FORMAT = 1


class _PagesFile(Struct, frozen=True):
    state: str = ""
    """Fingerprint of all that the site was made of; empty where it is not finished."""
    pages: dict[str, str] = {}
    """Fingerprints by the name of the page."""
    format: int = _FORMAT


class SitePages:
    """The pages in the archive ``storage``: the first in itself, all others in ``folder``."""

    def __init__(self, storage: Storage, folder: str) -> None:
        self._storage = storage
        self._folder = folder
        self._site = storage.at(folder)
        try:
            self._before = read_stored_json(self._site, FILE, _PagesFile, newest_format=_FORMAT)
        except DataError:
            self._before = _PagesFile()
        try:
            self.files = frozenset(self._site.names())
        except CorruptFileError:  # there is no site yet, or a link in it, which writing refuses
            self.files = frozenset[str]()
        self._existing = {f"{folder}/{name}" for name in self.files if name.endswith(".html")}
        self._pages: dict[str, str] = {}

    def is_current(self, state: str) -> bool:
        """Return whether the site is there, and was made of what ``state`` is a fingerprint of."""
        inner = {name for name in self._before.pages if name.startswith(f"{self._folder}/")}
        others = self._before.pages.keys() - inner
        return (
            self._before.state == state
            and inner == self._existing
            and all(map(self._storage.has, others))
        )

    def write(self, name: str, make: Callable[[], str], fingerprint: str = "") -> None:
        """Write what ``make`` returns, unless the page was made of the same, or is the same.

        Without a ``fingerprint`` of what it is made of, its content is one.
        """
        content = b""
        if not fingerprint:
            content = make().encode()
            fingerprint = sha256(content).hexdigest()
        self._pages[name] = fingerprint
        if name in self._existing and self._before.pages.get(name) == fingerprint:
            return
        content = content or make().encode()
        if name in self._existing:
            self._storage.write(name, content)
            return
        try:
            if self._storage.read(name) == content:
                return
        except CorruptFileError:
            pass
        self._storage.write(name, content)

    def finish(self, state: str) -> None:
        """Delete all other pages, and note what these were made of."""
        stale = self._existing - self._pages.keys()
        self._storage.delete(sorted(stale))
        after = _PagesFile(state, self._pages)
        if after != self._before:
            write_stored_json(self._site, FILE, after)
