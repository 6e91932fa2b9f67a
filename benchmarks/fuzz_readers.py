"""Fuzz the readers of other tools' files: only veperf's own errors come out, whatever goes in.

    python -m benchmarks.fuzz_readers --cases 1000000 --seed 1
    python -m benchmarks.fuzz_readers --guided -runs=100000 CORPUS      by atheris, by coverage

Each case is a sample file with random damage, read with its format found out or forced. What is
read must be storable; every 50th is stored, compared with itself and written down as text, too.
"""

import argparse
import random
import sys
import time
from collections import Counter
from multiprocessing import Pool

DEEP = 50


def fuzz(job: tuple[int, int]) -> tuple[Counter[str], float, str]:
    """``cases`` from ``seed``: how many were read and refused, the slowest in s and its file."""
    from tests.support.hostile_files import any_format, check, mutated, samples

    seed, cases = job
    dice = random.Random(seed)
    files, counts = samples(), Counter[str]()
    slowest, which = 0.0, ""
    for number in range(cases):
        name, data = dice.choice(files)
        bent = mutated(data, dice)
        started = time.thread_time()
        try:
            run = check(bent, name, any_format(dice), deep=number % DEEP == 0)
        except BaseException:
            print(f"seed {seed}, case {number}, {name}: {bent!r}"[:20_000], file=sys.stderr)
            raise
        spent = time.thread_time() - started
        if spent > slowest:
            slowest, which = spent, f"{name}, {len(bent)} bytes"
        counts["read" if run else "refused"] += 1
    return counts, slowest, which


def guided() -> None:
    """The same, by atheris, which looks for new paths through the readers."""
    import atheris  # type: ignore[import-untyped]  # no dependency: it needs a compiler

    with atheris.instrument_imports(include=["veperf.formats"]):
        from tests.support.hostile_files import (
            check,  # here first: what is imported is instrumented
        )

    def one(data: bytes) -> None:
        check(data, "file", deep=len(data) % DEEP == 0)

    atheris.Setup([word for word in sys.argv if word != "--guided"], one)
    atheris.Fuzz()


def main() -> None:
    """Fuzz in as many processes as asked for, and say what came of it."""
    if "--guided" in sys.argv:
        return guided()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    settings = parser.parse_args()
    chunk = 5_000
    jobs = [
        (settings.seed * 1_000_003 + start, min(chunk, settings.cases - start))
        for start in range(0, settings.cases, chunk)
    ]
    total, slowest, started = Counter[str](), (0.0, ""), time.monotonic()
    with Pool(settings.processes) as pool:
        for counts, spent, which in pool.imap_unordered(fuzz, jobs):
            total += counts
            slowest = max(slowest, (spent, which))
    print(f"{total.total()} cases: {total['read']} read, {total['refused']} refused, none else")
    print(f"slowest {slowest[0] * 1e3:.0f} ms of CPU time ({slowest[1]})")
    print(f"{time.monotonic() - started:.0f} s")
    return None


if __name__ == "__main__":
    main()
