"""Hostile input files: samples of every format, mutated at random."""

import gzip
import json
import math
import random
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from tests.support.helpers import HOSTILE
from veperf.archive.files import encode_json
from veperf.core.errors import VeperfError
from veperf.core.run import Run
from veperf.formats import virtengine
from veperf.formats.readers import INPUT_FORMAT_NAMES, read_runs
from veperf.formats.source import SourceFile
from veperf.report.tables.benchstat_table import benchstat_texts
from veperf.verdicts.benchstat import benchstat_tables
from veperf.verdicts.screen import compare_runs

VECTORS = Path(__file__).parents[1] / "vectors"
_GO_BENCHMARKS = Path(__file__).parents[2] / "data" / "baselines" / virtengine.GO_BENCHMARKS_FILE
NASTY_TEXTS = (
    HOSTILE, "", "\ud800", "../../etc/passwd", "/", "\x00", "a" * 10_000, "NaN", "-", "*", "%s",
    "\u202e\u2066", "\x1b]0;title\x07", "_" * 50, "Benchmark", "0" * 50, "1_0", "\uff11", "\u2028",
)  # fmt: skip
NASTY_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, -0.0, 1e308, -1e308, 5e-324, math.inf, math.nan, 1 << 53, 1 << 64, 10**400,
    [], {}, [[]], [None], {"a": 1}, *NASTY_TEXTS,
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_PIECES = (
    b"\x00", b"\xff\xfe", b"\n", b"\r\n", b"\t", b'"', b"{", b"}", b"[" * 40, b",", b":", b"1e999",
    b"NaN", b"-0", b"9" * 500, b"\x1b[31m", b"ns/op", b"Benchmark", b"Unit ", b"note: x\n",
    b"\xed\xa0\x80", b"'", b";", b"=", b"/", "\u202e".encode(), b"1 2 ns/op",
)  # fmt: skip


def samples() -> list[tuple[str, bytes]]:
    """Name and bytes of every sample file."""
    paths = [
        p for folder in ("interop", "gobench") for p in sorted((VECTORS / folder).rglob("*.*"))
    ]
    paths += [VECTORS / "BASELINE_METRICS.json", _GO_BENCHMARKS]
    actual = [(p.name, p.read_bytes()) for p in paths if p.is_file() and p.suffix != ".md"]
    actual += [
        ("raw.csv", b"group,function,value,throughput_num,throughput_type,"
         b"sample_measured_value,unit,iteration_count\ng,f,1,,,915000,ns,110740\n"),
        ("messages", b'{"reason":"benchmark-complete","id":"norm","iteration_count":[30,60],'
         b'"measured_values":[124200.0,9937100.0],"unit":"ns"}\n'),
        ("old_sample.json", b"[[1.0,2.0,3.0],[10.0,21.0,33.0]]"),
        ("bencher.json", b'{"f":{"latency":{"value":88.0,"lower_value":87.4,"upper_value":88.9}}}'),
        ("github_action.json",
         b'[{"name":"load","unit":"Percent","value":50,"range":"5%","extra":"x"}]'),
        ("hyperfine.csv", b"command,mean,stddev,median,user,system,min,max,parameter_n\n"
         b"sleep 1,1.2,0.1,1.1,0.2,0.3,1.0,1.4,3\n"),
        ("asv_without_samples.json",
         b'{"version":2,"commit_hash":"c0ffee","result_columns":["result","params","stats_ci_99_a",'
         b'"stats_ci_99_b","stats_q_25","stats_q_75","stats_number","stats_repeat"],'
         b'"results":{"b.time_f":[[1.5,null],[["1","2"]],[1.0],[4.0],[1.2],[2.0],[10],[5]]}}'),
        ("packed.gz", gzip.compress(b"BenchmarkX 1 2 ns/op\n" * 3, mtime=0)),
    ]  # fmt: skip
    lined = (".txt", "go_test.json", "go_virtengine.json")
    return [(name, data[:4_000]) if name.endswith(lined) else (name, data) for name, data in actual]


def mutated(data: bytes, dice: random.Random) -> bytes:
    """``data`` with a few things changed: bytes anywhere, or values where it is JSON."""
    if data[:1] in (b"{", b"[") and dice.random() < 0.5:
        try:
            document = json.loads(data)
        except ValueError:
            pass
        else:
            for _ in range(dice.randint(1, 3)):
                _bend(document, dice)
            return json.dumps(document).encode("utf-8", "surrogatepass")
    bent = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        _damage(bent, dice)
    return bytes(bent)


def check(data: bytes, name: str, format: str = "", *, deep: bool = False) -> Run | None:
    """Read ``data``; None where that is refused, as it may be.

    Raises:
        AssertionError: what was read is no run that can be kept, compared and shown.
    """
    try:
        if name == _GO_BENCHMARKS.name:
            SourceFile(data, name).document_as(virtengine.GoBenchmarks)
        elif name == "BASELINE_METRICS.json":
            limits = virtengine.read_baseline_metrics(SourceFile(data, name)).targets
            assert all(0 < target.limit < math.inf for target in limits)
        actual = read_runs(data, name, format=format)
    except VeperfError as refused:
        assert len(str(refused)) < 2_000  # noqa: PT017 - no exception is wanted
        return None
    for item in actual:
        run = item.run
        assert re.fullmatch(r"[A-Za-z0-9_.+-]{10,120}", run.id), run.id
        assert all(re.fullmatch(r"[A-Za-z0-9_.+-]+", case.suite) for case in run.cases)
        figures = [v for p in run.passes for r in p.results for v in r.figures.values()]
        assert all(map(math.isfinite, figures))
        if deep:
            kept = msgspec.json.decode(encode_json(run), type=Run)
            assert kept == run
            tables, changes = benchstat_tables(run, kept), compare_runs(run, kept)
            output = "\n".join(benchstat_texts(tables, [changes], [name, name]))
            assert not _CONTROL.search(output), output
    return actual[0].run


def any_format(dice: random.Random) -> str:
    """A format, mostly detected, sometimes forced."""
    return dice.choice(INPUT_FORMAT_NAMES) if dice.random() < 0.15 else ""


def _bend(document: Any, dice: random.Random) -> None:
    """Replace, drop or rename something at a random depth."""
    while True:
        places = list(document) if isinstance(document, dict) else list(range(len(document)))
        if not places:
            return
        place = dice.choice(places)
        if isinstance(document[place], dict | list) and dice.random() < 0.8:
            document = document[place]
            continue
        kind = dice.random()
        if kind < 0.2:
            del document[place]
        elif kind < 0.3 and isinstance(document, dict):
            document[dice.choice(NASTY_TEXTS)] = document.pop(place)
        else:
            document[place] = deepcopy(dice.choice(NASTY_VALUES))
        return


def _damage(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    end = min(len(data), at + dice.choice((1, 2, 8, 64, 1024)))
    match dice.randrange(6):
        case 0:
            del data[at:end]
        case 1:
            data[at:at] = dice.choice(_PIECES)
        case 2:
            data[at:end] = dice.choice(_PIECES)
        case 3:
            data[at:at] = data[at:end]
        case 4:
            del data[at:]
        case _:
            for i in range(at, min(end, at + 4)):
                data[i] = dice.randrange(256)
