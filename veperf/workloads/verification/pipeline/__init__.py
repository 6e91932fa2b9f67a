"""The whole of a verification, and many at once."""

from veperf.workloads.verification.pipeline.result import OK, Outcome, Result, ScopeOutcome
from veperf.workloads.verification.pipeline.verify import (
    Moment,
    Request,
    Verifier,
    open_scope,
    update,
    verify,
)

__all__ = [
    "OK",
    "Moment",
    "Outcome",
    "Request",
    "Result",
    "ScopeOutcome",
    "Verifier",
    "open_scope",
    "update",
    "verify",
]
