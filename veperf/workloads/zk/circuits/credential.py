"""A person's credential, and circuits for age, residency and score that prove a claim about it.

The commitment, Poseidon(birth date, country, address, score, salt), is public: the salt hides the
claims, collision resistance binds them, and the issuer's signature of it is checked in the open.
So a holder's proofs can be linked by it. ``presentation`` proves the same claims, several at once,
with the signature inside the circuit, which hides the commitment.
"""

import secrets
from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from veperf.workloads.zk.circuits.circuit import Circuit, CompiledCircuit, Statement
from veperf.workloads.zk.circuits.claims import (
    ClaimError,
    PrivateClaims,
    check_text,
    check_type,
    country_number,
)
from veperf.workloads.zk.circuits.gadgets import (
    assert_at_least,
    assert_member,
    bind_input,
    bounded_constant,
    poseidon_gadget,
    range_check,
)
from veperf.workloads.zk.circuits.hashing import bytes_to_element, nonce_element
from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.linear import LinearCombination

MAX_SCORE = 100


class Credential(PrivateClaims, frozen=True, kw_only=True):
    """The claims about a person, secret to their holder; ``inputs`` has them.

    Raises:
        ClaimError: one has another type, the address can't be encoded, the country is no code, or
            the score or salt is out of range.
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
        check_type("birth", self.birth, date)
        check_text("address", self.address)
        check_type("score", self.score, int)
        check_type("salt", self.salt, int)
        country_number(self.country)
        if not 0 <= self.score <= MAX_SCORE:
            raise ClaimError(f"a score is 0 to {MAX_SCORE}")
        if not 0 <= self.salt < R:
            raise ClaimError("the salt is not a field element")

    def inputs(self) -> dict[str, int]:
        """Return the private inputs of the circuits, in the order in which they are hashed."""
        return {
            "birth": date_number(self.birth),
            "country": country_number(self.country),
            "address": bytes_to_element(b"address", self.address.encode()),
            "score": self.score,
            "salt": self.salt,
        }

    def commitment(self) -> int:
        """Return the field element that the issuer signs."""
        return poseidon(list(self.inputs().values()))


def new_salt() -> int:
    """Return a random field element."""
    return secrets.randbelow(R)


def date_number(day: date) -> int:
    """Return year * 10000 + month * 100 + day, which is ordered as dates are.

    Raises:
        ClaimError: it is no date.
    """
    check_type("a day", day, date)
    return day.year * 10_000 + day.month * 100 + day.day


def claim_signals(builder: Builder) -> dict[str, LinearCombination]:
    """Return the private signals of a credential, by name, in the order of its hash."""
    names = ("birth", "country", "address", "score", "salt")
    return {name: builder.private(name) for name in names}


def committed_signals(
    builder: Builder, commitment: LinearCombination
) -> dict[str, LinearCombination]:
    """Return the private signals of a credential, by name, constrained to match ``commitment``."""
    signals = claim_signals(builder)
    digest = poseidon_gadget(builder, list(signals.values()), "commitment")
    builder.assert_equal(digest, commitment, "the commitment is that of the credential")
    return signals


def credential_witness(
    compiled: CompiledCircuit, credential: Credential, statement: Statement
) -> list[int]:
    """Return the witness that ``credential`` satisfies ``statement``, in the statement's circuit.

    Raises:
        UnsatisfiedError: it does not: too young, another country, too low a score, or another
            commitment.
        ValueError: the statement makes no sense, or the circuit is that of another statement.
    """
    return compiled.witness(compiled.statement_inputs(statement) | credential.inputs())


# ---------------------------------------------------------------- age

_DATE_BITS = 27  # 99991231 < 2^27
_YEARS_BITS = 8
MAX_YEARS = (1 << _YEARS_BITS) - 1
_YEAR = 10_000


class AgeStatement(Struct, frozen=True, kw_only=True):
    """The holder of the credential committed to was ``years`` old or older on the day ``today``.

    Ages are by calendar dates. A person born on day d of month m reaches an age on that date in the
    year that many years later. One born on 29 February reaches it on 29 February in leap years and
    on 1 March in others: the first day whose number y * 10000 + m * 100 + d is not below that of
    the 29th.
    """

    commitment: int
    today: date
    years: int
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Return commitment, today, years, nonce.

        Raises:
            ValueError: the years are out of range, or the nonce has another length.
        """
        check_years(self.years)
        nonce = nonce_element(self.nonce)
        return [self.commitment, date_number(self.today), self.years, nonce]


def check_years(years: int) -> None:
    """Check an age that is asked for.

    Raises:
        ClaimError: it is no integer.
        ValueError: it is out of range.
    """
    check_type("an age", years, int)
    if not 0 <= years <= MAX_YEARS:
        raise ValueError(f"an age is 0 to {MAX_YEARS} years, not {years}")


def _define_age(builder: Builder) -> None:
    """Constrain birth, today and years by range checks, and today >= birth + years * 10000.

    The comparison is by bit decomposition, in integers that can't wrap.
    """
    names = ("commitment", "today", "years", "nonce")
    commitment, today, years, nonce = [builder.public(name) for name in names]
    bind_input(builder, nonce, "nonce")
    claims = committed_signals(builder, commitment)
    assert_age(builder, claims["birth"], today, years)


def assert_age(
    builder: Builder, birth: LinearCombination, today: LinearCombination, years: LinearCombination
) -> None:
    """Constrain who was born on ``birth`` to be ``years`` old or older on the day ``today``."""
    born = range_check(builder, birth, _DATE_BITS, "birth")
    day = range_check(builder, today, _DATE_BITS, "today")
    age = range_check(builder, years, _YEARS_BITS, "years")
    assert_at_least(builder, day, born.plus(age.times(_YEAR)), "old enough")


AGE_CIRCUIT = Circuit("age", _define_age)


# ---------------------------------------------------------------- residency

MAX_COUNTRIES = 32
"""The most countries in a list; the European Union has 27."""
_COUNTRY_BITS = 10


class ResidencyStatement(Struct, frozen=True, kw_only=True):
    """The holder of the credential committed to lives in one of ``countries``.

    Which of them, and the address, stay hidden; a list of one country proves just that.
    """

    commitment: int
    countries: tuple[str, ...]
    """1 to 32 codes of two letters; their order doesn't matter."""
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Return commitment, nonce, and 32 ascending countries, the last repeated to fill.

        Raises:
            ClaimError: a wrong code.
            ValueError: no countries, too many, or a nonce of another length.
        """
        return [self.commitment, nonce_element(self.nonce), *country_list(self.countries)]


def country_list(countries: Sequence[str]) -> list[int]:
    """Return the numbers of 1 to 32 countries, ascending, the last repeated to fill.

    Raises:
        ClaimError: a wrong code, or a text instead of a list of codes.
        ValueError: no countries, or too many.
    """
    if isinstance(countries, str):
        raise ClaimError("countries are a list of codes, not one text")
    numbers = sorted({country_number(code) for code in countries})
    if not 1 <= len(numbers) <= MAX_COUNTRIES:
        raise ValueError(f"1 to {MAX_COUNTRIES} countries, not {len(numbers)}")
    return numbers + numbers[-1:] * (MAX_COUNTRIES - len(numbers))


def _define_residency(builder: Builder) -> None:
    """Constrain the country by a range check, and as a member of the list."""
    names = ("commitment", "nonce", *(f"country{i}" for i in range(MAX_COUNTRIES)))
    commitment, nonce, *countries = [builder.public(name) for name in names]
    bind_input(builder, nonce, "nonce")
    claims = committed_signals(builder, commitment)
    assert_residency(builder, claims["country"], countries)


def assert_residency(
    builder: Builder, country: LinearCombination, countries: Sequence[LinearCombination]
) -> None:
    """Constrain ``country`` to be one of ``countries``."""
    member = range_check(builder, country, _COUNTRY_BITS, "country")
    assert_member(builder, member.value, countries, "country")


RESIDENCY_CIRCUIT = Circuit("residency", _define_residency)


# ---------------------------------------------------------------- score

_SCORE_BITS = MAX_SCORE.bit_length()


class ScoreStatement(Struct, frozen=True, kw_only=True):
    """The score in the credential committed to is ``threshold`` or more."""

    commitment: int
    threshold: int
    """0 to 100."""
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Return commitment, threshold, nonce.

        Raises:
            ValueError: the threshold is out of range, or the nonce has another length.
        """
        check_threshold(self.threshold)
        return [self.commitment, self.threshold, nonce_element(self.nonce)]


def check_threshold(threshold: int) -> None:
    """Check a score that is asked for.

    Raises:
        ClaimError: it is no integer.
        ValueError: it is out of range.
    """
    check_type("a threshold", threshold, int)
    if not 0 <= threshold <= MAX_SCORE:
        raise ValueError(f"a threshold is 0 to {MAX_SCORE}, not {threshold}")


def _define_score(builder: Builder) -> None:
    """Constrain score and threshold to [0, 100], and score >= threshold by bit decomposition."""
    names = ("commitment", "threshold", "nonce")
    commitment, threshold, nonce = [builder.public(name) for name in names]
    bind_input(builder, nonce, "nonce")
    claims = committed_signals(builder, commitment)
    assert_score(builder, claims["score"], threshold)


def assert_score(builder: Builder, score: LinearCombination, threshold: LinearCombination) -> None:
    """Constrain both to [0, 100], and ``score`` to ``threshold`` or more."""
    actual = range_check(builder, score, _SCORE_BITS, "score")
    minimum = range_check(builder, threshold, _SCORE_BITS, "threshold")
    assert_at_least(builder, bounded_constant(MAX_SCORE), actual, "score in range")
    assert_at_least(builder, bounded_constant(MAX_SCORE), minimum, "threshold in range")
    assert_at_least(builder, actual, minimum, "score high enough")


SCORE_CIRCUIT = Circuit("score", _define_score)
