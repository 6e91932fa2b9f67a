"""Verification of many transactions at once, apart from the state that they run on.

What is signed includes the number of the signer's account, which is nowhere in the transaction but
in the state. So checking has two steps: decode, which tells whose numbers are needed, and verify.
Whoever has the state compares the number that was used with the account's own.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from veperf.workloads.transaction.codec import Transaction, decode
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.validation import verify_signature

CODES = tuple(Code)
_PLACES = {code: place for place, code in enumerate(CODES)}
_OK = _PLACES[Code.OK]

UNKNOWN = -1
"""In place of the number of an account that does not exist."""


class Outcome(Struct, frozen=True, array_like=True, gc=False):
    """What checking a transaction gave. An array when it travels between processes."""

    code: int
    """The place in ``CODES``."""
    transaction: Transaction | None = None
    """None where the bytes are no transaction; ``code`` then says why."""
    number: int = UNKNOWN
    """The account number that the signature was verified for; ``UNKNOWN``: it was not verified."""


Decoded = Transaction | Outcome
"""A transaction, or the final outcome for bytes that are none."""


def decode_all(raws: Iterable[bytes]) -> list[Decoded]:
    """Decode each of ``raws`` and check its form."""
    decoded: list[Decoded] = []
    for raw in raws:
        try:
            decoded.append(decode(raw))
        except TransactionRefused as refused:
            decoded.append(Outcome(_PLACES[refused.code]))
    return decoded


def verify_all(
    decoded: Sequence[Decoded], numbers: Mapping[bytes, int], chain_id: str
) -> list[Outcome]:
    """Verify each signature for the chain and the number of the signer's address in ``numbers``.

    An address that is missing there has no account: its signature is not verified.
    """
    outcomes = []
    for transaction in decoded:
        if isinstance(transaction, Outcome):
            outcomes.append(transaction)
            continue
        number = numbers.get(transaction.signer.data, UNKNOWN)
        code = _OK
        if number != UNKNOWN:
            try:
                verify_signature(transaction, chain_id, number)
            except TransactionRefused as refused:
                code = _PLACES[refused.code]
        outcomes.append(Outcome(code, transaction, number))
    return outcomes
