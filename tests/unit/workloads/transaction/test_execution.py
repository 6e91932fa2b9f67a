"""Transactions move money exactly, invalid ones get a code, and money is never created."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import Address, address_from_bytes
from veperf.workloads.transaction.codec import (
    Coin,
    Send,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
)
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.example_data import BALANCE, CHAIN, FEE
from veperf.workloads.transaction.execution import (
    FEE_COLLECTOR,
    Chain,
    ChainEvent,
    TransactionResult,
    process_block,
)
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Ed25519Signer, Signer
from veperf.workloads.transaction.state import Account, balance_key, get_account, get_balance

SIGNERS = [example_data.account_signer(i) for i in range(4)]
OWNERS = [address_from_bytes(signer.public_key.address()) for signer in SIGNERS]
STRANGER = address_from_bytes(example_data.keyless_address(0))
FEE_AMOUNT = FEE[0].amount
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def genesis() -> Tree:
    tree = example_data.genesis_tree(owner.data for owner in OWNERS)
    tree.save_version()
    return tree


def transaction(
    messages: list[Send],
    signer: Signer = SIGNERS[0],
    number: int = 0,
    sequence: int = 0,
    fee: tuple[Coin, ...] = FEE,
    memo: str = "",
    timeout_height: int = 0,
    chain_id: str = CHAIN.id,
) -> bytes:
    body = encode_body(messages, memo, timeout_height)
    auth_info = encode_auth_info(signer.public_key, sequence, fee, example_data.GAS_LIMIT)
    document = encode_sign_doc(body, auth_info, chain_id, number)
    return encode_raw(body, auth_info, signer.sign(document))


def send(amount: int, recipient: Address = OWNERS[1], denom: str = "uve") -> Send:
    return Send(OWNERS[0], recipient, (Coin(denom, amount),))


def run(tree: Tree, *raws: bytes) -> list[Code]:
    return [result.code for result in process_block(tree, raws, CHAIN).results]


def money(tree: Tree) -> int:
    return sum(int(value) for _, value in tree.iterate(b"\x02", b"\x03"))


def high_s(raw: bytes) -> bytes:
    s = int.from_bytes(raw[-32:], "big")
    return raw[:-32] + (ORDER - s).to_bytes(32, "big")


def test_a_transfer_moves_money_and_pays_its_fee() -> None:
    """Amount and fee leave the sender, arrive where they should, and the sequence goes up."""
    tree = genesis()

    assert [Code.OK] == run(tree, transaction([send(5)]))
    assert BALANCE - 5 - FEE_AMOUNT == get_balance(tree, OWNERS[0].data, "uve")
    assert BALANCE + 5 == get_balance(tree, OWNERS[1].data, "uve")
    assert FEE_AMOUNT == get_balance(tree, FEE_COLLECTOR.data, "uve")
    key = SIGNERS[0].public_key.data
    assert Account(0, 1, key) == get_account(tree, OWNERS[0].data)
    assert Account(1, 0) == get_account(tree, OWNERS[1].data)


def test_the_events_of_a_transfer() -> None:
    """Fee, sequence and signature first, then the message's own, as in the SDK's bank module."""
    block = process_block(genesis(), [transaction([send(5)])], CHAIN)
    sender, recipient = OWNERS[0].text, OWNERS[1].text
    events = block.results[0].events

    assert [
        ("coin_spent", sender),
        ("coin_received", FEE_COLLECTOR.text),
        ("transfer", FEE_COLLECTOR.text),
        ("message", sender),
        ("tx", f"{FEE_AMOUNT}uve"),
        ("tx", f"{sender}/0"),
        ("tx", events[6].attributes[0][1]),
        ("message", "/cosmos.bank.v1beta1.MsgSend"),
        ("coin_spent", sender),
        ("coin_received", recipient),
        ("transfer", recipient),
        ("message", sender),
    ] == [(event.type, event.attributes[0][1]) for event in events]
    attributes = (("recipient", recipient), ("sender", sender), ("amount", "5uve"))
    assert ChainEvent("transfer", attributes) == events[10]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (transaction([send(1)])[:-1], Code.MALFORMED),
        (transaction([send(1)])[:-1] + b"\0", Code.WRONG_SIGNATURE),
        (high_s(transaction([send(1)])), Code.HIGH_S),
        (transaction([send(1)], chain_id="virtengine-2"), Code.WRONG_SIGNATURE),
        (transaction([send(1)], number=1), Code.WRONG_SIGNATURE),
        (transaction([send(1)], sequence=1), Code.WRONG_SEQUENCE),
        (transaction([send(1)], fee=(Coin("uve", FEE_AMOUNT - 1),)), Code.INSUFFICIENT_FEE),
        (transaction([send(1)], fee=(Coin("atom", FEE_AMOUNT),)), Code.INSUFFICIENT_FEE),
        (transaction([send(1)], fee=(Coin("uve", BALANCE + 1),)), Code.INSUFFICIENT_FUNDS),
        (transaction([send(1)], timeout_height=1), Code.TIMEOUT_HEIGHT),
        (transaction([send(1)], memo="m" * 257), Code.MEMO_TOO_LARGE),
        (transaction([send(1)], memo="é" * 129), Code.MEMO_TOO_LARGE),  # Go counts bytes
        (
            example_data.signed_transfer(example_data.account_signer(9), 9, OWNERS[0], 1),
            Code.UNKNOWN_ACCOUNT,
        ),
    ],
)
def test_a_rejected_transaction_changes_nothing(raw: bytes, code: Code) -> None:
    """It pays nothing and leaves no trace but its code."""
    tree = genesis()
    before = dict(tree.iterate())
    block = process_block(tree, [raw], CHAIN)

    assert {code: 1} == block.counts
    assert () == block.results[0].events
    assert code.label in block.results[0].log
    assert before == dict(tree.iterate())


@pytest.mark.parametrize(
    "raw",
    [
        transaction([send(1)], timeout_height=2),
        transaction([send(1)], memo="m" * 256),
        transaction([send(1)], memo="é" * 128),
        transaction([send(BALANCE - FEE_AMOUNT)]),
    ],
)
def test_limits_are_inclusive(raw: bytes) -> None:
    """The last block of a timeout, the longest memo and the whole balance are allowed."""
    assert [Code.OK] == run(genesis(), raw)


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([send(BALANCE - FEE_AMOUNT + 1)], Code.INSUFFICIENT_FUNDS),
        ([send(1, denom="atom")], Code.INSUFFICIENT_FUNDS),
        ([send(1, FEE_COLLECTOR)], Code.BLOCKED_RECIPIENT),
        ([send(5), send(BALANCE)], Code.INSUFFICIENT_FUNDS),
        ([send(5, STRANGER), send(BALANCE)], Code.INSUFFICIENT_FUNDS),
    ],
)
def test_failing_messages_cost_their_fee(messages: list[Send], code: Code) -> None:
    """The fee is gone and the sequence used; no message takes effect."""
    tree = genesis()

    assert [code] == run(tree, transaction(messages))
    assert BALANCE - FEE_AMOUNT == get_balance(tree, OWNERS[0].data, "uve")
    assert BALANCE == get_balance(tree, OWNERS[1].data, "uve")
    assert get_account(tree, STRANGER.data) is None
    account = get_account(tree, OWNERS[0].data)
    assert account is not None
    assert 1 == account.sequence


def test_a_replay_is_refused_in_the_same_block_and_the_next() -> None:
    """A transaction counts once; its successor is accepted in between."""
    tree = genesis()
    first, second = transaction([send(1)]), transaction([send(1)], sequence=1)

    assert [Code.OK, Code.REPLAY, Code.OK] == run(tree, first, first, second)
    assert [Code.REPLAY, Code.REPLAY] == run(tree, first, second)


def test_an_ed25519_key_can_not_be_an_accounts() -> None:
    """As in the SDK, the signature may be right but the key is refused."""
    signer = Ed25519Signer(bytes(32))
    tree = example_data.genesis_tree([signer.public_key.address()])
    tree.save_version()

    assert [Code.INVALID_PUBLIC_KEY] == run(
        tree, example_data.signed_transfer(signer, 0, STRANGER, 1)
    )


def test_a_new_recipient_gets_an_account() -> None:
    """It gets the next number, and keeps it when it receives more."""
    tree = genesis()
    raws = [transaction([send(1, STRANGER)], sequence=sequence) for sequence in (0, 1)]
    other = address_from_bytes(example_data.keyless_address(1))

    assert [Code.OK] * 3 == run(tree, *raws, transaction([send(1, other)], sequence=2))
    assert Account(4, 0) == get_account(tree, STRANGER.data)
    assert Account(5, 0) == get_account(tree, other.data)


def test_sending_to_oneself_costs_only_the_fee() -> None:
    """The amount is neither lost nor doubled."""
    tree = genesis()

    assert [Code.OK] == run(tree, transaction([send(7, OWNERS[0])]))
    assert BALANCE - FEE_AMOUNT == get_balance(tree, OWNERS[0].data, "uve")


def test_a_balance_of_zero_has_no_key() -> None:
    """It is removed from the tree, as in the SDK."""
    tree = genesis()
    run(tree, transaction([send(BALANCE - FEE_AMOUNT)]))

    assert 4 == sum(1 for _ in tree.iterate(b"\x02", b"\x03"))


def test_the_minimum_fee_is_rounded_up() -> None:
    """It is computed in exact integers of 1e-18, however large."""
    chain = Chain("c", "uve", gas_price_atto=1)

    assert [0, 1, 1, 2] == [chain.minimum_fee(gas) for gas in (0, 1, 10**18, 10**18 + 1)]
    assert 5000 == CHAIN.minimum_fee(200_000)


TRANSFERS = st.tuples(
    st.integers(0, 3),  # sender
    st.integers(0, 4),  # recipient; 4: a stranger
    st.integers(1, BALANCE),
    st.integers(0, 2),  # sequence
    st.sampled_from([CHAIN.id, "virtengine-2"]),
    st.booleans(),  # spoilt in transit
)


@settings(max_examples=40)
@given(st.lists(st.lists(TRANSFERS, max_size=6), max_size=3))
def test_money_is_neither_made_nor_lost(
    blocks: list[list[tuple[int, int, int, int, str, bool]]],
) -> None:
    """The sum of balances stays, every transaction counts, and all is repeatable."""
    tree, again = genesis(), genesis()
    recipients = [*OWNERS, STRANGER]
    for height, transfers in enumerate(blocks, start=2):
        raws = []
        for sender, recipient, amount, sequence, chain_id, spoilt in transfers:
            message = Send(OWNERS[sender], recipients[recipient], (Coin("uve", amount),))
            raw = transaction([message], SIGNERS[sender], sender, sequence, chain_id=chain_id)
            raws.append(raw[:40] + raw[41:] if spoilt else raw)
        block = process_block(tree, raws, CHAIN)

        assert 4 * BALANCE == money(tree)
        assert len(raws) == len(block.results) == sum(block.counts.values())
        assert Counter(result.code for result in block.results) == block.counts
        assert (height, tree.root_hash) == (block.height, block.root_hash)
        assert block == process_block(again, raws, CHAIN)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_no_bytes_stop_a_block(raws: list[bytes]) -> None:
    """Random bytes are rejected and counted, and the valid transaction after them is executed."""
    good = transaction([send(1)])
    results = process_block(genesis(), [*raws, good], CHAIN).results

    assert Code.OK is results[-1].code
    assert all(
        isinstance(result, TransactionResult) and result.code.abci for result in results[:-1]
    )


RICHEST = 2**256 - 1
"""The SDK's Int holds no more."""


def tree_with(balances: dict[Address, int]) -> Tree:
    tree = genesis()
    for owner, balance in balances.items():
        tree.set(balance_key(owner.data, "uve"), b"%d" % balance)
    tree.save_version()
    return tree


@pytest.mark.parametrize(
    ("amount", "code"),
    [(5, Code.OK), (6, Code.OVERFLOW), (BALANCE - FEE_AMOUNT - 1, Code.OVERFLOW)],
)
@pytest.mark.parametrize("others", [[], [send(1, STRANGER)]])
def test_nobody_has_more_than_an_amount_can_be(amount: int, code: Code, others: list[Send]) -> None:
    """To the last coin: what would be too much isn't moved at all, and the fee is paid."""
    tree = tree_with({OWNERS[1]: RICHEST - 5})
    before = money(tree)

    assert [code] == run(tree, transaction([*others, send(amount)]))
    assert RICHEST - 5 * (code is not Code.OK) == get_balance(tree, OWNERS[1].data, "uve")
    assert before == money(tree)
    assert FEE_AMOUNT == get_balance(tree, FEE_COLLECTOR.data, "uve")


def test_the_richest_can_send_to_themselves() -> None:
    """That moves nothing, so it is not too much."""
    tree = tree_with({OWNERS[0]: RICHEST})

    assert [Code.OK] == run(tree, transaction([send(7, OWNERS[0])]))
    assert RICHEST - FEE_AMOUNT == get_balance(tree, OWNERS[0].data, "uve")


def test_a_fee_that_is_too_much_for_its_collector_is_refused() -> None:
    """As the ante handler would: nothing is paid, in no coin, and the sequence stays."""
    tree = tree_with({FEE_COLLECTOR: RICHEST})
    tree.set(balance_key(OWNERS[0].data, "atom"), b"9")
    before = dict(tree.iterate())
    fees = [FEE, (Coin("atom", 1), *FEE)]

    assert [Code.OVERFLOW] * 2 == run(tree, *(transaction([send(1)], fee=fee) for fee in fees))
    assert before == dict(tree.iterate())
