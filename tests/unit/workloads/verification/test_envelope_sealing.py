"""An envelope opens for its recipients only, and only as it was sealed and signed."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nacl.public import Box, PrivateKey, PublicKey
from nacl.secret import SecretBox
from nacl.signing import SigningKey, VerifyKey

from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope.errors import (
    ClientSignatureError,
    EnvelopeError,
    FutureCaptureError,
    OversizeError,
    TamperedError,
    UnapprovedClientError,
    UserSignatureError,
    WrongAccountError,
    WrongRecipientError,
)
from veperf.workloads.verification.envelope.sealing import (
    Client,
    Scope,
    open_envelope,
    seal_envelope,
)
from veperf.workloads.verification.envelope.signing import sign_envelope
from veperf.workloads.verification.envelope.wire_format import (
    Envelope,
    decode_envelope,
    encode_envelope,
)
from veperf.workloads.verification.scope import ScopeType

USER = example_data.user_key(0)
ACCOUNT = example_data.account_address(0)
VALIDATORS = [example_data.validator_key(i) for i in range(3)]
PAYLOAD = bytes(range(256)) * 5
SCOPE = Scope("passport", ScopeType.ID_DOCUMENT, PAYLOAD, example_data.NOW_S - 60)
RECIPIENTS = [key.public_key for key in VALIDATORS]


def sealed(scope: Scope = SCOPE, user: SigningKey = USER, client: Client = example_data.CLIENT):
    return seal_envelope(scope, user, client, RECIPIENTS)


def opened(envelope: Envelope, key: PrivateKey = VALIDATORS[0], account: bytes = ACCOUNT) -> bytes:
    raw = encode_envelope(envelope)
    return bytes(open_envelope(raw, key, account, example_data.CLIENTS, example_data.NOW_S))


def signed_anew(envelope: Envelope, **changes: object) -> Envelope:
    """``envelope`` with another header, signed by its rightful signers."""
    header = replace(envelope.header, **changes)
    return sign_envelope(header, envelope.ciphertext, example_data.CLIENT.key, USER)


ENVELOPE = sealed()


@pytest.mark.parametrize("key", VALIDATORS)
def test_every_recipient_can_open_it(key: PrivateKey) -> None:
    """Each validator gets the payload with its own key."""
    assert PAYLOAD == opened(ENVELOPE, key)


@settings(max_examples=20)
@given(st.binary(max_size=200))
def test_any_payload_comes_back(payload: bytes) -> None:
    """From none at all."""
    assert payload == opened(sealed(replace(SCOPE, payload=payload)))


def test_it_opens_with_plain_nacl() -> None:
    """PyNaCl's own Box, SecretBox and VerifyKey read it, put together as documented."""
    header = ENVELOPE.header
    wrapped = header.recipients[1]
    box = Box(VALIDATORS[1], PublicKey(header.ephemeral_key))
    data_key = box.decrypt(wrapped.sealed, wrapped.nonce)
    raw = encode_envelope(ENVELOPE)
    start = raw.index(header.account) - 3  # the heads of an array of nine and of 20 bytes
    encoded = raw[start : raw.index(ENVELOPE.client_signature) - 2]
    by_client = b"virtengine/veid/upload/client\0VEID\x01\x01" + encoded
    by_user = b"virtengine/veid/upload/user\0VEID\x01\x01" + ENVELOPE.client_signature + encoded

    assert PAYLOAD == SecretBox(data_key).decrypt(bytes(ENVELOPE.ciphertext), header.nonce)
    assert sha256(ENVELOPE.ciphertext).digest() == header.upload.payload_hash
    assert sha256(bytes(RECIPIENTS[1])).digest()[:20] == wrapped.fingerprint
    assert sha256(b"virtengine/veid/data-key\0" + data_key).digest() == header.key_commitment
    example_data.CLIENT.key.verify_key.verify(by_client, ENVELOPE.client_signature)
    VerifyKey(header.user_key).verify(by_user, ENVELOPE.user_signature)


def test_nothing_is_used_twice() -> None:
    """Two seals of the same scope share no salt, nonce, key or ciphertext."""
    item, two = sealed(), sealed()

    assert item.ciphertext != two.ciphertext
    for name in ("nonce", "ephemeral_key", "key_commitment", "recipients"):
        assert getattr(item.header, name) != getattr(two.header, name)
    assert item.header.upload.salt != two.header.upload.salt
    assert 4 == len({item.header.nonce, *(w.nonce for w in item.header.recipients)})


def flip(data: bytes | memoryview, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


STRANGER = example_data.user_key(1)
OTHER_CLIENT = Client("other-app", example_data.CLIENT.key, "device-1")
FORGED_CLIENT = Client(example_data.CLIENT.id, STRANGER, "device-1")
FIRST = ENVELOPE.header.recipients[0]


@pytest.mark.parametrize(
    ("envelope", "error"),
    [
        (replace(ENVELOPE, ciphertext=memoryview(flip(ENVELOPE.ciphertext))), TamperedError),
        (replace(ENVELOPE, ciphertext=ENVELOPE.ciphertext[:-1]), TamperedError),
        (replace(ENVELOPE, ciphertext=sealed().ciphertext), TamperedError),
        (signed_anew(ENVELOPE, nonce=bytes(24)), TamperedError),
        (signed_anew(ENVELOPE, ephemeral_key=bytes(32)), TamperedError),
        (signed_anew(ENVELOPE, ephemeral_key=bytes(RECIPIENTS[0])), TamperedError),
        (signed_anew(ENVELOPE, key_commitment=bytes(32)), TamperedError),
        (
            signed_anew(ENVELOPE, recipients=(replace(FIRST, sealed=flip(FIRST.sealed)),)),
            TamperedError,
        ),
        (signed_anew(ENVELOPE, recipients=ENVELOPE.header.recipients[1:]), WrongRecipientError),
        (
            replace(ENVELOPE, client_signature=flip(ENVELOPE.client_signature)),
            ClientSignatureError,
        ),
        (replace(ENVELOPE, client_signature=ENVELOPE.user_signature), ClientSignatureError),
        (sealed(client=FORGED_CLIENT), ClientSignatureError),
        (replace(ENVELOPE, user_signature=flip(ENVELOPE.user_signature)), UserSignatureError),
        (replace(ENVELOPE, user_signature=ENVELOPE.client_signature), UserSignatureError),
        (sealed(client=OTHER_CLIENT), UnapprovedClientError),
        (sealed(user=STRANGER), WrongAccountError),
        (signed_anew(ENVELOPE, user_key=bytes(STRANGER.verify_key)), WrongAccountError),
        (sealed(replace(SCOPE, captured_at_s=example_data.NOW_S + 301)), FutureCaptureError),
    ],
)
def test_it_is_refused_for_the_right_reason(envelope: Envelope, error: type[EnvelopeError]) -> None:
    """Tampered, misdirected, forged, unapproved or early: each with an error of its own."""
    with pytest.raises(error) as caught:
        opened(envelope)
    assert error is type(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"scope_id": "other"},
        {"scope_type": ScopeType.SELFIE},
        {"upload": replace(ENVELOPE.header.upload, salt=bytes(32))},
        {"upload": replace(ENVELOPE.header.upload, captured_at_s=1)},
        {"upload": replace(ENVELOPE.header.upload, device_fingerprint="device-2")},
        {"upload": replace(ENVELOPE.header.upload, payload_hash=bytes(32))},
        {"nonce": bytes(24)},
        {"ephemeral_key": bytes(32)},
        {"key_commitment": bytes(32)},
        {"recipients": ENVELOPE.header.recipients[:1]},
    ],
)
def test_every_field_is_signed(changes: dict[str, object]) -> None:
    """No field of the header can be changed without breaking the client's signature."""
    with pytest.raises(ClientSignatureError):
        opened(replace(ENVELOPE, header=replace(ENVELOPE.header, **changes)))


def test_the_user_signs_what_the_client_signed() -> None:
    """Another approved client can't put itself in the place of the one that the user used."""
    other = SigningKey(bytes(range(32)))
    clients = example_data.CLIENTS | {"other-app": bytes(other.verify_key)}
    upload = replace(ENVELOPE.header.upload, client_id="other-app")
    header = replace(ENVELOPE.header, upload=upload)
    stolen = sign_envelope(header, ENVELOPE.ciphertext, other, STRANGER)
    stolen = replace(stolen, user_signature=ENVELOPE.user_signature)

    with pytest.raises(UserSignatureError):
        open_envelope(encode_envelope(stolen), VALIDATORS[0], ACCOUNT, clients, example_data.NOW_S)


def test_one_ciphertext_has_one_payload() -> None:
    """A second data key that opened it to something else would break the commitment first."""
    other_key = bytes(range(32))
    box = Box(VALIDATORS[0], PublicKey(ENVELOPE.header.ephemeral_key))
    wrapped = replace(FIRST, sealed=box.encrypt(other_key, FIRST.nonce).ciphertext)
    with pytest.raises(TamperedError, match="committed"):
        opened(signed_anew(ENVELOPE, recipients=(wrapped,)))


def test_a_clock_that_is_a_little_ahead_is_allowed() -> None:
    """Five minutes."""
    assert PAYLOAD == opened(sealed(replace(SCOPE, captured_at_s=example_data.NOW_S + 300)))


def test_too_long_a_payload_is_not_sealed() -> None:
    """A payload of 2 MiB and a byte is refused."""
    with pytest.raises(OversizeError):
        sealed(replace(SCOPE, payload=bytes(2 * 1024 * 1024 + 1)))


@pytest.mark.parametrize("count", [0, 129])
def test_so_many_recipients_are_not_possible(count: int) -> None:
    """None, or more than 128."""
    with pytest.raises(ValueError, match="recipients"):
        seal_envelope(SCOPE, USER, example_data.CLIENT, RECIPIENTS[:1] * count)


def test_no_flipped_bit_opens() -> None:
    """No bit of an envelope can be changed: every change is refused with a typed error."""
    small = seal_envelope(replace(SCOPE, payload=b"hi"), USER, example_data.CLIENT, RECIPIENTS[:1])
    raw = encode_envelope(small)
    for bit in range(0, 8 * len(raw), 7):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeError):
            open_envelope(changed, VALIDATORS[0], ACCOUNT, example_data.CLIENTS, example_data.NOW_S)


def test_the_example_envelopes_are_the_same_everywhere() -> None:
    """Seeded: their bytes are a constant of the suite; a change breaks comparisons."""
    raws = example_data.example_envelopes(example_data.evidence_specs())

    digest = "762b5136f369c64c5a2a517ae58f00c864358ac50b89d23d0dfb57736228d3fd"
    assert digest == sha256(b"".join(raws)).hexdigest()
    assert example_data.account_address(0) == decode_envelope(raws[0]).header.account
