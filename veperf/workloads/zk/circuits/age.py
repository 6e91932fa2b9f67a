"""Age over a threshold, by calendar dates; the birth date stays hidden.

Who was born on day d of month m has reached an age on the day with that date in the year that many
years later. Born on 29 February, they reach it on 29 February in leap years and on 1 March in
others: the first day whose number y * 10000 + m * 100 + d is not below that of the 29th.

Constraints: all of birth, today and years are range-checked, then
today - (birth + years * 10000) >= 0 by bit decomposition, in integers that can't wrap.
"""

from datetime import date

from msgspec import Struct

from veperf.workloads.zk.circuits.circuit import Circuit, Compiled
from veperf.workloads.zk.circuits.credential import Credential, committed, date_number
from veperf.workloads.zk.circuits.gadgets import assert_at_least, range_check
from veperf.workloads.zk.circuits.nonce import bind_nonce, nonce_element
from veperf.workloads.zk.r1cs import Builder

_DATE_BITS = 27  # 99991231 < 2^27
_YEARS_BITS = 8
MAX_YEARS = (1 << _YEARS_BITS) - 1
_YEAR = 10_000
_PUBLIC = ("commitment", "today", "years", "nonce")


class Statement(Struct, frozen=True, kw_only=True):
    """The holder of the credential committed to was ``years`` old or older on the day ``today``."""

    commitment: int
    today: date
    years: int
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Commitment, today, years, nonce.

        Raises:
            ValueError: the years are out of range, or the nonce has another length.
        """
        if not 0 <= self.years <= MAX_YEARS:
            raise ValueError(f"an age is 0 to {MAX_YEARS} years, not {self.years}")
        nonce = nonce_element(self.nonce)
        return [self.commitment, date_number(self.today), self.years, nonce]


def _define(builder: Builder) -> None:
    commitment, today, years, nonce = [builder.public(name) for name in _PUBLIC]
    bind_nonce(builder, nonce)
    claims = committed(builder, commitment)
    birth = range_check(builder, claims["birth"], _DATE_BITS, "birth")
    day = range_check(builder, today, _DATE_BITS, "today")
    age = range_check(builder, years, _YEARS_BITS, "years")
    assert_at_least(builder, day, birth.plus(age.times(_YEAR)), "old enough")


CIRCUIT = Circuit("age", _define)


def witness(compiled: Compiled, credential: Credential, statement: Statement) -> list[int]:
    """The witness that ``credential`` satisfies ``statement``.

    Raises:
        UnsatisfiedError: it does not: too young, or another commitment.
        ValueError: the statement makes no sense.
    """
    shown = dict(zip(_PUBLIC, statement.public_inputs(), strict=True))
    return compiled.witness(shown | credential.inputs())
