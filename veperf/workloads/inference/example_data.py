"""Example scopes, inputs and videos of a person, the same every time."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.inference.inputs import ScoreInputs
from veperf.workloads.inference.pipeline import run_pipeline
from veperf.workloads.verification import example_data
from veperf.workloads.verification.example_data import KIB, EvidenceSpec, SeededBytes
from veperf.workloads.verification.features.image import EMBEDDING_SIZE
from veperf.workloads.verification.scope import DecryptedScope, ScopeMetadata, ScopeType

HEIGHT = 1_000_000
_AGE_S = 3_600

# Made once a process: nothing changes them.
payload = cache(example_data.evidence_payload)


def picture(kind: ScopeType, size_kib: int) -> bytes:
    """Return the payload of a scope with a picture of about ``size_kib``."""
    return payload(EvidenceSpec(kind, size_kib * KIB))


def scopes(size_kib: int, count: int = example_data.SCOPES) -> list[DecryptedScope]:
    """Return ``count`` scopes of about ``size_kib`` each: a document, a selfie, a video, more."""
    return [
        DecryptedScope(piece.type, payload(piece), ScopeMetadata(_AGE_S))
        for piece in example_data.evidence_specs(count, size_kib * KIB)
    ]


@cache
def example_inputs() -> ScoreInputs:
    """Return the inputs of a person with a document, a selfie and a video of 32 KiB each."""
    return run_pipeline(scopes(32), example_data.account_address(0), HEIGHT).inputs


def embeddings(count: int) -> NDArray[np.float32]:
    """Return ``count`` embeddings [count, 512] of one face: one direction, each with some noise."""
    noise = np.frombuffer(SeededBytes(b"embeddings")((count + 1) * EMBEDDING_SIZE), np.uint8)
    rows = noise.reshape(count + 1, EMBEDDING_SIZE).astype(np.float32) / 127.5 - 1
    faces: NDArray[np.float32] = rows[0] + rows[1:] / 4
    return faces
