"""VirtEngine's sigma protocols are byte for byte those of its Go code; nothing false passes."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError
from veperf.workloads.zk.curve.g1 import G1, g1_add, g1_multiply, g1_negate, is_on_g1
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.sigma.bundle import (
    ClaimProof,
    ClaimType,
    Expected,
    bundle_from_bytes,
    bundle_to_bytes,
    prove_claims,
    verify_claims,
)
from veperf.workloads.zk.sigma.hash_to_curve import expand_message_xmd, hash_to_g1, map_to_g1
from veperf.workloads.zk.sigma.knowledge import (
    KnowledgeProof,
    MultipleProof,
    prove_knowledge,
    prove_multiple,
    verify_knowledge,
    verify_multiple,
)
from veperf.workloads.zk.sigma.membership import (
    MembershipProof,
    commit_member,
    prove_member,
    verify_member,
)
from veperf.workloads.zk.sigma.pedersen import (
    blinding_generator,
    commit,
    commit_all,
    commit_claim,
    commitment_bytes,
    derive_blind,
    hash_claims,
    read_point,
)
from veperf.workloads.zk.sigma.ranges import BitProof, RangeProof, prove_range, verify_range

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "zk" / "pedersen.json").read_text())
"""Made with the real Go code."""
SALT, NONCE = bytes(range(32)), bytes(range(32, 64))
AGE, COUNTRY, KNOWN = "veid:age", "veid:residency", "veid:k"
COUNTRIES = ["DE", "FR", "IT"]
SCALARS = st.integers(0, int(R) - 1)


def vectors(kind):
    found = [vector for vector in VECTORS if vector["kind"] == kind]
    assert found
    return pytest.mark.parametrize("vector", found, ids=range(len(found)))


def secrets_of(vector):
    return bytes.fromhex(vector["salt"]), bytes.fromhex(vector["nonce"])


# RFC 9380, appendix K.1
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", "68a985b87eb6b46952128911f2a4412bbc302a9d759667f87f7a21d803f07235"),
        (b"abc", "d8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615"),
        (
            b"",
            "af84c27ccfd45d41914fdff5df25293e221afc53d8ad2ac06d5e3e29485dadbe"
            "e0d121587713a3e0dd4d5e69e93eb7cd4f5df4cd103e188cf60cb02edc3edf18"
            "eda8576c412b18ffb658e3dd6ec849469b979d444cf7b26911a08e63cf31f9dc"
            "c541708d3491184472c2c29bb749d4286b004ceb5ee6b9a7fa5b646c993f0ced",
        ),
    ],
)
def test_messages_are_expanded_as_in_the_rfc(message, expected):
    """Of 32 and of 128 bytes."""
    dst = b"QUUX-V01-CS02-with-expander-SHA256-128"

    assert expected == expand_message_xmd(message, dst, len(expected) // 2).hex()


@given(st.integers(0, int(P) - 1))
def test_mapped_points_are_on_the_curve(u):
    """With y as odd as u is (RFC 9380, section 6.6.1)."""
    x, y = map_to_g1(u)

    assert is_on_g1((x, y))
    assert y % 2 == u % 2


def test_exceptional_elements_are_mapped():
    """0, and those at which the map would divide by zero."""
    root = pow(-4, (int(P) + 1) // 4, int(P))
    exceptional = [0] + [u for u in (root, int(P) - root) if (u * u + 4) % P == 0]
    quarter = pow(4, -1, int(P))
    exceptional += [u for u in (pow(quarter, (int(P) + 1) // 4, int(P)),) if u * u * 4 % P == 1]
    assert len(exceptional) >= 2

    assert all(is_on_g1(map_to_g1(u)) for u in exceptional)


def test_messages_hash_to_different_points():
    """By message and by domain; a tag that is too long is refused."""
    points = {hash_to_g1(m, d) for m in (b"", b"a", b"b") for d in (b"x", b"y")}

    assert 6 == len(points)
    with pytest.raises(ValueError):
        hash_to_g1(b"", bytes(256))


@vectors("commitment")
def test_commitments_are_those_of_go(vector):
    """And so is H, which no commitment fits without."""
    point = commit_claim(vector["value"], bytes.fromhex(vector["salt"]))

    assert vector["commitment"] == commitment_bytes(point).hex()
    assert point == read_point(bytes.fromhex(vector["commitment"]))


@vectors("range")
def test_range_proofs_are_those_of_go(vector):
    """Made, read, written and verified."""
    salt, nonce = secrets_of(vector)
    bound, label, bits = int(vector["lower_bound"]), vector["label"], vector["bits"]
    made = prove_range(int(vector["value"]), bound, salt, nonce, label, bits)
    theirs = bytes.fromhex(vector["proof"])

    assert vector["proof"] == made.to_bytes().hex()
    assert made == RangeProof.from_bytes(theirs)
    assert vector["verifies"] is verify_range(RangeProof.from_bytes(theirs), bound, label, bits)


@vectors("set")
def test_membership_proofs_are_those_of_go(vector):
    """Made, read, written and verified."""
    salt, nonce = secrets_of(vector)
    allowed, label = vector["set"], vector["label"]
    made = prove_member(vector["value"], allowed, salt, nonce, label)
    theirs = bytes.fromhex(vector["proof"])

    assert vector["proof"] == made.to_bytes().hex()
    assert vector["verifies"] is verify_member(MembershipProof.from_bytes(theirs), allowed, label)
    assert commit_member(vector["value"], salt, label) == made.commitment


@vectors("knowledge")
def test_knowledge_proofs_are_those_of_go(vector):
    """Made, read, written and verified."""
    salt, nonce = secrets_of(vector)
    label = vector["label"]
    count = int(vector["claims"].rpartition("=")[2])
    value, blind = hash_claims({"n": count, "email_verified": True}), derive_blind(label, salt)
    made = prove_knowledge(value, blind, nonce, label)
    theirs = bytes.fromhex(vector["proof"])

    assert vector["commitment"] == commitment_bytes(commit(value, blind)).hex()
    assert vector["proof"] == made.to_bytes().hex()
    assert vector["verifies"] is verify_knowledge(
        commit(value, blind), KnowledgeProof.from_bytes(theirs), label
    )


@given(SCALARS, SCALARS)
@settings(max_examples=20)
def test_commitments_add_up(value, blind):
    """value G + blind H, by the curve's own multiplication, at and around 0, too."""
    for v, b in ((value, blind), (0, blind), (value, 0), (0, 0), (-value, blind + int(R))):
        expected = g1_add(g1_multiply(G1, v), g1_multiply(blinding_generator(), b))
        assert expected == commit(v, b)
    assert commit_all([(value, blind), (0, 0)]) == [commit(value, blind), None]


@given(st.integers(0, 255), st.integers(0, 2**32), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_ranges_are_proven(rest, bound, wrong):
    """Any value that is in it; under another bound, label or number of bits it isn't valid."""
    proof = prove_range(bound + rest, bound, SALT, NONCE, AGE)

    assert verify_range(proof, bound, AGE)
    assert proof == RangeProof.from_bytes(proof.to_bytes())
    others = [(bound + 1, AGE, 8), (bound, "veid:score", 8), (bound, AGE, 7), (bound, AGE, 9)]
    assert not verify_range(proof, *others[wrong])


@pytest.mark.parametrize(
    ("value", "bound", "bits"), [(17, 18, 8), (274, 18, 8), (6, 4, 1), (1, 0, 0), (0, 0, 64)]
)
def test_values_beyond_the_range_have_no_proof(value, bound, bits):
    """Below the bound, too far above it, or in too many bits; the value is in no message."""
    with pytest.raises(ValueError) as caught:
        prove_range(value, bound, SALT, NONCE, AGE, bits)
    assert "not" in str(caught.value)
    assert str(value) not in str(caught.value).replace("273", "") or bits in (0, 64)


def test_more_bits_than_were_agreed_on_are_refused():
    """Go's code doesn't count the commitments: a proof of 9 bits that says 8 passes there."""
    wide = prove_range(300, 0, SALT, NONCE, AGE, bits=9)
    assert verify_range(wide, 0, AGE, bits=9)
    claimed = RangeProof(
        wide.bound, 8, wide.commitment, wide.bit_commitments, wide.bit_proofs, wide.consistency
    )

    assert not verify_range(claimed, 0, AGE)


def test_a_commitment_to_two_is_no_bit():
    """Nor is one to -1, whichever branch is simulated."""
    honest = prove_range(1, 0, SALT, NONCE, AGE, bits=1)
    for value in (2, -1):
        blind = derive_blind(AGE, SALT)
        cheating = [
            RangeProof(
                0,
                1,
                commit(value, blind),
                (commit(value, 5),),
                (bit_proof,),
                prove_multiple((blind - 5) % R, NONCE, f"{AGE}:consistency"),
            )
            for bit_proof in (honest.bit_proofs[0], BitProof(0, 0, 0, 0), BitProof(1, 1, 1, 1))
        ]
        assert not any(verify_range(proof, 0, AGE, bits=1) for proof in cheating)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=6), st.data())
@settings(max_examples=10, deadline=None)
def test_members_are_proven(allowed, data):
    """Each member of any list, also where it stands there twice, and of no other list."""
    value = data.draw(st.sampled_from(allowed))
    proof = prove_member(value, allowed, SALT, NONCE, COUNTRY)

    assert verify_member(proof, allowed, COUNTRY)
    assert not verify_member(proof, [*allowed, "other"], COUNTRY)
    assert not verify_member(proof, allowed[:-1], COUNTRY)
    assert not verify_member(proof, [*allowed[:-1], allowed[-1] + "x"], COUNTRY)
    assert not verify_member(proof, allowed, AGE)


@pytest.mark.parametrize("allowed", [[], ["DE", "FR"], [str(i) for i in range(257)]])
def test_strangers_have_no_proof(allowed):
    """Nor a member of a list that is too long."""
    with pytest.raises(ValueError):
        prove_member("US" if len(allowed) < 9 else "1", allowed, SALT, NONCE, COUNTRY)


@given(st.integers(1, int(R) - 1), st.integers(1, int(R) - 1), st.binary(max_size=8))
@settings(max_examples=10)
def test_openings_and_multiples_are_proven(value, blind, nonce):
    """And not those of another commitment, or under another label."""
    commitment, proof = commit(value, blind), prove_knowledge(value, blind, nonce, KNOWN)
    public, multiple = commit(0, blind), prove_multiple(blind, nonce, KNOWN)

    assert verify_knowledge(commitment, proof, KNOWN)
    assert verify_multiple(public, multiple, KNOWN)
    assert not verify_knowledge(g1_add(commitment, G1), proof, KNOWN)
    assert not verify_knowledge(commitment, proof, AGE)
    assert not verify_multiple(g1_add(public, G1), multiple, KNOWN)
    assert not verify_multiple(public, MultipleProof(multiple.r, multiple.z + 1), KNOWN)


PROOFS = [
    (prove_range(36, 18, SALT, NONCE, AGE, bits=2 + 3), lambda p: verify_range(p, 18, AGE, 5)),
    (
        prove_member("FR", COUNTRIES, SALT, NONCE, COUNTRY),
        lambda p: verify_member(p, COUNTRIES, COUNTRY),
    ),
    (prove_knowledge(7, 8, NONCE, KNOWN), lambda p: verify_knowledge(commit(7, 8), p, KNOWN)),
]


@pytest.mark.parametrize(("proof", "verify"), PROOFS, ids=["range", "membership", "knowledge"])
def test_altered_proofs_are_refused(proof, verify):
    """A bit flipped in each 32nd byte, a byte cut off or added: false or a typed error."""
    data = proof.to_bytes()
    assert verify(type(proof).from_bytes(data))
    flipped = [
        data[:at] + bytes([data[at] ^ 1 << at % 7]) + data[at + 1 :]
        for at in range(0, len(data), 31)
    ]

    for altered in (*flipped, data[:-1], data + b"\0", data[: len(data) // 2], b"", b"\1"):
        try:
            read = type(proof).from_bytes(altered)
        except DataError:
            continue
        assert read == proof or not verify(read)


@pytest.mark.parametrize("kind", [RangeProof, MembershipProof, KnowledgeProof])
@pytest.mark.parametrize(
    "data",
    [b"\1" + b"\xff" * 200, b"\1" + bytes(9) + b"\0\0\0\x40" + bytes(64) + b"\xff\xff\xff\xff"],
)
def test_lengths_beyond_the_end_are_refused(kind, data):
    """Four thousand million parts are claimed, and none is there."""
    with pytest.raises(CorruptFileError):
        kind.from_bytes(data)
    with pytest.raises(NewerFormatError):
        kind.from_bytes(b"\2" + data[1:])


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(data):
    """With the errors of data."""
    for kind in (RangeProof, MembershipProof, KnowledgeProof):
        for prefix in (b"", b"\1", b"\1\0\0\0\x40" + commitment_bytes(G1)):
            try:
                kind.from_bytes(prefix + data)
            except DataError:
                continue


@pytest.mark.parametrize(
    "data", [bytes(63), bytes(65), b"", commitment_bytes(G1)[:-1] + b"\3", b"\xff" * 64]
)
def test_points_off_the_curve_are_refused(data):
    """Or of another length, or with coordinates of the modulus and more."""
    with pytest.raises(CorruptFileError):
        read_point(data)


CLAIMS: dict[ClaimType, int | str | bool] = {
    ClaimType.AGE_OVER_18: 36,
    ClaimType.EMAIL_VERIFIED: True,
    ClaimType.TRUST_SCORE_ABOVE: 90,
    ClaimType.COUNTRY_RESIDENT: "FR",
}
EXPECTED = Expected(score=80, countries=("DE", "FR"))


def test_points_off_the_curve_prove_nothing():
    """Nor coordinates of the modulus and more, where a caller made the points.

    A point (x, 0) off the curve has order 2: with it for a commitment, every second guess would be
    a proof of knowledge.
    """
    for guess in range(8):
        forged = KnowledgeProof(commit(guess, 7), guess, 7)
        assert not verify_knowledge((5, 0), forged, KNOWN)
        assert not verify_multiple((5, 0), MultipleProof(commit(0, guess), guess), KNOWN)
    in_range, member, known = (proof for proof, _ in PROOFS)
    checks = [check for _, check in PROOFS]
    for bad in ((1, 1), (G1[0] + P, G1[1]), (1,), "12"):
        assert not checks[0](replace(in_range, commitment=bad))
        assert not checks[0](replace(in_range, bit_commitments=(bad,) * 5))
        assert not checks[1](replace(member, commitment=bad))
        assert not checks[2](replace(known, r=bad))


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (prove_range, ("1990", 18, SALT, NONCE, AGE)),
        (prove_range, (36.5, 18, SALT, NONCE, AGE)),
        (prove_range, (True, 0, SALT, NONCE, AGE)),
        (prove_range, (36, "18", SALT, NONCE, AGE)),
        (prove_range, (36, -1, SALT, NONCE, AGE)),
        (prove_range, (1 << 64, 1 << 64, SALT, NONCE, AGE)),
        (prove_member, ("1990\ud800", ["1990\ud800"], SALT, NONCE, COUNTRY)),
        (prove_member, (1990, [1990], SALT, NONCE, COUNTRY)),
        (commit_claim, ("1990\ud800", SALT)),
        (hash_claims, ({"birth": "1990\ud800"},)),
    ],
)
def test_values_of_other_types_are_refused(function, arguments):
    """With an error that holds none of them."""
    with pytest.raises(ValueError) as caught:
        function(*arguments)
    assert not re.search("1990|36", repr(caught.value))


def test_bundles_are_proven_and_read():
    """All kinds of proofs in one, for just these claims in this order, and what was asked for."""
    proofs = prove_claims(CLAIMS, EXPECTED, SALT, NONCE)
    data = bundle_to_bytes(proofs)

    assert proofs == bundle_from_bytes(data)
    assert data[:10] == bytes([1, 0, 0, 0, 4, 0, 0, 0, 0, 1])
    assert verify_claims(proofs, list(CLAIMS), EXPECTED)
    assert not verify_claims(proofs, list(CLAIMS)[::-1], EXPECTED)
    assert not verify_claims(proofs[1:], list(CLAIMS), EXPECTED)
    assert not verify_claims(proofs, list(CLAIMS), Expected(score=81, countries=("DE", "FR")))
    assert not verify_claims(proofs, list(CLAIMS), Expected(score=80, countries=("FR", "DE")))


def test_a_proof_of_one_claim_is_none_of_another():
    """Nor one of a kind that its claim doesn't have, or with another commitment."""
    proofs = {proof.claim: proof for proof in prove_claims(CLAIMS, EXPECTED, SALT, NONCE)}
    for claim, proof in proofs.items():
        for other in ClaimType:
            if other is not claim:
                moved = ClaimProof(other, proof.commitment, proof.proof)
                assert not verify_claims([moved], [other], EXPECTED)
        elsewhere = ClaimProof(claim, g1_add(proof.commitment, G1), proof.proof)
        assert not verify_claims([elsewhere], [claim], EXPECTED)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        (ClaimType.AGE_OVER_21, 20),
        (ClaimType.SMS_VERIFIED, False),
        (ClaimType.TRUST_SCORE_ABOVE, 79),
        (ClaimType.COUNTRY_RESIDENT, "US"),
        (ClaimType.COUNTRY_RESIDENT, 49),
        (ClaimType.AGE_OVER_18, "36 years"),
        (ClaimType.AGE_OVER_18, 36.5),
        (ClaimType.AGE_OVER_18, True),
        (ClaimType.EMAIL_VERIFIED, "someone@example.org"),
    ],
)
def test_claims_that_do_not_hold_have_no_proof(claim, value):
    """The message does not say the value."""
    with pytest.raises(ValueError) as caught:
        prove_claims({claim: value}, EXPECTED, SALT, NONCE)
    assert not re.search(rf"\b{value}\b", str(caught.value))


def test_altered_bundles_are_refused():
    """A typed error, or not valid; claims and kinds that don't exist are named."""
    claims: dict[ClaimType, int | str | bool] = {
        ClaimType.EMAIL_VERIFIED: True,
        ClaimType.COUNTRY_RESIDENT: "FR",
    }
    data = bundle_to_bytes(prove_claims(claims, EXPECTED, SALT, NONCE))
    for at in range(len(data)):
        altered = data[:at] + bytes([data[at] ^ 1 << at % 7]) + data[at + 1 :]
        try:
            proofs = bundle_from_bytes(altered)
        except DataError:
            continue
        assert not verify_claims(proofs, list(claims), EXPECTED)
    for entry in (b"\0\0\0\x0a\1", b"\0\0\0\0\0", b"\0\0\0\0\4"):
        with pytest.raises(CorruptFileError, match="there is no claim"):
            bundle_from_bytes(b"\1\0\0\0\1" + entry)


# What the protocol gives away, or doesn't bind: facts for docs/zk.md.


def test_a_published_salt_opens_the_commitment():
    """VirtEngine puts the salt into the proof's metadata: whoever reads it tries all ages."""
    proof = prove_range(36, 18, SALT, NONCE, AGE)
    blind = derive_blind(AGE, SALT)

    assert [36] == [age for age in range(18, 274) if commit(age, blind) == proof.commitment]


def test_a_set_of_one_hides_nothing():
    """The residency benchmark's list is the country itself."""
    proof = prove_member("DE", ["DE"], SALT, NONCE, COUNTRY)

    assert ["DE"] == [c for c in ("DE", "FR") if verify_member(proof, [c], COUNTRY)]


def test_a_challenge_does_not_bind_the_bound():
    """A proof of at least 18 becomes one of at least 17 for a commitment that is lower by one."""
    proof = prove_range(36, 18, SALT, NONCE, AGE)
    shifted = RangeProof(
        17,
        8,
        g1_add(proof.commitment, g1_negate(G1)),
        proof.bit_commitments,
        proof.bit_proofs,
        proof.consistency,
    )

    assert verify_range(shifted, 17, AGE)


def test_nonces_of_bits_come_from_the_blind_alone():
    """The same again each time, whatever the statement is about."""
    zero, one = (prove_range(value, 0, SALT, NONCE, AGE, bits=1).bit_proofs[0] for value in (0, 1))
    other_bound = prove_range(7, 7, SALT, NONCE, AGE, bits=1).bit_proofs[0]

    assert zero == other_bound != one


def test_scalars_have_several_encodings():
    """z1 and the order, which fits in 32 bytes, are taken for z1: another proof of the same."""
    value, blind = hash_claims({"email_verified": True}), derive_blind(KNOWN, SALT)
    proof = prove_knowledge(value, blind, NONCE, KNOWN)
    data = proof.to_bytes()
    z1 = int(proof.z1).to_bytes(32, "big")
    other = data.replace(z1, int(proof.z1 + R).to_bytes(32, "big"))

    assert other != data
    assert proof == KnowledgeProof.from_bytes(other)


def test_that_something_is_verified_is_not_proven():
    """Knowing any opening is enough: one that says false, or none that anybody else made."""
    claim = ClaimType.EMAIL_VERIFIED
    for value in (hash_claims({claim.value: False}), 0):
        known = prove_knowledge(value, 0, NONCE, claim.label)
        entry = ClaimProof(claim, commit(value, 0), known)
        assert verify_claims(bundle_from_bytes(bundle_to_bytes([entry])), [claim], Expected())


def test_claims_of_several_people_make_one_bundle():
    """Each claim has a commitment of its own, which its prover chose, and nothing ties them."""
    mine, yours = (prove_claims(CLAIMS, EXPECTED, salt, NONCE) for salt in (SALT, SALT[::-1]))

    assert verify_claims([*mine[:2], *yours[2:]], list(CLAIMS), EXPECTED)


def test_names_and_values_run_together():
    """Claims of other names hash to the same scalar, so that one opens as the other."""
    assert hash_claims({"a": "bc"}) == hash_claims({"ab": "c"})
    assert hash_claims({"a": "bc"}) != hash_claims({"a": "bd"})


def test_a_proof_is_for_anybody_at_any_time():
    """Neither subject, verifier nor expiry enters: the same bytes verify wherever they are."""
    data = prove_range(36, 18, SALT, NONCE, AGE).to_bytes()

    assert data == prove_range(36, 18, SALT, NONCE, AGE).to_bytes()
    assert verify_range(RangeProof.from_bytes(data), 18, AGE)
