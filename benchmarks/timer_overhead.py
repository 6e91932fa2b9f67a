"""Cost of measuring: our timing loop beside timeit's and pyperf's, on the same functions.

    python -m benchmarks.timer_overhead

Each of a number of fresh processes measures the same function object with every tool, so that
memory layout and hash seed, which differ between processes, are the same for all of them. What a
call truly costs is taken from straight-line code: 200 calls written out, the cost of running that
code with nothing in it taken off. Printed for each tool: nanoseconds a call, and the median over
processes of its bias against that truth and against timeit, with the bias's interquartile range.
"""

import contextlib
import gc
import io
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

PROCESSES = 25
SAMPLES = 10
MIN_SAMPLE_NS = 5_000_000
WRITTEN_OUT = 200
TOOLS = ("truth", "veperf", "timeit", "pyperf")


def about_100_ns() -> int:
    """Costs some 100 ns."""
    return sum((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))


def about_1_us() -> int:
    """Costs some 1 µs."""
    total = 0
    for i in range(70):
        total += i
    return total


FUNCTIONS: dict[str, Callable[[], object]] = {f.__name__: f for f in (about_100_ns, about_1_us)}


def one_process(name: str, loops: int) -> dict[str, float]:
    """Nanoseconds a call by every tool, measured in this process."""
    import timeit

    from veperf.measure.clock import take_sample

    call = FUNCTIONS[name]
    straight, empty = _written_out()
    rounds = loops // WRITTEN_OUT
    timer = timeit.Timer(call)
    gc.freeze()  # as a worker does when a benchmark is set up
    times: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    for _ in range(SAMPLES):
        bare = _time(empty, call, rounds)
        times["truth"].append((_time(straight, call, rounds) - bare) / (rounds * WRITTEN_OUT))
        times["veperf"].append(take_sample(call, loops).wall_ns / loops)
        times["timeit"].append(timer.timeit(loops) / loops * 1e9)
    times["pyperf"] = [value * 1e9 for value in _pyperf(name, loops)]
    return {tool: statistics.fmean(sorted(samples)[:2]) for tool, samples in times.items()}


Step = Callable[[Callable[[], object]], object]


def _written_out() -> tuple[Step, Step]:
    body = "\n    ".join(["call()"] * WRITTEN_OUT)
    names: dict[str, Step] = {}
    exec(f"def straight(call):\n    {body}\ndef empty(call):\n    pass\n", names)
    return names["straight"], names["empty"]


def _time(step: Step, call: Callable[[], object], rounds: int) -> int:
    began = perf_counter_ns()
    for _ in range(rounds):
        step(call)
    return perf_counter_ns() - began


def _pyperf(name: str, loops: int) -> tuple[float, ...]:
    import pyperf

    # As pyperf itself starts its worker processes.
    sys.argv = [sys.argv[0], "--worker", "--worker-task=0", f"-l{loops}", f"-n{SAMPLES}", "-w1"]
    with contextlib.redirect_stdout(io.StringIO()):
        values: tuple[float, ...] = pyperf.Runner().bench_func(name, FUNCTIONS[name]).get_values()
    return values


def _in_fresh_process(name: str, loops: int) -> dict[str, float]:
    words = [sys.executable, "-m", "benchmarks.timer_overhead", name, str(loops)]
    root = Path(__file__).parents[1]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=root)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr}")
    times: dict[str, float] = json.loads(done.stdout)
    return times


def main() -> None:
    """Measure every function with every tool and print the table."""
    from veperf.measure.clock import calibrate_loops

    if len(sys.argv) == 3:
        print(json.dumps(one_process(sys.argv[1], int(sys.argv[2]))))
        return
    print(f"{'function':14}{'tool':8}{'ns a call':>10}{'vs truth':>20}{'vs timeit':>20}")
    for name, call in FUNCTIONS.items():
        loops = calibrate_loops(call, MIN_SAMPLE_NS)
        results = [_in_fresh_process(name, loops) for _ in range(PROCESSES)]
        for tool in TOOLS:
            value = statistics.median(result[tool] for result in results)
            biases = [_bias(results, tool, against) for against in ("truth", "timeit")]
            print(f"{name:14}{tool:8}{value:10.2f}{biases[0]:>20}{biases[1]:>20}")


def _bias(results: list[dict[str, float]], tool: str, against: str) -> str:
    ratios = [result[tool] / result[against] - 1 for result in results]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:+.2%} (IQR {high - low:.2%})"


if __name__ == "__main__":
    main()
