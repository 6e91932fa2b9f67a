"""Checking many transactions gives the results of validating each."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faulty_transfers import Fault, FaultySource
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.codec import decode_transaction
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.pipeline.checks import (
    CODES,
    NO_ACCOUNT,
    CheckResult,
    decode_transactions,
    verify_transactions,
)
from veperf.workloads.transaction.validation import validate_transaction

CHAIN_ID = example_data.CHAIN.id
SIGNER = example_data.account_signer(0).public_key.address()


def expected(raw: bytes, number: int) -> tuple[Code, object]:
    try:
        return Code.OK, validate_transaction(raw, CHAIN_ID, number)
    except TransactionRefused as refused:
        return refused.code, None


@settings(max_examples=30)
@given(st.lists(st.sampled_from([None, *Fault]), max_size=6), st.integers(0, 1))
def test_each_is_checked_independently(kinds: list[Fault | None], number: int) -> None:
    """A transaction has the code of ``validate_transaction``, whatever is beside it."""
    source = FaultySource(accounts=1)
    raws = [
        next(source),
        *(next(source) if kind is None else source.make_faulty(kind) for kind in kinds),
    ]
    outcomes = verify_transactions(decode_transactions(raws), {SIGNER: number}, CHAIN_ID)

    for raw, outcome in zip(raws, outcomes, strict=True):
        code, transaction = expected(raw, number)
        assert code is CODES[outcome.code]
        assert transaction in (None, outcome.transaction)


def test_without_an_account_number_nothing_is_verified() -> None:
    """The result says so, whether the signature is right or not."""
    source = FaultySource(accounts=1)
    decoded = [
        decode_transaction(raw) for raw in (next(source), source.make_faulty(Fault.WRONG_CHAIN))
    ]

    assert [
        CheckResult(CODES.index(Code.OK), transaction, NO_ACCOUNT) for transaction in decoded
    ] == verify_transactions(decoded, {}, CHAIN_ID)
