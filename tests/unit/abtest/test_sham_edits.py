"""Sham edits change nothing that runs; planted slowdowns change as much as they say."""

import ast
import gc
import importlib
import random
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.abtest.sham import edits, library, work
from veperf.abtest.sham.edits import (
    SHAM_EDITS,
    ShamEdit,
    Version,
    edit_name,
    plant_slowdown,
)

SOURCE = Path(str(work.__file__)).read_text(encoding="utf-8")
WORK = {kind.__name__ for kind in work.KINDS} | {"BankAccount"}
SEEDS = st.integers(0, 1 << 32)


def bytecode(code: CodeType) -> tuple[Any, ...]:
    """What runs: instructions, constants and globals, but not the names of locals."""
    return (
        code.co_name, code.co_code, code.co_exceptiontable, code.co_names, code.co_stacksize,
        code.co_nlocals, code.co_argcount, len(code.co_freevars), len(code.co_cellvars),
        tuple(bytecode(c) if isinstance(c, CodeType) else c for c in code.co_consts),
    )  # fmt: skip


@cache
def work_of(source: str) -> dict[str, tuple[Any, ...]]:
    """Bytecode of each kind of work in ``source``, whose docstrings are taken out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    codes = [c for c in compile(tree, "work", "exec").co_consts if isinstance(c, CodeType)]
    return {code.co_name: bytecode(code) for code in codes if code.co_name in WORK}


def edited(edit: ShamEdit, seed: int) -> tuple[Version, Version]:
    """Base and new version."""
    generator = random.Random(seed)
    base = library.draw_base(generator)
    return base, edit(base, generator)


@pytest.mark.parametrize("edit", SHAM_EDITS, ids=lambda edit: edit.__name__)
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS)
def test_a_sham_edit_leaves_the_bytecode_of_all_work(edit: ShamEdit, seed: int) -> None:
    """Whatever is drawn, base and new version run what the library's source runs; both differ."""
    base, new = edited(edit, seed)

    expected = work_of(SOURCE)
    assert WORK == expected.keys()
    assert expected == work_of(base.source) == work_of(new.source)
    assert (base.source, base.others) != (new.source, new.others)


def test_the_comparison_of_bytecode_sees_a_change() -> None:
    """One operator, constant, attribute or call more in any of them shows."""
    for before, after in (
        ("& 0xFFFF", "& 0xFFFE"), ("total * 31", "total + 31"), ("account.limit", "account.owner"),
        ("sorted(NUMBERS)", "sorted(sorted(NUMBERS))"), ("self.limit = 50", "self.limit = 51"),
    ):  # fmt: skip
        assert before in SOURCE
        assert work_of(SOURCE) != work_of(SOURCE.replace(before, after, 1)), before


def test_every_version_does_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imported as a worker imports them, all versions return what the library does."""
    monkeypatch.syspath_prepend(str(tmp_path))
    expected = {kind.__name__: kind(20) for kind in work.KINDS}
    for number, edit in enumerate(SHAM_EDITS):
        for side, version in zip(("old", "new"), edited(edit, number), strict=True):
            library.write_version(version, tmp_path / f"v{number}" / side, edit_name(edit))
            name = f"v{number}.{side}.sham_library.work"
            module = importlib.import_module(name)
            actual = {kind.__name__: kind(20) for kind in module.KINDS}
            assert expected == actual, name
    for name in [name for name in sys.modules if name.startswith("v") and "sham_library" in name]:
        del sys.modules[name]


def operations(function: Any, turns: int) -> int:
    """Bytecodes that a call executes."""
    count = 0

    def trace(frame: Any, event: str, arg: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    gc.disable()  # it would call back into Python
    sys.settrace(trace)
    try:
        function(turns)
    finally:
        sys.settrace(before)
        gc.enable()
    return count


@pytest.mark.parametrize("kind", work.KINDS, ids=lambda kind: kind.__name__)
def test_work_is_proportional_to_turns(kind: Any) -> None:
    """Every turn executes as many bytecodes as the others; all else is below 1 % of a call."""
    none, few, more, most = (operations(kind, turns) for turns in (0, 20, 40, 60))
    whole = none + (more - few) // 20 * work.TURNS[kind.__name__]

    assert more - few == most - more
    assert none < 0.01 * whole


@pytest.mark.parametrize("effect", [0.03, 0.05, 0.1])
def test_a_planted_slowdown_is_so_many_more_turns(effect: float) -> None:
    """Of every kind, exactly; and nothing else changes."""
    version = plant_slowdown(Version(SOURCE), effect)
    planted: dict[str, Any] = {}
    exec(compile(version.source, "work", "exec"), planted)

    assert work_of(SOURCE) == work_of(version.source)
    assert {
        name: pytest.approx((1 + effect) * turns, abs=1e-9) for name, turns in work.TURNS.items()
    } == planted["TURNS"]


def test_all_kinds_have_turns_by_the_hundred() -> None:
    """So that every percent more is a whole number of turns."""
    assert work.TURNS.keys() == {kind.__name__ for kind in work.KINDS}
    assert all(turns % 100 == 0 for turns in work.TURNS.values())
    assert 12 <= len(work.KINDS)


def test_the_imports_exist_and_are_new() -> None:
    """Every module that an edit may import is in the standard library, and not imported by work."""
    names = [name.partition(".")[0] for name in edits._IMPORTS]

    assert [] == [name for name in edits._IMPORTS if find_spec(name) is None]
    assert set(names) <= sys.stdlib_module_names
    assert [] == [name for name in names if f"import {name}" in SOURCE]


def test_the_same_seed_draws_the_same_versions() -> None:
    """A battery can be repeated."""
    for edit in SHAM_EDITS[:3]:
        versions = edited(edit, 7)
        assert edited(edit, 7) == versions
        assert edited(edit, 8)[0] != versions[0]
