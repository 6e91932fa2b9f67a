"""A disk that is full, or read-only, at each write: typed errors, and nothing is lost or half."""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from unittest import mock

from tests.faults.ground import COMPARISON, RUNS, Tally, contents, fresh_copy, require_sound
from tests.faults.kills import WORK
from veperf.archive.comparisons import read_ab
from veperf.archive.store import Archive
from veperf.core.errors import StorageError

_CALLS = ("open", "mkdir", "fsync", "replace", "rename", "unlink")


@contextmanager
def failing_calls(allowed: int, code: int) -> Iterator[list[int]]:
    """Let that many calls that change a file system succeed; all later ones fail with ``code``.

    Gives a list of one number: the calls so far.
    """
    calls = [0]

    def counted(name: str) -> Callable[..., object]:
        true = getattr(os, name)

        def call(*values: object, **settings: object) -> object:
            is_read = name == "open" and not int(str(values[1])) & (os.O_WRONLY | os.O_RDWR)
            if not is_read:
                calls[0] += 1
                # Space is freed by removing: that goes on working on a full disk.
                if calls[0] > allowed and (code != errno.ENOSPC or name != "unlink"):
                    raise OSError(code, os.strerror(code))
            return true(*values, **settings)

        return call

    with ExitStack() as patches:
        for name in _CALLS:
            patches.enter_context(mock.patch.object(os, name, counted(name)))
        yield calls


def fill_at_each_write(parent: Path, seed: int, count: int) -> Tally:
    """Fail each kind of work at its first call, its second and so on: at most ``count`` of them.

    Raises:
        AssertionError: something is lost or half written, or an error is not typed.
    """
    del seed  # each call in turn
    tally = Tally("disk full at each write")
    for name, work in WORK.items():
        if name in ("init", "report"):  # they write with threads, or change the folder
            continue
        with failing_calls(1 << 30, errno.ENOSPC) as calls:
            work(fresh_copy(parent, "full", older=name == "migrate"))
        step = max(1, calls[0] // count)
        for allowed in range(0, calls[0], step):
            folder = fresh_copy(parent, "full", older=name == "migrate")
            try:
                with failing_calls(allowed, errno.ENOSPC):
                    work(folder)
                tally.outcomes["done without it"] += 1
            except StorageError:
                tally.outcomes["StorageError"] += 1
            except Exception as error:
                raise AssertionError(f"{name} at call {allowed}: {error!r}") from error
            _require_repeatable(name, folder, f"at call {allowed}")
    return tally


def limit_file_sizes(parent: Path, seed: int, count: int) -> Tally:
    """Limit the size of files, so that the system cuts off the write that goes beyond it.

    Raises:
        AssertionError: as ``fill_at_each_write``.
    """
    tally = Tally("writes cut off by the system")
    dice = Random(seed)
    for name, work in WORK.items():
        if name == "init":
            continue
        for trial in range(count):
            folder = fresh_copy(parent, "limited", older=name == "migrate")
            limit = int(2 ** dice.uniform(0, 17))
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            try:
                work(folder)
                outcome = "done within it"
            except StorageError:
                outcome = "StorageError"
            except Exception as error:
                raise AssertionError(f"{name}, {limit} bytes, trial {trial}: {error!r}") from error
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            tally.outcomes[outcome] += 1
            _require_repeatable(name, folder, f"with files of {limit} bytes (seed {seed})")
    return tally


def read_from_read_only(parent: Path, seed: int, count: int) -> Tally:
    """Read everything and try to write on a read-only file system: readers go on, bytes stay.

    Raises:
        AssertionError: a reader fails, a writer's error is not typed, or a file changes.
    """
    del seed
    tally = Tally("read-only")
    folder = fresh_copy(parent, "readonly")
    before = contents(folder)
    for _ in range(count):
        with failing_calls(0, errno.EROFS):
            assert require_sound(folder, set(range(RUNS))) == set(range(RUNS))
            assert len(Archive(folder).query("SELECT DISTINCT run FROM samples")) == RUNS
            assert read_ab(folder) == COMPARISON
            tally.outcomes["read"] += 1
            for name, work in WORK.items():
                if name == "init":
                    continue
                try:
                    work(folder)
                    tally.outcomes["had nothing to write"] += 1
                except StorageError:
                    tally.outcomes["StorageError"] += 1
        assert before == contents(folder)
    return tally


def _require_repeatable(name: str, folder: Path, when: str) -> None:
    try:
        require_sound(folder, set(range(RUNS)))
        WORK[name](folder)
        require_sound(folder, set(range(RUNS)))
    except (AssertionError, OSError) as error:
        raise AssertionError(f"{name} {when}: {error}") from error
