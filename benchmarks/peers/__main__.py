"""Our A/B rule beside those of other tools, on the same streams: false alarms and power.

    python -m benchmarks.peers [FILE] [--values 20] [--trials 40] [--benchmarks 45]

Without a file (see ``streams`` for its format), streams are simulated. Printed for each rule and
each effect that the streams hold: how many benchmarks are called slower, how many trials have at
least one that is, and the mean number of pairs that took. With no effect these are false alarms,
else they are the power. The other rules see values that were measured side by side, which is
kinder than the two runs apart that they are mostly used on.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.peers.rules import Answer, Rule, rules
from benchmarks.peers.streams import Stream, read_streams, simulated

EFFECTS = (0.0, 0.03, 0.05, 0.10)
PAIRS = 48
SEED = 7


def main() -> None:
    """Decide every stream by every rule and print the table."""
    arguments = _arguments()
    if arguments.file is None:
        chance = np.random.default_rng(SEED)
        streams = [
            stream
            for effect in EFFECTS
            for stream in simulated(arguments.trials, arguments.benchmarks, PAIRS, effect, chance)
        ]
    else:
        streams = read_streams(arguments.file)
    by_effect: dict[float, list[Stream]] = defaultdict(list)
    for stream in streams:
        by_effect[stream.effect].append(stream)
    print(f"{'rule':19}{'by':16}{'effect':>8}{'called slower':>15}{'in trials':>11}{'pairs':>7}")
    for rule in rules(arguments.values):
        for effect, group in sorted(by_effect.items()):
            print(f"{rule.name:19}{rule.source:16}{effect:>+8.0%}{_line(rule, group)}")


def _line(rule: Rule, streams: list[Stream]) -> str:
    trials: dict[int | str, list[Stream]] = defaultdict(list)
    for stream in streams:
        trials[stream.trial].append(stream)
    answers: list[list[Answer]] = [
        [rule.decide(s.a, s.b, len(suite)) for s in suite] for suite in trials.values()
    ]
    flat = [answer for suite in answers for answer in suite]
    slower = np.mean([answer.slower for answer in flat])
    suites = np.mean([any(answer.slower for answer in suite) for suite in answers])
    pairs = np.mean([answer.pairs for answer in flat])
    return f"{slower:>15.1%}{suites:>11.0%}{pairs:>7.1f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("file", nargs="?", type=Path, help="JSON lines of recorded streams")
    parser.add_argument("--values", type=int, default=20, help="a side, for the other rules")
    parser.add_argument("--trials", type=int, default=40, help="simulated suites an effect")
    parser.add_argument("--benchmarks", type=int, default=45, help="in a simulated suite")
    return parser.parse_args()


if __name__ == "__main__":
    main()
