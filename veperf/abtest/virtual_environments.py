"""Virtual environments for sides whose dependencies differ from those installed here."""

import fcntl
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from hashlib import sha256
from pathlib import Path

from veperf.core.errors import DataError, MeasureError, StorageError
from veperf.core.paths import user_cache_folder

_LOCK = "requirements.lock"
_REQUIREMENTS = "requirements.txt"
_PROJECT = "pyproject.toml"
_READY = ".ready"


def dependencies(tree: Path) -> tuple[str, ...]:
    """Return the dependencies of the project in ``tree``, a line each, without comments.

    Raises:
        DataError: pyproject.toml is broken.
    """
    if (tree / _LOCK).is_file():
        return _lines(tree / _LOCK)
    requirements = tree / _REQUIREMENTS
    listed = _lines(requirements) if requirements.is_file() else ()
    return (*listed, *_project_dependencies(tree))


def environment_interpreter(tree: Path) -> str:
    """Return the Python of a cached virtual environment with the dependencies of ``tree``.

    Raises:
        DataError: pyproject.toml is broken.
        MeasureError: pip can't install them.
        StorageError: the folder of the cached environments can't be written.
    """
    try:
        return _cached_interpreter(tree, dependencies(tree))
    except OSError as error:
        raise StorageError(
            error.errno,
            f"can't write an environment to {_cache()}: {error.strerror}; set $XDG_CACHE_HOME to "
            "a writable folder",
        ) from error


def _cached_interpreter(tree: Path, requirements: tuple[str, ...]) -> str:
    key = sha256("\n".join((sys.version, sys.prefix, *requirements)).encode()).hexdigest()[:16]
    folder = _cache() / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with (folder.parent / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # concurrent comparisons make it once
        if not (folder / _READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make_environment(folder, python, tree)
            (folder / _READY).touch()
    return str(python)


def _make_environment(folder: Path, python: Path, tree: Path) -> None:
    packages = _pip_arguments(tree) if dependencies(tree) else []
    without_pip = [] if packages else ["--without-pip"]
    _run([sys.executable, "-m", "venv", *without_pip, str(folder)], tree)
    if packages:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *packages], tree)
    site = Path(_output_of(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    own_folders = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    # addsitedir, unlike a plain line, reads the .pth files there: those of editable installs.
    lines = [f"import site; site.addsitedir({path!r})" for path in own_folders]
    (site / "veperf-rest.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _pip_arguments(tree: Path) -> list[str]:
    if (tree / _LOCK).is_file():
        return ["-r", str(tree / _LOCK)]
    requirements = tree / _REQUIREMENTS
    listed = ["-r", str(requirements)] if requirements.is_file() else []
    return [*listed, *_project_dependencies(tree)]


def _project_dependencies(tree: Path) -> tuple[str, ...]:
    path = tree / _PROJECT
    if not path.is_file():
        return ()
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
        requirements = project.get("dependencies", [])
        if not all(isinstance(requirement, str) for requirement in requirements):
            raise TypeError("dependencies are not text")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError, TypeError) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    return tuple(requirements)


def _lines(path: Path) -> tuple[str, ...]:
    text = path.read_text(encoding="utf-8", errors="replace")
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return tuple(line for line in bare if line)


def _cache() -> Path:
    return user_cache_folder() / "environments"


def _run(words: list[str], cwd: Path) -> None:
    done = subprocess.run(  # noqa: S603 - no shell
        words, capture_output=True, text=True, check=False, cwd=cwd
    )
    if done.returncode != 0:
        error = MeasureError(
            "can't make the environment of the side whose dependencies differ: "
            f"`{' '.join(words[1:])}` failed"
        )
        error.add_note((done.stderr or done.stdout).strip()[-2000:])
        raise error


def _output_of(python: Path, script: str) -> str:
    return subprocess.run(  # noqa: S603 - no shell
        [str(python), "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()
