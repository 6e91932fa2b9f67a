"""Test binaries of Go packages: built once a commit, and kept in a cache.

A package gets several binaries, whose functions the linker puts in different orders: in one order,
an edit of anything can make unchanged code some percent faster or slower. The orders are the same
on both sides, so that the same code gives the same binaries.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from veperf.abtest import git
from veperf.core.errors import MeasureError, StorageError
from veperf.core.paths import user_cache_folder
from veperf.core.run import Failure
from veperf.formats.imported import slug
from veperf.measure.cpus import usable_cpus
from veperf.programs.go_packages import GoPackage
from veperf.programs.go_toolchain import GoToolchain, last_lines, run_go

_KEPT_S = 14 * 86_400.0


@dataclass(frozen=True, slots=True)
class BuiltPackage:
    """Binaries of a package, or the reason why there are none."""

    package: GoPackage
    binaries: tuple[Path, ...] = ()
    """One a layout."""
    failure: Failure | None = None


@contextlib.contextmanager
def go_worktree(repository: Path, commit: str) -> Iterator[Path]:
    """Check ``commit`` out for the time of the block, always at the same place where that is free.

    Go's own cache of compiled packages goes by their folder, and binaries name it.

    Raises:
        MeasureError: git can't check it out.
        StorageError: the cache can't be written.
    """
    key = sha256(f"{repository}\n{commit}".encode()).hexdigest()[:16]
    with contextlib.ExitStack() as stack:
        folder: Path | None = _create(cache_folder() / "trees") / key
        lock = stack.enter_context((cache_folder() / "trees" / f"{key}.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            folder = None  # another comparison is at it
        yield stack.enter_context(git.temporary_worktree(repository, commit, folder))


def build_package(
    toolchain: GoToolchain,
    package: GoPackage,
    layouts: Sequence[int],
    flags: Sequence[str],
    folder: Path,
) -> BuiltPackage:
    """Return the binaries of ``package`` in ``folder``, built where they aren't there yet.

    Args:
        toolchain: that of its module.
        package: to build.
        layouts: numbers of the linker's orders; 0 is its own.
        flags: further arguments of `go test`, such as build tags.
        folder: for the binaries; what is in it was built of the same sources.
    """
    if package.problem:
        return BuiltPackage(package, failure=_failure(package.problem))
    orders = layouts if toolchain.can_draw_layouts else (0,)
    name = _file_name(package, toolchain, flags)

    def build(layout: int) -> Path | Failure:
        """Return the binary of a layout."""
        binary = folder / f"{name}-{layout}.test"
        return _build(toolchain, package, layout, flags, binary)

    # The first compiles the package, and the others are only linked, by one thread each.
    first = build(orders[0])
    binaries: list[Path | Failure] = [first]
    if isinstance(first, Path):
        with ThreadPoolExecutor(len(usable_cpus()) or 1) as pool:
            binaries += pool.map(build, orders[1:])
    for each in binaries:
        if isinstance(each, Failure):
            return BuiltPackage(package, failure=each)
    return BuiltPackage(package, tuple(each for each in binaries if isinstance(each, Path)))


def _build(
    toolchain: GoToolchain, package: GoPackage, layout: int, flags: Sequence[str], binary: Path
) -> Path | Failure:
    """Return ``binary``, built where it isn't there yet, or the reason why there is none."""
    if binary.is_file():
        return binary
    temporary = binary.with_name(f"{binary.name}.{os.getpid()}")
    words = ["test", "-c", "-vet=off", "-o", str(temporary), *flags]
    words += [*toolchain.link_flags(layout), "."]
    run = run_go(toolchain.program, words, package.folder)
    if run.returncode != 0 or not temporary.is_file():
        return _failure(run.stderr + run.stdout)
    temporary.replace(binary)
    return binary


def _failure(output: str) -> Failure:
    lines = [line for line in output.strip().splitlines() if not line.startswith(("#", "FAIL"))]
    first = lines[0].strip() if lines else "no binary was written"
    return Failure("raised", f"it does not build: {first}", last_lines(output))


def _file_name(package: GoPackage, toolchain: GoToolchain, flags: Sequence[str]) -> str:
    parts = (package.path, str(package.folder), *map(str, toolchain.settings), *flags)
    return f"{slug(package.path)}-{sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"


@contextlib.contextmanager
def binaries_folder(repository: Path, commit: str) -> Iterator[Path]:
    """Return the folder for the binaries of ``commit``, or a temporary one where that is empty.

    Folders that nobody has used for two weeks are removed.

    Raises:
        StorageError: the cache can't be written.
    """
    top = _create(cache_folder() / "binaries")
    _remove_old(top)
    key = sha256(f"{repository}\n{commit}".encode()).hexdigest()[:16]
    folder = top / (key if commit else f"uncommitted-{key}-{os.getpid()}")
    try:
        _create(folder)
        os.utime(folder)
        yield folder
    finally:
        if not commit:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_old(top: Path) -> None:
    oldest = time.time() - _KEPT_S
    for folder in top.iterdir():
        with contextlib.suppress(OSError):
            if not folder.is_symlink() and folder.stat().st_mtime < oldest:
                shutil.rmtree(folder)


def cache_folder() -> Path:
    """Return the folder of what is kept for comparisons of Go code."""
    return user_cache_folder() / "go"


def _create(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            error.errno,
            f"can't write Go binaries to {folder}: {error.strerror}; set $XDG_CACHE_HOME to a "
            "writable folder",
        ) from error
    return folder


def require_same_platform(toolchain: GoToolchain) -> None:
    """Check that binaries run here.

    Raises:
        MeasureError: GOOS asks for those of another system.
    """
    if dict(toolchain.settings)["GOOS"] not in ("", os.uname().sysname.lower()):
        raise MeasureError(f"{toolchain} is not this machine: unset GOOS and GOARCH")
