"""Planted changes: does `veperf ab` compare every benchmark that a change can affect?

    python -m benchmarks.planted_changes [CHANGES [SEED]]

Every change makes a random function of the suites, or of what measures them, raise an exception. A
benchmark that is called unaffected by it, and raises, is a false one; as many as four of each
change are run, of the same suite where there are some.
"""

import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import veperf
from veperf.abtest.affected.unaffected import find_unaffected
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import ABSide
from veperf.core.case import Case, Level
from veperf.core.registry import DEFAULT_SUITES, select_cases
from veperf.measure.worker_client import CodeSource

PARTS = ("workloads", "core", "measure", "runner", "ipc")
RUN_AT_MOST = 4
MESSAGE = "planted change"
# Runs the benchmarks named on the command line, each in a process of its own.
_RUN = """
import json, os, sys
from veperf.core import registry
import veperf.runner.worker
registry.load_registry(json.loads(sys.argv[1]))
for case in json.loads(sys.argv[2]):
    child = os.fork()
    if not child:
        try:
            task = registry.REGISTRY.benchmarks[case["benchmark"]].setup(**case["params"])
            task.call(), task.call()
            if task.close is not None:
                task.close()
        except BaseException:  # of a process that it starts, only that it ended is known
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(case["id"])
"""


def main(changes: str = "500", seed: str = "1") -> None:
    """Print how many changes there were, what they affect, and every false answer."""
    generator = random.Random(int(seed))
    cases = [
        case
        for case in select_cases((), (), quick=True)
        if case.is_timed and case.level is not Level.LOAD
    ]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        old, new = (copy_tree(Path(folder, name)) for name in ("old", "new"))
        functions = [f for part in PARTS for f in find_functions(new / "veperf" / part)]
        affected: Counter[str] = Counter()
        run, false = 0, []
        for number in range(int(changes)):
            path, line, indent = generator.choice(functions)
            text = path.read_text()
            lines = text.splitlines(keepends=True)
            lines.insert(line, f"{' ' * indent}raise RuntimeError({MESSAGE!r})\n")
            path.write_text("".join(lines))
            effect = find_unaffected(side(old), side(new), (*DEFAULT_SUITES.values(),), cases, 60)
            chosen = choose(cases, effect.unaffected, path, generator)
            wrong = raising(new, chosen)
            path.write_text(text)
            run += len(chosen)
            false += [(path.relative_to(new), line, id) for id in wrong]
            size = len(effect.affected)
            affected["none" if not size else "all" if size == len(cases) else "some"] += 1
            if number % 20 == 19:
                print(f"{number + 1} changes: affected {dict(affected)} of {len(cases)} cases;")
                print(f"  {run} unaffected cases run, {len(false)} false {false}", flush=True)


def copy_tree(folder: Path) -> Path:
    """Copy the package to ``folder``, and return that."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(veperf.__file__).parent, folder / "veperf", ignore=ignored)
    return folder


def side(tree: Path) -> PreparedSide:
    """Return the side of ``tree``."""
    return PreparedSide(
        ABSide(tree.name), CodeSource(environment={"PYTHONPATH": str(tree)}, folder=tree), tree
    )


def find_functions(folder: Path) -> list[tuple[Path, int, int]]:
    """Return file, line and indentation of the first statement of each function."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and body[0].lineno > node.lineno:
                    found.append((path, body[0].lineno - 1, body[0].col_offset))
    return found


def choose(
    cases: list[Case], unaffected: dict[str, str], path: Path, generator: random.Random
) -> list[Case]:
    """Return some ``unaffected`` cases of one suite, of that which ``path`` is in if it has any."""
    free = [case for case in cases if case.id in unaffected]
    if not free:
        return []
    near = [c for c in free if DEFAULT_SUITES[c.suite].split(".")[2] in path.parts]
    suite = (near or [generator.choice(free)])[0].suite
    same = [case for case in free if case.suite == suite]
    return generator.sample(same, min(RUN_AT_MOST, len(same)))


def raising(tree: Path, cases: list[Case]) -> list[str]:
    """Return those of ``cases`` that execute the planted change in ``tree``."""
    modules = [*dict.fromkeys(DEFAULT_SUITES[case.suite] for case in cases)]
    named = [{"id": c.id, "benchmark": c.benchmark, "params": c.params} for c in cases]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, json.dumps(modules), json.dumps(named)],
        env=os.environ | {"PYTHONPATH": str(tree), "VEPERF_SETUP_CACHE": "off"},
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and MESSAGE in done.stderr:
        return [case.id for case in cases]
    return done.stdout.split()


if __name__ == "__main__":
    main(*sys.argv[1:])
