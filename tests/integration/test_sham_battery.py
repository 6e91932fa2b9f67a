"""The sham-edit battery, measured for real: no false alarms, and what was planted is found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sham.battery import battery_config, compare_edit
from veperf.abtest.sham.edits import add_function, add_import, add_module, reorder_functions
from veperf.abtest.sham.result import battery_noise, check_kinds
from veperf.archive.storage.local import LocalStorage
from veperf.archive.version_noise import read_version_noise
from veperf.core.options import ShamOptions
from veperf.measure.machine import describe_machine

ROOT = Path(__file__).parents[2]
KINDS = ("sham/integer_loop", "sham/sorting", "sham/hashing", "sham/list_building")
OPTIONS = ShamOptions(max_pairs=8)


@pytest.mark.alone
def test_three_shams_are_no_change_and_ten_percent_are() -> None:
    """Over four kinds of work, none is called slower or faster; 10 % more work is, but for one."""
    nothing = ComparisonProgress()
    shams = [
        compare_edit(edit, 0.0, battery_config(OPTIONS, seed, KINDS), nothing)
        for seed, edit in enumerate((reorder_functions, add_function, add_import))
    ]
    planted = compare_edit(add_module, 0.1, battery_config(OPTIONS, 3, KINDS), nothing)

    checks = check_kinds([*shams, planted])
    assert set(KINDS) == {check.case for check in checks}
    assert [0] * 8 == [count for check in checks for count in (check.slower, check.faster)]
    assert [3] * 4 == [check.shams for check in checks]
    assert 3 <= sum(check.detected for check in checks)
    noise = battery_noise(shams)
    assert noise is not None
    assert noise.overall.deviation < 0.03


@pytest.mark.alone
def test_the_command_keeps_the_noise_of_this_machine_class(tmp_path: Path) -> None:
    """Two edits of one kind of work: a table, the exit code of its verdicts, and a record."""
    done = subprocess.run(
        [sys.executable, "-m", "veperf", "selfcheck", "--sham", "sham/sorting", "--edits", "2",
         "--planted", "0", "--max-pairs", "6", "--archive", str(tmp_path)],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode in (0, 1), done.stderr
    assert "2 edits that changed nothing that runs" in done.stdout
    assert "comparison 2 of 2" in done.stderr
    assert "left" in done.stderr
    noise = read_version_noise(LocalStorage(tmp_path), describe_machine().name)
    assert noise is not None
    assert ["sham/sorting"] == [kind.kind for kind in noise.kinds]
    assert 2 == noise.overall.comparisons


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--trials", "2"], "--edits"),
        (["--module", "mine.benchmarks"], "--edits"),
        (["transaction"], "no kind of work"),
        (["*"], "no kind of work"),
        (["sham/typo"], "no kind of work"),
        (["sham/sorting", "sham/typo"], "no kind of work"),
        (["--edits", "0"], "not in the range"),
    ],
)
def test_a_wrong_question_is_refused(words: list[str], answer: str, tmp_path: Path) -> None:
    """2, one line, and nothing is kept."""
    done = subprocess.run(
        [sys.executable, "-m", "veperf", "selfcheck", "--sham", "--archive", str(tmp_path), *words],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert 2 == done.returncode
    assert answer in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())
