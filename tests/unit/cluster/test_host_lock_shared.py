"""Those who measure one thing together share a host, and nobody else is on it."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from veperf.cluster.host_lock import exclusive_host_lock, shared_host_lock


def impatient() -> Callable[[], bool]:
    """Gives up after one try."""
    tries = iter([False, True])
    return lambda: next(tries)


def test_one_load_s_processes_share_it(tmp_path: Path) -> None:
    """However many there are; it is free when the last of them is done."""
    with ExitStack() as stack:
        for _ in range(3):
            assert stack.enter_context(shared_host_lock("one", impatient(), tmp_path))
        with exclusive_host_lock(impatient(), tmp_path) as got_it:
            assert not got_it
    with exclusive_host_lock(impatient(), tmp_path) as got_it:
        assert got_it


def test_another_load_waits(tmp_path: Path) -> None:
    """Names that begin alike are two; what the last one wrote says nothing once it is gone."""
    with shared_host_lock("one", impatient(), tmp_path):
        for name in ("two", "on", "one and more"):
            with shared_host_lock(name, impatient(), tmp_path) as got_it:
                assert not got_it
    with shared_host_lock("two", impatient(), tmp_path) as got_it:
        assert got_it
        with shared_host_lock("one", impatient(), tmp_path) as other:
            assert not other


def test_a_run_is_alone(tmp_path: Path) -> None:
    """While one measures, no load begins."""
    with (
        exclusive_host_lock(impatient(), tmp_path),
        shared_host_lock("one", impatient(), tmp_path) as got_it,
    ):
        assert not got_it
