"""Validation of transactions: the sign document is made, hashed, and its signature verified.

The compiled kernels do all three in one call for as many transactions as there are, and release the
interpreter lock meanwhile; libsecp256k1 verifies in both cores.
"""

from collections.abc import Sequence
from itertools import chain

from veperf._native.core import compiled_kernels
from veperf.workloads.transaction.codec import Transaction, decode_transaction, encode_sign_doc
from veperf.workloads.transaction.errors import TransactionRefused
from veperf.workloads.transaction.signature import (
    SIGNATURE_LENGTH,
    SIGNATURE_LIBRARY,
    Scheme,
    high_s,
    parsed_key,
    verify_signature,
    wrong_signature,
)

_Document = tuple[bytes, bytes, bytes, bytes, int]
"""Point, signature, body, auth info and account number, as the kernel takes them."""

_REFUSALS = {1: wrong_signature, 2: high_s}  # by the kernel's verdict; 0: verified


def validate_transaction(raw: bytes, chain_id: str, account_number: int) -> Transaction:
    """Decode ``raw``, check its fields and verify its signature.

    Raises:
        TransactionRefused: with the codes of ``decode_transaction`` and ``verify_signature``.
    """
    transaction = decode_transaction(raw)
    verify_transaction_signature(transaction, chain_id, account_number)
    return transaction


def verify_transaction_signature(
    transaction: Transaction, chain_id: str, account_number: int
) -> None:
    """Check that the signature is the signer's, over this transaction, for this chain and account.

    Raises:
        TransactionRefused: with the codes of ``verify_signature``. A signature for another chain
            or account number is just wrong: nothing in the transaction says which it was for.
    """
    kernels = compiled_kernels()
    document = None if kernels is None else _document(transaction, account_number)
    if document is None:
        _verify_in_python(transaction, chain_id, account_number)
        return
    (verdict,) = kernels.verify_documents(SIGNATURE_LIBRARY, chain_id, (document,))
    if verdict:
        raise _REFUSALS[verdict]()


class SignatureChecks:
    """Signatures of transactions, each for an account number, that are verified together."""

    def __init__(self, signed: Sequence[tuple[Transaction, int]], chain_id: str) -> None:
        """Prepare the checks for the core in use; any thread can then verify."""
        self.kernels = compiled_kernels()
        self.chain_id = chain_id
        self.documents: list[_Document] = []
        """What the kernel takes of them."""
        self.verdicts: bytes | None = None
        """The kernel's verdict on each document; None before ``verify_together``."""
        self._signed = signed
        self._places: list[int] = []
        if self.kernels is not None:
            for place, (transaction, number) in enumerate(signed):
                document = _document(transaction, number)
                if document is not None:
                    self._places.append(place)
                    self.documents.append(document)

    def refusals(self) -> list[TransactionRefused | None]:
        """Return what ``verify_transaction_signature`` raises for each, verified now if need be."""
        if self.verdicts is None:
            verify_together([self])
        refusals: list[TransactionRefused | None] = [None] * len(self._signed)
        for place, verdict in zip(self._places, self.verdicts or b"", strict=True):
            if verdict:
                refusals[place] = _REFUSALS[verdict]()
        if len(self._places) < len(self._signed):
            for place in set(range(len(self._signed))).difference(self._places):
                transaction, number = self._signed[place]
                refusals[place] = _refusal_in_python(transaction, self.chain_id, number)
        return refusals


def verify_together(checks: Sequence[SignatureChecks]) -> None:
    """Verify the signatures of all ``checks``, of one chain, in one call of the kernel."""
    documents = tuple(chain.from_iterable(check.documents for check in checks))
    verdicts = b""
    if documents:
        first = checks[0]
        verdicts = first.kernels.verify_documents(SIGNATURE_LIBRARY, first.chain_id, documents)
    start = 0
    for check in checks:
        end = start + len(check.documents)
        check.verdicts = verdicts[start:end]
        start = end


def _document(transaction: Transaction, account_number: int) -> _Document | None:
    """Return what the kernel needs to verify the signature; None where Python's code has to."""
    key, signature = transaction.public_key, transaction.signature
    if key.scheme is not Scheme.SECP256K1 or len(signature) != SIGNATURE_LENGTH:
        return None
    try:
        point = parsed_key(key.data)
    except TransactionRefused:
        return None  # something else may be wrong, too, and come first
    body, auth_info = transaction.body_bytes, transaction.auth_info_bytes
    return point, signature, body, auth_info, account_number


def _refusal_in_python(
    transaction: Transaction, chain_id: str, account_number: int
) -> TransactionRefused | None:
    try:
        _verify_in_python(transaction, chain_id, account_number)
    except TransactionRefused as refused:
        return refused
    return None


def _verify_in_python(transaction: Transaction, chain_id: str, account_number: int) -> None:
    document = encode_sign_doc(
        transaction.body_bytes, transaction.auth_info_bytes, chain_id, account_number
    )
    verify_signature(transaction.public_key, document, transaction.signature)
