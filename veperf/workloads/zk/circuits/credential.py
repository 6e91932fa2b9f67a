"""The credential that three of the circuits are about: a person's claims, committed to.

An issuer checks the claims and signs the commitment; that signature is checked in the open and is
no part of the circuits. The commitment is Poseidon(birth date, country, address, score, salt): the
salt hides the claims, collision resistance binds them.
"""

import secrets
from datetime import date

from msgspec import Struct

from veperf.workloads.zk.circuits.nonce import to_element
from veperf.workloads.zk.circuits.poseidon_gadget import poseidon as poseidon_gadget
from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.r1cs import Builder, Linear

MAX_SCORE = 100
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Credential(Struct, frozen=True, kw_only=True):
    """What its holder keeps to himself.

    Raises:
        ValueError: the country is no code, or the score or salt is out of range.
    """

    birth: date
    country: str
    """ISO 3166-1 alpha-2."""
    address: str
    score: int
    """0 to 100."""
    salt: int
    """A random field element."""

    def __post_init__(self) -> None:
        country_number(self.country)
        if not 0 <= self.score <= MAX_SCORE:
            raise ValueError(f"a score is 0 to {MAX_SCORE}, not {self.score}")
        if not 0 <= self.salt < R:
            raise ValueError("the salt is not a field element")

    def inputs(self) -> dict[str, int]:
        """The private inputs of the circuits, in the order in which they are hashed."""
        return {
            "birth": date_number(self.birth),
            "country": country_number(self.country),
            "address": to_element(b"address", self.address.encode()),
            "score": self.score,
            "salt": self.salt,
        }

    def commitment(self) -> int:
        """The field element that the issuer signs."""
        return poseidon(list(self.inputs().values()))


def new_salt() -> int:
    """A random field element."""
    return secrets.randbelow(R)


def date_number(day: date) -> int:
    """The number year * 10000 + month * 100 + day, ordered as dates are."""
    return day.year * 10_000 + day.month * 100 + day.day


def country_number(code: str) -> int:
    """1 to 676 for the two letters of a country code.

    Raises:
        ValueError: it is not two capital letters.
    """
    if len(code) != 2 or not set(code) <= set(_ALPHABET):
        raise ValueError(f"a country is two capital letters, not {code!r}")
    return _ALPHABET.index(code[0]) * 26 + _ALPHABET.index(code[1]) + 1


def committed(builder: Builder, commitment: Linear) -> dict[str, Linear]:
    """The private signals of a credential, by name, bound to ``commitment``."""
    names = ("birth", "country", "address", "score", "salt")
    signals = {name: builder.private(name) for name in names}
    digest = poseidon_gadget(builder, list(signals.values()), "commitment")
    builder.assert_equal(digest, commitment, "the commitment is that of the credential")
    return signals
