"""Checks of many transactions at once, without access to the state: decoding and signatures.

The signed bytes include the number of the signer's account, which is only in the state. So a check
has two steps: decoding, which shows the signers whose numbers are needed, and verification. The
owner of the state then compares the number that was used with the account's own.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from veperf.workloads.transaction.codec import (
    Transaction,
    decode_transaction,
    verify_transaction_signature,
)
from veperf.workloads.transaction.errors import Code, TransactionRefused

CODES = tuple(Code)
_CODE_INDEX = {code: index for index, code in enumerate(CODES)}
_OK = _CODE_INDEX[Code.OK]

NO_ACCOUNT = -1
"""Stands for the number of an account that does not exist."""


class CheckResult(Struct, frozen=True, array_like=True, gc=False):
    """The result of checking a transaction. An array when it is sent between processes."""

    code: int
    """Index in ``CODES``."""
    transaction: Transaction | None = None
    """None if the bytes are not a valid transaction; ``code`` then says why."""
    number: int = NO_ACCOUNT
    """The account number that the signature was verified for; ``NO_ACCOUNT`` if it was not."""


Decoded = Transaction | CheckResult
"""A transaction, or the final result of bytes that are none."""


def decode_transactions(raws: Iterable[bytes]) -> list[Decoded]:
    """Decode each of ``raws`` and check its form."""
    decoded: list[Decoded] = []
    for raw in raws:
        try:
            decoded.append(decode_transaction(raw))
        except TransactionRefused as refused:
            decoded.append(CheckResult(_CODE_INDEX[refused.code]))
    return decoded


def verify_transactions(
    decoded: Sequence[Decoded], numbers: Mapping[bytes, int], chain_id: str
) -> list[CheckResult]:
    """Verify each signature for the chain and the number of the signer's address in ``numbers``.

    An address that is missing in ``numbers`` has no account: its signature is not verified.
    """
    results = []
    for transaction in decoded:
        if isinstance(transaction, CheckResult):
            results.append(transaction)
            continue
        number = numbers.get(transaction.signer.data, NO_ACCOUNT)
        code = _OK
        if number != NO_ACCOUNT:
            try:
                verify_transaction_signature(transaction, chain_id, number)
            except TransactionRefused as refused:
                code = _CODE_INDEX[refused.code]
        results.append(CheckResult(code, transaction, number))
    return results
