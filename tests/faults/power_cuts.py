"""The power fails, or the process is killed, at each step of a chain's commits to disk.

A recorder (``tests/support/kernels/file_recorder.c``) logs everything that the database does to its
file. From the log comes every state in which the disk may have been: what was written before the
last sync is there, and of the writes since then any, whole or in part, as a disk orders them as it
likes. A killed process leaves all of them. In each state the stores must open with the last
commit that was reported, or the next one, and with nothing else.
"""

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.faults.ground import Tally
from veperf.core.errors import CorruptFileError
from veperf.workloads.transaction.durable_multistore import DurableMultiStore
from veperf.workloads.transaction.multistore import MultiStore

_ROOT = Path(__file__).parents[2]
_RECORDER = _ROOT / "tests" / "support" / "kernels" / "file_recorder.c"
_NAMES = ("acc", "bank", "staking")
_BLOCKS = 14
_KEEP = 3
_SECTOR = 512
_HEAD = struct.Struct("=cqq")
COMPILER = shutil.which(os.environ.get("CC", "cc"))


class _Step(NamedTuple):
    """Something that was done to the file; kind ``c`` says that a commit was reported."""

    kind: bytes
    offset: int
    data: bytes


def write_block(stores: MultiStore, seed: int, height: int) -> None:
    """Write what follows from the seed and height alone: few changes, many, or none."""
    dice = Random(seed * 1_000 + height)
    for number, (name, tree) in enumerate(stores.trees.items()):
        for _ in range(dice.choice((0, 1, 5, 150)) if number else 40):
            key = b"%s %d" % (name.encode(), dice.randrange(200))
            if dice.random() < 0.2:
                tree.remove(key)
            else:
                tree.set(key, dice.randbytes(dice.choice((3, 40, 3_000 if number else 30))))


def run_chain(folder: Path, seed: int, log: Path) -> None:
    """Commit the blocks, each reported in the recorder's log when it is done."""
    with (
        DurableMultiStore(folder, _NAMES, max_bytes=1 << 24, keep=_KEEP) as stores,
        log.open("ab", buffering=0) as report,
    ):
        for height in range(1, _BLOCKS + 1):
            write_block(stores, seed, height)
            stores.commit()
            report.write(_HEAD.pack(b"c", height, 0))


def cut_power(parent: Path, seed: int, count: int) -> Tally:
    """Record a chain; in each state that a power cut or a kill may leave, open its stores.

    ``count`` is the number of ways to lose what isn't synced that are tried after each step.

    Raises:
        AssertionError: a reported commit is lost, or the state is that of no commit.
    """
    tally = Tally("power cuts")
    steps = _record(parent, seed)
    expected = _app_hashes(seed)
    dice = Random(seed)
    reported = 0
    for end, step in enumerate(steps, start=1):
        if step.kind == b"c":
            reported = step.offset
        for image in _images(steps[:end], dice, count):
            tally.outcomes[_open(parent / "cut", image, reported, expected)] += 1
    assert reported == _BLOCKS
    return tally


def _record(parent: Path, seed: int) -> list[_Step]:
    assert COMPILER is not None, "the recorder needs a C compiler"
    library, log = parent / "recorder.so", parent / f"log-{seed}"
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([COMPILER, *options, str(_RECORDER), "-o", str(library), "-ldl"], check=True)
    code = (
        "import sys; from pathlib import Path; from tests.faults.power_cuts import run_chain; "
        "run_chain(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(parent / "recorded"), str(seed), str(log)],
        check=True,
        cwd=_ROOT,
        env={
            **os.environ,
            "LD_PRELOAD": str(library),
            "RECORDED_NAME": "/data.mdb",
            "RECORDED_TO": str(log),
        },
    )
    return list(_read_steps(log.read_bytes()))


def _read_steps(log: bytes) -> Iterator[_Step]:
    place = 0
    while place < len(log):
        kind, offset, size = _HEAD.unpack_from(log, place)
        place += _HEAD.size
        yield _Step(kind, offset, log[place : place + size])
        place += size


def _images(steps: list[_Step], dice: Random, count: int) -> Iterator[bytes]:
    """Yield what the file may hold after ``steps``: all, then with writes lost since a sync."""
    synced = max((i for i, step in enumerate(steps, start=1) if step.kind == b"s"), default=0)
    base = _apply(b"", steps[:synced])
    yield _apply(base, steps[synced:])
    if any(step.kind == b"w" for step in steps[synced:]):
        for _ in range(count):
            yield _apply(base, list(_lose_some(steps[synced:], dice)))


def _lose_some(steps: list[_Step], dice: Random) -> Iterator[_Step]:
    """Yield some of the sectors that weren't synced, and all that was durable at once."""
    share = dice.random()
    for step in steps:
        if step.kind != b"w":
            yield step
            continue
        for start in range(0, len(step.data), _SECTOR):
            if dice.random() < share:
                data = step.data[start : start + _SECTOR]
                yield _Step(step.kind, step.offset + start, data)


def _apply(base: bytes, steps: list[_Step]) -> bytes:
    image = bytearray(base)
    for kind, offset, data in steps:
        if kind == b"t":
            image = image[:offset].ljust(offset, b"\0")
        elif kind in b"wd":
            if len(image) < offset + len(data):
                image = image.ljust(offset + len(data), b"\0")
            image[offset : offset + len(data)] = data
    return bytes(image)


def _app_hashes(seed: int) -> list[bytes]:
    """Return the app hash of each version, by stores in memory."""
    stores = MultiStore.of_names(_NAMES)
    hashes = [stores.app_hash]
    for height in range(1, _BLOCKS + 1):
        write_block(stores, seed, height)
        hashes.append(stores.commit()[0])
    return hashes


def _open(folder: Path, image: bytes, reported: int, expected: list[bytes]) -> str:
    """Open the stores in a state of the disk; return the outcome."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "data.mdb").write_bytes(image)
    try:
        stores = DurableMultiStore(folder, _NAMES, max_bytes=1 << 24, keep=_KEEP)
    except CorruptFileError:
        # Cut in its first write, it holds nothing that was reported, and says so.
        assert reported == 0, "what was reported can't be read"
        return "refused before the first commit"
    with stores:
        version = stores.version
        assert version in (reported, reported + 1), f"{reported} is reported, {version} is there"
        assert stores.app_hash == expected[version]
        for older in stores.versions:
            assert stores.at(older).app_hash == expected[older]
        assert stores.versions == list(range(max(1, version - _KEEP + 1), version + 1))
    return "the reported version" if version == reported else "the next version"
