"""Example credentials, statements and circuits, the same every time; keys for measuring only."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random

import msgspec

from veperf.workloads.setup_cache import hash_sources, load_or_make
from veperf.workloads.zk.babyjubjub.eddsa import SigningKey
from veperf.workloads.zk.circuits.circuit import Circuit, CompiledCircuit
from veperf.workloads.zk.circuits.credential import (
    AgeStatement,
    Credential,
    ResidencyStatement,
    ScoreStatement,
)
from veperf.workloads.zk.circuits.disclosure import ClaimSet, claim_element
from veperf.workloads.zk.circuits.presentation import (
    Claims,
    IssuedCredential,
    Request,
    holder_of,
    issue_credential,
)
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.files import prover_from_bytes, prover_to_bytes
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.system import R1cs

_SEED = 1
_SOURCES = hash_sources(Path(__file__).parent)
NONCE = bytes(range(32))
CREDENTIAL = Credential(
    birth=date(1990, 5, 17),
    country="DE",
    address="Invalidenstraße 43, 10115 Berlin",
    score=87,
    salt=pow(7, 1_000_003, int(R)),
)
AGE_STATEMENT = AgeStatement(
    commitment=CREDENTIAL.commitment(), today=date(2026, 1, 15), years=18, nonce=NONCE
)
RESIDENCY_STATEMENT = ResidencyStatement(
    commitment=CREDENTIAL.commitment(), countries=("AT", "CH", "DE"), nonce=NONCE
)
SCORE_STATEMENT = ScoreStatement(commitment=CREDENTIAL.commitment(), threshold=80, nonce=NONCE)


_VALID_UNTIL = 1_900_000_000
_KINDS: dict[str, dict[str, object]] = {
    "age": {"years": AGE_STATEMENT.years, "today": AGE_STATEMENT.today},
    "residency": {"countries": RESIDENCY_STATEMENT.countries},
    "score": {"score": SCORE_STATEMENT.threshold},
}


def issued_credential() -> tuple[IssuedCredential, int]:
    """Return :data:`CREDENTIAL`, signed, and the secret of its holder."""
    secret = CREDENTIAL.salt + 1
    issuer = SigningKey(bytes(range(32)))
    return issue_credential(issuer, CREDENTIAL, holder_of(secret), _VALID_UNTIL), secret


def example_request(kinds: Sequence[str] = tuple(_KINDS)) -> Request:
    """Return a verifier's request for an age, residency, a score, or some of them."""
    values = {name: value for kind in kinds for name, value in _KINDS[kind].items()}
    claims = msgspec.convert(values, Claims)
    return Request(verifier="example", nonce=NONCE, expires=_VALID_UNTIL - 1, claims=claims)


def example_claims(count: int) -> ClaimSet:
    """Return ``count`` claims."""
    values = tuple(claim_element(f"claim {i}", f"value {i}") for i in range(count))
    return ClaimSet(values=values, salt=CREDENTIAL.salt)


def make_prover(r1cs: R1cs) -> Prover:
    """Make a prover with keys from a known seed, so that they are the same every time."""
    return Prover(r1cs, setup(r1cs, Random(_SEED).randrange))  # noqa: S311  # not for secrets


def example_prover(r1cs: R1cs) -> Prover:
    """Return the prover of :func:`make_prover` with its tables, in a tenth of the time.

    Read from the set-up cache, also where it was just made: it is the same in every process.
    """
    what = f"prover {r1cs.digest().hex()}, seed {_SEED}"
    data = load_or_make(what, _SOURCES, lambda: prover_to_bytes(make_prover(r1cs)))
    prover = prover_from_bytes(data, r1cs, is_trusted=True)
    prover.prepare()
    return prover


def compile_squarings(constraints: int) -> CompiledCircuit:
    """Return a circuit with ``constraints`` constraints, whose wires hold numbers of full size.

    It proves knowledge of x with (((x^2 + 1)^2 + 2)^2 ...)^2 = y.
    """
    return Circuit(f"squarings-{constraints}", lambda b: _squarings(b, constraints)).compile()


def squarings_inputs(constraints: int) -> dict[str, int]:
    """Return inputs of :func:`compile_squarings`."""
    start = value = CREDENTIAL.salt
    for i in range(constraints):
        value = (value + i) * (value + i) % int(R)
    return {"x": start, "y": value}


def _squarings(builder: Builder, constraints: int) -> None:
    y = builder.public("y")
    value = builder.private("x")
    for i in range(constraints - 1):
        value = builder.product(f"square{i}", value + i, value + i)
    last = value + (constraints - 1)
    builder.constrain(last, last, y, "the last square is y")
