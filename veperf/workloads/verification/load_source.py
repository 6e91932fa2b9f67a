"""Requests without end, for load: all valid, each of an account of its own.

Encrypting evidence anew for each would take longer than verifying it. So a few people's evidence is
encrypted once, and then uploaded by one account after the other: with a salt of its own and
signatures of its own, which is all that makes an envelope another one. They are as much work to
verify as any. About 0.2 ms of CPU time for one of three scopes.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace
from nacl.signing import SigningKey

from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope import (
    Envelope,
    decode_envelope,
    encode_envelope,
    sign_envelope,
)
from veperf.workloads.verification.pipeline import Request

_PEOPLE = 8


class Upload(Struct, frozen=True):
    """A request before it is encoded: small, for the ciphertexts are shared with others."""

    account: bytes
    envelopes: tuple[Envelope, ...]

    def request(self) -> Request:
        """The request, encoded."""
        return Request(self.account, tuple(map(encode_envelope, self.envelopes)))


class Feed:
    """Uploads of three scopes of 32 KiB, always the same ones in the same order."""

    def __init__(self, first: int = 0, step: int = 1) -> None:
        """Those of every ``step``-th account from ``first`` on."""
        pieces = example_data.evidence()
        self._sealed = [
            [decode_envelope(raw) for raw in example_data.envelopes(pieces, index)]
            for index in range(_PEOPLE)
        ]
        self._next = first
        self._step = step

    def __iter__(self) -> Iterator[Upload]:
        return self

    def __next__(self) -> Upload:
        """The next upload."""
        index = self._next
        self._next += self._step
        user = example_data.user(index)
        sealed = self._sealed[index % _PEOPLE]
        return Upload(
            example_data.account(index),
            tuple(_uploaded_by(user, index, envelope) for envelope in sealed),
        )


def _uploaded_by(user: SigningKey, index: int, sealed: Envelope) -> Envelope:
    user_key = bytes(user.verify_key)
    salt = example_data.SeededBytes(b"%d %b" % (index, sealed.header.scope_id.encode()))(32)
    header = replace(
        sealed.header,
        account=ed25519_address(user_key),
        user_key=user_key,
        upload=replace(sealed.header.upload, salt=salt),
    )
    return sign_envelope(header, sealed.ciphertext, example_data.CLIENT.key, user)
