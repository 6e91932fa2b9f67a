"""Changes that reach a benchmark by no call that its code shows: each must be seen to affect it."""

import os
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.abtest.test_affected import side
from veperf.abtest.affected.source_code import read_source
from veperf.abtest.affected.unaffected import EffectOfChange, find_unaffected
from veperf.abtest.sides import PreparedSide
from veperf.core.case import Case, Level

SUITE = '''
import os
from pathlib import Path

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark
{imports}

HERE = Path(__file__).parent


@benchmark("project/{name}", level=Level.MICRO)
def set_up() -> Task:
    """Work."""
{body}
'''
CONTROL = "control"


@dataclass(frozen=True)
class Change:
    """A benchmark, the files that it needs, and what of them changes."""

    body: str
    files: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    imports: str = ""


def of_module(text: str, before: str, after: str, call: str, name: str) -> Change:
    """Return the change of a module ``m_<name>``, imported as ``m``."""
    file = f"project/m_{name}.py"
    changed = {file: text.replace(before, after)}
    imports = f"from project import m_{name} as m"
    return Change(f"return Task(lambda: {call})", {file: text}, changed, imports)


_FUTURE = '"""Constants."""\n\nfrom __future__ import annotations\n\nSTEP = 1\n'
_SLOW_LAST = "from project.quick import encode\n\n\ndef encode(): return 1\n"
_SLOW_FIRST = "def encode(): return 1\n\n\nfrom project.quick import encode\n"
_OPTIONAL = "try:\n    from {} import f\nexcept ImportError:\n    f = int\n"
_PATH = "import importlib.util as u\nfrom pathlib import Path\n"
_BY_PATH = (
    f"{_PATH}s = u.spec_from_file_location('plug', Path(__file__).with_name('plug.py'))\n"
    "m = u.module_from_spec(s)\ns.loader.exec_module(m)\n"
)
_PLUGINS = (
    "import importlib\nR = {}\nfor n in ['plugin']: importlib.import_module(f'project.{n}')\n"
)
_PLUGIN = "from project import plugins\nplugins.R['a'] = 1\n"
_DERIVED = "from project import base\n\n\nclass Derived(base.Base):\n    v = 3\n"
_LATE = (
    "import sys, time\nprint('begun', flush=True)\ntime.sleep(20)\nimport much_later\n"
    "much_later.f()\n"
)
CHANGES = {
    "future": of_module(_FUTURE, "= 1", "= 2", "m.STEP", "future"),
    "order": Change(
        "return Task(lambda: m.encode())",
        {"project/codec.py": _SLOW_FIRST, "project/quick.py": "def encode(): return 2\n"},
        {"project/codec.py": _SLOW_LAST},
        "from project import codec as m",
    ),
    "hook": of_module(
        "A = 1\n", "A", "def __getattr__(n): return 5\nA", "getattr(m,'z',0)", "hook"
    ),
    "computed": of_module(
        "K = 'a'\n", "K", "def on_a(): return 1\nK", "getattr(m, 'on_' + m.K, int)()", "computed"
    ),
    "compiled": of_module("def f(): return 1\n", "1", "2", "hash(m.f.__code__)", "compiled"),
    "documented": of_module("def f(): 'a'\n", "a", "a b", "m.f.__doc__.split()", "documented"),
    "like_a_class": of_module(
        "def f(c): return __name__ == c.__module__\n", "==", "!=", "m.f(int)", "like_a_class"
    ),
    "changes_folder": Change(
        "here = os.getcwd()\nos.chdir(HERE / 'tables')\ntext = open('words.txt').read()\n"
        "os.chdir(here)\nreturn Task(lambda: text.split())",
        {"project/tables/words.txt": "a"},
        {"project/tables/words.txt": "a b"},
    ),
    "source_as_data": Change(
        "text = (HERE / 'sample.py').read_text()\nreturn Task(lambda: text.split())",
        {"project/sample.py": "a = 1\n"},
        {"project/sample.py": "a = 1  # one\n"},
    ),
    "link": Change(
        "text = (HERE / 'current').read_text()\nreturn Task(lambda: text.split())",
        {"project/a.txt": "a", "project/b.txt": "b b", "project/current": "-> a.txt"},
        {"project/current": "-> b.txt"},
    ),
    "is_there": Change(
        "quick = (HERE / 'quick.flag').exists()\nreturn Task(lambda: quick)",
        changed={"project/quick.flag": ""},
    ),
    "database": Change(
        "import sqlite3\nbase = sqlite3.connect(str(HERE / 'base.db'))\nreturn Task(base.commit)",
        {"project/base.db": ""},
        {"project/base.db": "x"},
    ),
    "optional": Change(
        "return Task(lambda: f())",
        changed={"project/speedups.py": "def f(): return 2\n"},
        imports=_OPTIONAL.format("project.speedups"),
    ),
    "optional_namespace": Change(
        "return Task(lambda: f())",
        changed={"speedups/quick.py": "def f(): return 2\n"},
        imports=_OPTIONAL.format("speedups.quick"),
    ),
    "plugin": Change(
        "return Task(lambda: plugins.R['a'])",
        {"project/plugins.py": _PLUGINS, "project/plugin.py": _PLUGIN},
        {"project/plugin.py": _PLUGIN.replace("1", "2")},
        "from project import plugins",
    ),
    "by_path": Change(
        "return Task(lambda: m.K)",
        {"project/by_path.py": _BY_PATH, "project/plug.py": "K = 1\n"},
        {"project/plug.py": "K = 2\n"},
        "from project.by_path import m",
    ),
    "script": Change(
        "import subprocess, sys\n"
        "return Task(lambda: subprocess.run([sys.executable, 'tools/tool.py'], check=True))",
        {"tools/tool.py": "print(1)\n"},
        {"tools/tool.py": "print(2)\n"},
    ),
    "subclasses": Change(
        "return Task(lambda: max(c.v for c in base.Base.__subclasses__()))",
        {"project/base.py": "class Base:\n    v = 1\n", "project/derived.py": _DERIVED},
        {"project/derived.py": _DERIVED.replace("3", "4")},
        "from project import base",
    ),
    "link_as_text": Change(
        "return Task(lambda: os.readlink(HERE / 'nowhere'))",
        {"project/nowhere": "-> none"},
        {"project/nowhere": "-> no"},
    ),
    "size_of_listed": Change(
        "return Task(lambda: [e.stat().st_size for e in os.scandir(HERE / 'sizes')])",
        {"project/sizes/a.bin": "1"},
        {"project/sizes/a.bin": "12"},
    ),
    "relative_to_folder": Change(
        "def c():\n    folder = os.open(HERE / 'shelf', os.O_RDONLY)\n"
        "    os.close(os.open('words', os.O_RDONLY, dir_fd=folder))\n    os.close(folder)\n"
        "return Task(c)",
        {"project/shelf/words": "1"},
        {"project/shelf/words": "2"},
    ),
    "asked_in_folder": Change(
        "def c():\n    folder = os.open(HERE / 'shelf', os.O_RDONLY)\n"
        "    os.stat('sized', dir_fd=folder)\n    os.close(folder)\nreturn Task(c)",
        {"project/shelf/sized": "1"},
        {"project/shelf/sized": "12"},
    ),
    "by_a_library": Change(
        "import pyarrow.fs as f\nfrom pathlib import Path\n"
        "return Task(lambda: f.LocalFileSystem().open_input_file(f'{HERE}/points.csv').size())",
        {"project/points.csv": "1"},
        {"project/points.csv": "2"},
    ),
    "prose_as_data": Change(
        "import subprocess\nreturn Task(lambda: subprocess.run(['true'], check=True))",
        {"tests/data/a_page.md": "1"},
        {"tests/data/a_page.md": "2"},
    ),
    "beside_a_script": Change(
        "import subprocess, sys\n"
        "return Task(lambda: subprocess.run([sys.executable, 'scripts/it.py'], check=True))",
        {"scripts/it.py": "import json\n"},
        {"scripts/json.py": ""},
    ),
    "site_of_a_child": Change(
        "import subprocess, sys\nchild = [sys.executable, '-c', '']\n"
        "path = {**os.environ, 'PYTHONPATH': str(HERE / 'site')}\n"
        "return Task(lambda: subprocess.run(child, env=path, check=True))",
        {"project/site/other.py": ""},
        {"project/site/sitecustomize.py": ""},
    ),
    "outlives_the_call": Change(
        "import subprocess, sys, time\nstarted = []\n"
        "def c():\n    if not started:\n"
        "        started.append(subprocess.Popen([sys.executable, 'tools/late.py'], stdout=-1))\n"
        "        started[0].stdout.read(1)\n"
        "return Task(c)",
        {"tools/late.py": _LATE, "tools/much_later.py": "def f(): return 1\n"},
        {"tools/much_later.py": "def f(): return 2\n"},
    ),
}
REACHES_ALL = {"optional", "optional_namespace", "plugin", "by_path"}
"""Other modules than before are imported, or one that may change any other."""
LOST = {
    "traces": "import sys\nreturn Task(lambda: sys.settrace(None))",
    "interpreter": "import _xxsubinterpreters as i\nreturn Task(lambda: i.destroy(i.create()))",
    "bare_thread": "import _thread\nreturn Task(lambda: _thread.start_new_thread(int, ()))",
}
PATCHED = "from project import patched\npatched.STEP = 3\n"


def write_project(folder: Path, *changes: Change) -> Path:
    bodies = {name: (change.imports, change.body) for name, change in CHANGES.items()}
    bodies |= {name: ("", body) for name, body in LOST.items()}
    bodies[CONTROL] = ("from project import patched", "return Task(lambda: patched.STEP)")
    files = {"project/__init__.py": "", "project/patched.py": "STEP = 1\n"}
    files["project/patches.py"] = PATCHED
    for name, (imports, body) in bodies.items():
        text = SUITE.format(name=name, imports=imports, body=textwrap.indent(body, "    "))
        files[f"project/{name}_suite.py"] = text
    for change in CHANGES.values():
        files |= change.files
    for change in changes:
        files |= change.changed
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text.removeprefix("-> "))
        else:
            path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the earlier code, which is recorded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield write_project(tmp_path_factory.mktemp("trees") / "old")


def effect(old: Path, new: Path) -> EffectOfChange:
    ids = [f"project/{name}" for name in (*CHANGES, *LOST, CONTROL)]
    modules = [f"project.{name}_suite" for name in (*CHANGES, *LOST, CONTROL)]
    cases = [Case(id, id, "project", Level.MICRO, "") for id in ids]
    modules += ["project.patches", "project.derived"]
    return find_unaffected(side(old), side(new), modules, cases, 20)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_an_indirect_change_affects_its_benchmark(old: Path, tmp_path: Path, name: str):
    """And not one that has nothing to do with it, unless an import may change anything."""
    found = effect(old, write_project(tmp_path / "new", CHANGES[name]))

    assert f"project/{name}" in found.affected
    assert (f"project/{CONTROL}" in found.unaffected) is (name not in REACHES_ALL)


@pytest.mark.slow
def test_a_module_that_patches_another_counts_for_all(old: Path, tmp_path: Path):
    """Though no benchmark imports it: the worker does, before it runs any."""
    new = write_project(tmp_path / "new")
    unchanged = effect(old, new)
    (new / "project" / "patches.py").write_text(PATCHED.replace("3", "4"))

    assert {f"project/{name}" for name in LOST} == unchanged.affected.keys()
    assert f"project/{CONTROL}" in effect(old, new).affected


@pytest.mark.slow
def test_a_new_module_that_patches_another_counts_for_all(old: Path, tmp_path: Path):
    """Each process of the new side imports it, whatever benchmark it measures."""
    new = write_project(tmp_path / "new")
    (new / "project" / "more.py").write_text("from project import patched\nK = patched.STEP\n")
    case = Case(f"project/{CONTROL}", f"project/{CONTROL}", "project", Level.MICRO, "")
    modules = [f"project.{CONTROL}_suite", "project.patches"]

    def affected(added: str) -> set[str]:
        return {*find_unaffected(side(old), side(new), modules, [case], 20, None, [added]).affected}

    assert set() == affected("project.more")
    (new / "project" / "more.py").write_text(PATCHED)
    assert {case.id} == affected("project.more")
    assert {case.id} == affected("project.elsewhere")


READS = Case("project/reads", "project/reads", "project", Level.MICRO, "")


def write_two_trees(folder: Path, body: str) -> tuple[PreparedSide, PreparedSide]:
    """Write a benchmark with ``body`` twice, beside a module ``m`` whose ``f`` differs."""
    text = SUITE.format(
        name="reads", imports="from project import m", body=textwrap.indent(body, "    ")
    )
    trees = folder / "old", folder / "new"
    for number, tree in enumerate(trees):
        (tree / "project").mkdir(parents=True)
        (tree / "project" / "suite.py").write_text(text)
        (tree / "project" / "m.py").write_text(f"def f(): return {number}\n")
    return side(trees[0]), side(trees[1])


@pytest.mark.slow
def test_what_is_read_elsewhere_is_part_of_a_footprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It may choose what is executed: where it has changed, that is found out anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = tmp_path / "settings"
    body = f"f = m.f if open({str(settings)!r}).read() else int\nreturn Task(lambda: f())"
    old, new = write_two_trees(tmp_path, body)
    answers = []
    for content in ("", "1"):
        settings.write_text(content)
        found = find_unaffected(old, new, ("project.suite",), [READS], 20)
        answers.append(bool(found.affected))

    assert [False, True] == answers


@pytest.mark.slow
def test_a_footprint_is_of_the_environment_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What another value of a variable executes is found out anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    body = "f = m.f if os.environ.get('QUICK') else int\nreturn Task(lambda: f())"
    old, new = write_two_trees(tmp_path, body)
    answers = []
    for value in ("", "1", "1", ""):
        monkeypatch.setitem(os.environ, "QUICK", value)
        found = find_unaffected(old, new, ("project.suite",), [READS], 20)
        answers.append(bool(found.affected))

    assert [False, True, True, False] == answers


def test_what_a_file_changes_elsewhere_is_told_by_its_statements(tmp_path: Path):
    """Not by what its functions do, nor by what it does as a program."""
    path = tmp_path / "file.py"
    texts = {
        "import gc\ngc.disable()\n": True,
        "import m\nif m.A:\n    m.B = 1\n": True,
        "import m\ntry:\n    pass\nexcept OSError:\n    del m.B\n": True,
        "import m\nA = m.f()\n": False,
        "import m\ndef f():\n    m.B = 1\n": False,
        "import m\nif __name__ == '__main__':\n    m.main()\n": False,
    }
    for text, expected in texts.items():
        path.write_text(text)
        source = read_source(path)
        assert source is not None
        assert expected == source.changes_others, text
