"""Presentations prove what was asked, of signed credentials, for one verifier; they don't link."""

import pickle
import re
from contextlib import nullcontext
from datetime import date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from veperf.core.errors import DataError
from veperf.workloads.zk import example_data
from veperf.workloads.zk.babyjubjub.curve import L
from veperf.workloads.zk.babyjubjub.eddsa import SigningKey
from veperf.workloads.zk.circuits.claims import ClaimError
from veperf.workloads.zk.circuits.credential import Credential
from veperf.workloads.zk.circuits.presentation import (
    _NULLIFIER,
    Claims,
    IssuedCredential,
    Presentation,
    Request,
    holder_of,
    issue_credential,
    present,
    presentation_inputs,
    verifier_element,
)
from veperf.workloads.zk.curve.g1 import G1
from veperf.workloads.zk.curve.g2 import G2
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import Proof
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.r1cs.audit import AuditVerdict, audit_r1cs
from veperf.workloads.zk.r1cs.system import UnsatisfiedError
from veperf.workloads.zk.verification import Refusal

ORDER = int(R)
ISSUER = SigningKey(bytes(range(32)))
SECRET, BLIND = 424242424242, 777
VALID_UNTIL = 1_900_000_000
HOLDER = Credential(
    birth=date(1990, 5, 17), country="DE", address="Hauptstraße 1", score=87, salt=12345
)
ISSUED = issue_credential(ISSUER, HOLDER, holder_of(SECRET), VALID_UNTIL)
ALL = Claims(
    years=18, today=date(2026, 1, 15), countries=("AT", "DE", "FR"), score=80, nullifier=True
)
COMPILED = ALL.circuit().compile()


def request(claims: Claims = ALL, **changes: Any) -> Request:
    values: dict[str, Any] = {"verifier": "shop", "nonce": bytes(32), "expires": 1_800_000_000}
    return Request(claims=claims, **(values | changes))


def inputs(
    asked: Request | None = None, issued: IssuedCredential = ISSUED, secret: int = SECRET
) -> dict[str, int]:
    return presentation_inputs(COMPILED, issued, secret, asked or request(), BLIND)


def issue(**changes: Any) -> IssuedCredential:
    values = {name: getattr(HOLDER, name) for name in HOLDER.__struct_fields__}
    return issue_credential(
        ISSUER, Credential(**(values | changes)), holder_of(SECRET), VALID_UNTIL
    )


def test_all_claims_hold_in_one_proof() -> None:
    """Age and residency and score, and the credential is as its issuer signed it."""
    COMPILED.witness(inputs())

    assert 6_950 + 265 == len(COMPILED.r1cs.constraints)  # as docs/zk.md says
    assert COMPILED.r1cs.public_count == ALL.public_count()


@pytest.mark.parametrize(
    ("issued", "secret", "asked", "broken"),
    [
        (issue(birth=date(2008, 1, 16)), SECRET, request(), "old enough"),
        (issue(country="US"), SECRET, request(), "country is in the list"),
        (issue(score=79), SECRET, request(), "score high enough"),
        (ISSUED, SECRET, request(expires=VALID_UNTIL + 1), "valid until the expiry"),
        (ISSUED, SECRET + 1, request(), "signature is valid"),
        (replace(ISSUED, credential=issue(score=100).credential), SECRET, request(), "signature"),
        (replace(ISSUED, valid_until=VALID_UNTIL + 1), SECRET, request(), "signature is valid"),
        (replace(ISSUED, issuer=SigningKey(bytes(32)).public_key), SECRET, request(), "signature"),
        (replace(ISSUED, signature=ISSUER.sign(1)), SECRET, request(), "signature is valid"),
    ],
)
def test_each_claim_must_hold(
    issued: IssuedCredential, secret: int, asked: Request, broken: str
) -> None:
    """The first constraint that is broken is named; nothing private is told."""
    with pytest.raises(UnsatisfiedError, match=broken) as caught:
        COMPILED.witness(inputs(asked, issued, secret))

    assert [] == exposed(caught.value)


def exposed(shown: object) -> list[str]:
    private = ["1990", "19900517", "2008", "Hauptstr", "DE", "US", "87", "79", "12345", "777"]
    private += [str(SECRET), str(ISSUED.holder), str(ISSUED.signature.s)]
    return [word for word in private if re.search(rf"\b{word}\b", repr(shown))]


@pytest.mark.parametrize("shown", [ISSUED, [ISSUED], ISSUER, HOLDER, ALL, request()])
def test_nothing_private_is_shown(shown: object) -> None:
    """What a holder keeps and an issuer signs with is in no repr."""
    listed = str(getattr(shown, "__rich_repr__", list)()) if shown is ISSUED else ""

    assert set(exposed(shown)) <= {"DE"} if shown in (ALL, request()) else not exposed(shown)
    assert [] == exposed(listed)


def test_the_audit_finds_every_signal_determined() -> None:
    """By uniqueness propagation from the inputs and the bits of the hash that is signed.

    These it has no rule for: their canonical form, below r, is tried out in test_circuit_eddsa.
    No other value of a single signal satisfies the constraints.
    """
    names = COMPILED.r1cs.wire_names
    given = {*COMPILED.program.inputs, *(f"signature.h.bit{i}" for i in range(254))}
    wires = [wire for wire, name in enumerate(names) if name in given]
    audit = audit_r1cs(COMPILED.r1cs, wires, [COMPILED.witness(inputs())])

    assert (AuditVerdict.SOUND, ()) == (audit.verdict, audit.mutants)
    assert {"verifier", "nonce"} >= {names[wire] for wire in audit.loosely_bound_public}


@pytest.mark.parametrize("name", ["address", "salt", "secret", "valid_until", "blind"])
def test_values_that_are_only_hashed_count(name: str) -> None:
    """Another one of them makes another hash."""
    with pytest.raises(UnsatisfiedError):
        COMPILED.witness(inputs() | {name: inputs()[name] + 1})


def test_presentations_of_a_credential_have_nothing_in_common() -> None:
    """But for the issuer and what was asked; nullifiers are one for each verifier and holder."""
    shop, bank = request(), request(verifier="bank", nonce=b"\1" * 32)
    one, two, other = (
        presentation_inputs(COMPILED, ISSUED, SECRET, asked, blind)
        for asked, blind in ((shop, 1), (shop, 2), (bank, 3))
    )
    stranger = presentation_inputs(COMPILED, ISSUED, SECRET + 1, shop, 1)

    assert one["nullifier"] == two["nullifier"]
    assert 3 == len({x["nullifier"] for x in (one, other, stranger)})
    assert 3 == len({x["commitment"] for x in (one, two, other)})
    assert one["commitment"] == poseidon([ISSUED.message(), 1])
    assert one["verifier"] != other["verifier"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Claims(years=18),
        lambda: Claims(today=date(2026, 1, 15)),
        lambda: Claims(years=256, today=date(2026, 1, 15)),
        lambda: Claims(countries=("XX",)),
        lambda: Claims(score=101),
        lambda: request(nonce=b"").inputs(),
        lambda: request(expires=1 << 40).inputs(),
        lambda: request(expires=-1).inputs(),
        lambda: inputs(request(Claims(score=80))),
        lambda: holder_of(ORDER),
        lambda: holder_of(True),
        lambda: issue_credential(ISSUER, HOLDER, ORDER, VALID_UNTIL),
        lambda: issue_credential(ISSUER, HOLDER, 1, 1 << 40),
    ],
)
def test_senseless_values_are_refused(make: Any) -> None:
    """Requests, holders and validities that can't be."""
    with pytest.raises((ClaimError, ValueError)):
        make()


@pytest.mark.parametrize(
    "changes",
    [
        {"years": "18"},
        {"years": 18.5},
        {"years": True},
        {"today": "2026-01-15"},
        {"today": datetime(2026, 1, 15)},
        {"countries": "DE"},
        {"countries": ["DE"]},
        {"countries": None},
        {"score": 80.5},
        {"score": "80"},
        {"score": False},
        {"nullifier": "no"},
    ],
)
def test_claims_of_other_types_are_refused(changes: dict[str, Any]) -> None:
    """Before a verifier keeps a request that it could not read again."""
    values = {name: getattr(ALL, name) for name in ALL.__struct_fields__}
    with pytest.raises(ClaimError):
        Claims(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": [1]},
        {"nonce": "0" * 32},
        {"issuer": None},
        {"issuer": (1,)},
        {"issuer": ("1", "2")},
        {"issuer": ([], [])},
        {"commitment": "1"},
        {"commitment": 1.0},
        {"nullifier": "1"},
        {"nullifier": 1.5},
        {"proof": (1, 2, 3)},
        {"proof": None},
    ],
)
def test_presentations_of_other_types_are_refused(changes: dict[str, Any]) -> None:
    """With a typed error, wherever they come from."""
    values: dict[str, Any] = {
        "nonce": bytes(32),
        "issuer": ISSUED.issuer,
        "commitment": 1,
        "nullifier": None,
        "proof": Proof(G1, G2, G1),
    }
    Presentation(**values)
    with pytest.raises(ClaimError):
        Presentation(**(values | changes))


@pytest.mark.parametrize("changes", [{"verifier": 5}, {"verifier": "\ud800"}, {"expires": 1.5}])
def test_requests_of_other_types_are_refused(changes: dict[str, Any]) -> None:
    """As they have no public inputs."""
    with pytest.raises(ClaimError):
        request(**changes).inputs()


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"nullifier": poseidon([_NULLIFIER, SECRET + 1, verifier_element("shop")])}, "nullifier"),
        ({"nullifier": poseidon([_NULLIFIER, SECRET, verifier_element("bank")])}, "nullifier"),
        ({"verifier": verifier_element("bank")}, "nullifier"),
        ({"nullifier": 0}, "nullifier"),
        ({"s": int(ISSUED.signature.s + L)}, r"signature\.s"),
        ({"years": 256}, "years"),
        ({"today": ORDER - 1}, "today"),
        ({"expires": 1 << 40}, "expires"),
        ({"expires": ORDER - 1}, "expires"),
        ({"threshold": ORDER - 1}, "threshold"),
        ({"threshold": 101}, "threshold"),
    ],
)
def test_cheating_provers_break_a_constraint(change: dict[str, int], broken: str) -> None:
    """A second nullifier for one verifier, another one's, S twice, numbers that wrap around."""
    with pytest.raises(UnsatisfiedError, match=broken):
        COMPILED.witness(inputs() | change)


@pytest.mark.parametrize(
    ("birth", "today", "is_of_age"),
    [
        (date(2008, 2, 29), date(2026, 2, 28), False),
        (date(2008, 2, 29), date(2026, 3, 1), True),
        (date(2008, 1, 16), date(2026, 1, 15), False),
    ],
)
def test_ages_are_by_the_calendar(birth: date, today: date, is_of_age: bool) -> None:
    """Also in presentations, and for who is born on a leap day."""
    given = inputs(request(replace(ALL, today=today)), issue(birth=birth))
    with nullcontext() if is_of_age else pytest.raises(UnsatisfiedError, match="old enough"):
        COMPILED.witness(given)


def test_errors_between_processes_have_no_values() -> None:
    """A pool of processes hands on which constraint is broken, and nothing private."""
    with pytest.raises(UnsatisfiedError) as caught:
        COMPILED.witness(inputs(issued=issue(score=79)))
    sent = pickle.dumps(caught.value)
    received = pickle.loads(sent)

    assert str(caught.value) == str(received)
    assert caught.value.values
    assert {} == received.values


def test_circuits_are_named_after_what_is_asked() -> None:
    """16 of them, each of its own."""
    assert "presentation-age-residency-score-nullifier" == COMPILED.name
    assert "presentation" == Claims().circuit().name
    assert "presentation-score" == Claims(score=1).circuit().name


@pytest.mark.slow
def test_a_presentation_is_proven_sent_and_verified() -> None:
    """For its request and no other one; whoever changes a value in it is told why it fails."""
    claims = Claims(score=80)
    compiled = claims.circuit().compile()
    prover = example_data.make_prover(compiled.r1cs)
    key, asked = prover.key.verifying_key, request(claims)
    answer = present(prover, compiled, ISSUED, SECRET, asked)
    again = present(prover, compiled, ISSUED, SECRET, asked)

    def result(asked: Request, answer: Presentation) -> Refusal | None:
        return verify(key, answer.public_inputs(asked), answer.proof).reason

    assert answer == Presentation.from_json(answer.to_json())
    assert [] == exposed(answer.to_json())
    assert result(asked, answer) is result(asked, again) is None
    assert answer.commitment != again.commitment
    assert answer.proof != again.proof
    others = (
        request(claims, verifier="bank"),
        request(claims, nonce=b"\1" * 32),
        request(claims, expires=1_800_000_001),
        request(Claims(score=81)),
    )
    assert {Refusal.EQUATION} == {result(other, answer) for other in others}
    assert Refusal.EQUATION is result(asked, replace(answer, commitment=again.commitment))
    assert Refusal.INPUT_COUNT is result(asked, replace(answer, nullifier=1))
    assert Refusal.INPUT_RANGE is result(
        asked, replace(answer, commitment=answer.commitment + ORDER)
    )
    off_curve = Proof(answer.proof.a, answer.proof.b, (1, 1))
    assert Refusal.POINT is result(asked, replace(answer, proof=off_curve))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"nonce": "00", "issuer": ["1", "2"], "commitment": "1", "nullifier": null, "proof": {}}',
        b"[" * 100_000,
        b'{"nonce": "%b", "issuer": ["1", "2\\n"], "commitment": "1", "nullifier": null, "proof":'
        b" {}}" % (b"0" * 64),
        b'{"nonce": "%b", "issuer": ["1", "2"], "commitment": "1", "nullifier": null, "proof": {}}'
        % (b"0" * 64),
    ],
)
def test_other_bytes_are_no_presentation(data: bytes) -> None:
    """Cut off, of other fields, nested, with a proof that is none."""
    with pytest.raises(DataError):
        Presentation.from_json(data)
