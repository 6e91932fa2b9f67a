"""The circuits accept honest provers only, whatever wires others forge."""

import re
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.zk.circuits import disclosure
from veperf.workloads.zk.circuits.claims import COUNTRIES, ClaimError, country_number
from veperf.workloads.zk.circuits.credential import (
    AGE_CIRCUIT,
    MAX_COUNTRIES,
    RESIDENCY_CIRCUIT,
    SCORE_CIRCUIT,
    AgeStatement,
    Credential,
    ResidencyStatement,
    ScoreStatement,
    credential_witness,
    date_number,
    new_salt,
)
from veperf.workloads.zk.circuits.hashing import (
    claim_commitment,
    new_nonce,
    nonce_element,
    proof_id,
)
from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.r1cs.system import UnsatisfiedError

ORDER = int(R)
NONCE = bytes(range(32))
AGE, RESIDENCY, SCORE = (
    circuit.compile() for circuit in (AGE_CIRCUIT, RESIDENCY_CIRCUIT, SCORE_CIRCUIT)
)
DISCLOSURE = disclosure.disclosure_circuit(3).compile()


def credential(**changes):
    claims: dict[str, Any] = {
        "birth": date(1990, 5, 17),
        "country": "DE",
        "address": "Hauptstraße 1",
        "score": 87,
        "salt": 12345,
    }
    return Credential(**(claims | changes))


def age_statement(holder, **changes):
    values: dict[str, Any] = {"today": date(2026, 1, 15), "years": 18, "nonce": NONCE}
    return AgeStatement(commitment=holder.commitment(), **(values | changes))


def forged(compiled, inputs, changes):
    """The witness for ``inputs`` as the program solves it, with some wires changed by name."""
    witness = compiled.program.compute_witness(inputs)
    for name, value in changes.items():
        witness[compiled.r1cs.wire_names.index(name)] = value % ORDER
    return witness


def refuse(compiled, inputs, changes=None):
    with pytest.raises(UnsatisfiedError):
        compiled.r1cs.check(forged(compiled, inputs, changes or {}))


def age_inputs(holder, statement):
    names = ("commitment", "today", "years", "nonce")
    return dict(zip(names, statement.public_inputs(), strict=True)) | holder.inputs()


def years_later(day, years):
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


@given(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    st.integers(0, 130),
)
def test_age_is_by_the_calendar(birth, today, years):
    """The circuit says what Python's calendar says, 29 February included."""
    holder = credential(birth=birth)
    statement = age_statement(holder, today=today, years=years)

    if today >= years_later(birth, years):
        credential_witness(AGE, holder, statement)
    else:
        with pytest.raises(UnsatisfiedError):
            credential_witness(AGE, holder, statement)


@pytest.mark.parametrize(
    ("birth", "today", "old_enough"),
    [
        (date(2008, 1, 15), date(2026, 1, 15), True),
        (date(2008, 1, 16), date(2026, 1, 15), False),
        (date(2008, 2, 29), date(2026, 2, 28), False),
        (date(2008, 2, 29), date(2026, 3, 1), True),
        (date(2004, 2, 29), date(2024, 2, 29), True),
        (date(1, 1, 1), date(9999, 12, 31), True),
        (date(2030, 1, 1), date(2026, 1, 15), False),
    ],
)
def test_birthdays(birth, today, old_enough):
    """The day itself counts, the day before does not."""
    years = 20 if today == date(2024, 2, 29) else 18
    holder = credential(birth=birth)
    statement = age_statement(holder, today=today, years=years)

    if old_enough:
        credential_witness(AGE, holder, statement)
    else:
        with pytest.raises(UnsatisfiedError, match="old enough"):
            credential_witness(AGE, holder, statement)


def test_under_age_prover_can_not_forge_bits():
    """Too young by one day: no bits, and no non-bits, make the difference look positive."""
    holder = credential(birth=date(2008, 1, 16))
    inputs = age_inputs(holder, age_statement(holder))
    count = 27  # of the difference
    zero = {f"old enough.bit{i}": 0 for i in range(count)}
    refuse(AGE, inputs)
    refuse(AGE, inputs, zero)
    refuse(AGE, inputs, {**zero, "old enough.bit0": -1})
    refuse(AGE, inputs, {f"old enough.bit{i}": 1 for i in range(count)})
    refuse(AGE, inputs, {**zero, "old enough.bit26": -pow(1 << 26, -1, ORDER)})


@pytest.mark.parametrize(
    "birth", [-1, -20_000_000, ORDER // 2, 1 << 27, 18 * 10_000 * pow(7, -1, ORDER)]
)
def test_birth_dates_that_are_no_integers_of_that_size_are_refused(birth):
    """A birth date beyond its range would wrap around the field, even with a commitment to it."""
    holder = credential()
    hidden = holder.inputs() | {"birth": birth % ORDER}
    inputs = age_inputs(holder, age_statement(holder)) | hidden
    inputs["commitment"] = poseidon([hidden[name] for name in holder.inputs()])
    refuse(AGE, inputs)


@pytest.mark.parametrize(
    "changes",
    [{"years": -1}, {"years": ORDER - 30}, {"today": -1}, {"today": 1 << 27}, {"years": 256}],
)
def test_public_values_out_of_range_are_refused(changes):
    """The circuit itself holds today and years in range, whoever supplies them."""
    holder = credential()
    inputs = age_inputs(holder, age_statement(holder)) | changes
    refuse(AGE, {name: value % ORDER for name, value in inputs.items()})


@pytest.mark.parametrize("name", ["birth", "country", "address", "score", "salt"])
def test_commitment_binds_every_claim(name):
    """Another value of any claim needs another commitment, in every circuit."""
    holder = credential()
    publics = [
        (AGE, age_inputs(holder, age_statement(holder))),
        (SCORE, score_inputs(holder, 80)),
        (RESIDENCY, residency_inputs(holder, ("DE", "FR"))),
    ]
    for compiled, inputs in publics:
        compiled.r1cs.check(compiled.program.compute_witness(inputs))
        refuse(compiled, inputs | {name: inputs[name] - 1})


@pytest.mark.parametrize("compiled", [AGE, RESIDENCY, SCORE, DISCLOSURE], ids=lambda c: c.name)
def test_nonce_is_in_a_constraint(compiled):
    """The nonce is part of the proven constraints, whatever its value."""
    wire = compiled.r1cs.wire_names.index("nonce")

    assert any(wire in dict(c.a) and wire in dict(c.b) for c in compiled.r1cs.constraints)
    assert 1 <= wire <= compiled.r1cs.public_count


def score_inputs(holder, threshold):
    statement = ScoreStatement(commitment=holder.commitment(), threshold=threshold, nonce=NONCE)
    names = ("commitment", "threshold", "nonce")
    return dict(zip(names, statement.public_inputs(), strict=True)) | holder.inputs()


@given(st.integers(0, 100), st.integers(0, 100))
def test_score_at_threshold(value, threshold):
    """At the threshold passes, below it does not."""
    holder = credential(score=value)
    statement = ScoreStatement(commitment=holder.commitment(), threshold=threshold, nonce=NONCE)

    if value >= threshold:
        credential_witness(SCORE, holder, statement)
    else:
        with pytest.raises(UnsatisfiedError):
            credential_witness(SCORE, holder, statement)


@pytest.mark.parametrize("value", [101, 127, 128, -1, ORDER // 2])
def test_scores_out_of_range_are_refused(value):
    """Over 100 or negative: a score, with a commitment to it, and a threshold."""
    holder = credential()
    hidden = holder.inputs() | {"score": value % ORDER}
    commitment = poseidon([hidden[name] for name in holder.inputs()])
    refuse(SCORE, score_inputs(holder, 80) | hidden | {"commitment": commitment})
    refuse(SCORE, score_inputs(credential(score=100), 80) | {"threshold": value % ORDER})


def residency_inputs(holder, countries):
    statement = ResidencyStatement(commitment=holder.commitment(), countries=countries, nonce=NONCE)
    names = ["commitment", "nonce", *(f"country{i}" for i in range(MAX_COUNTRIES))]
    return dict(zip(names, statement.public_inputs(), strict=True)) | holder.inputs()


@pytest.mark.parametrize("countries", [("DE",), ("FR", "DE"), ("AT", "CH", "DE", "ZW")])
def test_residents_pass(countries):
    """In the list, wherever in it."""
    inputs = residency_inputs(credential(), countries)
    RESIDENCY.r1cs.check(RESIDENCY.program.compute_witness(inputs))


def test_others_are_refused():
    """Not in the list, also with forged products of differences."""
    inputs = residency_inputs(credential(country="US"), ("DE", "FR"))
    refuse(RESIDENCY, inputs)
    names = [name for name in RESIDENCY.r1cs.wire_names if name.startswith("country.difference")]
    for name in names:
        refuse(RESIDENCY, inputs, {name: 0})
    refuse(RESIDENCY, inputs, dict.fromkeys(names, 0))


def test_order_of_countries_does_not_matter():
    """The same list is the same statement, whatever its order and doubles."""
    first = residency_inputs(credential(), ("DE", "FR", "AT"))
    second = residency_inputs(credential(), ("FR", "AT", "DE", "AT"))

    assert first == second


CLAIMS = disclosure.ClaimSet(values=(11, 0, 33), salt=5)


@pytest.mark.parametrize("indices", [(), (0,), (1,), (0, 2), (0, 1, 2)])
def test_any_subset_is_disclosed(indices):
    """Disclosed values are the claims; hidden ones stay out of the public inputs."""
    statement = CLAIMS.disclose(indices, NONCE)
    public = statement.public_inputs()
    disclosure.disclosure_witness(DISCLOSURE, CLAIMS, statement)

    assert sum(1 << i for i in indices) == public[2]
    assert [v if i in indices else 0 for i, v in enumerate(CLAIMS.values)] == public[3:]


@pytest.mark.parametrize(
    "disclosed", [(12, None, None), (None, 1, None), (11, None, 0), (0, None, None)]
)
def test_false_disclosures_are_refused(disclosed):
    """A value that is not the claim's, also 0 for one that isn't 0."""
    statement = disclosure.DisclosureStatement(
        commitment=CLAIMS.commitment(), disclosed=disclosed, nonce=NONCE
    )
    with pytest.raises(UnsatisfiedError):
        disclosure.disclosure_witness(DISCLOSURE, CLAIMS, statement)


def test_mask_can_not_be_forged():
    """Hidden but shown, shown but hidden, and masks with bits that no claim has."""
    statement = CLAIMS.disclose((0,), NONCE)
    names = ("commitment", "nonce", "mask", "shown0", "shown1", "shown2")
    inputs = dict(zip(names, statement.public_inputs(), strict=True))
    inputs |= {"salt": 5, "claim0": 11, "claim1": 0, "claim2": 33}
    DISCLOSURE.r1cs.check(DISCLOSURE.program.compute_witness(inputs))
    for mask in (0, 4, 5, 8, 9, ORDER - 1):
        refuse(DISCLOSURE, inputs | {"mask": mask})
    refuse(DISCLOSURE, inputs | {"shown2": 33})
    refuse(DISCLOSURE, inputs | {"shown2": 33}, {"mask.bit2": 1})
    half = pow(2, -1, ORDER)
    refuse(DISCLOSURE, inputs | {"shown0": 11 * half % ORDER}, {"mask.bit0": half})


@pytest.mark.parametrize("count", [1, 16])
def test_extreme_numbers_of_claims(count):
    """The fewest claims and the most that Poseidon takes."""
    claims = disclosure.ClaimSet(values=tuple(range(count)), salt=1)
    compiled = disclosure.disclosure_circuit(count).compile()
    disclosure.disclosure_witness(compiled, claims, claims.disclose([count - 1], NONCE))


@pytest.mark.parametrize(
    "make",
    [
        lambda: credential(country="de"),
        lambda: credential(country="DEU"),
        lambda: credential(score=101),
        lambda: credential(score=-1),
        lambda: credential(salt=ORDER),
        lambda: credential(salt=-1),
        lambda: age_statement(credential(), years=-1).public_inputs(),
        lambda: age_statement(credential(), years=256).public_inputs(),
        lambda: age_statement(credential(), nonce=b"short").public_inputs(),
        lambda: score_inputs(credential(), 101),
        lambda: score_inputs(credential(), -1),
        lambda: residency_inputs(credential(), ()),
        lambda: residency_inputs(
            credential(),
            tuple(f"A{chr(65 + i)}" for i in range(26))
            + tuple(f"B{chr(65 + i)}" for i in range(7)),
        ),
        lambda: disclosure.ClaimSet(values=(), salt=1),
        lambda: disclosure.ClaimSet(values=(0,) * 17, salt=1),
        lambda: disclosure.ClaimSet(values=(ORDER,), salt=1),
        lambda: disclosure.ClaimSet(values=(1,), salt=-1),
        lambda: disclosure.disclosure_circuit(0),
        lambda: disclosure.disclosure_circuit(17),
        lambda: CLAIMS.disclose((0,), b"").public_inputs(),
        lambda: claim_commitment(b"short", b"claim"),
        lambda: proof_id("age", [-1]),
        lambda: proof_id("age", [1 << 256]),
        lambda: proof_id("a\0ge", [1]),
    ],
)
def test_senseless_values_are_refused(make):
    """Statements and credentials that can't be."""
    with pytest.raises(ValueError):
        make()


def test_no_such_claim_to_disclose():
    """An index beyond the claims, or before them."""
    for index in (3, -1):
        with pytest.raises(IndexError):
            CLAIMS.disclose((index,), NONCE)


@given(st.dates(), st.dates())
def test_dates_are_ordered_as_their_numbers(a, b):
    """Comparing the numbers compares the dates."""
    assert (a < b) == (date_number(a) < date_number(b))


def test_country_numbers_are_distinct():
    """249 codes, 249 numbers in the order of the codes, none of them 0 and all of ten bits."""
    numbers = [country_number(code) for code in sorted(COUNTRIES)]

    assert 249 == len(set(numbers))
    assert numbers == sorted(numbers)
    assert 1 <= min(numbers) <= max(numbers) <= 676


@pytest.mark.parametrize("code", ["XX", "EU", "UK", "de", "D", "DEU", "", "D\0", "ÄÖ", None, 49])
def test_only_codes_of_iso_3166_are_countries(code):
    """Two letters alone are no country, and the message does not repeat them."""
    with pytest.raises(ClaimError) as caught:
        credential(country=code)
    assert code is None or repr(code) not in str(caught.value)


def claim_set(values: Any, salt: Any) -> disclosure.ClaimSet:
    return disclosure.ClaimSet(values=values, salt=salt)


SECRETS = ["1990", "05-17", "19900517", "Hauptstraße", "DE", "87", "12345"]
SECRETS += [str(value + ORDER) for value in (1990, 12345)]


def exposed(text):
    return [secret for secret in SECRETS if re.search(rf"\b{secret}\b", text)]


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda c: str(list(c.__rich_repr__()))])
def test_claims_are_not_shown(show):
    """Not by printing them, whatever contains them."""
    assert [] == exposed(show(credential()))
    assert [] == exposed(repr([credential()]))
    assert [] == exposed(show(disclosure.ClaimSet(values=(1990, 87), salt=12345)))


@pytest.mark.parametrize(
    "prove",
    [
        lambda: credential_witness(AGE, credential(), age_statement(credential(), years=99)),
        lambda: credential_witness(AGE, credential(), age_statement(credential(score=86))),
        lambda: RESIDENCY.witness(residency_inputs(credential(), ("FR",))),
        lambda: SCORE.witness(score_inputs(credential(), 100)),
        lambda: credential(score="87"),
        lambda: credential(score=187),
        lambda: credential(score=True),
        lambda: credential(salt="12345"),
        lambda: credential(salt=12345 + ORDER),
        lambda: credential(birth="1990-05-17"),
        lambda: credential(birth=19900517),
        lambda: credential(address=b"Hauptstrasse 1"),
        lambda: credential(address="Hauptstraße\ud800"),
        lambda: disclosure.claim_element("address", "Hauptstraße\ud800"),
        lambda: credential(birth=datetime(1990, 5, 17)),
        lambda: claim_set((87.0,), 12345),
        lambda: claim_set([87], 12345),
        lambda: claim_set(("1990",), 12345),
        lambda: claim_set((1990,), None),
        lambda: claim_set((1990 + ORDER,), 12345),
        lambda: claim_set((87,), 12345 + ORDER),
    ],
)
def test_no_error_shows_a_claim(prove):
    """Neither the message, nor those of what the error is chained to."""
    with pytest.raises(ValueError) as caught:
        prove()
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]

    assert [] == [
        word for error in chain for word in exposed(repr(error).replace("such as DE", ""))
    ]


def test_the_values_of_a_broken_constraint_come_on_request():
    """For who debugs a circuit."""
    with pytest.raises(UnsatisfiedError) as caught:
        SCORE.witness(score_inputs(credential(), 100))

    assert {"threshold": 100, "score": 87} | dict(caught.value.values) == caught.value.values


def test_salts_and_nonces_are_fresh():
    """Two of either are never the same, and both are in range."""
    nonces, salts = {new_nonce() for _ in range(100)}, {new_salt() for _ in range(100)}

    assert 100 == len(nonces) == len(salts)
    assert all(0 <= nonce_element(nonce) < 1 << 253 for nonce in nonces)
    assert all(0 <= salt < ORDER for salt in salts)


def test_commitment_and_identifier_are_sha256():
    """Both as computed by hand."""
    salt = bytes(range(32))
    element = (1).to_bytes(32, "big")

    assert sha256(salt + b"claim").digest() == claim_commitment(salt, b"claim")
    assert sha256(b"age\0" + element + element).hexdigest() == proof_id("age", [1, 1])
