"""The memory of benchmarks and callables in processes of their own, and whatever goes wrong."""

import asyncio
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import memray
import numpy as np
import pytest
from msgspec.structs import replace

from tests.support import allocating
from tests.support.processes import is_running
from veperf.core.errors import (
    CorruptFileError,
    MeasureError,
    NewerFormatError,
    UnknownBenchmarkError,
    UsageError,
    WorkerCrashedError,
    WorkerProtocolError,
    WorkerTimeoutError,
)
from veperf.ipc.isolated_process import run_in_fork
from veperf.profiling.memory.baselines import (
    CountStatus,
    compare_profiles,
    compare_with_recorded,
    read_profile,
    record_profile,
)
from veperf.profiling.memory.process_growth import ProcessGrowth
from veperf.profiling.memory.profile_memory import profile_memory

ROOT = Path(__file__).parents[2]
HUNGRY = ["tests.support.allocating"]


@pytest.fixture(autouse=True)
def _import_from_the_root(monkeypatch):
    """Fresh processes find the benchmarks of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def small() -> None:
    [bytearray(1_000) for _ in range(20)]


def test_a_benchmark_is_known_line_by_line(tmp_path: Path):
    """What it holds, what it leaves behind and where; the flamegraph needs no network."""
    page = tmp_path / "keeps.html"
    actual = profile_memory("hungry/keeps", modules=HUNGRY, flamegraph=page)

    planted = 10 * allocating.ITEM_BYTES
    assert planted <= actual.footprint.peak_bytes <= planted + allocating.KEPT_BYTES + 2_000
    (grows,) = [site for site in actual.growing if site.file.endswith("allocating.py")]
    assert allocating.KEPT_BYTES <= grows.kept_bytes <= allocating.KEPT_BYTES + 200
    assert "bytearray(KEPT_BYTES)" in (ROOT / grows.file).read_text().splitlines()[grows.line - 1]
    assert max(actual.curve_bytes) == actual.high_water_bytes >= planted
    frame = actual.frame()
    assert frame["total_bytes"].is_monotonic_decreasing
    assert frame.iloc[0]["file"] == "tests/support/allocating.py"
    assert "https://" not in _scripts_and_links(page.read_text())


def _scripts_and_links(page: str) -> str:
    import re

    return " ".join(re.findall(r"<(?:script|link)[^>]*>", page))


@pytest.mark.slow
def test_a_case_of_a_benchmark_can_be_named():
    """With its parameters, whose figures are of one of its operations."""
    actual = profile_memory("hungry/eats[items=40]", modules=HUNGRY)

    assert 40 == actual.operations
    assert allocating.ITEM_BYTES <= actual.footprint.peak_bytes <= allocating.ITEM_BYTES + 200


@pytest.mark.slow
def test_counts_are_the_same_every_time():
    """Of what is the same, in two processes."""
    item, other = (profile_memory("hungry/eats", modules=HUNGRY) for _ in range(2))

    assert CountStatus.SAME == compare_profiles(item, other).status
    assert () == compare_profiles(item, other).lines


@pytest.mark.slow
def test_a_callable_is_profiled_in_a_fork():
    """What it changes here stays as it is."""
    kept: list[bytearray] = []

    def call() -> None:
        kept.append(bytearray(5_000))

    actual = profile_memory(call, operations=2)
    assert [] == kept
    assert 2_500 <= actual.footprint.total_bytes <= 2_800
    assert call.__qualname__ == actual.what
    assert "kept of a call" in repr(actual)
    assert "<svg" in actual._repr_html_()


@pytest.mark.slow
def test_growth_of_one_block_is_named_with_its_line():
    """A container that grows is moved ever more rarely; no count is negative."""
    buffer = bytearray()

    def call() -> None:
        buffer.extend(b"x" * 100)

    actual = profile_memory(call)
    (grows,) = actual.growing
    assert call.__code__.co_firstlineno + 1 == grows.line
    assert 100 == pytest.approx(grows.kept_bytes, rel=0.2)
    assert actual.footprint.allocations >= 0
    assert min(actual.footprint.total_bytes, actual.footprint.peak_bytes) >= 0
    assert "resident memory grew" not in repr(actual)


@pytest.mark.slow
def test_memory_that_is_not_recorded_is_told_of():
    """A leak by a malloc that ctypes looked up itself."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p

    actual = profile_memory(lambda: libc.malloc(10_000))
    assert () == actual.growing
    assert "of which recorded allocations explain 0\u202fB" in repr(actual)
    assert "of which recorded allocations explain 0\u202fB" in actual._repr_html_()


@pytest.mark.slow
def test_a_rare_leak_of_heavy_calls_is_told_of():
    """One that the 12 recorded calls need not show, in the blocks of Python's allocator."""
    kept: list[object] = []
    numbers = count()

    def call() -> None:
        [object() for _ in range(15_000)]
        if next(numbers) % 13 == 0:
            kept.append(object())

    assert "blocks, by no line of the recorded calls" in repr(profile_memory(call))


@pytest.mark.slow
def test_what_fills_up_within_the_interpreter_is_no_leak():
    """A list of free objects, the same each time."""

    async def gather() -> None:
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(10)))

    for _ in range(3):
        actual = profile_memory(gather)
        assert () == actual.growing
        assert "kept" not in repr(actual)


@pytest.mark.slow
def test_a_leak_that_begins_late_is_found_at_its_line():
    """After the recorded calls, in others; it is not laid to native code."""
    kept: list[object] = []
    numbers = count()

    def late() -> None:
        if next(numbers) > 2_000:
            kept.append(bytearray(100))

    actual = profile_memory(late)
    (grows,) = actual.growing
    assert late.__code__.co_firstlineno + 2 == grows.line
    assert sys.getsizeof(bytearray(100)) == pytest.approx(grows.kept_bytes, rel=0.2)
    assert "native" not in repr(actual)


def test_native_code_is_named_only_where_python_s_blocks_did_not_grow():
    """Of growth that no line explains, or only a part."""
    profile = profile_memory(small)
    (site, *_) = profile.sites

    def said(resident_bytes: float, blocks: float, kept_bytes: float = 0.0) -> str:
        grown = ProcessGrowth(30_000, resident_bytes, blocks, 60)
        sites = (replace(site, kept_bytes=kept_bytes),)
        return repr(replace(profile, growth=grown, sites=sites))

    assert "60,000 blocks, by no line" in said(5.3e6, 60_000)
    assert "native" not in said(5.3e6, 60_000)
    assert "more than such blocks can hold: the rest isn't told apart" in said(3e8, 60_000)
    assert "explain 0\u202fB and small blocks of Python nothing: the rest is of native" in said(
        3e8, 0
    )
    assert "the rest isn't told apart" in said(3e8, 60_000, 100)
    assert "is of native" not in said(3e8, 60_000, 100)
    assert "resident" not in said(3e6, 60_000, 100)


@pytest.mark.slow
def test_threads_count_where_they_do_the_work():
    """As the caller says."""

    def call() -> None:
        thread = threading.Thread(target=lambda: bytearray(2_000_000))
        thread.start()
        thread.join()

    alone = profile_memory(call)
    assert alone.footprint.total_bytes < 100_000
    assert 2_000_000 <= alone.footprint.other_bytes <= 2_100_000
    assert 1 == alone.footprint.other_threads
    assert "by 1 other thread, not counted: declare it multithreaded" in repr(alone)
    together = profile_memory(call, multithreaded=True)
    assert together.footprint.total_bytes > 2_000_000
    assert "not counted" not in repr(together)


@pytest.mark.slow
def test_processes_that_are_started_are_told_of():
    """Their memory is not recorded."""

    def call() -> None:
        subprocess.run([sys.executable, "-c", ""], check=True)

    assert "it starts processes, which are not recorded" in repr(profile_memory(call))
    assert not profile_memory(small).starts_processes


@pytest.mark.slow
def test_native_functions_are_named(tmp_path: Path):
    """In the lines and in the flamegraph; bytes and allocations are the same with and without."""
    page = tmp_path / "native.html"
    plain = profile_memory(native_buffers)
    actual = profile_memory(native_buffers, native=True, flamegraph=page)

    (line,) = [site for site in actual.sites if site.total_bytes >= 800_000]
    assert line.function.startswith("native_buffers, in ")
    assert plain.footprint == actual.footprint
    assert sum(s.total_bytes for s in plain.sites) == sum(s.total_bytes for s in actual.sites)
    assert page.stat().st_size > 1_000_000


def native_buffers() -> None:
    np.empty(100_000)


@pytest.mark.slow
def test_what_raises_comes_out_in_words():
    """With its traceback, and with what it wrote."""

    def call() -> None:
        print("about to fail")
        raise KeyError("planted")

    with pytest.raises(MeasureError, match="KeyError: 'planted'") as caught:
        profile_memory(call)
    notes = "\n".join(caught.value.__notes__)
    assert "in call" in notes
    assert "about to fail" in notes
    assert profile_memory(small).footprint.total_bytes > 20_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: sys.exit(3), MeasureError, "SystemExit"),
        (lambda: os._exit(7), WorkerCrashedError, "exit code 7"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), WorkerCrashedError, "SIGKILL"),
        (os.fork, MeasureError, "forks"),
        (lambda: os.write(999, b""), MeasureError, "OSError"),
    ],
)
def test_what_ends_its_process_ends_only_that(call, kind, words):
    """Exits, crashes and forks that come back are told apart; the next profile is good."""
    with pytest.raises(kind, match=words):
        profile_memory(call)
    assert profile_memory(small).footprint.total_bytes > 20_000


def test_what_hangs_is_ended_with_all_that_it_started(tmp_path: Path):
    """In the time that it was given."""
    child = tmp_path / "child"

    def call() -> None:
        if (pid := os.fork()) == 0:
            time.sleep(600)
            os._exit(0)
        child.write_text(str(pid))
        os.waitpid(pid, 0)

    with pytest.raises(WorkerTimeoutError, match="within 1 s"):
        profile_memory(call, timeout_s=1)
    _wait_until_gone(int(child.read_text()))


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_threads_that_never_end_keep_no_process(tmp_path: Path):
    """The answer is there, and so the process ends."""
    pids = tmp_path / "pids"

    def call() -> None:
        pids.write_text(str(os.getpid()))
        if threading.active_count() < 3:
            threading.Thread(target=time.sleep, args=(600,)).start()

    assert profile_memory(call).footprint.total_bytes > 0
    _wait_until_gone(int(pids.read_text()))


@pytest.mark.slow
def test_an_active_tracker_is_named(tmp_path: Path):
    """The one that is active goes on, and afterwards all is well."""
    with (
        memray.Tracker(tmp_path / "records.bin"),
        pytest.raises(MeasureError, match="a Tracker is active"),
    ):
        profile_memory(small)
    assert profile_memory(small).footprint.total_bytes > 20_000


@pytest.mark.slow
def test_a_full_disk_is_named():
    """memray goes on in silence; the records are found to be cut off."""

    def call() -> None:
        # As a disk that is full: no file may grow beyond so much.
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
        [bytearray(size) for size in range(600, 90_000, 7)]

    with pytest.raises(MeasureError, match=r"disk full|can't be read|File too large"):
        profile_memory(call)
    assert profile_memory(small).footprint.total_bytes > 20_000


def test_a_flamegraph_that_can_t_be_written_is_refused(tmp_path: Path):
    """Before any work: a file or nothing is where the folder should be, or a folder is its place.

    None is made: one for a mistyped path would be found by nobody.
    """
    (tmp_path / "file").write_text("")
    called: list[int] = []
    wrong: list[tuple[Any, str]] = [
        (tmp_path / "file" / "graph.html", "there is no folder"),
        (tmp_path / "missing" / "graph.html", "there is no folder"),
        (str(tmp_path), "is a folder"),
        ("", "path of a file"),
        (5, "path of a file"),
    ]
    for flamegraph, words in wrong:
        with pytest.raises(UsageError, match=words):
            profile_memory(lambda: called.append(1), flamegraph=flamegraph)
    assert ["file"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("hungry/none", UnknownBenchmarkError),
        ("hungry", UnknownBenchmarkError),
        ("hungry/load", UsageError),
        (17, UsageError),
    ],
)
def test_what_is_no_benchmark_is_refused(subject, kind):
    """Before any process starts."""
    with pytest.raises(kind):
        profile_memory(subject, modules=HUNGRY)


def test_nonsense_is_refused():
    """In words."""
    no_numbers: list[Any] = [0, -1, "2", None, True]
    for number in [*no_numbers, 1.5]:
        with pytest.raises(UsageError, match="one operation"):
            profile_memory(small, operations=number)
    for number in [*no_numbers, float("nan")]:
        with pytest.raises(UsageError, match="timeout"):
            profile_memory(small, timeout_s=number)


def test_an_answer_that_is_none_is_refused():
    """Of another type than was asked for."""
    with pytest.raises(WorkerProtocolError):
        run_in_fork(lambda: "text", int, timeout_s=10)  # type: ignore[arg-type, return-value]  # wrong on purpose


@pytest.mark.slow
def test_more_allocations_are_named_with_their_function():
    """As soon as it is one of them; fewer are fewer."""
    extra: list[int] = []

    def work() -> list[bytearray]:
        return [*base(), *(bytearray(700) for _ in extra)]

    def base() -> list[bytearray]:
        return [bytearray(500) for _ in range(10)]

    before = profile_memory(work)
    extra.append(1)
    now = profile_memory(work)

    change = compare_profiles(before, now)
    assert CountStatus.MORE == change.status
    assert any("work" in line.function or "genexpr" in line.function for line in change.lines)
    assert not any(line.function == "base" for line in change.lines)
    assert CountStatus.FEWER == compare_profiles(now, before).status
    assert "more" in repr(change)
    with pytest.raises(UsageError, match="not the same work"):
        compare_profiles(now, profile_memory(small))


@pytest.mark.slow
def test_recorded_profiles_come_back(tmp_path: Path):
    """And files that are none, or newer, are refused."""
    actual = profile_memory("hungry/eats", modules=HUNGRY)

    assert compare_with_recorded(tmp_path, actual) is None
    path = record_profile(tmp_path, actual)
    assert actual == read_profile(path)
    change = compare_with_recorded(tmp_path, actual)
    assert change is not None
    assert CountStatus.SAME == change.status
    whole = path.read_text()
    path.write_text(whole.replace('"format": 1', '"format": 99'))
    with pytest.raises(NewerFormatError):
        read_profile(path)
    for broken in ("", "[]", whole[: len(whole) // 2], "[" * 100_000):
        path.write_text(broken)
        with pytest.raises(CorruptFileError):
            compare_with_recorded(tmp_path, actual)
    with pytest.raises(UsageError, match="not a benchmark"):
        record_profile(tmp_path, profile_memory(small))
