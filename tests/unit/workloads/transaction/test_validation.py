"""Signatures of transactions verify alike in both cores, one by one and together."""

from collections.abc import Iterator
from typing import Any

import coincurve
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf._native.core import CORES, NATIVE, compiled_kernels, use_core
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.codec import Transaction, decode_transaction, encode_sign_doc
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.signature import (
    SECP256K1_ORDER,
    SIGNATURE_LIBRARY,
    Ed25519Signer,
    PublicKey,
    Scheme,
    parsed_key,
)
from veperf.workloads.transaction.validation import (
    SignatureChecks,
    verify_together,
    verify_transaction_signature,
)

CHAIN_ID = example_data.CHAIN.id
SIGNER = example_data.account_signer(0)
RECIPIENT = address_from_bytes(bytes(20))
TRANSACTION = decode_transaction(example_data.signed_transfer(SIGNER, 7, RECIPIENT, 5, sequence=3))
ED25519 = decode_transaction(
    example_data.signed_transfer(Ed25519Signer(bytes(range(32))), 7, RECIPIENT, 5)
)
KEY, S = SIGNER.public_key.data, int.from_bytes(TRANSACTION.signature[32:], "big")

needs_kernels = pytest.mark.skipif(NATIVE not in CORES, reason="no compiled kernels")


def changed(transaction: Transaction = TRANSACTION, **fields: Any) -> Transaction:
    values = {name: getattr(transaction, name) for name in transaction.__struct_fields__}
    return Transaction(**values | fields)


def refusals(transaction: Transaction, chain_id: str, number: int) -> Iterator[str | None]:
    """What each core says of it, alone and among others."""
    for core in CORES:
        with use_core(core):
            try:
                verify_transaction_signature(transaction, chain_id, number)
                yield None
            except TransactionRefused as refused:
                yield str(refused)
            several = [(TRANSACTION, number), (transaction, number), (ED25519, 7)]
            refusal = SignatureChecks(several, chain_id).refusals()[1]
            yield None if refusal is None else str(refusal)


def agreed(transaction: Transaction, chain_id: str = CHAIN_ID, number: int = 7) -> str | None:
    answers = set(refusals(transaction, chain_id, number))
    assert 1 == len(answers)
    return answers.pop()


def number_bytes(number: int) -> bytes:
    return number.to_bytes(32, "big")


EDGES = [
    0, 1, 2, S, SECP256K1_ORDER // 2, SECP256K1_ORDER // 2 + 1, SECP256K1_ORDER - S,
    SECP256K1_ORDER - 1, SECP256K1_ORDER, SECP256K1_ORDER + 1, 2**256 - 1,
]  # fmt: skip


@pytest.mark.parametrize("s", EDGES)
@pytest.mark.parametrize("r", [*EDGES, None])
def test_numbers_at_the_edges(r: int | None, s: int) -> None:
    """Both cores refuse all but the signer's own, with the same words."""
    head = TRANSACTION.signature[:32] if r is None else number_bytes(r)
    is_own = (r, s) == (None, S)

    assert is_own is (agreed(changed(signature=head + number_bytes(s))) is None)


@pytest.mark.parametrize("s", [1, 2, 2**128, SECP256K1_ORDER // 2])
@pytest.mark.parametrize("r", [1, 2, 3, 2**200 + 1])
def test_valid_signatures_of_strange_numbers(r: int, s: int) -> None:
    """A key is derived under which r and s are a signature of the document: both cores accept it.

    Implementations that are wrong in rare cases of their arithmetic fail here, as Wycheproof shows.
    """
    signature = number_bytes(r) + number_bytes(s)
    document = encode_sign_doc(TRANSACTION.body_bytes, TRANSACTION.auth_info_bytes, CHAIN_ID, 7)
    keys = []
    for parity in (b"\0", b"\1"):
        try:
            keys.append(
                coincurve.PublicKey.from_signature_and_message(signature + parity, document)
            )
        except ValueError:  # no point of the curve has this r
            continue
    for key in keys:
        public_key = PublicKey(Scheme.SECP256K1, key.format())
        assert agreed(changed(public_key=public_key, signature=signature)) is None
        wrong = number_bytes(r) + number_bytes(s - 1 or 5)
        assert "verify" in str(agreed(changed(public_key=public_key, signature=wrong)))


@settings(max_examples=60)
@given(
    st.binary(max_size=300),
    st.binary(max_size=300),
    st.text(max_size=200),
    st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 127, 128, 2**63, 2**64 - 1]),
)
def test_any_document_is_hashed_alike(
    body: bytes, auth_info: bytes, chain_id: str, number: int
) -> None:
    """What was signed over protobuf's encoding verifies in both cores; nothing else does."""
    signature = SIGNER.sign(encode_sign_doc(body, auth_info, chain_id, number))
    signed = changed(body_bytes=body, auth_info_bytes=auth_info, signature=signature)

    assert agreed(signed, chain_id, number) is None
    assert agreed(signed, chain_id, number ^ 1) is not None
    assert agreed(signed, chain_id + "x", number) is not None
    assert agreed(changed(signed, body_bytes=body + b"\0"), chain_id, number) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"signature": b""},
        {"signature": bytes(63)},
        {"signature": bytes(65)},
        {"public_key": PublicKey(Scheme.SECP256K1, b"\5" + KEY[1:])},
        {"public_key": PublicKey(Scheme.SECP256K1, b"")},
        {"public_key": PublicKey(Scheme.SECP256K1, b"\2" + b"\xff" * 32)},
        {
            "public_key": PublicKey(Scheme.SECP256K1, b"\5" + KEY[1:]),
            "signature": bytes(32) + number_bytes(SECP256K1_ORDER - 1),
        },
        {"public_key": PublicKey(Scheme.ED25519, bytes(32))},
        {"public_key": ED25519.public_key},
    ],
)
def test_refusals_have_the_same_words(fields: dict[str, Any]) -> None:
    """Of lengths, keys and schemes: what is wrong first is said."""
    assert agreed(changed(**fields)) is not None


def test_another_scheme() -> None:
    """Ed25519 is verified beside the kernel's work."""
    assert agreed(ED25519) is None
    assert agreed(ED25519, number=8) is not None


@needs_kernels
def test_many_in_one_call() -> None:
    """Each list has the verdicts of its own documents."""
    wrong = changed(signature=bytes(31) + b"\1" + number_bytes(1))
    high = changed(signature=TRANSACTION.signature[:32] + number_bytes(SECP256K1_ORDER - S))
    lists = [[TRANSACTION], [], [wrong, TRANSACTION, ED25519, high], [high, wrong]]
    with use_core(NATIVE):
        checks = [SignatureChecks([(t, 7) for t in several], CHAIN_ID) for several in lists]
        verify_together(checks)
        codes = [[r and r.code for r in check.refusals()] for check in checks]

    w, h = Code.WRONG_SIGNATURE, Code.HIGH_S
    assert [[None], [], [w, None, None, h], [h, w]] == codes


@needs_kernels
@pytest.mark.parametrize(
    ("library", "document"),
    [
        (b"", ()),
        (SIGNATURE_LIBRARY[:-1], ()),
        (SIGNATURE_LIBRARY, ((bytes(63), bytes(64), b"", b"", 0),)),
        (SIGNATURE_LIBRARY, ((bytes(64), bytes(65), b"", b"", 0),)),
        (SIGNATURE_LIBRARY, ((bytes(64), bytes(64), b"", b"", -1),)),
        (SIGNATURE_LIBRARY, ((bytes(64), bytes(64), b"", b"", 2**64),)),
        (SIGNATURE_LIBRARY, ((bytes(64), bytes(64), b"", b""),)),
        (SIGNATURE_LIBRARY, (None,)),
    ],
    ids=["none", "short", "signature", "document", "negative", "wide", "four", "nothing"],
)  # named, as addresses differ from process to process
def test_arguments_of_another_form(library: bytes, document: tuple[object, ...]) -> None:
    """The kernel looks before it reads."""
    with use_core(NATIVE), pytest.raises(ValueError):
        compiled_kernels().verify_documents(library, CHAIN_ID, document)


@needs_kernels
@pytest.mark.parametrize("document", [(None, b"", b"", b"", 0), (bytes(64), "", b"", b"", 0)])
def test_arguments_of_another_type(document: tuple[object, ...]) -> None:
    """The same of types."""
    with use_core(NATIVE), pytest.raises(TypeError):
        compiled_kernels().verify_documents(SIGNATURE_LIBRARY, CHAIN_ID, (document,))


def test_a_point_is_the_library_s_own() -> None:
    """Of a compressed key alone."""
    assert 64 == len(parsed_key(KEY))
    with pytest.raises(TransactionRefused):
        parsed_key(coincurve.PublicKey(KEY).format(compressed=False))
