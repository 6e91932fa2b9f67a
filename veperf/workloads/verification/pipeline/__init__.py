"""The whole of a verification, and many at once."""

from veperf.workloads.verification.pipeline.verify import (
    OK,
    Moment,
    Outcome,
    Request,
    Result,
    ScopeOutcome,
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
