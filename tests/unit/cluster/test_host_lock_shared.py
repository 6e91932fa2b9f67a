"""Those who measure one thing together share a host, and nobody else is on it."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from veperf.cluster.host_lock import alone, together


def impatient() -> Callable[[], bool]:
    """Gives up after one try."""
    tries = iter([False, True])
    return lambda: next(tries)


def test_one_load_s_processes_share_it(tmp_path: Path) -> None:
    """However many there are; it is free when the last of them is done."""
    with ExitStack() as stack:
        for _ in range(3):
            assert stack.enter_context(together("one", impatient(), tmp_path))
        with alone(impatient(), tmp_path) as got_it:
            assert not got_it
    with alone(impatient(), tmp_path) as got_it:
        assert got_it


def test_another_load_waits(tmp_path: Path) -> None:
    """Names that begin alike are two; what the last one wrote says nothing once it is gone."""
    with together("one", impatient(), tmp_path):
        for name in ("two", "on", "one and more"):
            with together(name, impatient(), tmp_path) as got_it:
                assert not got_it
    with together("two", impatient(), tmp_path) as got_it:
        assert got_it
        with together("one", impatient(), tmp_path) as other:
            assert not other


def test_a_run_is_alone(tmp_path: Path) -> None:
    """While one measures, no load begins."""
    with alone(impatient(), tmp_path), together("one", impatient(), tmp_path) as got_it:
        assert not got_it
