"""What every scoring engine is: features in, a score from 0 to 100 out."""

from typing import Any, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from veperf.workloads.verification.features import FeatureError
from veperf.workloads.verification.features.fixed_point import checked


class Score(Struct, frozen=True, array_like=True, gc=False):
    """The outcome of a verification."""

    points: float
    """0 to 100. Exact engines agree on every bit, others within 0.001."""
    value: int
    """``points`` rounded to the nearest integer, half up. All engines agree; consensus uses it."""


class Engine(Protocol):
    """Something that runs the model.

    Threads may share ``exact``; an engine on another library is for one thread at a time.
    """

    @property
    def name(self) -> str:
        """What ``load_engine`` knows it by."""

    @property
    def model_hash(self) -> bytes:
        """SHA-256 of the model's file."""

    def score(self, features: ArrayLike) -> Score:
        """The score of one vector [768].

        Raises:
            FeatureError: it is not one, or not finite, or out of range.
        """

    def score_many(self, features: ArrayLike) -> list[Score]:
        """The scores of vectors [n, 768], each as ``score`` gives it.

        Raises:
            FeatureError: as ``score``, for any of them.
        """

    def close(self) -> None:
        """Free what the engine holds; it can't score after that."""


class EngineUnavailableError(ImportError):
    """The package that an engine runs on is not installed."""


def one_row(features: ArrayLike) -> NDArray[Any]:
    """``features`` [768] as [1, 768].

    Raises:
        FeatureError: they are not one vector of numbers.
    """
    array = checked(features)
    if array.ndim != 1:
        raise FeatureError("score takes one vector; score_many takes several")
    return array[np.newaxis]


def many_rows(features: ArrayLike) -> NDArray[Any]:
    """``features`` as they are, [n, 768].

    Raises:
        FeatureError: they are not that.
    """
    array = checked(features)
    if array.ndim != 2:
        raise FeatureError("score_many takes [n, 768]; score takes one vector")
    return array
