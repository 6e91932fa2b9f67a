"""What comes out of a verification: the same, to the bit, at every validator."""

from enum import StrEnum
from hashlib import sha256

from msgspec import Struct
from msgspec.msgpack import Encoder

_DOMAIN = b"virtengine/veid/result\0"
_encode = Encoder().encode

OK = "ok"


class Outcome(StrEnum):
    """How much of the evidence was used."""

    SUCCESS = "success"
    PARTIAL = "partial"
    """Some of it was refused; the rest was scored."""
    FAILED = "failed"
    """None could be used; the state is as before."""


class ScopeOutcome(Struct, frozen=True, array_like=True, gc=False):
    """What became of one envelope."""

    scope_id: str
    """Empty where the envelope could not be read so far."""
    code: str
    """``ok``, or why it was refused: the code of an envelope's error, or ``bad_payload``."""


class Result(Struct, frozen=True, array_like=True):
    """A verification."""

    account: bytes
    outcome: Outcome
    score: int
    """0 to 100; 0 where nothing was scored."""
    status: str
    """Of the identity's record afterwards; empty where it has none."""
    tier: int
    model_hash: bytes
    """These three are empty where nothing was scored, otherwise 32 bytes."""
    input_hash: bytes
    feature_hash: bytes
    scopes: tuple[ScopeOutcome, ...]
    """In the order of the envelopes."""
    refusal: str = ""
    """Why the request as a whole was refused: ``no_scopes``, ``too_many_scopes``, ``locked``."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of all that was refused, each once, in alphabetical order."""
        codes = {scope.code for scope in self.scopes} | {self.refusal}
        return tuple(sorted(codes - {OK, ""}))

    def hash(self) -> bytes:
        """SHA-256 of all of it, 32 bytes, for validators to compare."""
        return sha256(_DOMAIN + _encode(self)).digest()
