"""Score at or above a threshold; the score stays hidden.

Constraints: score and threshold are both held in [0, 100], then score - threshold >= 0 by bit
decomposition.
"""

from msgspec import Struct

from veperf.workloads.zk.circuits.circuit import Circuit, Compiled
from veperf.workloads.zk.circuits.credential import MAX_SCORE, Credential, committed
from veperf.workloads.zk.circuits.gadgets import assert_at_least, constant, range_check
from veperf.workloads.zk.circuits.nonce import bind_nonce, nonce_element
from veperf.workloads.zk.r1cs import Builder

_SCORE_BITS = MAX_SCORE.bit_length()
_PUBLIC = ("commitment", "threshold", "nonce")


class Statement(Struct, frozen=True, kw_only=True):
    """The score in the credential committed to is ``threshold`` or more."""

    commitment: int
    threshold: int
    """0 to 100."""
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Commitment, threshold, nonce.

        Raises:
            ValueError: the threshold is out of range, or the nonce has another length.
        """
        if not 0 <= self.threshold <= MAX_SCORE:
            raise ValueError(f"a threshold is 0 to {MAX_SCORE}, not {self.threshold}")
        return [self.commitment, self.threshold, nonce_element(self.nonce)]


def _define(builder: Builder) -> None:
    commitment, threshold, nonce = [builder.public(name) for name in _PUBLIC]
    bind_nonce(builder, nonce)
    claims = committed(builder, commitment)
    score = range_check(builder, claims["score"], _SCORE_BITS, "score")
    least = range_check(builder, threshold, _SCORE_BITS, "threshold")
    assert_at_least(builder, constant(MAX_SCORE), score, "score in range")
    assert_at_least(builder, constant(MAX_SCORE), least, "threshold in range")
    assert_at_least(builder, score, least, "score high enough")


CIRCUIT = Circuit("score", _define)


def witness(compiled: Compiled, credential: Credential, statement: Statement) -> list[int]:
    """The witness that ``credential`` satisfies ``statement``.

    Raises:
        UnsatisfiedError: it does not: too low a score, or another commitment.
        ValueError: the statement makes no sense.
    """
    shown = dict(zip(_PUBLIC, statement.public_inputs(), strict=True))
    return compiled.witness(shown | credential.inputs())
