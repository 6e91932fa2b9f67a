"""Checks of many transactions at once, without access to the state: decoding and signatures.

The signed bytes include the number of the signer's account, which is only in the state. So a check
has two steps: decoding, which shows the signers whose numbers are needed, and verification. The
owner of the state then compares the number that was used with the account's own.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from veperf.workloads.transaction.codec import Transaction, decode_transaction
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.validation import SignatureChecks

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


class ChunkCheck:
    """The second step for a chunk, which any thread may take once it is prepared."""

    def __init__(
        self, decoded: Sequence[Decoded], numbers: Mapping[bytes, int], chain_id: str
    ) -> None:
        """Prepare to verify each signature for the number of the signer's address in ``numbers``.

        An address that is missing there has no account: its signature is not verified.
        """
        self._decoded = decoded
        self._numbers = [
            NO_ACCOUNT
            if isinstance(transaction, CheckResult)
            else numbers.get(transaction.signer.data, NO_ACCOUNT)
            for transaction in decoded
        ]
        self.signatures = SignatureChecks(
            [
                (transaction, number)
                for transaction, number in zip(decoded, self._numbers, strict=True)
                if number != NO_ACCOUNT and isinstance(transaction, Transaction)
            ],
            chain_id,
        )

    def results(self) -> list[CheckResult]:
        """Return the results of the whole chunk in order; signatures that wait are verified."""
        refusals = iter(self.signatures.refusals())
        results = []
        for transaction, number in zip(self._decoded, self._numbers, strict=True):
            if isinstance(transaction, CheckResult):
                results.append(transaction)
                continue
            refusal = None if number == NO_ACCOUNT else next(refusals)
            code = _OK if refusal is None else _CODE_INDEX[refusal.code]
            results.append(CheckResult(code, transaction, number))
        return results


def verify_transactions(
    decoded: Sequence[Decoded], numbers: Mapping[bytes, int], chain_id: str
) -> list[CheckResult]:
    """Verify each signature for the chain and the number of the signer's address in ``numbers``."""
    return ChunkCheck(decoded, numbers, chain_id).results()
