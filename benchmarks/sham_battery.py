"""Sham-edit battery for docs/verdicts.md: false alarms, planted slowdowns, between-version noise.

    python -m benchmarks.sham_battery FOLDER [--edits 20] [--planted 5] [--minutes 30]

Every edit is compared over all kinds of work: 20 edits are 300 comparisons, and 5 versions with
each of +3, +5 and +10 % more work are 75 of each. Each comparison is kept in FOLDER as it is done,
and not made again, so that the battery can be run in parts; the table is of what is there. Run it
on a quiet machine: some 40 s a comparison.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sham.battery import battery_config, compare_edit
from veperf.abtest.sham.edits import SHAM_EDITS, ShamEdit, edit_name
from veperf.abtest.sham.result import (
    KindCheck,
    ShamComparison,
    battery_noise,
    check_kinds,
    describe_noise,
)
from veperf.archive.files import read_json, write_json
from veperf.core.options import ShamOptions
from veperf.core.text import format_duration, format_percent
from veperf.progress.output import print_status

EFFECTS = (0.03, 0.05, 0.10)


def plan(edits: int, planted: int) -> Iterator[tuple[str, ShamEdit, float]]:
    """Yield name, edit and effect of each comparison; planted ones come early, between shams."""
    for number in range(max(edits, planted)):
        edit = SHAM_EDITS[number % len(SHAM_EDITS)]
        if number < edits:
            yield f"sham-{number:03}", edit, 0.0
        if number < planted:
            for effect in EFFECTS:
                yield f"planted-{100 * effect:g}-{number:03}", edit, effect


def measure(folder: Path, edits: int, planted: int, budget_s: float) -> None:
    """Make the comparisons that ``folder`` lacks, and begin none after the budget."""
    began, durations = time.monotonic(), list[float]()
    jobs = enumerate(plan(edits, planted), 1)
    missing = [(n, *job) for n, job in jobs if not (folder / f"{job[0]}.json").exists()]
    for done, (seed, name, edit, effect) in enumerate(missing):
        if time.monotonic() - began >= budget_s:
            print_status(f"the time is up, {len(missing) - done} comparisons are left")
            return
        left = ""
        if durations:
            left = f", {format_duration(fmean(durations) * (len(missing) - done))} left"
        print_status(f"{name}: {edit_name(edit)} ({done + 1} of {len(missing)}{left})")
        start = time.monotonic()
        config = battery_config(ShamOptions(), seed)
        comparison = compare_edit(edit, effect, config, ComparisonProgress())
        if comparison.run.stopped:
            print_status("stopped by hand; this comparison is not kept")
            return
        write_json(folder / f"{name}.json", comparison)
        durations.append(time.monotonic() - start)


def table(comparisons: Sequence[ShamComparison]) -> Iterator[str]:
    """Yield the lines of the Markdown table and what is below it."""
    shams = [c for c in comparisons if not c.effect]
    planted = {effect: [c for c in comparisons if c.effect == effect] for effect in EFFECTS}
    noise = battery_noise(comparisons)
    noises = {} if noise is None else {each.kind: each for each in noise.kinds}
    columns = ["kind of work", "slower", "faster", "inconclusive", "pairs"]
    columns += [*(f"+{100 * effect:g} % found" for effect in EFFECTS), "between versions"]
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    found = {effect: {k.case: k for k in check_kinds(part)} for effect, part in planted.items()}
    kinds = check_kinds(shams)
    for kind in kinds:
        cells = [kind.case.partition("/")[2].replace("_", " "), *_counts(kind)]
        cells += [_found([found[e][kind.case]] if kind.case in found[e] else []) for e in EFFECTS]
        cells.append(describe_noise(noises[kind.case]) if kind.case in noises else "")
        yield f"| {' | '.join(cells)} |"
    total = [str(sum(getattr(k, name) for k in kinds)) for name in ("slower", "faster")]
    total += [str(sum(k.inconclusive for k in kinds))]
    total += [f"{sum(k.pairs * k.shams for k in kinds) / max(1, sum(k.shams for k in kinds)):.1f}"]
    total += [_found(list(found[effect].values())) for effect in EFFECTS]
    total.append("" if noise is None else describe_noise(noise.overall))
    yield f"| all {sum(k.shams for k in kinds)} | {' | '.join(total)} |"
    yield ""
    for edit in dict.fromkeys(c.edit for c in shams):
        part = check_kinds([c for c in shams if c.edit == edit])
        alarms, total_shams = sum(k.slower + k.faster for k in part), sum(k.shams for k in part)
        yield f"- {edit}: {alarms} false alarms in {total_shams}"


def _counts(kind: KindCheck) -> list[str]:
    counts = (kind.slower, kind.faster, kind.inconclusive)
    return [*(f"{count} of {kind.shams}" for count in counts), f"{kind.pairs:.1f}"]


def _found(kinds: Sequence[KindCheck]) -> str:
    planted, detected = sum(k.planted for k in kinds), sum(k.detected for k in kinds)
    share = f" ({format_percent(detected / planted)})" if len(kinds) > 1 else ""
    return f"{detected} of {planted}{share}" if planted else ""


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edits", type=int, default=20)
    parser.add_argument("--planted", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    arguments = parser.parse_args()
    measure(arguments.folder, arguments.edits, arguments.planted, 60 * arguments.minutes)
    paths = sorted(arguments.folder.glob("*.json"))
    print("\n".join(table([read_json(path, ShamComparison) for path in paths])))


if __name__ == "__main__":
    main()
