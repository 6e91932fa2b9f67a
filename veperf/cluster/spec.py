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
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from veperf.errors import CorruptFileError, UsageError

_MOST_BYTES = 1 << 20

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Value = str | int | float


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
        spec = msgspec.convert(tomllib.loads(data.decode()), type=Spec)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFileError(f"{path} is no TOML file: {error}") from error
    except (msgspec.ValidationError, OverflowError) as error:
        raise CorruptFileError(f"{path}: {error}; see `veperf sweep --help`") from error
    if not patterns(spec):
        raise UsageError(f"{path} names no benchmarks: `benchmarks` or `parameters` must")
    for ref in spec.refs:
        if ref.startswith("-") or not re.fullmatch(r"[\w./@^~+-]+", ref):
            raise UsageError(f"{path}: {ref!r} is no name of a commit")
    return spec


def patterns(spec: Spec) -> tuple[str, ...]:
    """What a task each measures, as ``veperf run`` takes it; none twice."""
    chosen = [
        f"{benchmark}[{name}={value}]"
        for benchmark, params in spec.parameters.items()
        for name, values in params.items()
        for value in values
    ]
    return tuple(dict.fromkeys([*spec.benchmarks, *chosen]))
