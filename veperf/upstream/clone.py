"""A clone of a repository, read with git: its tree at a revision, and files in it.

The clone is not trusted. Nothing in it is run and no link is followed: files come out of git's
objects, never out of the work tree, without filters, hooks, or fetching what a partial clone lacks.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

from veperf.core.errors import MeasureError, UsageError
from veperf.core.escape import make_visible
from veperf.core.text import plural

MAX_FILE_BYTES = 4 << 20
"""Size from which a file is left out: what people write is smaller."""
_MOST_BYTES = 512 << 20
_MOST_FILES = 500_000
_TIMEOUT_S = 120
_REGULAR = ("100644", "100755", "100664")
_LINK = "120000"
_SETTINGS = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "protocol.allow=never", "-c", "core.pager=cat"),
)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file in a tree."""

    path: str
    object: str
    is_link: bool = False


class Clone:
    """A clone or checkout of a repository, or a bare one.

    Raises:
        UsageError: there is none at ``folder``.
        MeasureError: git is missing, or fails.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"no such folder: {make_visible(str(folder))}; clone the repository")
        self.folder = folder.resolve()
        done = self._call("rev-parse", "--git-dir")
        if b"dubious ownership" in done.stderr:
            raise UsageError(
                f"git refuses {make_visible(str(folder))}, as it belongs to somebody else: if you "
                "trust it, `git config --global --add safe.directory` with its full path"
            )
        if done.returncode != 0:
            raise UsageError(
                f"{make_visible(str(folder))} is no git repository: name the top folder of a "
                "checkout, or a bare clone"
            )

    def resolve(self, revision: str) -> str:
        """Return the full hash of the commit that ``revision`` names.

        Raises:
            UsageError: it names none in this clone.
        """
        commit = self.find(revision)
        if commit is None:
            raise UsageError(
                f"{make_visible(revision)} is no commit in {make_visible(str(self.folder))}; a "
                "shallow clone gets the others by `git fetch --unshallow`"
            )
        return commit

    def find(self, revision: str) -> str | None:
        """Return the full hash of the commit that ``revision`` names; None if it names none."""
        if not revision or revision.startswith("-") or "\0" in revision:
            return None
        done = self._run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return None if done is None else done.decode("ascii", "replace").strip()

    def tree(self, commit: str) -> "CommitTree":
        """Return the tree of a ``commit``.

        Raises:
            UsageError: it has too many files.
            MeasureError: its objects can't be read.
        """
        entries = []
        for row in self._rows(commit):
            head, _, name = row.partition(b"\t")
            mode, kind, object_id = head.decode("ascii", "replace").split()
            if kind == "blob" and (mode in _REGULAR or mode == _LINK):
                path = name.decode("utf-8", "surrogateescape")
                entries.append(TreeEntry(path, object_id, mode == _LINK))
        return CommitTree(self, commit, {entry.path: entry for entry in entries})

    def _rows(self, commit: str) -> list[bytes]:
        """Return the rows of git's list of files; small trees can stand for billions of them."""
        words = self.command("ls-tree", "-r", "-z", "--full-tree", commit)
        rows: list[bytes] = []
        rest, size = b"", 0
        with subprocess.Popen(  # noqa: S603 - words of ours, and hashes
            words, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while process.stdout is not None and (chunk := process.stdout.read(1 << 20)):
                *whole, rest = (rest + chunk).split(b"\0")
                rows += whole
                size += len(chunk)
                if len(rows) > _MOST_FILES or size > _MOST_BYTES:
                    process.kill()
                    raise UsageError(
                        f"more than {_MOST_FILES:,} files at {commit[:12]}, or of endless names: "
                        "no clone of VirtEngine"
                    )
        if process.returncode != 0:
            raise MeasureError(f"git can't list the files of {commit[:12]}: is the clone damaged?")
        return rows

    def _run(self, *words: str) -> bytes | None:
        """Return what git prints; None where it fails."""
        done = self._call(*words)
        return done.stdout if done.returncode == 0 else None

    def _call(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(  # noqa: S603 - words of ours, and hashes
                self.command(*words),
                capture_output=True,
                env=self.environment,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise MeasureError(f"git {words[0]} took more than {_TIMEOUT_S} s") from error

    def command(self, *words: str) -> list[str]:
        """Return the command line of git with ``words``, for this clone."""
        git = shutil.which("git")
        if git is None:
            raise MeasureError("git is not installed, or not in PATH: it reads the clone")
        return [git, "--no-pager", *_SETTINGS, "-C", str(self.folder), *words]

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """Variables of git: no other repository than this, no network, no questions."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        return kept | {
            "GIT_CEILING_DIRECTORIES": str(self.folder.parent),
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }


class CommitTree:
    """The files of a commit; ``notes`` says which of those asked for could not be read."""

    def __init__(self, clone: Clone, commit: str, entries: Mapping[str, TreeEntry]) -> None:
        self.clone = clone
        self.commit = commit
        self.entries = entries
        self._left_out: dict[str, str] = {}
        self._read_bytes = 0

    def below(self, folder: str, *, deep: bool = False) -> list[str]:
        """Return the paths of the files in ``folder``, or also further ``deep`` in it."""
        prefix = f"{folder}/" if folder else ""
        return [
            path
            for path in self.entries
            if path.startswith(prefix) and (deep or "/" not in path[len(prefix) :])
        ]

    def read(self, path: str) -> str | None:
        """Return the text of a file; None where there is none, or it can't be read."""
        return next((text for _, text in self.read_all([path])), None)

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield path and text of each of the files; bytes that are no UTF-8 stay apart.

        Links, files that are too large, and those that the clone lacks are left out, and noted.

        Raises:
            UsageError: all that was read of the tree is too much.
            MeasureError: git ended.
        """
        with _Objects(self.clone) as objects:
            for path in paths:
                entry = self.entries.get(path)
                if entry is None:
                    continue
                if entry.is_link:
                    self._left_out[path] = "a link, which is not followed"
                    continue
                data = objects.read(entry.object)
                if isinstance(data, str):
                    self._left_out[path] = data
                else:
                    self._read_bytes += len(data)
                    if self._read_bytes > _MOST_BYTES:
                        raise UsageError(
                            f"more than {_MOST_BYTES >> 20} MiB to read: no such clone"
                        )
                    yield path, data.decode("utf-8", "surrogateescape")

    def reason(self, path: str) -> str:
        """Return the reason why a file was not read; empty if it was."""
        return self._left_out.get(path, "")

    @property
    def notes(self) -> tuple[str, ...]:
        """Files that were not read, with the reason: the first five of each."""
        by_reason: dict[str, list[str]] = {}
        for path, reason in self._left_out.items():
            by_reason.setdefault(reason, []).append(path)
        return tuple(
            f"{plural(len(paths), 'file')} not read ({reason}): {', '.join(paths[:5])}"
            + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
            for reason, paths in by_reason.items()
        )


class _Objects:
    """A process of ``git cat-file --batch``, asked for one object after the other."""

    def __init__(self, clone: Clone) -> None:
        self._clone = clone

    def __enter__(self) -> "_Objects":
        words = self._clone.command("cat-file", "--batch")
        self._sizes = subprocess.Popen(  # noqa: S603 - words of ours
            self._clone.command("cat-file", "--batch-check"), env=self._clone.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._process = subprocess.Popen(  # noqa: S603 - words of ours
            words, env=self._clone.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._sizes, self._process):
            process.kill()
            process.communicate()

    def read(self, object_id: str) -> bytes | str:
        """Return the content of an object, or the reason why it can't be read.

        Raises:
            MeasureError: git ended.
        """
        size = self._ask(self._sizes, object_id)
        if size is None:
            return "the clone lacks it"
        if size > MAX_FILE_BYTES:
            return f"larger than {MAX_FILE_BYTES >> 20} MiB"
        if self._ask(self._process, object_id) is None:
            return "the clone lacks it"
        stream = self._process.stdout
        data = b"" if stream is None else stream.read(size + 1)
        if len(data) != size + 1:
            raise MeasureError("git ended before a file did: is the clone damaged?")
        return data[:-1]

    def _ask(self, process: "subprocess.Popen[bytes]", object_id: str) -> int | None:
        if process.stdin is None or process.stdout is None:
            raise MeasureError("git has no pipes")
        try:
            process.stdin.write(f"{object_id}\n".encode())
            process.stdin.flush()
            words = process.stdout.readline().split()
        except OSError as error:
            raise MeasureError(f"git can't be asked: {error.strerror}") from error
        if not words:
            raise MeasureError("git ended before it answered: is the clone damaged?")
        return int(words[2]) if len(words) == 3 and words[1] == b"blob" else None
