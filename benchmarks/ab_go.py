"""False alarms and planted slowdowns of ``veperf ab --go``, counted for docs/virtengine.md.

    python -m benchmarks.ab_go FOLDER [--rounds 5] [--minutes 30] [--cpu 1]

A module of several kinds of work is compared with versions of itself: the same code, code with a
function that nobody calls put before the work (which moves what is linked behind it), and work that
is 5 % and 10 % more. Each comparison is kept in FOLDER as it is done, and not made again, so that
this can be run in parts; the table is of what is there. A slowdown is found where the verdict is
``slower``; equal code that is called slower is a false alarm. Needs Go.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.go_modules import GoRepository, benchmark_file, go_environment
from veperf.abtest.run import load_ab
from veperf.archive.files import read_json, write_json
from veperf.core.ab_records import ABChange, ABRun
from veperf.core.case import TIME
from veperf.core.text import format_percent
from veperf.core.verdict import ChangeStatus
from veperf.progress.output import print_status

UNITS = 100
"""Units of work in an operation, of which a planted slowdown makes more."""
_PLANTED = {"same code": 0.0, "a function more": 0.0, "5 % more work": 0.05, "10 % more work": 0.1}
_EDITED = "a function more"
_WORK = """package kinds

import (
\t"crypto/sha256"
\t"encoding/json"
\t"sort"
\t"strings"
)

// Units is how much an operation does.
const Units = %(units)d
%(edit)s
var (
\ttext    = strings.Repeat("virtengine ", 8)
\tnumbers = map[int]int{}
\tkept    []byte
)

func init() {
\tfor i := 0; i < 1000; i++ {
\t\tnumbers[i*7919%%1000] = i
\t}
}

type order struct {
\tID    string
\tCores []int
}

func shift(x uint64) uint64 {
\tfor i := 0; i < 40; i++ {
\t\tx ^= x << 13
\t\tx ^= x >> 7
\t\tx ^= x << 17
\t}
\treturn x
}

func lookUp(i int) int { return numbers[i%%1000] + numbers[(i+500)%%1000] }

func sorted(i int) int {
\tvalues := [16]int{}
\tfor j := range values {
\t\tvalues[j] = (j*7 + i) %% 16
\t}
\tsort.Ints(values[:])
\treturn values[0]
}

func hash(i int) byte {
\tsum := sha256.Sum256([]byte(text[i%%8:]))
\treturn sum[0]
}

func encode(i int) int {
\tdata, _ := json.Marshal(order{"order-1", []int{i, 2, 3}})
\treturn len(data)
}

func allocate(i int) int {
\tkept = make([]byte, 64+i%%64)
\treturn len(kept)
}

func split(i int) int { return len(strings.Fields(text[i%%8:])) }
"""
_KINDS = {
    "shift": "sink += shift(sink | 1)",
    "lookUp": "sink += uint64(lookUp(j))",
    "sorted": "sink += uint64(sorted(j))",
    "hash": "sink += uint64(hash(j))",
    "encode": "sink += uint64(encode(j))",
    "allocate": "sink += uint64(allocate(j))",
    "split": "sink += uint64(split(j))",
}
# Reachable, so that it is linked, and before the work, so that it moves it.
_FUNCTION = """
// Unused{number} is called by nobody, and linked all the same.
var Unused{number} = func(words ...string) string {{
\tfor i, word := range words {{
\t\twords[i] = strings.ToUpper(word) + strings.Repeat("{number}", i)
\t}}
\treturn strings.Join(words, "-")
}}
"""


def kinds_of_work(units: int, edit: str = "") -> dict[str, str]:
    """Return the module, with so many units of work in each operation."""
    functions = "".join(
        f"\nfunc Benchmark{name.title()}(b *testing.B) {{\n\tfor i := 0; i < b.N; i++ {{\n"
        f"\t\tfor j := 0; j < Units; j++ {{\n\t\t\t{body}\n\t\t}}\n\t}}\n}}\n"
        for name, body in _KINDS.items()
    )
    return {
        "go.mod": "module example.com/kinds\n\ngo 1.22\n",
        "kinds.go": _WORK % {"units": units, "edit": edit},
        "kinds_test.go": benchmark_file("kinds", functions),
    }


def measure(folder: Path, rounds: int, budget_s: float, processors: str) -> None:
    """Make the comparisons that ``folder`` lacks, and begin none after the budget."""
    from veperf.programs.run import ab_go

    began = time.monotonic()
    for number in range(rounds):
        for kind, effect in _PLANTED.items():
            path = folder / f"{kind.replace(' ', '-').replace('%', 'percent')}-{number:03}.json"
            if path.exists():
                continue
            if time.monotonic() - began >= budget_s:
                print_status("the time is up")
                return
            print_status(f"{kind}, {number + 1} of {rounds}")
            repository = GoRepository(folder / "modules" / path.stem)
            repository.commit(kinds_of_work(UNITS))
            edit = "".join(_FUNCTION.format(number=n) for n in range(number + 1))
            repository.commit(
                kinds_of_work(round(UNITS * (1 + effect)), edit if kind == _EDITED else "")
            )
            os.chdir(repository.folder)
            result = ab_go(
                "HEAD~1", "./...", head="HEAD", archive=folder / "archive", progress=False,
                processors=processors,
            )  # fmt: skip
            write_json(path, load_ab(result.ab.id, folder / "archive").ab)


def table(folder: Path) -> Iterator[str]:
    """Yield the lines of the Markdown table: a row a version, over all kinds of work."""
    titles = ("version", "benchmarks", "slower", "faster", "within 3 %", "inconclusive", "pairs")
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for kind in _PLANTED:
        stem = kind.replace(" ", "-").replace("%", "percent")
        runs = [read_json(path, ABRun) for path in sorted(folder.glob(f"{stem}-*.json"))]
        changes = [c for run in runs for c in run.changes if c.metric.name == TIME.name]
        if changes:
            yield _row(kind, changes)


def _row(kind: str, changes: Sequence[ABChange]) -> str:
    statuses = (
        ChangeStatus.SLOWER,
        ChangeStatus.FASTER,
        ChangeStatus.OK,
        ChangeStatus.INCONCLUSIVE,
    )
    shares = [sum(c.status is status for c in changes) / len(changes) for status in statuses]
    pairs = sum(len(c.pairs) for c in changes) / len(changes)
    cells = [kind, str(len(changes)), *map(format_percent, shares), f"{pairs:.1f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--cpu", default="1")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(go_environment(folder / "cache"))
    measure(folder, options.rounds, 60 * options.minutes, options.cpu)
    print("\n".join(table(folder)))


if __name__ == "__main__":
    main()
