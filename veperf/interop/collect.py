"""What a reader finds in a file, gathered benchmark by benchmark."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from veperf.interop.names import clean
from veperf.model import Metric, Params, Revision

_MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class Repetition:
    """One measured repetition: a value of each metric."""

    figures: dict[str, float]
    loops: int = 1
    """Calls that its time is the mean of."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of where and when it was measured; empty where it says nothing."""

    cpu_model: str = ""
    cores: int = 0
    memory_bytes: int | None = None
    system: str = ""
    python: str = ""
    created: str = ""
    revision: Revision = field(default_factory=Revision)


@dataclass(slots=True)
class Gathered:
    """One benchmark, as far as the file has been read."""

    suite: str
    name: str
    benchmark: str
    what: str
    params: Params
    metrics: dict[str, Metric] = field(default_factory=dict)
    repetitions: list[Repetition] = field(default_factory=list)
    failure: str = ""
    dropped: int = 0
    """Values that are no finite number."""

    def add(self, values: Mapping[Metric, float], loops: int = 1) -> None:
        """Take in one repetition. Values that are no finite number are left out and counted."""
        finite = {metric: v for metric, v in values.items() if math.isfinite(v)}
        self.dropped += len(values) - len(finite)
        if finite:
            self.metrics |= {metric.name: metric for metric in finite}
            figures = {metric.name: float(v) for metric, v in finite.items()}
            self.repetitions.append(Repetition(figures, loops))


class Collector:
    """Everything that a file says."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.facts = Facts()
        self.label = ""
        """What tells this from other runs in the same file."""
        self._found: dict[tuple[str, str], Gathered] = {}
        self._notes: dict[str, None] = {}
        self._unsaid = 0

    def benchmark(
        self,
        suite: str,
        name: str,
        *,
        benchmark: str = "",
        what: str = "",
        params: Params | None = None,
    ) -> Gathered:
        """The benchmark ``name`` of ``suite``, a new one where there is none yet."""
        key = suite, clean(name)
        if key not in self._found:
            self._found[key] = Gathered(
                suite, key[1], clean(benchmark or name), clean(what), dict(params or {})
            )
        return self._found[key]

    def note(self, text: str) -> None:
        """Something that whoever imports the file should know; said once."""
        if text in self._notes:
            return
        if len(self._notes) < _MOST_NOTES:
            self._notes[text] = None
        else:
            self._unsaid += 1

    @property
    def benchmarks(self) -> list[Gathered]:
        """In the order of the file."""
        return list(self._found.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noted, at most 20 and a count of the rest."""
        more = (f"and {self._unsaid} more remarks",) if self._unsaid else ()
        return (*self._notes, *more)

    def guessed(self, metric: Metric) -> None:
        """Say that the direction of ``metric`` is a guess."""
        self.note(f"{metric.better} {metric.name} is taken as better: the file doesn't say")
