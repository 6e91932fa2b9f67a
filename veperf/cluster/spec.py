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
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.units import length_s

_MOST_BYTES = 1 << 20

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Value = str | int | float
_REF = re.compile(r"(?!-)[\w./@^~+-]+")


class AB(Struct, frozen=True, forbid_unknown_fields=True):
    """Two commits to compare in pairs, on each machine class. The rest is as for ``veperf ab``."""

    base: Word
    """The old code's commit, branch or tag."""
    head: Word | None = None
    """The new code's; what is checked out where the sweep is begun, when there is none."""
    threshold: Annotated[float, Meta(ge=1, le=1000)] = 5.0
    """A slowdown that is surely more than so many percent is a failure."""
    max_pairs: Annotated[int, Meta(ge=6, le=200)] = 48
    time_budget: str = ""
    """Of each comparison: 90s, 10m."""


class Spec(Struct, frozen=True, forbid_unknown_fields=True):
    """What to measure, how, and where. Every combination is a task."""

    name: Name
    benchmarks: tuple[Word, ...] = ()
    """Suites, benchmarks, cases or globs, as ``veperf run`` takes them: a task each."""
    parameters: dict[Word, dict[Word, tuple[Value, ...]]] = {}
    """By benchmark and parameter the values to measure: a task each."""
    profile: Literal["quick", "standard", "thorough"] = "quick"
    machine_classes: tuple[Name, ...] = ()
    """Tags of workers; any worker will do where there is none."""
    refs: tuple[Word, ...] = ()
    """Commits, branches or tags of the repository on the workers; what is installed there when
    there is none."""
    repeats: Annotated[int, Meta(ge=1, le=1000)] = 1
    seed: Annotated[int, Meta(ge=0, lt=1 << 32)] = 0
    """Of the order in which cases are measured: repeat n takes ``seed + n``."""
    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] = 60.0
    modules: tuple[Word, ...] = ()
    memory: bool = False
    ab: AB | None = None
    """Comparisons, a task each machine class and repeat, in place of runs. Without benchmarks it
    is all of them."""


def load_spec(path: Path) -> Spec:
    """The specification in the file ``path``.

    Raises:
        UsageError: there is no such file, or it asks for nothing.
        CorruptFileError: it is no TOML, or has a field that is unknown or of the wrong type.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise CorruptFileError(f"{path} is over {_MOST_BYTES} bytes long; that is no specification")
    try:
        found: object = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFileError(f"{path} is no TOML file: {error}") from error
    return _checked(found, str(path))


def checked(spec: Spec) -> Spec:
    """``spec``, which a program made, if it holds what a file may hold.

    Raises:
        UsageError: it asks for nothing, or for what does not go together.
        CorruptFileError: a field is of the wrong type.
    """
    return _checked(msgspec.to_builtins(spec), "the specification")


def _checked(found: object, where: str) -> Spec:
    try:
        spec = msgspec.convert(found, type=Spec)
    except (msgspec.ValidationError, OverflowError) as error:
        raise CorruptFileError(f"{where}: {error}; see `veperf sweep --help`") from error
    for fault in _faults(spec):
        raise UsageError(f"{where}: {fault}")
    return spec


def _faults(spec: Spec) -> Iterator[str]:
    ab = spec.ab
    for ref in spec.refs if ab is None else (ab.base, *([ab.head] if ab.head else [])):
        if not _REF.fullmatch(ref):
            yield f"{ref!r} is no name of a commit"
    if ab is None:
        if not patterns(spec):
            yield "it names no benchmarks: `benchmarks` or `parameters` must"
        return
    if spec.refs or spec.memory or spec.profile != "quick":
        yield "`refs`, `profile` and `memory` are of runs, which with [ab] there are none of"
    try:
        seconds_of(ab)
    except UsageError as error:
        yield f"`time_budget`: {error}"


def seconds_of(ab: AB) -> float | None:
    """The time budget of ``ab``.

    Raises:
        UsageError: it is no length of time.
    """
    return length_s(ab.time_budget) if ab.time_budget else None


def patterns(spec: Spec) -> tuple[str, ...]:
    """What a task each measures, as ``veperf run`` takes it; none twice."""
    chosen = [
        f"{benchmark}[{name}={value}]"
        for benchmark, params in spec.parameters.items()
        for name, values in params.items()
        for value in values
    ]
    return tuple(dict.fromkeys([*spec.benchmarks, *chosen]))
