"""VirtEngine's identity verification (VEID): envelopes, features, scoring, records, pipeline.

Nothing is handed on here, so that a part can be had without importing all of them: ``envelope`` to
seal and open scopes, ``features`` for what is computed from them, ``scoring`` for the engines,
``identity`` for records, ``pipeline`` for all of it together, ``parallel`` for many at once,
``sample`` for examples.

What a user's phone has sealed is verified into an empty state:

>>> from veperf.workloads.transaction.iavl import Tree
>>> from veperf.workloads.verification import sample
>>> from veperf.workloads.verification.identity import get_record
>>> from veperf.workloads.verification.pipeline import Moment, Request, Verifier, verify
>>> from veperf.workloads.verification.scoring import load_engine
>>> verifier = Verifier(sample.validator(0), sample.CLIENTS, load_engine("exact"))
>>> request = Request(sample.account(0), tuple(sample.envelopes(sample.evidence(), 0)))
>>> state = Tree()
>>> result = verify(state, request, verifier, Moment(height=1, time_s=sample.NOW_S))
>>> result.outcome, get_record(state, request.account).score == result.score
(<Outcome.SUCCESS: 'success'>, True)
"""
