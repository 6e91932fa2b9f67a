"""Residency in one of several countries; which of them, and the address, stay hidden.

Constraints: the country is range-checked, and the product of its differences from the listed ones
is 0. A list of one country proves just that.
"""

from msgspec import Struct

from veperf.workloads.zk.circuits.circuit import Circuit, Compiled
from veperf.workloads.zk.circuits.credential import Credential, committed, country_number
from veperf.workloads.zk.circuits.gadgets import assert_member, range_check
from veperf.workloads.zk.circuits.nonce import bind_nonce, nonce_element
from veperf.workloads.zk.r1cs import Builder

SLOTS = 32
"""The most countries in a list; the European Union has 27."""
_COUNTRY_BITS = 10
_PUBLIC = ("commitment", "nonce", *(f"country{i}" for i in range(SLOTS)))


class Statement(Struct, frozen=True, kw_only=True):
    """The holder of the credential committed to lives in one of ``countries``."""

    commitment: int
    countries: tuple[str, ...]
    """1 to 32 codes of two letters; their order doesn't matter."""
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Commitment, nonce, and 32 countries in ascending order, the last repeated to fill.

        Raises:
            ValueError: no countries, too many, a wrong code, or a nonce of another length.
        """
        numbers = sorted({country_number(code) for code in self.countries})
        if not 1 <= len(numbers) <= SLOTS:
            raise ValueError(f"1 to {SLOTS} countries, not {len(numbers)}")
        numbers += numbers[-1:] * (SLOTS - len(numbers))
        return [self.commitment, nonce_element(self.nonce), *numbers]


def _define(builder: Builder) -> None:
    commitment, nonce, *countries = [builder.public(name) for name in _PUBLIC]
    bind_nonce(builder, nonce)
    claims = committed(builder, commitment)
    country = range_check(builder, claims["country"], _COUNTRY_BITS, "country")
    assert_member(builder, country.value, countries, "country")


CIRCUIT = Circuit("residency", _define)


def witness(compiled: Compiled, credential: Credential, statement: Statement) -> list[int]:
    """The witness that ``credential`` satisfies ``statement``.

    Raises:
        UnsatisfiedError: it does not: another country, or another commitment.
        ValueError: the statement makes no sense.
    """
    shown = dict(zip(_PUBLIC, statement.public_inputs(), strict=True))
    return compiled.witness(shown | credential.inputs())
