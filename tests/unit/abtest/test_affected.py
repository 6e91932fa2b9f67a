"""What a change can affect: whatever executes or reads what differs, and nothing else."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from veperf.abtest.affected.source_code import read_source
from veperf.abtest.affected.tree_prints import TreePrints
from veperf.abtest.affected.unaffected import EffectOfChange, find_unaffected
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import ABSide
from veperf.core.case import Case, Level
from veperf.measure.worker_client import CodeSource

BENCHMARKS = '''
"""Benchmarks of a project."""

from pathlib import Path

from project import numbers, words
from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


@benchmark("project/adds", level=Level.MICRO)
def adds() -> Task:
    """Adds."""
    return Task(lambda: numbers.add(1))


@benchmark("project/joins", level=Level.MICRO)
def joins() -> Task:
    """Joins words."""
    joiner = words.Joiner()
    return Task(lambda: joiner.join())


@benchmark("project/reads", level=Level.MICRO)
def reads() -> Task:
    """Reads a table."""
    text = Path(__file__).with_name("table.txt").read_text()
    return Task(lambda: text.split())


@benchmark("project/lazy", level=Level.MICRO)
def lazy() -> Task:
    """Imports when it is called."""

    def call() -> int:
        from project.late import later

        return later()

    return Task(call)


@benchmark("project/rarely", level=Level.MICRO)
def rarely() -> Task:
    """Does something else each fifth time."""
    calls = iter(range(1_000_000))
    return Task(lambda: numbers.refill() if next(calls) % 5 == 4 else None)


@benchmark("project/starts", level=Level.MICRO)
def starts() -> Task:
    """Starts a program, which may read any file."""
    import subprocess

    return Task(lambda: subprocess.run(["true"], check=True))


@benchmark("project/serves", level=Level.MICRO)
def serves() -> Task:
    """Starts an interpreter, which is killed while it waits."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "project.server"]
    process = subprocess.Popen(command, stdin=-1, stdout=-1)

    def call() -> None:
        process.stdin.write(b"1")
        process.stdin.flush()
        assert process.stdout.read(1) == b"1"

    return Task(call, close=process.kill)


@benchmark("project/threads", level=Level.MICRO)
def threads() -> Task:
    """Works in a thread."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1)
    return Task(lambda: pool.submit(numbers.in_thread).result(), close=pool.shutdown)
'''
NUMBERS = '''
"""Numbers."""

STEP = 1


def add(number: int, by: int = 2) -> int:
    """Add."""
    return number + by * STEP


def idle() -> int:
    """Not called."""
    return 7


def refill() -> list[int]:
    return [number for number in range(3)]


def in_thread() -> int:
    return 5
'''
WORDS = '''
class Joiner:
    """Joins."""

    separator = ", "

    @property
    def words(self) -> list[str]:
        return ["a", "b"]

    def join(self) -> str:
        return self.separator.join(self.words)

    def unused(self) -> None:
        pass
'''
LATE = """
def later() -> int:
    return 1
"""
SERVER = """
import subprocess
import sys

from project import numbers
from project.child_only import answer

subprocess.run([sys.executable, "-c", "from project.grandchild import work; work()"], check=True)
while text := sys.stdin.buffer.read1():
    sys.stdout.buffer.write(answer(text))
    sys.stdout.flush()
"""
CHILD_ONLY = """
def answer(text: bytes) -> bytes:
    return text


def unused() -> None:
    pass
"""
GRANDCHILD = """
def work() -> int:
    return 1
"""
ALL = {"adds", "joins", "reads", "lazy", "rarely", "starts", "threads", "serves"}


def write_project(folder: Path) -> Path:
    package = folder / "project"
    package.mkdir(parents=True)
    files = {"__init__": "", "suite": BENCHMARKS, "numbers": NUMBERS, "words": WORDS, "late": LATE}
    files |= {"server": SERVER, "child_only": CHILD_ONLY, "grandchild": GRANDCHILD}
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    (package / "table.txt").write_text("1 2 3")
    return folder


def side(tree: Path) -> PreparedSide:
    code = CodeSource(
        folder=tree, environment={"PYTHONPATH": os.pathsep.join([str(tree), *sys.path])}
    )
    return PreparedSide(ABSide(tree.name), code, tree)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of footprints: the old side is recorded once."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def old(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the earlier code."""
    return write_project(tmp_path_factory.mktemp("trees") / "old")


def effect(old: Path, new: Path) -> EffectOfChange:
    ids = [f"project/{name}" for name in sorted(ALL)]
    cases = [Case(id, id, "project", Level.MICRO, "") for id in ids]
    return find_unaffected(side(old), side(new), ("project.suite",), cases, 20)


def replace_in(name: str, before: str, after: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        path = tree / "project" / name
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after, 1))

    return change


def add_file(name: str, text: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return change


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "affected"),
    [
        (lambda tree: None, set()),
        (replace_in("numbers.py", "by * STEP", "by * STEP  # twice"), set()),
        (
            replace_in("numbers.py", '"""Add."""', '"""Add two numbers.\n\n    More.\n    """'),
            set(),
        ),
        # What starts processes may read any file.
        (add_file("README.md", "read me"), set()),
        (add_file("tests/test_it.py", "def test(): pass"), {"starts"}),
        (add_file(".cache/it", "kept"), set()),
        (replace_in("numbers.py", "return 7", "return 8"), {"starts"}),
        (replace_in("words.py", "pass", "return None or print()"), {"starts"}),
        (replace_in("numbers.py", "number + by", "number - by"), {"adds", "starts"}),
        (replace_in("numbers.py", "range(3)", "range(4)"), {"rarely", "starts"}),
        (replace_in("numbers.py", "return 5", "return 6"), {"threads", "starts"}),
        (replace_in("words.py", '["a", "b"]', '["a"]'), {"joins", "starts"}),
        (replace_in("late.py", "return 1", "return 2"), {"lazy", "starts"}),
        (replace_in("table.txt", "1 2 3", "1 2 3 4"), {"reads", "starts"}),
        (replace_in("suite.py", "text.split()", "text.strip()"), {"reads", "starts"}),
        (
            replace_in("child_only.py", "return text", "return text.strip()"),
            {"serves", "starts"},
        ),
        (replace_in("child_only.py", "pass", "return None or print()"), {"starts"}),
        (replace_in("server.py", "check=True", "check=False"), {"serves", "starts"}),
        (replace_in("grandchild.py", "return 1", "return 2"), {"serves", "starts"}),
        # What an import runs may change anything that comes after it.
        (replace_in("numbers.py", "STEP = 1", "STEP = 2"), ALL),
        (replace_in("numbers.py", "by: int = 2", "by: int = 3"), {"adds", "starts"}),
        (replace_in("words.py", '", "', '"; "'), ALL),
        (replace_in("words.py", "@property", "@property  # no more"), set()),
        (replace_in("late.py", "def later", "LATER = 1\n\n\ndef later"), {"lazy", "starts"}),
        # A function that nobody calls is none, unless it takes the place of another.
        (replace_in("numbers.py", "def add", "def new(n=1): return n\n\n\ndef add"), {"starts"}),
        (replace_in("numbers.py", "def idle", "def gone"), {"starts"}),
        (replace_in("late.py", "def later", "def range(n): return []\n\n\ndef later"), {"starts"}),
        (
            replace_in("numbers.py", "def idle", "def range(n): return []\n\n\ndef idle"),
            {"rarely", "starts"},
        ),
        (
            replace_in(
                "numbers.py", "def add", "@staticmethod\ndef new(n=1): return n\n\n\ndef add"
            ),
            ALL,
        ),
        (
            replace_in("words.py", "class Joiner", "def print_it(): pass\n\n\nclass Joiner"),
            {"starts"},
        ),
        # Another module of that name would come first.
        (add_file("project/numbers/__init__.py", "def add(n): return n"), ALL),
        (add_file("random.py", "import time"), ALL),
    ],
)
def test_a_change_affects_what_executes_or_reads_it(
    old: Path, tmp_path: Path, change: Callable[[Path], None], affected: set[str]
):
    """And nothing else, but what starts programs: these may read any file of the project."""
    new = write_project(tmp_path / "new")
    change(new)
    found = effect(old, new)

    assert {f"project/{name}" for name in affected} == found.affected.keys()
    assert {f"project/{name}" for name in ALL - affected} == found.unaffected.keys()
    assert all(found.affected.values())


@pytest.mark.slow
def test_a_damaged_footprint_is_taken_anew(old: Path, cache: Path, tmp_path: Path):
    """As is one of earlier code."""
    new = write_project(tmp_path / "new")
    effect(old, new)
    for path in (cache / "veperf" / "executed").iterdir():
        path.write_bytes(b"{")
    assert len(ALL) == len(effect(old, new).unaffected)
    for path in (cache / "veperf" / "executed").iterdir():
        path.unlink()
        os.mkfifo(path)
    assert len(ALL) == len(effect(old, new).unaffected)
    for path in (cache / "veperf" / "executed").iterdir():
        path.unlink()
        path.write_bytes(b'{"prints": []}')

    replace_in("numbers.py", "number + by", "number - by")(new)
    assert "project/adds" in effect(old, new).affected
    assert "project/adds" in effect(new, old).affected
    assert len(ALL) == len(effect(new, new).unaffected)


def test_what_can_not_be_recorded_is_compared(tmp_path: Path):
    """A side that is no checkout, one with other packages, code that can't be imported."""
    tree = write_project(tmp_path / "tree")
    cases = [Case("project/adds", "project/adds", "project", Level.MICRO, "")]
    bare = PreparedSide(ABSide("bare"), CodeSource())
    other = PreparedSide(ABSide("other", environment="its own"), side(tree).code, tree)

    for new in (bare, other):
        assert {"project/adds"} == find_unaffected(side(tree), new, (), cases, 5).affected.keys()
    (tree / "project" / "suite.py").write_text("raise ValueError")
    found = find_unaffected(side(tree), side(tree), ("project.suite",), cases, 5)
    assert {"project/adds": "what it executes could not be recorded"} == found.affected


def test_functions_of_one_name_have_prints_of_their_own(tmp_path: Path):
    """A getter and its setter, two lambdas; and code that moved is the same."""
    text = """
class Thing:
    @property
    def value(self): return self._value

    @value.setter
    def value(self, new): self._value = new

pair = [lambda: 1, lambda: 2]
"""
    path = tmp_path / "thing.py"
    path.write_text(text)
    first = read_source(path)
    path.write_text(f"# moved\n{text.replace('lambda: 2', 'lambda: 3')}")
    second = read_source(path)

    assert first is not None
    assert second is not None
    assert 2 == len({function.fingerprint for function in first.functions["Thing.value"]})
    prints = [[f.fingerprint for f in s.functions["<lambda>"]] for s in (first, second)]
    assert prints[0][0] == prints[1][0]
    assert prints[0][1] != prints[1][1]
    assert first.top_level == second.top_level
    path.write_text("def broken(:")
    assert read_source(path) is None
    assert "" == TreePrints(tmp_path).print_of(("import", "thing.py", ""))
