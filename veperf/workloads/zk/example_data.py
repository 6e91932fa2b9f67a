"""Example credentials, statements and circuits, always the same; keys for measuring only."""

from datetime import date
from random import Random

from veperf.workloads.zk.circuits import age, disclosure, residency, score
from veperf.workloads.zk.circuits.circuit import Circuit, Compiled
from veperf.workloads.zk.circuits.credential import Credential
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16 import Prover, setup
from veperf.workloads.zk.r1cs import Builder, R1cs

_SEED = 1
NONCE = bytes(range(32))
CREDENTIAL = Credential(
    birth=date(1990, 5, 17),
    country="DE",
    address="Invalidenstraße 43, 10115 Berlin",
    score=87,
    salt=pow(7, 1_000_003, int(R)),
)
AGE = age.Statement(
    commitment=CREDENTIAL.commitment(), today=date(2026, 1, 15), years=18, nonce=NONCE
)
RESIDENCY = residency.Statement(
    commitment=CREDENTIAL.commitment(), countries=("AT", "CH", "DE"), nonce=NONCE
)
SCORE = score.Statement(commitment=CREDENTIAL.commitment(), threshold=80, nonce=NONCE)


def claims(count: int) -> disclosure.Claims:
    """So many claims."""
    values = tuple(disclosure.claim(f"claim {i}", f"value {i}") for i in range(count))
    return disclosure.Claims(values=values, salt=CREDENTIAL.salt)


def prover(r1cs: R1cs) -> Prover:
    """A prover whose keys come from a known seed, so that they are the same every time."""
    return Prover(r1cs, setup(r1cs, Random(_SEED).randrange))  # noqa: S311  # no secret is wanted


def squarings(constraints: int) -> Compiled:
    """A circuit of just so many constraints, whose wires hold numbers of full size.

    It proves knowledge of x with (((x^2 + 1)^2 + 2)^2 ...)^2 = y.
    """
    return Circuit(f"squarings-{constraints}", lambda b: _squarings(b, constraints)).compile()


def squarings_inputs(constraints: int) -> dict[str, int]:
    """Inputs of :func:`squarings`."""
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
