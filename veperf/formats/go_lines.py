"""Grammar of Go benchmark output: what a line is, and what the names in it say.

The format is that of golang.org/design/14313-benchmark-format: result lines, ``key: value`` lines
that apply to the results below them, and ``Unit`` lines about units.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from veperf.core.case import Params
from veperf.formats.imported import clean_name, slug

ENCODED = "; names are percent-encoded"
"""End of the first line of a file in which names are, as veperf writes it."""
COUNT = re.compile(r"\d{1,18}", re.ASCII)
KEY_VALUE = re.compile(r"([^\W\dA-Z_][^\sA-Z:]*):(?:[ \t]+(.*)|)$")
# A benchmark that fails late has its name before it on the line.
OUTCOME = re.compile(r"(?:^|\s)--- (FAIL|SKIP): (Benchmark\S*)")
PACKAGE_FAILED = re.compile(r"FAIL\t(\S+)\s*(.*)")
NO_TESTS = re.compile(r"\?\s+(\S+)\s+\[no test files\]")
PANIC = re.compile(r"(?:^|\s)((?:panic|fatal error): .*)")
PACKAGE_DONE = ("PASS", "ok ", "ok\t")
# What fails beside the benchmarks, and the last line of a test binary in which anything did.
TEST_FAILED = re.compile(r"--- FAIL: (\S+)|FAIL$")

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[Ii]nf|NaN", re.ASCII)
_LONGEST_NUMBER = 400
# A unit that begins with one of these letters is no number, as Inf and NaN are. Nothing here is
# tried twice: each part ends where the next one begins.
_BLANK = r"[^\S\n]"
_PAIR = rf"{_BLANK}++([0-9]{{1,18}}+(?:\.[0-9]{{1,18}}+)?+){_BLANK}++([a-hj-zA-HJ-MO-Z%]\S*+)"
_PLAIN_ROW = re.compile(
    rf"^(?:(Benchmark\S*+){_BLANK}++([0-9]{{1,18}}+){_PAIR}(?:{_PAIR})?+(?:{_PAIR})?+{_BLANK}*+$|.*$)",
    re.MULTILINE,
)
PlainRow: TypeAlias = tuple[str, str, str, str, str, str, str, str]
"""Name, iterations, and up to three values, each with its unit; the rest is empty."""
_NAME = re.compile(r"Benchmark(?![^\W\dA-Z_])")
# Text that a test or benchmark printed without a line end, and then the name of the next one, which
# the testing package pads and ends with a tab. A line of a log has its file before its text.
_PADDED_NAME = re.compile(r"Benchmark(?![^\W\dA-Z_])\S{0,999} *\t")
_AFTER_TEXT = re.compile(rf"(?!\s+\S+\.go:\d+: )\S.*?(?={_PADDED_NAME.pattern})")
STANDARD_UNITS = ("ns/op", "MB/s", "B/op", "allocs/op")
TIDIED: Mapping[str, tuple[str, float]] = MappingProxyType(
    {"sec/op": ("ns/op", 1e9), "B/s": ("MB/s", 1e-6)}
)
"""Units as benchstat writes them, with the unit and the factor of what `go test` prints."""
# What begins the next line, where figures end without a line end.
_NEXT_LINE = re.compile(
    rf"(?<=\d)(\s+(?:{'|'.join(STANDARD_UNITS)}))\s*"
    r"(?=Benchmark(?![^\W\dA-Z_])|(?:PASS|FAIL)\s|(?:PASS|FAIL)$|ok\s|Unit\s|--- |=== "
    r"|(?:goos|goarch|pkg|cpu): )"
)
# The name of another benchmark: behind the name that begins the line, and its processors at least.
_NEXT_NAME = re.compile(r"(?:(?<=\s)|(?<=-\d)|(?<=-\d\d)|(?<=-\d\d\d))Benchmark(?![^\W\dA-Z_])")
_ANOTHER_NAME = re.compile(r"Benchmark(?![^\W\dA-Z_])")
_MOST_NAMES = 10
_PROCESSORS = re.compile(r"-\d{1,18}$", re.ASCII)
_PER = ("/op", "/s")


def without_text_before(line: str) -> str:
    """Return ``line`` from the name of a benchmark on, where other text stands before that."""
    if "Benchmark" not in line or line.startswith("Benchmark"):
        return line
    before = _AFTER_TEXT.match(line)
    return line[before.end() :] if before else line


def joined_lines(line: str) -> list[str]:
    """Return the lines that ``line`` is made of: all but the last lack their ends.

    So it is where files are joined of which one ends without a line end, or is cut off: figures, or
    a name without any, are followed by another name, or by the end or the settings of a package.
    """
    if "Benchmark" not in line and "/op" not in line and "MB/s" not in line:
        return [line]
    # The split has what stands before, the unit, and what follows by turns.
    *parts, last = _NEXT_LINE.split(line)
    pieces = [a + b for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return [part for piece in (*pieces, last) for part in _split_at_names(piece)]


def _split_at_names(line: str) -> list[str]:
    """Split ``line`` at another name: behind figures that are cut off, or before its own."""
    if "Benchmark" not in line[1:] or OUTCOME.search(line):
        return [line]
    name_end = len(line.split(None, 1)[0]) if line.startswith("Benchmark") else 0
    for _, match in zip(range(_MOST_NAMES), _ANOTHER_NAME.finditer(line, 1), strict=False):
        at = match.start()
        before, after = line[:at], line[at:]
        if at < name_end and not _NEXT_NAME.match(line, at):
            continue  # part of the name
        fields = before.split() if name_end else ["", *before.split()]
        has_begun = is_torn(fields) if name_end else _has_figures(fields)
        if has_begun or (name_end and _has_figures(after.split(None, 3))):
            return [before, after]
    return [line]


def _has_figures(fields: list[str]) -> bool:
    """Return whether a number of iterations and another number follow the first word."""
    return len(fields) > 2 and bool(COUNT.fullmatch(fields[1]) and _NUMBER.match(fields[2]))


def is_name(line: str) -> bool:
    """Return whether a line begins with the name of a benchmark, as Go has them."""
    return _NAME.match(line) is not None


def is_name_before_log(line: str) -> bool:
    """Return whether a line begins with a name as the testing package pads it."""
    return _PADDED_NAME.match(line) is not None


def cut_off_result(text: str) -> str:
    """Return the last line of a text if it is a result whose unit is cut off, else nothing.

    It has no end, and its unit is the beginning of another one, and stands in no other result.
    """
    line = text[text.rfind("\n") + 1 :]
    fields = line.split()
    if not is_result(line, fields) or line[-1].isspace() or fields[-1] in STANDARD_UNITS:
        return ""
    unit = re.escape(fields[-1])
    others = re.findall(rf"^Benchmark.*\d[ \t]+({unit}\S*)", text[: -len(line)], re.MULTILINE)
    is_cut_off = fields[-1] not in others and (
        bool(others) or any(known.startswith(fields[-1]) for known in STANDARD_UNITS)
    )
    return line if is_cut_off else ""


def is_result(line: str, fields: list[str]) -> bool:
    """Return whether a line is a whole result, whatever letter follows the word Benchmark."""
    return line.startswith("Benchmark") and measured(fields) is not None


def plain_rows(lines: str) -> list[PlainRow]:
    """Return a row for each of these lines: of results in their plainest form, else an empty one.

    That is nearly every result, and read as ``measured`` does: one to three numbers without a sign
    or exponent, each with its unit. Only ``is_plain`` says whether a row is one.
    """
    return _PLAIN_ROW.findall(lines)


def is_plain(row: PlainRow) -> bool:
    """Return whether a row is that of a whole result, and of no other line with it."""
    name, _, _, unit, _, unit_2, _, unit_3 = row
    is_repeated = unit in (unit_2, unit_3) or (unit_3 != "" and unit_2 == unit_3)
    is_joined = (unit_3 or unit_2 or unit).endswith(("PASS", "FAIL"))
    is_tidied = not TIDIED.keys().isdisjoint((unit, unit_2, unit_3))
    is_several = any("Benchmark" in text for text in (name[1:], unit, unit_2, unit_3))
    return name != "" and not (is_repeated or is_joined or is_several or is_tidied)


def figures_of(row: PlainRow) -> dict[str, float]:
    """Return the values of a plain row by unit."""
    return {unit: float(value) for value, unit in zip(row[2::2], row[3::2], strict=True) if unit}


def measured(fields: list[str]) -> tuple[int, dict[str, float]] | None:
    """Return iterations and values by unit at the end of a line, or None if there are none.

    A unit that is there twice, and figures before them, are those of two lines: of which, can't
    be told.
    """
    start, figures = len(fields), []
    while start > 3 and _is_number(fields[start - 2]) and not _is_number(fields[start - 1]):
        start -= 2
        figures.append((fields[start + 1], float(fields[start])))
    by_unit = dict(reversed(figures))
    is_mixed = len(by_unit) < len(figures) or is_torn(fields[: start - 1])
    if not figures or is_mixed or not COUNT.fullmatch(fields[start - 1]):
        return None
    return int(fields[start - 1]), _in_go_units(by_unit)


def _in_go_units(by_unit: dict[str, float]) -> dict[str, float]:
    """Return figures in units that benchstat has tidied in those of `go test`."""
    if by_unit.keys().isdisjoint(TIDIED) or any(u in by_unit for u, _ in TIDIED.values()):
        return by_unit
    tidied = ((TIDIED.get(unit, (unit, 1.0)), value) for unit, value in by_unit.items())
    return {unit: value * factor for (unit, factor), value in tidied}


def is_torn(fields: list[str]) -> bool:
    """Return whether a line that is no result was to be one: cut off, or with other numbers."""
    if len(fields) < 3 or not COUNT.fullmatch(fields[1]):
        return False
    return has_unit(fields[3:]) or bool(fields[0] and _NUMBER.match(fields[2]))


def has_unit(fields: list[str]) -> bool:
    """Return whether any word is a unit, as of figures."""
    return any(field.endswith(_PER) for field in fields)


def without_processors(name: str) -> str:
    """Return a name without the number of processors at its end."""
    return _PROCESSORS.sub("", name)


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def decode_name(name: str) -> str:
    """Return a name that veperf has written percent-encoded, as Go's names are one word each."""
    try:
        return clean_name(unquote_to_bytes(name).decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return name


def parameters_of(name: str, *, is_encoded: bool = False) -> tuple[str, Params]:
    """Split a full name, as into ``BenchmarkEncode`` and ``{format: json, gomaxprocs: 48}``.

    What it consists of is decoded where it ``is_encoded``.
    """
    base_name, dash, procs = name.rpartition("-")
    if not dash or not COUNT.fullmatch(procs):
        base_name, procs = name, ""
    if is_encoded:
        base_name = decode_name(base_name)
    base, params = [], Params()
    for part in base_name.split("/")[:50]:
        key, equals, value = part.partition("=")
        if equals and key and len(part) < 100:
            params[clean_name(key)] = int(value) if COUNT.fullmatch(value) else clean_name(value)
        else:
            base.append(part)
    if procs:
        params["gomaxprocs"] = int(procs)
    return "/".join(base), params


def suites_of(packages: list[str]) -> dict[str, str]:
    """Name each package by its last two parts, or more, or with a number, to be unique."""
    names: dict[str, str] = {}
    used: set[str] = set()
    numbers: dict[str, int] = {}
    for package in packages:
        parts = package.split("/")
        tails = [slug("-".join(parts[-depth:])) for depth in range(2, min(len(parts), 10) + 1)]
        candidates = [tail for tail in tails or [slug(package)] if tail] or ["go"]
        name = next((tail for tail in candidates if tail not in used), "")
        while not name or name in used:
            numbers[candidates[0]] = numbers.get(candidates[0], 1) + 1
            name = f"{candidates[0]}.{numbers[candidates[0]]}"
        used.add(name)
        names[package] = name
    return names
