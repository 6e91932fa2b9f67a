"""The result of a verification: true or false, and why."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """A reason to refuse a proof, or a presentation of a credential."""

    INPUT_COUNT = "there are more or fewer public inputs than the key has"
    INPUT_RANGE = "a public input is not a field element"
    POINT = "a point of the proof is infinity, off its curve or outside the subgroup"
    EQUATION = "the proof does not show this statement under this key"

    UNKNOWN_NONCE = "the nonce is none that this verifier gave out"
    USED_NONCE = "the nonce was used before"
    EXPIRED = "the request has expired"
    UNKNOWN_ISSUER = "the issuer is none that this verifier trusts"
    NULLIFIER = "there is no nullifier where one was asked for, or one where none was"
    USED_NULLIFIER = "the same holder was accepted before"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying a proof: true if it is valid.

    ``reason`` says why it is not, ``detail`` what more is known of that; neither shows a value.
    """

    reason: Refusal | None = None
    detail: str = ""

    def __bool__(self) -> bool:
        return self.reason is None

    def __str__(self) -> str:
        if self.reason is None:
            return "valid"
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


VALID = Verification()
