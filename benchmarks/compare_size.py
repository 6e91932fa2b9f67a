"""Cost of comparing large files of Go benchmarks, which are generated.

    python -m benchmarks.compare_size [--names 10000] [--counts 10] [--packages 1] [--metrics time]
        [--same] [--benchstat PROGRAM]

Writes two files of so many benchmarks, compares them with `veperf compare` in a fresh process, and
prints for it the rows, the seconds of wall and of CPU time, and the peak of memory beside the size
of the files. With --benchstat the same of that program; with --same the first file is compared with
itself, where every row has ties. `--metrics all` adds B/op and allocs/op to each line.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NOISE = 0.01
CHANGED, CHANGE = 0.05, 1.1
"""Share of the benchmarks that are slower in the second file, and by how much."""


@dataclass(frozen=True)
class Cost:
    """Cost of a process."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    rows: int
    exit_code: int


def write_file(path: Path, args: argparse.Namespace, *, is_new: bool) -> None:
    """Write one of the two files, in blocks of each package as `go test -count` does."""
    dice = np.random.default_rng(int(is_new))
    levels = 10 ** np.random.default_rng(7).uniform(1, 6, args.names)
    if is_new:
        levels[:: round(1 / CHANGED)] *= CHANGE
    times = levels[:, None] * (1 + dice.exponential(NOISE, (args.names, args.counts)))
    lines = ["goos: linux", "goarch: amd64"]
    a_package = -(-args.names // args.packages)
    for name in range(args.names):
        if name % a_package == 0:
            lines.append(f"pkg: example.org/chain/x/module{name // a_package}/keeper")
        other = f"\t{64 * (name % 9)} B/op\t{name % 9} allocs/op" if args.metrics == "all" else ""
        for value in times[name]:
            case = f"BenchmarkKeeper{name}/size={name % 7}/kind=case-8"
            digits = 0 if value >= 999.95 else 1 if value >= 99.995 else 2 if value >= 9.9995 else 3
            lines.append(f"{case}\t{int(1e9 / value) + 1}\t{value:.{digits}f} ns/op{other}")
    path.write_text("\n".join(lines) + "\nPASS\n")


def cost_of(command: list[str]) -> Cost:
    """Run ``command``, and return its cost; a row has a ± or a test in it."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=output) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - start
        output.seek(0)
        rows = sum(b"\xc2\xb1" in line for line in output)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Cost(wall_s, cpu_s, usage.ru_maxrss * 1024, rows, process.returncode)


def main() -> None:
    """Generate, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--counts", type=int, default=10)
    parser.add_argument("--packages", type=int, default=1)
    parser.add_argument("--metrics", choices=("time", "all"), default="time")
    parser.add_argument("--same", action="store_true")
    parser.add_argument("--benchstat", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old.txt"), Path(folder, "new.txt")
        write_file(old, args, is_new=False)
        write_file(new, args, is_new=True)
        new = old if args.same else new
        size = old.stat().st_size
        commands = {"veperf": [sys.executable, "-m", "veperf", "compare", str(old), str(new)]}
        if args.benchstat:
            commands["benchstat"] = [args.benchstat, str(old), str(new)]
        print(f"two files of {args.names:,} names, {args.counts} values each: {size / 1e6:.1f} MB")
        for tool, command in commands.items():
            cost = cost_of(command)
            print(
                f"{tool}: {cost.rows:,} rows, exit code {cost.exit_code}, {cost.wall_s:.2f} s, "
                f"{cost.cpu_s:.2f} s of CPU, {cost.peak_bytes / 1e6:.0f} MB"
            )


if __name__ == "__main__":
    main()
