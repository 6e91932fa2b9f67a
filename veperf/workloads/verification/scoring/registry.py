"""The scoring engines by name."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import NamedTuple

from veperf.core.errors import UsageError
from veperf.workloads.verification.scoring.engine import EngineUnavailableError, ScoringEngine
from veperf.workloads.verification.scoring.exact import ExactEngine, numpy_engine
from veperf.workloads.verification.scoring.floating import FloatEngine
from veperf.workloads.verification.scoring.model import Model, read_model
from veperf.workloads.verification.scoring.tensorflow_process import TensorFlowProcess


class UnknownEngineError(UsageError, LookupError):
    """No engine has that name."""


def _exact(model: Model) -> ScoringEngine:
    return numpy_engine(model)


def _tensorflow(model: Model) -> ScoringEngine:
    return FloatEngine("tensorflow", TensorFlowProcess(), numpy_engine(model))


def _tensorflow_exact(model: Model) -> ScoringEngine:
    return ExactEngine("tensorflow-exact", model.sha256, TensorFlowProcess())


def _litert(model: Model) -> ScoringEngine:
    from veperf.workloads.verification.scoring.litert import LiteRTNetwork

    return FloatEngine("litert", LiteRTNetwork(model), numpy_engine(model))


class _EngineKind(NamedTuple):
    make: Callable[[Model], ScoringEngine]
    package: str = ""
    extra: str = ""


_KINDS: Mapping[str, _EngineKind] = {
    "exact": _EngineKind(_exact),
    "tensorflow": _EngineKind(_tensorflow, "tensorflow", "tensorflow"),
    "tensorflow-exact": _EngineKind(_tensorflow_exact, "tensorflow", "tensorflow"),
    "litert": _EngineKind(_litert, "ai_edge_litert", "litert"),
}
ENGINES = tuple(_KINDS)
"""The names of all engines, the default first."""


def load_engine(name: str = "exact") -> ScoringEngine:
    """Return the engine ``name`` with the shipped model. ``close`` it afterwards.

    Raises:
        UnknownEngineError: there is no such engine.
        EngineUnavailableError: the package that it needs is not installed.
        CorruptFileError: the model's file is not the shipped one.
        EngineCrashedError: the engine's process could not start.
    """
    kind = _KINDS.get(name)
    if kind is None:
        raise UnknownEngineError(f"no engine is called {name!r}; there are {', '.join(ENGINES)}")
    if not _is_installed(kind):
        raise EngineUnavailableError(
            f"engine {name} needs {kind.package}: pip install veperf[{kind.extra}]"
        )
    return kind.make(read_model())


def available_engines() -> tuple[str, ...]:
    """Return the names of the engines whose packages are installed."""
    return tuple(name for name, kind in _KINDS.items() if _is_installed(kind))


def _is_installed(kind: _EngineKind) -> bool:
    return not kind.package or find_spec(kind.package) is not None
