"""What can be said of an encoded transaction without the state: its fields and its signature."""

from veperf.workloads.transaction.codec import Transaction, decode, encode_sign_doc
from veperf.workloads.transaction.signature import verify


def validate(raw: bytes, chain_id: str, account_number: int) -> Transaction:
    """Decode ``raw``, check its fields and verify its signature.

    Raises:
        TransactionRefused: with the codes of ``codec.decode`` and ``signature.verify``.
    """
    transaction = decode(raw)
    verify_signature(transaction, chain_id, account_number)
    return transaction


def verify_signature(transaction: Transaction, chain_id: str, account_number: int) -> None:
    """Return if the signature is the signer's, over this transaction, for this chain and account.

    Raises:
        TransactionRefused: with the codes of ``signature.verify``. A signature for another chain
            or account number is just wrong: nothing in the transaction says which it was for.
    """
    document = encode_sign_doc(
        transaction.body_bytes, transaction.auth_info_bytes, chain_id, account_number
    )
    verify(transaction.public_key, document, transaction.signature)
