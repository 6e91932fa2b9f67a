"""The interface of scoring engines: features in, a score from 0 to 100 out."""

from typing import Any, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from veperf.workloads.verification.features.vector import FeatureError, feature_array


class Score(Struct, frozen=True, array_like=True, gc=False):
    """The score of a verification."""

    points: float
    """0 to 100. Exact engines agree on every bit, others within 0.001."""
    value: int
    """``points`` rounded to the nearest integer, half up. All engines agree; consensus uses it."""


class ScoringEngine(Protocol):
    """An engine that runs the model.

    Threads may share ``exact``; an engine on another library is for one thread at a time.
    """

    @property
    def name(self) -> str:
        """The name for ``load_engine``."""

    @property
    def model_hash(self) -> bytes:
        """SHA-256 of the model's file."""

    def score(self, features: ArrayLike) -> Score:
        """Return the score of one vector [768].

        Raises:
            FeatureError: it has another shape, or is not finite or out of range.
        """

    def score_many(self, features: ArrayLike) -> list[Score]:
        """Return the scores of vectors [n, 768], each as from ``score``.

        Raises:
            FeatureError: as ``score``, for any of them.
        """

    def close(self) -> None:
        """Release the engine's resources; it can't score after that."""


class EngineUnavailableError(ImportError):
    """The package that an engine needs is not installed."""


def single_row(features: ArrayLike) -> NDArray[Any]:
    """Return ``features`` [768] as [1, 768].

    Raises:
        FeatureError: they are not one vector of numbers.
    """
    array = feature_array(features)
    if array.ndim != 1:
        raise FeatureError("score takes one vector; score_many takes several")
    return array[np.newaxis]


def many_rows(features: ArrayLike) -> NDArray[Any]:
    """Return ``features`` as an array [n, 768].

    Raises:
        FeatureError: they have another shape or are not numbers.
    """
    array = feature_array(features)
    if array.ndim != 2:
        raise FeatureError("score_many takes [n, 768]; score takes one vector")
    return array
