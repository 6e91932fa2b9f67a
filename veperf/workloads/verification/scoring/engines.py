"""The engines by name."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import NamedTuple

from veperf.core.errors import UsageError
from veperf.workloads.verification.scoring.engine import Engine, EngineUnavailableError
from veperf.workloads.verification.scoring.exact import ExactEngine, numpy_engine
from veperf.workloads.verification.scoring.floating import FloatEngine
from veperf.workloads.verification.scoring.model import Model, read_model
from veperf.workloads.verification.scoring.tensorflow_process import HostedTensorFlow


class UnknownEngineError(UsageError, LookupError):
    """No engine has that name."""


def _exact(model: Model) -> Engine:
    return numpy_engine(model)


def _tensorflow(model: Model) -> Engine:
    return FloatEngine("tensorflow", HostedTensorFlow(), numpy_engine(model))


def _tensorflow_exact(model: Model) -> Engine:
    return ExactEngine("tensorflow-exact", model.sha256, HostedTensorFlow())


def _litert(model: Model) -> Engine:
    from veperf.workloads.verification.scoring.litert import LiteRTInference

    return FloatEngine("litert", LiteRTInference(model), numpy_engine(model))


class _Kind(NamedTuple):
    make: Callable[[Model], Engine]
    package: str = ""
    extra: str = ""


_KINDS: Mapping[str, _Kind] = {
    "exact": _Kind(_exact),
    "tensorflow": _Kind(_tensorflow, "tensorflow", "tensorflow"),
    "tensorflow-exact": _Kind(_tensorflow_exact, "tensorflow", "tensorflow"),
    "litert": _Kind(_litert, "ai_edge_litert", "litert"),
}
ENGINES = tuple(_KINDS)
"""All names, the default first."""


def load_engine(name: str = "exact") -> Engine:
    """The engine ``name``, with the model that is shipped. ``close`` it afterwards.

    Raises:
        UnknownEngineError: there is no such engine.
        EngineUnavailableError: the package that it runs on is not installed.
        CorruptFileError: the model's file is not the one that was shipped.
        EngineCrashedError: the engine's process could not start.
    """
    kind = _KINDS.get(name)
    if kind is None:
        raise UnknownEngineError(f"no engine is called {name!r}; there are {', '.join(ENGINES)}")
    if not _installed(kind):
        raise EngineUnavailableError(
            f"engine {name} needs {kind.package}: pip install veperf[{kind.extra}]"
        )
    return kind.make(read_model())


def available_engines() -> tuple[str, ...]:
    """The names of the engines whose packages are installed."""
    return tuple(name for name, kind in _KINDS.items() if _installed(kind))


def _installed(kind: _Kind) -> bool:
    return not kind.package or find_spec(kind.package) is not None
