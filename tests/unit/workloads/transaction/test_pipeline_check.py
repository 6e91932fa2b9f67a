"""Checking many transactions gives what validating each of them gives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.codec import decode
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.load_source import Fault, Feed
from veperf.workloads.transaction.pipeline.verification import (
    CODES,
    UNKNOWN,
    Outcome,
    decode_all,
    verify_all,
)
from veperf.workloads.transaction.validation import validate

CHAIN_ID = example_data.CHAIN.id
SIGNER = example_data.signer(0).public_key.address()


def expected(raw: bytes, number: int) -> tuple[Code, object]:
    try:
        return Code.OK, validate(raw, CHAIN_ID, number)
    except TransactionRefused as refused:
        return refused.code, None


@settings(max_examples=30)
@given(st.lists(st.sampled_from([None, *Fault]), max_size=6), st.integers(0, 1))
def test_each_is_judged_as_if_alone(kinds: list[Fault | None], number: int) -> None:
    """Whatever stands beside it, a transaction has the code that ``validate`` gives it."""
    feed = Feed(accounts=1)
    raws = [next(feed), *(next(feed) if kind is None else feed.bad(kind) for kind in kinds)]
    outcomes = verify_all(decode_all(raws), {SIGNER: number}, CHAIN_ID)

    for raw, outcome in zip(raws, outcomes, strict=True):
        code, transaction = expected(raw, number)
        assert code is CODES[outcome.code]
        assert transaction in (None, outcome.transaction)


def test_without_an_account_number_nothing_is_verified() -> None:
    """The outcome says so, whether the signature is right or not."""
    feed = Feed(accounts=1)
    decoded = [decode(raw) for raw in (next(feed), feed.bad(Fault.WRONG_CHAIN))]

    assert [
        Outcome(CODES.index(Code.OK), transaction, UNKNOWN) for transaction in decoded
    ] == verify_all(decoded, {}, CHAIN_ID)
