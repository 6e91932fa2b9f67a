"""Results arranged by keys: what benchstat prints, and its syntax of projections and filters."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_files import VECTORS
from veperf.cli.main import veperf
from veperf.core.errors import NoSuchFileError, UsageError
from veperf.core.run import Run
from veperf.core.text import MISSING
from veperf.formats.projected import (
    ProjectedRuns,
    parse_projections,
    project_runs,
    read_configurations,
)
from veperf.formats.projection import (
    Field,
    ResultKeys,
    parse_filter,
    parse_projection,
    sort_values,
)
from veperf.formats.readers import read_runs
from veperf.report.tables.benchstat_table import benchstat_texts
from veperf.verdicts.benchstat import UnitRow, benchstat_tables, sort_rows

GOBENCH = VECTORS / "gobench"
_TOKEN = re.compile(r"[^\s│]+")


def arranged(files: Sequence[str], **projections: str) -> ProjectedRuns:
    read = [(file, read_configurations(GOBENCH / file).runs) for file in files]
    return project_runs(read, parse_projections(**projections))


def rows_of(text: str) -> list[list[str]]:
    """The words of each line with figures, and those of its footnotes."""
    lines = [_TOKEN.findall(line) for line in text.splitlines()]
    return [words for words in lines if "±" in words or words[:1] in (["geomean"], ["¹"])]


def printed(projected: ProjectedRuns) -> list[list[str]]:
    tables = benchstat_tables(*projected.runs, layout=projected.layout)
    texts = benchstat_texts(tables, [() for _ in projected.runs[1:]], projected.names)
    return [[word for word in words if word != MISSING] for words in rows_of("\n".join(texts))]


@pytest.mark.parametrize(
    ("golden", "files", "projections"),
    [
        ("crcIgnore", ["crc-old.txt", "crc-new.txt"], {"ignore": "note"}),
        ("crcOldNew", ["crc-old.txt", "crc-new.txt"], {}),
        (
            "crcSizeVsPoly",
            ["crc-new.txt"],
            {"filter": "/align:0", "row": "/size", "column": "/poly"},
        ),
    ],
)
def test_benchstats_own_output(golden: str, files: list[str], projections: dict[str, str]) -> None:
    """Every row that benchstat prints with these projections is ours, in its order."""
    expected = rows_of((GOBENCH / f"{golden}.stdout").read_text())

    assert expected == printed(arranged(files, **projections))


JSON, GOB = "1.423µ ± 1%", "3.070µ ± 2%"


@pytest.mark.parametrize(
    ("files", "projections", "expected"),
    [
        (
            ["old.txt", "new.txt"],
            {"filter": "/format:json goos:linux .unit:(ns/op OR B/op)"},
            [f"Encode/format=json-48 1.718µ ± 1% {JSON} -17.20% (p=0.000 n=10)"],
        ),
        (["new.txt"], {"column": "/format"}, [f"Encode-48 {JSON} {GOB} +115.82% (p=0.000 n=10)"]),
        (
            ["new.txt"],
            {"column": "/format@(gob json)", "row": ".name", "ignore": ".file"},
            [f"Encode {GOB} {JSON} -53.66% (p=0.000 n=10)"],
        ),
        (
            ["new.txt"],
            {"row": ".name"},
            ["Encode 2.253µ ± 37% ¹", "¹ benchmarks vary in .fullname"],
        ),
    ],
)
def test_benchstats_documentation(
    files: list[str], projections: dict[str, str], expected: list[str]
) -> None:
    """The tables in it, also the warning that a row mixes results that differ."""
    assert [_TOKEN.findall(line) for line in expected] == printed(arranged(files, **projections))


KEYS = ResultKeys("Copy/size=4k/kind=a b/plain-16", {"goos": "linux", "cpu": "Box 9"}, "new.txt")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (".file", "new.txt"),
        (".fullname", "Copy/size=4k/kind=a b/plain-16"),
        (".name", "Copy"),
        ("/gomaxprocs", "16"),
        ("/kind", "a b"),
        ("/none", ""),
        ("/plain", ""),
        ("/size", "4k"),
        ("goos", "linux"),
        ("none", ""),
    ],
)
def test_values_of_keys(key: str, value: str) -> None:
    """As golang.org/x/perf/benchproc/syntax describes them, for a name like its example."""
    assert value == KEYS.value(key)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (set(), "Copy/size=4k/kind=a b/plain-16"),
        ({".name"}, "*/size=4k/kind=a b/plain-16"),
        ({"/gomaxprocs", "/kind"}, "Copy/size=4k/plain"),
        ({"/plain", "/siz"}, "Copy/size=4k/kind=a b/plain-16"),
    ],
)
def test_a_full_name_lacks_what_has_a_key_of_its_own(keys: set[str], name: str) -> None:
    """Positional parts stay, and so does what only begins alike."""
    assert name == KEYS.name_without(frozenset(keys))


@pytest.mark.parametrize(
    ("expression", "keeps"),
    [
        ("", True),
        ("*", True),
        ("-*", False),
        ("goos:linux", True),
        ("goos:linux AND /size:4k", True),
        ("goos:linux /size:8k", False),
        ("goos:darwin OR /size:4k", True),
        ("goos:darwin OR /size:8k", False),
        ("-goos:darwin", True),
        ("--goos:darwin", False),
        ("-(goos:darwin OR /size:4k)", False),
        ('cpu:"Box 9"', True),
        ('"cpu":"Box\\x209"', True),
        ("/size:/^[0-9]+k$/", True),
        ("/size:/[/]/", False),
        ("/size:(1k OR 4k)", True),
        ("/size:(1k OR /m/)", False),
        (".unit:ns/op", True),
        (".unit:sec/op", True),
        (".unit:B/op", False),
        ("-.unit:B/op", True),
        (".file:new.txt .name:Copy", True),
        ('none:""', True),
    ],
)
def test_filters(expression: str, keeps: bool) -> None:
    """Words and expressions, and, or, not, lists of values, and units as written and in base."""
    assert keeps == parse_filter("--filter", expression)(KEYS, "ns/op")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", ()),
        (".name,/size", (Field(".name"), Field("/size"))),
        (".name /size", (Field(".name"), Field("/size"))),
        ("/size@num goos@alpha", (Field("/size", "num"), Field("goos", "alpha"))),
        ("note@(before after)", (Field("note", fixed=("before", "after")),)),
        ('"a b"@("c d" e-f)', (Field("a b", fixed=("c d", "e-f")),)),
    ],
)
def test_projections(text: str, fields: tuple[Field, ...]) -> None:
    """Keys apart by commas or blanks, each with an order if it has one."""
    assert fields == parse_projection("--row", text)


@pytest.mark.parametrize(
    "text",
    [
        ",",
        ".name,,",
        "/size@",
        "/size@up",
        "/size@()",
        "/size@(1",
        ".config@(a)",
        ".unit",
        '"open',
        '"\\q"@(a)(',
        "a:b",
        "-a",
    ],
)
def test_what_is_no_projection(text: str) -> None:
    """A usage error says which option it is, and where."""
    with pytest.raises(UsageError, match="--row"):
        parse_projection("--row", text)


@pytest.mark.parametrize(
    "text",
    [
        "goos",
        "goos:",
        "goos:linux OR",
        "(goos:linux",
        "goos:linux)",
        "a:(b c)",
        "a:(b OR",
        "a:/(/",
        "a:/[/",
        "a:/b",
        "a:/b/c",
        ".config:x",
        "AND",
        "-",
        "a@num",
        "-" * 200 + "*",
    ],
)
def test_what_is_no_filter(text: str) -> None:
    """The same of filters."""
    with pytest.raises(UsageError, match="--filter"):
        parse_filter("--filter", text)


@given(st.text(alphabet='ab/.:@()-*" \\,[]OR', max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    """Nothing else is raised, and what is parsed can be asked."""
    for parse in (parse_projection, parse_filter):
        try:
            parsed = parse("--option", text)
        except UsageError:
            continue
        if callable(parsed):
            assert parsed(KEYS, "ns/op") in (True, False)


@pytest.mark.parametrize("expression", ["^(a+)+$", "^(a|a)*$", "a*a*a*a*a*a*b", "(.*.*)*x"])
def test_an_expression_takes_linear_time(expression: str) -> None:
    """Those that take exponential time elsewhere are answered; a lookahead is none of Go's."""
    keeps = parse_filter("--filter", f"note:/{expression}/")
    long = ResultKeys("X", {"note": "a" * 100_000 + "c"}, "f")

    assert not keeps(long, "ns/op")
    with pytest.raises(UsageError, match="as Go has them"):
        parse_filter("--filter", "note:/(?=a)/")


def test_numbers_are_ordered_by_their_size() -> None:
    """With prefixes by 1,000 and 1,024, before what is no number; ties by their text."""
    values = ["x", "1Mi", "2k", "1M", "10", "9", "1kB", "a", "1.5k"]

    actual = sort_values(values, Field("/size", "num"))

    assert ["9", "10", "1kB", "1.5k", "2k", "1M", "1Mi", "a", "x"] == list(actual)


def compare(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(veperf, ["compare", *args])
    return result.exit_code, result.output


def go_file(path: Path, note: str, level: float, names: Sequence[str] = ("A", "B")) -> str:
    lines = [f"note: {note}", "pkg: ex/a"]
    for index, name in enumerate(names):
        size = level if index == 0 else 1
        lines += [f"Benchmark{name} 1 {100 * size + i} ns/op" for i in range(10)]
    path.write_text("\n".join([*lines, "PASS", ""]))
    return str(path)


def test_three_files_are_three_columns(tmp_path: Path) -> None:
    """Each is compared with the first, and the verdict names the column that is slower."""
    files = [go_file(tmp_path / f"{n}.txt", "x", level) for n, level in enumerate((1, 1, 3))]

    code, text = compare(*files)

    assert 1 == code
    (row,) = (line for line in text.splitlines() if line.startswith("A "))
    assert 2 == row.count("n=10")
    assert "1 slower (BenchmarkA on 2.txt" in text


def test_files_have_labels_without_any_option(tmp_path: Path) -> None:
    """As with one; a file of that very name comes first."""
    old, new = (go_file(tmp_path / f"{n}.txt", "x", 1) for n in ("old", "new"))
    odd = go_file(tmp_path / "C=old.txt", "x", 1)

    code, text = compare(f"A={old}", f"B={new}", odd)

    assert 0 == code
    head = next(line for line in text.splitlines() if "vs base" in line)
    assert ["A", "B", "C=old.txt"] == [word for word in head.split() if word[0] in "ABC"]
    assert isinstance(
        CliRunner().invoke(veperf, ["compare", old, "B=none.txt"]).exception, NoSuchFileError
    )


def test_a_setting_in_which_the_files_differ_is_said(tmp_path: Path) -> None:
    """They are compared all the same, and apart when asked, where nothing is in common."""
    old, new = (go_file(tmp_path / f"{note}.txt", note, 1) for note in ("off", "on"))

    together, apart = compare(old, new), compare(old, new, "--table", ".config")

    assert 0 == together[0]
    assert "note differs (off, now on) and is compared all the same" in together[1]
    assert 3 == apart[0]
    assert "note: off" in apart[1]
    assert "vs base" not in apart[1]


def test_what_a_filter_leaves_out_is_said(tmp_path: Path) -> None:
    """With its number; where nothing is left, it is an error."""
    old, new = (go_file(tmp_path / f"{n}.txt", "x", 1) for n in (1, 2))

    code, text = compare(old, new, "--filter", ".name:A")
    nothing = CliRunner().invoke(veperf, ["compare", old, new, "--filter", ".name:C"])

    assert 0 == code
    assert "2 benchmarks left out" in text
    assert isinstance(nothing.exception, UsageError)


def test_failures_are_arranged_too(tmp_path: Path) -> None:
    """A benchmark that failed in one column is an error of the comparison."""
    old = go_file(tmp_path / "old.txt", "x", 1)
    new = go_file(tmp_path / "new.txt", "x", 1)
    with Path(new).open("a") as file:
        file.write("pkg: ex/a\n--- FAIL: BenchmarkB\nFAIL\n")

    code, text = compare(old, new, "--row", ".name")

    assert 3 == code
    assert "failed" in text


def test_failures_of_other_tools_are_arranged_too(tmp_path: Path) -> None:
    """By the keys that the benchmark has, whether anything else has a value or not."""
    good = '{"command":"a","times":[1.0,1.1,1.2],"exit_codes":[0,0,0],"parameters":{"n":"1"}}'
    bad = '{"command":"a","times":[1.0,1.1,1.2],"exit_codes":[1,1,1],"parameters":{"n":"2"}}'
    for name, results in (("old", [good]), ("new", [good, bad]), ("none", [bad])):
        (tmp_path / f"{name}.json").write_text(f'{{"results":[{",".join(results)}]}}')
    old, new, none = (str(tmp_path / f"{name}.json") for name in ("old", "new", "none"))

    code, text = compare(old, new, "--row", ".name /n", "--explain")
    alone, text_alone = compare(none, "--row", ".name", "--col", "/n")
    filtered, _ = compare(old, new, "--filter", "/n:1")

    assert (3, 3, 0) == (code, alone, filtered)
    assert "A 2" in text
    assert "exit code 1" in text.replace("\n", " ")
    assert "can't be arranged" not in text + text_alone


def test_failures_of_a_kept_run_are_arranged_too() -> None:
    """Of Go, as it is in the archive, with a package or without one."""
    text = b"BenchmarkA 1 5 ns/op\n--- FAIL: BenchmarkB/n=1\npkg: ex/a\n--- FAIL: BenchmarkB/n=2\n"
    kept = read_runs(text, "f")[0].run
    runs = read_configurations(kept).runs

    (run,) = project_runs([("f", runs)], parse_projections(table="pkg", row=".name,/n")).runs

    assert ["B 1", "B 2"] == sorted(case.partition("/")[2] for case in run.first_failures)


def test_columns_that_took_turns_are_pairs(tmp_path: Path) -> None:
    """In a file of several packages, too; where they are not used, that is said."""
    level = [100 + 20 * n for n in range(10)]
    lines = [
        f"note: {note}\nBenchmarkIt-8 100 {value * factor + value % 7 / 10} ns/op"
        for value in level
        for note, factor in (("old", 1.0), ("new", 1.1))
    ]
    file = tmp_path / "both.txt"
    file.write_text("\n".join(["pkg: ex/a", *lines, "pkg: ex/b", *lines, ""]))

    by, text_by = compare(str(file), "--by", "note")
    code, text = compare(str(file), "--col", "note", "--table", "pkg", "--explain")
    _, merged = compare(str(file), "--col", "note", "--table", "note", "--row", ".name")

    assert (1, 1) == (by, code)
    assert "take turns in the file: compared as pairs" in text.replace("\n", " ")
    assert "take turns in the file: compared as pairs" in text_by.replace("\n", " ")
    assert "made in turn" in text.replace("\n", " ")
    assert "not compared as pairs" in merged.replace("\n", " ")
    assert ": compared as pairs" not in merged.replace("\n", " ")


def test_files_of_other_tools_are_arranged_as_go_text() -> None:
    """Parameters are keys, whatever the tool."""
    file = str(VECTORS / "interop" / "pytest_benchmark.json")

    code, text = compare(file, "--row", ".name")

    assert 3 == code
    assert "±" in text


def test_rows_by_the_size_of_their_change() -> None:
    """The largest first in either direction, what does not differ last; or by name."""
    old, new = (
        (file, read_configurations(GOBENCH / file)) for file in ("crc-old.txt", "crc-new.txt")
    )
    runs: list[Run] = []
    projected = project_runs(
        [(name, read.runs) for name, read in (old, new)], parse_projections(ignore="note")
    )
    runs += projected.runs
    table = benchstat_tables(*runs)[0]

    def is_different(row: UnitRow) -> bool:
        return bool(row.tests[1] and row.tests[1].differ)

    by_change = sort_rows(table, "change").rows
    sizes = [abs((row.ratio(1) or 1) - 1) for row in by_change if is_different(row)]
    assert {row.case for row in table.rows} == {row.case for row in by_change}
    assert "IEEE/size=32kB" in by_change[0].case
    assert sizes[0] == max(sizes)
    assert [True] * len(sizes) == [is_different(row) for row in by_change[: len(sizes)]]
    names = [row.case for row in sort_rows(table, "name").rows]
    assert sorted(names) == names
