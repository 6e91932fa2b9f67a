"""A verification is the same at every validator, and nothing that it is sent can break it."""

import tracemalloc
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope.sealing import Scope, seal_envelope
from veperf.workloads.verification.envelope.signing import sign_envelope
from veperf.workloads.verification.envelope.wire_format import (
    Envelope,
    decode_envelope,
    encode_envelope,
)
from veperf.workloads.verification.features.builder import extract_features
from veperf.workloads.verification.features.vector import feature_hash, input_hash
from veperf.workloads.verification.identity.errors import CorruptRecordError
from veperf.workloads.verification.identity.keeper import (
    create_record,
    get_record,
    get_scope,
    identity_key,
    set_record,
)
from veperf.workloads.verification.identity.lifecycle import lock_record, tier_for_score
from veperf.workloads.verification.identity.record import Status
from veperf.workloads.verification.pipeline import (
    BlockInfo,
    IdentityVerifier,
    ScopeOutcome,
    VerificationOutcome,
    VerificationRequest,
    VerificationResult,
    verify_identity,
)
from veperf.workloads.verification.scope import (
    DecryptedScope,
    ScopeMetadata,
    ScopeType,
    encode_payload,
)
from veperf.workloads.verification.scoring.registry import load_engine

ENGINE = load_engine("exact")
ACCOUNT = example_data.account_address(0)
MOMENT = BlockInfo(7, example_data.NOW_S)
PIECES = example_data.evidence_specs(3, 2_048)
RAWS = example_data.example_envelopes(PIECES)
REQUEST = VerificationRequest(ACCOUNT, RAWS)


def verifier(index: int = 0) -> IdentityVerifier:
    return IdentityVerifier(example_data.validator_key(index), example_data.CLIENTS, ENGINE)


def run(
    request: VerificationRequest, tree: Tree | None = None, by: int = 0
) -> tuple[VerificationResult, Tree]:
    """The result and the tree after it."""
    tree = Tree() if tree is None else tree.branch()
    state = Cache(tree)
    result = verify_identity(state, request, verifier(by), MOMENT)
    state.write()
    return result, tree


def test_validators_agree() -> None:
    """Each with its own key and a wrapping of its own: the same result, the same state."""
    results = [run(REQUEST, by=index) for index in range(example_data.VALIDATORS)]
    (first, tree), *others = results

    assert VerificationOutcome.SUCCESS is first.outcome
    for result, other_tree in others:
        assert first == result
        assert first.hash() == result.hash()
        assert tree.root_hash == other_tree.root_hash


def test_the_result_is_put_together_rightly() -> None:
    """Hashes, score and record are those of the parts, called one by one."""
    scopes = [
        DecryptedScope(piece.type, example_data.evidence_payload(piece), ScopeMetadata(86_400))
        for piece in PIECES
    ]
    features = extract_features(scopes)
    result, tree = run(REQUEST)
    record = get_record(tree, ACCOUNT)

    assert input_hash(features) == result.input_hash
    assert feature_hash(features) == result.feature_hash
    assert ENGINE.score(features).value == result.score
    assert ENGINE.model_hash == result.model_hash
    assert record is not None
    assert (result.score, result.status, result.tier) == (record.score, record.status, record.tier)
    assert tier_for_score(result.score) == record.tier
    assert (Status.VERIFIED if result.score >= 50 else Status.REJECTED) == record.status
    assert ["scope-0", "scope-1", "scope-2"] == [scope.id for scope in record.scopes]
    for raw, scope in zip(RAWS, record.scopes, strict=True):
        kept = get_scope(tree, ACCOUNT, scope.id)
        assert kept is not None
        assert sha256(decode_envelope(raw).ciphertext).digest() == kept.payload_hash


def test_the_order_of_scopes_does_not_matter_to_the_score() -> None:
    """Only to the order of what is said of each."""
    item, _ = run(REQUEST)
    two, _ = run(VerificationRequest(ACCOUNT, RAWS[::-1]))

    assert (item.score, item.input_hash) == (two.score, two.input_hash)
    assert item.scopes == two.scopes[::-1]
    assert item.hash() != two.hash()


def flip(raw: bytes, place: int = -1) -> bytes:
    changed = bytearray(raw)
    changed[place] ^= 1
    return bytes(changed)


def resealed(scope: Scope, index: int = 0) -> bytes:
    recipients = [example_data.validator_key(0).public_key]
    return encode_envelope(
        seal_envelope(scope, example_data.user_key(index), example_data.CLIENT, recipients)
    )


def changed(envelope: Envelope, **changes: object) -> bytes:
    header = replace(envelope.header, **changes)
    user = example_data.user_key(0)
    return encode_envelope(
        sign_envelope(header, envelope.ciphertext, example_data.CLIENT.key, user)
    )


SECOND = decode_envelope(RAWS[1])
GOOD_PAYLOAD = encode_payload(0, 0, (), b"")
BAD = {
    "truncated": ("", RAWS[1][:-1]),
    "malformed": ("", b"VEIDs"),
    "unsupported": ("", b"VEID\x07" + RAWS[1][5:]),
    "oversize": ("", bytes(3_000_000)),
    "tampered": ("scope-1", flip(RAWS[1])),
    "client_signature": (
        "scope-1",
        encode_envelope(replace(SECOND, client_signature=SECOND.user_signature)),
    ),
    "user_signature": (
        "scope-1",
        encode_envelope(replace(SECOND, user_signature=SECOND.client_signature)),
    ),
    "unapproved_client": (
        "scope-1",
        changed(SECOND, upload=replace(SECOND.header.upload, client_id="nobody")),
    ),
    "future_capture": (
        "late",
        resealed(Scope("late", ScopeType.SELFIE, GOOD_PAYLOAD, example_data.NOW_S + 10**6)),
    ),
    "wrong_recipient": ("scope-1", changed(SECOND, recipients=SECOND.header.recipients[1:])),
    "wrong_account": ("other", resealed(Scope("other", ScopeType.SELFIE, GOOD_PAYLOAD, 1), 1)),
    "replayed": ("scope-0", RAWS[0]),
    "duplicate_scope": (
        "scope-0",
        resealed(Scope("scope-0", ScopeType.SELFIE, GOOD_PAYLOAD, 1)),
    ),
    "bad_payload": ("junk", resealed(Scope("junk", ScopeType.SELFIE, b"junk", 1))),
}


@pytest.mark.parametrize("code", BAD)
def test_a_bad_scope_is_left_out(code: str) -> None:
    """The rest is scored as if it were not there, and the result says why."""
    scope_id, raw = BAD[code]
    without, tree = run(VerificationRequest(ACCOUNT, (RAWS[0], RAWS[2])))
    result, with_bad = run(VerificationRequest(ACCOUNT, (RAWS[0], raw, RAWS[2])))

    assert VerificationOutcome.PARTIAL is result.outcome
    assert ScopeOutcome(scope_id, code) == result.scopes[1]
    assert (code,) == result.reasons
    assert (without.score, without.input_hash) == (result.score, result.input_hash)
    assert tree.root_hash == with_bad.root_hash


@pytest.mark.parametrize("code", sorted(BAD.keys() - {"replayed", "duplicate_scope"}))
def test_rubbish_alone_changes_nothing(code: str) -> None:
    """Nobody's score is lowered by what anybody can send."""
    _, before = run(REQUEST)
    result, after = run(VerificationRequest(ACCOUNT, (BAD[code][1],)), before)

    assert VerificationOutcome.FAILED is result.outcome
    assert 0 == result.score
    assert b"" == result.input_hash
    assert before.root_hash == after.root_hash


def test_a_request_can_be_made_once() -> None:
    """The same envelopes again are replays."""
    _, before = run(REQUEST)
    again, after = run(REQUEST, before)

    assert VerificationOutcome.FAILED is again.outcome
    assert ("replayed",) == again.reasons
    assert before.root_hash == after.root_hash


def test_limits_hold_within_a_request() -> None:
    """The sixth scope of a type is left out."""
    scopes = [Scope(f"s{i}", ScopeType.SELFIE, GOOD_PAYLOAD, 1) for i in range(6)]
    result, _ = run(VerificationRequest(ACCOUNT, tuple(map(resealed, scopes))))

    assert ["ok"] * 5 + ["over_limit"] == [scope.code for scope in result.scopes]


def test_requests_that_are_refused_as_a_whole() -> None:
    """None, too many, or a locked account."""
    tree = Tree()
    set_record(tree, lock_record(create_record(tree, ACCOUNT, 1), 1))

    assert ("no_scopes",) == run(VerificationRequest(ACCOUNT, ()))[0].reasons
    assert ("too_many_scopes",) == run(VerificationRequest(ACCOUNT, RAWS[:1] * 51))[0].reasons
    locked, after = run(REQUEST, tree)
    assert (VerificationOutcome.FAILED, ("locked",)) == (locked.outcome, locked.reasons)
    assert tree.root_hash == after.root_hash


def test_a_second_verification_replaces_the_first() -> None:
    """With other evidence the identity is scored anew; both scores are remembered."""
    first, tree = run(REQUEST)
    scope = example_data.example_scopes(example_data.evidence_specs(1, 4_096))[0]
    second, tree = run(VerificationRequest(ACCOUNT, (resealed(replace(scope, id="more")),)), tree)
    record = get_record(tree, ACCOUNT)

    assert record is not None
    assert [first.score, second.score] == [entry.score for entry in record.history]
    assert 4 == len(record.scopes)


def test_a_damaged_state_is_an_error() -> None:
    """No verification goes on over a record that can't be read."""
    tree = Tree()
    tree.set(identity_key(ACCOUNT), b"junk")
    with pytest.raises(CorruptRecordError):
        run(REQUEST, tree)


@settings(max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=50),
            st.sampled_from(RAWS),
            st.builds(flip, st.sampled_from(RAWS), st.integers(0, 900)),
        ),
        max_size=5,
    ),
    st.binary(max_size=25),
)
def test_no_request_breaks_it(raws: list[bytes], other: bytes) -> None:
    """Every envelope has its outcome; whatever account it is for."""
    for account in (ACCOUNT, other):
        result, _ = run(VerificationRequest(account, tuple(raws)))
        assert len(raws) == len(result.scopes)
        used = sum(scope.code == "ok" for scope in result.scopes)
        assert (used == 0) == (result.outcome is VerificationOutcome.FAILED)


def peak_bytes(scopes: int) -> int:
    """Return the peak memory of a verification above the memory before it."""
    request = VerificationRequest(
        ACCOUNT, example_data.example_envelopes(example_data.evidence_specs(scopes))
    )
    tree = Tree()
    verify_identity(Cache(tree), request, verifier(), MOMENT)
    tracemalloc.start()
    try:
        verify_identity(Cache(tree), request, verifier(), MOMENT)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        verify_identity(Cache(tree), request, verifier(), MOMENT)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_one_payload_is_in_the_clear_at_a_time() -> None:
    """Ten scopes of 32 KiB take hardly more memory than one."""
    assert peak_bytes(10) - peak_bytes(1) < 24 * 1024
