"""How good an engine's scores are."""

from typing import NamedTuple

import numpy as np

from veperf.workloads.verification.scoring.engine import Engine
from veperf.workloads.verification.scoring.train.data import Rows


class Metrics(NamedTuple):
    """How scores compare with those that the rows have."""

    r_squared: float
    """1 - sum (y - f)^2 / sum (y - mean y)^2"""
    mean_error_points: float
    """The mean of |y - f|."""


def evaluate(engine: Engine, rows: Rows) -> Metrics:
    """Score ``rows`` and compare."""
    points = np.array([score.points for score in engine.score_many(rows.features)])
    errors = rows.scores - points
    spread = rows.scores - rows.scores.mean()
    return Metrics(
        1 - float(errors @ errors) / float(spread @ spread), float(np.abs(errors).mean())
    )
