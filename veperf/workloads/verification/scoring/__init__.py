"""Scores from features: one model, and several engines that run it."""

from veperf.workloads.verification.scoring.engine import Engine, EngineUnavailableError, Score
from veperf.workloads.verification.scoring.engines import (
    ENGINES,
    UnknownEngineError,
    available_engines,
    load_engine,
)
from veperf.workloads.verification.scoring.model import (
    MODEL_FILE,
    MODEL_SHA256,
    PARAMETERS,
    Model,
    read_model,
)
from veperf.workloads.verification.scoring.tensorflow_process import EngineCrashedError

__all__ = [
    "ENGINES",
    "MODEL_FILE",
    "MODEL_SHA256",
    "PARAMETERS",
    "Engine",
    "EngineCrashedError",
    "EngineUnavailableError",
    "Model",
    "Score",
    "UnknownEngineError",
    "available_engines",
    "load_engine",
    "read_model",
]
