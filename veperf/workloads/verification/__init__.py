"""VirtEngine's identity verification (VEID): envelopes, features, scoring, records, pipeline.

Nothing is exported here, so that a part can be imported without the others: ``envelope`` to seal
and open scopes, ``features`` to extract features from them, ``scoring`` for the engines,
``identity`` for records, ``pipeline`` for a whole verification, ``parallel`` for many at once,
``example_data`` for examples.

Envelopes from a user's phone are verified into an empty state:

>>> from veperf.workloads.transaction.iavl import Tree
>>> from veperf.workloads.verification import example_data, pipeline
>>> from veperf.workloads.verification.identity.keeper import get_record
>>> from veperf.workloads.verification.scoring.registry import load_engine
>>> verifier = pipeline.IdentityVerifier(
...     example_data.validator_key(0), example_data.CLIENTS, load_engine("exact")
... )
>>> envelopes = example_data.example_envelopes(example_data.evidence_specs())
>>> request = pipeline.VerificationRequest(example_data.account_address(0), envelopes)
>>> block = pipeline.BlockInfo(height=1, time_s=example_data.NOW_S)
>>> state = Tree()
>>> result = pipeline.verify_identity(state, request, verifier, block)
>>> result.outcome, get_record(state, request.account).score == result.score
(<VerificationOutcome.SUCCESS: 'success'>, True)
"""
