"""The two sides of a comparison of code: where each imports from, and what runs it."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from veperf.abtest import git
from veperf.core.ab import ABSide
from veperf.core.errors import DataError, MeasureError, StorageError
from veperf.measure.code_source import Side
from veperf.measure.machine import describe_revision

_LOCK = "requirements.lock"
_LISTED = "requirements.txt"
_PROJECT = "pyproject.toml"
_READY = ".ready"


def dependencies(tree: Path) -> tuple[str, ...]:
    """What the project in ``tree`` depends on, a line each, without comments.

    Raises:
        DataError: pyproject.toml is broken.
    """
    if (tree / _LOCK).is_file():
        return _lines(tree / _LOCK)
    listed = _lines(tree / _LISTED) if (tree / _LISTED).is_file() else ()
    return (*listed, *_of_project(tree))


def interpreter(tree: Path) -> str:
    """The Python of a virtual environment with the dependencies of ``tree``; made if need be.

    Raises:
        DataError: pyproject.toml is broken.
        MeasureError: pip can't install them.
        StorageError: the folder that keeps environments can't be written.
    """
    try:
        return _kept(tree, dependencies(tree))
    except OSError as error:
        raise StorageError(
            error.errno,
            f"can't keep an environment in {_cache()}: {error.strerror}; set $XDG_CACHE_HOME to a "
            "folder that can be written",
        ) from error


def _kept(tree: Path, wanted: tuple[str, ...]) -> str:
    key = sha256("\n".join((sys.version, sys.prefix, *wanted)).encode()).hexdigest()[:16]
    folder = _cache() / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with (folder.parent / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two comparisons at once make it once
        if not (folder / _READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, python, tree)
            (folder / _READY).touch()
    return str(python)


def _make(folder: Path, python: Path, tree: Path) -> None:
    what = _to_install(tree) if dependencies(tree) else []
    _run([sys.executable, "-m", "venv", *([] if what else ["--without-pip"]), str(folder)], tree)
    if what:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *what], tree)
    site = Path(_ask(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    here = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    # addsitedir, unlike a plain line, minds the .pth files there: those of editable installs.
    lines = [f"import site; site.addsitedir({path!r})" for path in here]
    (site / "veperf-rest.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _to_install(tree: Path) -> list[str]:
    if (tree / _LOCK).is_file():
        return ["-r", str(tree / _LOCK)]
    listed = ["-r", str(tree / _LISTED)] if (tree / _LISTED).is_file() else []
    return [*listed, *_of_project(tree)]


def _of_project(tree: Path) -> tuple[str, ...]:
    path = tree / _PROJECT
    if not path.is_file():
        return ()
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
        found = project.get("dependencies", [])
        if not all(isinstance(one, str) for one in found):
            raise TypeError("dependencies are not text")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError, TypeError) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    return tuple(found)


def _lines(path: Path) -> tuple[str, ...]:
    text = path.read_text(encoding="utf-8", errors="replace")
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return tuple(line for line in bare if line)


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "veperf" / "environments"


def _run(words: list[str], cwd: Path) -> None:
    done = subprocess.run(  # noqa: S603 - no shell
        words, capture_output=True, text=True, check=False, cwd=cwd
    )
    if done.returncode != 0:
        error = MeasureError(
            "the environment of the side whose dependencies differ can't be made: "
            f"`{' '.join(words[1:])}` failed"
        )
        error.add_note((done.stderr or done.stdout).strip()[-2000:])
        raise error


def _ask(python: Path, script: str) -> str:
    return subprocess.run(  # noqa: S603 - no shell
        [str(python), "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


WORKING_TREE = "working tree"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A side that can be run."""

    said: ABSide
    side: Side


@contextlib.contextmanager
def prepared(base: str, head: str | None) -> Iterator[tuple[Prepared, Prepared]]:
    """The commit ``base`` and the commit ``head``, or, where that is None, the working tree.

    Both are of the repository that the current folder is in. A commit gets a worktree, which is
    removed afterwards.

    Raises:
        UsageError: there is no repository, or no such commit.
        DataError: a pyproject.toml is broken.
        MeasureError: a worktree or an environment can't be made.
    """
    top = git.repository()
    commits = [git.commit_of(top, ref) for ref in (base, head) if ref is not None]
    with contextlib.ExitStack() as stack:
        trees = [stack.enter_context(git.worktree(top, commit)) for commit in commits]
        if head is None:
            trees.append(top)
        yield _side(base, trees[0], top), _side(head or WORKING_TREE, trees[1], top)


def _side(name: str, tree: Path, top: Path) -> Prepared:
    python, packages = sys.executable, ""
    if dependencies(tree) != dependencies(top):
        python, packages = interpreter(tree), "its own, as its dependencies differ"
    here = Path.cwd().resolve()
    elsewhere = [
        entry
        for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if entry and not _is_within(Path(entry).resolve(), top)
    ]
    ours = [path for path in map(Path.resolve, map(Path, sys.path)) if _is_within(path, top)]
    first = [tree / path.relative_to(top) for path in dict.fromkeys([here, top, *ours])]
    return Prepared(
        ABSide(name, describe_revision(tree), packages),
        Side(
            interpreter=python,
            folder=first[0] if first[0].is_dir() else tree,
            environment={
                "PYTHONPATH": os.pathsep.join([*(str(p) for p in first if p.is_dir()), *elsewhere])
            },
            hidden=() if tree == top else tuple(str(path) for path in dict.fromkeys(ours)),
        ),
    )


def _is_within(path: Path, top: Path) -> bool:
    """Whether ``path`` holds code of the checkout ``top``; a virtual environment in it does not."""
    environment = Path(sys.prefix).resolve()
    installed = environment != top and path.is_relative_to(environment)
    return path.is_relative_to(top) and not installed
