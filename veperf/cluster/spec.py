"""The specification of a sweep, as people write it: a TOML file.

::

    name = "nightly"
    benchmarks = ["transaction", "zk_proof/age_proof"]
    profile = "standard"
    machine_classes = ["small", "large"]
    refs = ["main", "v1.2.0"]
    repeats = 3

    [parameters."transaction/state_write"]
    accounts = [1000, 100000]

Or, to compare two commits on each machine class in place of making runs::

    name = "before-release"
    machine_classes = ["small", "large"]

    [ab]
    base = "v1.2.0"
    head = "main"
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.option_fields import about, options_from, values_of
from veperf.core.options import JudgeOptions, RunOptions, UnaffectedOptions
from veperf.core.text import join_words

_MAX_BYTES = 1 << 20

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Value = str | int | float
_REF = re.compile(r"(?!-)[\w./@^~+-]+")


@dataclass(frozen=True)
class ABSpec(JudgeOptions, UnaffectedOptions):
    """Two commits to compare in pairs, on each machine class: the table [ab]."""

    base: Annotated[Word, about("The old code's commit, branch or tag.")]
    head: Annotated[
        Word | None,
        about("The new code's; what is checked out where the sweep is begun, when there is none."),
    ] = None


@dataclass(frozen=True)
class SweepSpec(RunOptions):
    """The specification of a sweep. Every combination of its parts is a task."""

    name: Name
    benchmarks: tuple[Word, ...] = ()
    """Suites, benchmarks, cases or globs, as ``veperf run`` takes them: a task each."""
    parameters: dict[Word, dict[Word, tuple[Value, ...]]] = field(default_factory=dict)
    """By benchmark and parameter the values to measure: a task each."""
    machine_classes: tuple[Name, ...] = ()
    """Tags of workers; any worker will do where there is none."""
    refs: tuple[Word, ...] = ()
    """Commits, branches or tags of the repository on the workers; what is installed there when
    there is none."""
    repeats: Annotated[int, Meta(ge=1, le=1000)] = 1
    seed: Annotated[int, Meta(ge=0, lt=1 << 32)] = field(default=0, kw_only=True)
    """Of the order in which cases are measured: repeat n takes ``seed + n``."""
    ab: ABSpec | None = None
    """Comparisons, a task each machine class and repeat, in place of runs. Without benchmarks it
    is all of them."""


def load_spec(path: Path) -> SweepSpec:
    """Read the specification in the file ``path``.

    Raises:
        UsageError: there is no such file, or it is contradictory or names no benchmarks.
        CorruptFileError: it is no TOML, or has a field that is unknown or of the wrong type.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise CorruptFileError(f"{path} is over {_MAX_BYTES} bytes long; that is no specification")
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFileError(f"{path} is no TOML file: {error}") from error
    return _checked(table, str(path))


def validate_spec(spec: SweepSpec) -> SweepSpec:
    """Check a specification made by a program as if it came from a file; return it.

    Raises:
        UsageError: it is contradictory or names no benchmarks.
        CorruptFileError: a field is of the wrong type.
    """
    return _checked(values_of(spec), "the specification")


def _checked(table: Mapping[str, object], where: str) -> SweepSpec:
    try:
        spec = options_from(SweepSpec, table, path="$.")
    except UsageError as error:
        raise CorruptFileError(f"{where}: {error}; see `veperf sweep --help`") from error
    for fault in _faults(spec):
        raise UsageError(f"{where}: {fault}")
    return spec


def _faults(spec: SweepSpec) -> Iterator[str]:
    ab = spec.ab
    for ref in spec.refs if ab is None else (ab.base, *([ab.head] if ab.head else [])):
        if not _REF.fullmatch(ref):
            yield f"{ref!r} is not a valid name of a commit"
    if ab is None:
        if not spec_patterns(spec):
            yield "it names no benchmarks: `benchmarks` or `parameters` must"
        return
    of_runs = [name for name in _OF_RUNS if getattr(spec, name) != getattr(SweepSpec, name)]
    if of_runs:
        names = join_words(f"`{name}`" for name in of_runs)
        yield f"{names} are for runs; a specification with [ab] makes none"


_OF_RUNS = ("refs", "profile", "memory", "processes", "min_time_s", "short", "time_budget_s")
"""What says how runs are made."""


def spec_patterns(spec: SweepSpec) -> tuple[str, ...]:
    """Return the patterns to measure, a task each, as ``veperf run`` takes them; none twice."""
    cases = [
        f"{benchmark}[{name}={value}]"
        for benchmark, params in spec.parameters.items()
        for name, values in params.items()
        for value in values
    ]
    return tuple(dict.fromkeys([*spec.benchmarks, *cases]))
