"""Instructions counted by valgrind's callgrind, which executes a program on a simulated CPU.

What the count of a Python process depends on besides its code is fixed: string hashes, and the
allocator. Python's own serves small objects from pools, and takes more instructions where a pool
happens to be full or empty; of two versions of a module, the same loop took 2.6 % more in one.
malloc with a long enough list of freed blocks takes the same path each time, and counts repeat to
0.002 %.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from veperf.core.errors import MeasureError
from veperf.measure.worker_client import CodeSource

FIXED_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": "malloc",
        # Freed blocks of a size that malloc hands out again at once; its own default is 7.
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=65535",
    }
)
"""Environment in which counts repeat, on both sides."""

# A sample reads the usage of its thread right before and after its loops, in the workers of all
# commits: a file ends at each.
_SAMPLE_ENDS = ("getrusage", "__getrusage")
_FILE = "counts"
_TOTALS = re.compile(rb"^totals: (\d{1,20})$", re.MULTILINE)
_TAIL_BYTES = 4096


def require_valgrind() -> str:
    """Return the path of valgrind.

    Raises:
        MeasureError: it is not installed.
    """
    path = shutil.which("valgrind")
    if path is None:
        raise MeasureError(
            "instructions are counted by valgrind, which is not installed: install it "
            "(apt-get install valgrind, dnf install valgrind), or compare without "
            "--witness instructions and --by instructions"
        )
    return path


def _command(folder: Path) -> tuple[str, ...]:
    """Return the command line that counts what follows it, with files in ``folder``."""
    return (
        require_valgrind(),
        "--quiet",
        "--tool=callgrind",
        f"--callgrind-out-file={folder / _FILE}.%p",
    )


def counted_code(code: CodeSource, folder: Path) -> CodeSource:
    """Return ``code`` for a worker whose samples are counted, with files in ``folder``.

    Raises:
        MeasureError: valgrind is not installed.
    """
    ends = (f"--dump-before={name}" for name in _SAMPLE_ENDS)
    return replace(
        code,
        launcher=(*_command(folder), *ends),
        environment={**code.environment, **FIXED_ENVIRONMENT},
    )


def counted_command(command: str, folder: Path) -> list[str]:
    """Return a shell command line, counted with all processes that it starts.

    Raises:
        MeasureError: valgrind is not installed.
    """
    return [*_command(folder), "--trace-children=yes", "/bin/sh", "-c", command]


def take_sample_count(folder: Path, pid: int) -> int:
    """Return the instructions of the sample that process ``pid`` just took.

    Removes the files read, so that the next ones are those of the next sample.

    Raises:
        MeasureError: there is no count.
    """
    parts = sorted(folder.glob(f"{_FILE}.{pid}.*"), key=_part_number)
    # The first has what came before the sample.
    counts = [read_total(part) for part in parts[1:]]
    for part in parts:
        part.unlink()
    if not counts:
        raise MeasureError("valgrind counted no sample: does the side's veperf take them so?")
    return sum(counts)


def _part_number(path: Path) -> int:
    suffix = path.suffix[1:]
    return int(suffix) if suffix.isascii() and suffix.isdigit() else 0


def process_counts(folder: Path) -> Iterator[int]:
    """Yield the instructions of each process that left a file.

    A process that was forked has those that its parent executed before that as well.

    Raises:
        MeasureError: a file has no count.
    """
    for path in sorted(folder.glob(f"{_FILE}.*")):
        if path.stat().st_size:
            yield read_total(path)


def read_total(path: Path) -> int:
    """Return the number of instructions in a file of callgrind.

    Raises:
        MeasureError: it has none.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        totals = _TOTALS.findall(file.read())
    if len(totals) != 1:
        raise MeasureError(f"valgrind's file {path.name} has no total of instructions")
    return int(totals[0])
