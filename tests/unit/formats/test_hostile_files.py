"""Any file gives veperf's own error, or a run that can be stored, compared and shown."""

import contextlib
import json
import random
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.helpers import HOSTILE
from tests.support.hostile_files import any_format, check, mutated, samples
from veperf.core.errors import DataError
from veperf.core.json_text import parse_json
from veperf.formats.readers import INPUT_FORMAT_NAMES, read_runs


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_files(seed: int) -> None:
    """A few changes to a sample file of every format."""
    dice = random.Random(seed)
    name, data = dice.choice(samples())

    check(mutated(data, dice), name, any_format(dice), deep=seed % 4 == 0)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", *INPUT_FORMAT_NAMES]))
def test_any_bytes(data: bytes, format: str) -> None:
    """Random bytes, read as any format."""
    check(data, HOSTILE, format, deep=True)


def test_every_sample_is_read_and_shown() -> None:
    """Undamaged samples are read, except for files without benchmark results."""
    refused = {name for name, data in samples() if check(data, name, deep=True) is None}

    assert {"benchmark.json", "BASELINE_METRICS.json", "go_benchmarks.json"} == {
        name for name in refused if not name.endswith(".stdout")
    }


@pytest.mark.parametrize("format", ["", *INPUT_FORMAT_NAMES])
def test_depth_is_bounded_whatever_the_recursion_limit(format: str) -> None:
    """Where a library has raised the recursion limit, deep nesting would end the process."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        for start in (b"", b'{"benchmark":"a","value":', b'{"Action":"output","x":', b'{"reason":'):
            for piece in (b"[", b'{"a":'):
                with pytest.raises(DataError):
                    read_runs(start + piece * 200_000, "f", format=format)
    finally:
        sys.setrecursionlimit(limit)


def test_brackets_in_texts_are_no_depth() -> None:
    """Many lists side by side are not refused."""
    for text in ('{"a": "' + "[" * 10_000 + '\\""}', "[" + "[]," * 10_000 + "[]]"):
        assert parse_json(text) == json.loads(text)
    assert parse_json("[" * 200 + "]" * 200)
    with pytest.raises(ValueError, match="nested deeper than 200"):
        parse_json("[" * 201 + "]" * 201)


def test_cost_grows_with_the_size_only() -> None:
    """Eight times a nasty line takes no more than some sixteen times as long."""
    for piece in ("9 ns ", "Benchmark ", "1 ", "a=1/", '{"', "[", "- ", '"",', '[[[]]]"\\"'):
        spent = []
        for size in (40_000, 320_000):
            data = ("BenchmarkX " + piece * (size // len(piece))).encode()
            best = min(_seconds(data) for _ in range(3))
            spent.append(max(best, 2e-3))
        assert spent[1] < 40 * spent[0], piece


def _seconds(data: bytes) -> float:
    started = time.thread_time()
    for format in ("", "go", "csv", "json-lines"):
        with contextlib.suppress(DataError):
            read_runs(data, "f", format=format)
    return time.thread_time() - started
