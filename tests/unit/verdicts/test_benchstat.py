"""Two runs side by side, as benchstat has it."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_files import VECTORS
from veperf.core.run import Run
from veperf.core.text import MISSING
from veperf.formats.readers import read_runs_from
from veperf.report.markdown_writer import write_markdown
from veperf.report.tables.benchstat_table import benchstat_parts, benchstat_texts, choose_scale
from veperf.stats.hodges_lehmann import estimate_median, hodges_lehmann_shift
from veperf.verdicts.benchstat import benchstat_tables, summarise_values
from veperf.verdicts.screen import compare_runs

GOBENCH = VECTORS / "gobench"
_TOKEN = re.compile(r"[^\s│]+")


def shown(base: Run, new: Run) -> str:
    tables, changes = benchstat_tables(base, new), compare_runs(base, new)
    return "\n\n".join(benchstat_texts(tables, [changes], ["before", "after"]))


def words(line: str) -> list[str]:
    """Of a row, less the verdict at its end and the dashes of empty cells."""
    kept = re.split(rf"  [✓✗▲○]|  {MISSING}$", line)[0]
    return [word for word in _TOKEN.findall(kept) if word != MISSING]


def row(text: str, name: str) -> list[str]:
    """The words of the line that begins with ``name``."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
    return words(line)


@pytest.mark.parametrize("name", ["units", "smallSample", "zero", "issue19565", "issue19634"])
def test_benchstats_own_output(name: str) -> None:
    """Every row and footnote that benchstat prints for these is ours, to the last character."""
    before, after = read_runs_from(GOBENCH / f"{name}.txt", by="note")
    printed = (GOBENCH / f"{name}.stdout").read_text()

    text = shown(before.run, after.run)

    expected = [_TOKEN.findall(line) for line in printed.splitlines() if line[:1].isalpha()]
    names = {first for first, *_ in expected}
    assert expected == [words(line) for line in text.splitlines() if line.split(" ")[0] in names]
    notes = [line for line in printed.splitlines() if line[:1] in tuple("¹²³")]
    assert notes == [line for line in text.splitlines() if line[:1] in tuple("¹²³")]


def test_benchstats_example() -> None:
    """The table in benchstat's documentation, of its old.txt and new.txt."""
    (old,), (new,) = read_runs_from(GOBENCH / "old.txt"), read_runs_from(GOBENCH / "new.txt")

    text = shown(old.run, new.run)

    json, gob = "Encode/format=json-48", "Encode/format=gob-48"
    assert f"{json} 1.718µ ± 1% 1.423µ ± 1% -17.20% (p=0.000 n=10)".split() == row(text, json)
    assert f"{gob} 3.066µ ± 0% 3.070µ ± 2% ~ (p=0.446 n=10)".split() == row(text, gob)
    assert ["geomean", "2.295µ", "2.090µ", "-8.94%"] == row(text, "geomean")


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=60))
def test_the_interval_holds_the_median(values: list[float]) -> None:
    """At any size; from 6 values on it is finite, and then no wider than veperf's own."""
    actual = summarise_values(values)

    assert actual.low <= actual.center <= actual.high
    assert math.isfinite(actual.low) == (len(values) >= 6)
    if 6 <= len(values) <= 30:
        own = estimate_median(values)
        assert own.low <= actual.low
        assert actual.high <= own.high


@given(st.floats(1e-8, 1e11))
def test_numbers_have_four_digits(value: float) -> None:
    """And are the value to within half a unit of the last of them."""
    written = choose_scale([value], "sec/op").write(value)

    actual = re.fullmatch(r"([\d.]+)(.?)", written)
    assert actual
    digits, prefix = actual.groups()
    size = {"n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}[prefix]
    assert 5 == len(digits) or value >= 9.9e11
    assert value == pytest.approx(float(digits) * size, rel=6e-4)


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (1020 * 1024, "B/op", "1020.0Ki"),
        (2048, "B/s", "2.000Ki"),
        (0.5, "B/op", "0.5000"),
        (999.96, "sec", "1.000k"),
        (99.996, "sec", "100.0"),
        (1e-11, "sec/op", "0.01000n"),
        (0.0, "allocs/op", "0.000"),
    ],
)
def test_prefixes(value: float, unit: str, written: str) -> None:
    """Bytes by 1,024, all else by 1,000; rounding never shows 1000.0."""
    assert written == choose_scale([value], unit).write(value)


def test_zeros_and_one_sided_rows(tmp_path: Path) -> None:
    """No ratio to zero, no geometric mean of zeros, rows of one side without a comparison."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("BenchmarkA 1 0 B/op\n" * 6 + "BenchmarkGone 1 5 B/op\n" * 6)
    new.write_text("BenchmarkA 1 8 B/op\n" * 6 + "BenchmarkNew 1 5 B/op\n" * 6)
    (a,), (b,) = read_runs_from(old, format="go"), read_runs_from(new, format="go")

    text = shown(a.run, b.run)

    assert "?" == row(text, "A")[7]
    assert "vs" not in row(text, "Gone")
    assert "summaries must be >0 to compute geomean" in text
    assert "benchmark set differs from baseline" in text


def test_names_stay_text() -> None:
    """In markdown, a name with markup is shown, not obeyed."""
    (actual,) = read_runs_from(GOBENCH / "old.txt")

    tables = benchstat_tables(actual.run, actual.run)
    parts = benchstat_parts(tables, [()], ["<img src=x>|", "\x1b[31m\u202e"])
    written = write_markdown([], parts)

    assert "<img" not in written.replace("\\<img", "")
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_large_samples_take_no_room() -> None:
    """Shift and median of 10,000 values a side are those of theory, without 10^8 differences."""
    dice = np.random.default_rng(1)
    x, y = dice.normal(100, 1, 10_000), dice.normal(101, 1, 10_000)

    actual, middle = hodges_lehmann_shift(x, y), estimate_median(x)

    assert actual.value == pytest.approx(1, abs=0.05)
    assert actual.low < actual.value < actual.high
    assert 0.04 < actual.high - actual.low < 0.07
    assert middle.low < 100 + 0.05
    assert 0.95 <= middle.confidence < 0.96


def test_bisection_finds_what_sorting_finds() -> None:
    """Just below and above the size from which differences are not laid out."""
    dice = np.random.default_rng(2)
    x, y = dice.normal(5, 1, 2049), dice.normal(6, 1, 2049)
    differences = np.sort((y[:, None] - x[None, :]).ravel())

    assert hodges_lehmann_shift(x, y).value == pytest.approx(np.median(differences), rel=1e-12)
