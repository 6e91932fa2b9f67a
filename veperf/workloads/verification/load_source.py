"""An endless source of verification requests for load tests: all valid, each of another account.

Encrypting new evidence for each request would take longer than verifying it. So the evidence of a
few people is encrypted once and uploaded by one account after the other. A new salt and new
signatures make it another envelope, which takes as much work to verify as any. A request of three
scopes takes about 0.2 ms of CPU time.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace
from nacl.signing import SigningKey

from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope.signing import sign_envelope
from veperf.workloads.verification.envelope.wire_format import (
    Envelope,
    decode_envelope,
    encode_envelope,
)
from veperf.workloads.verification.pipeline import VerificationRequest

_PEOPLE = 8


class Upload(Struct, frozen=True):
    """A request before it is encoded; it is small, since uploads share their ciphertexts."""

    account: bytes
    envelopes: tuple[Envelope, ...]

    def request(self) -> VerificationRequest:
        """Return the encoded request."""
        return VerificationRequest(self.account, tuple(map(encode_envelope, self.envelopes)))


class UploadSource:
    """Uploads of three scopes of 32 KiB, the same ones in the same order every time."""

    def __init__(self, first: int = 0, step: int = 1) -> None:
        """Take every ``step``-th account from number ``first`` on."""
        pieces = example_data.evidence_specs()
        self._sealed = [
            [decode_envelope(raw) for raw in example_data.example_envelopes(pieces, index)]
            for index in range(_PEOPLE)
        ]
        self._next = first
        self._step = step

    def __iter__(self) -> Iterator[Upload]:
        return self

    def __next__(self) -> Upload:
        """Return the next upload."""
        index = self._next
        self._next += self._step
        user = example_data.user_key(index)
        sealed = self._sealed[index % _PEOPLE]
        return Upload(
            example_data.account_address(index),
            tuple(_signed_by(user, index, envelope) for envelope in sealed),
        )


def _signed_by(user: SigningKey, index: int, sealed: Envelope) -> Envelope:
    """Return ``sealed`` with the account, a new salt and the signatures of ``user``."""
    user_key = bytes(user.verify_key)
    salt = example_data.SeededBytes(b"%d %b" % (index, sealed.header.scope_id.encode()))(32)
    header = replace(
        sealed.header,
        account=ed25519_address(user_key),
        user_key=user_key,
        upload=replace(sealed.header.upload, salt=salt),
    )
    return sign_envelope(header, sealed.ciphertext, example_data.CLIENT.key, user)
