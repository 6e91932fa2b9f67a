"""Inference: a score of a person's scopes, as VirtEngine's ``pkg/inference`` computes it.

Nothing is exported here, so that a part can be imported without all others: ``pipeline`` makes the
inputs of a score from scopes, ``embedding`` and ``liveness`` are steps of it, ``inputs`` checks
them and makes the vector of features, ``scorer`` scores it, ``hashes`` are what validators compare,
``serving`` offers the model by HTTP, ``example_data`` has examples.

Score a document, a selfie and a video:

>>> from veperf.workloads.inference import example_data
>>> from veperf.workloads.inference.pipeline import run_pipeline
>>> from veperf.workloads.inference.scorer import score_inputs
>>> from veperf.workloads.verification.scoring.registry import load_engine
>>> person = run_pipeline(example_data.scopes(size_kib=100), account=bytes(20), height=1)
>>> person.features.shape, str(person.liveness.decision)
((768,), 'live')
>>> result = score_inputs(person.inputs, load_engine())
>>> result.score, [str(reason) for reason in result.reasons]
(59, ['SUCCESS'])

Inputs that can't be scored are refused, with everything that is wrong with them:

>>> from msgspec.structs import replace
>>> score_inputs(replace(person.inputs, face_confidence=1.5), load_engine())
Traceback (most recent call last):
    ...
veperf.workloads.inference.scorer.InsaneInputsError: face_confidence: out_of_range
"""
