"""Whatever the transactions are: the supply stays, the refused change nothing, bytes are one."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import BALANCE, CHAIN
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import example_virtengine as virtengine
from veperf.workloads.transaction.modules import staking, wire
from veperf.workloads.transaction.modules import virtengine_wire as own
from veperf.workloads.transaction.modules.ante import run_ante_handler
from veperf.workloads.transaction.modules.blocks import deliver_block, open_caches, run_messages
from veperf.workloads.transaction.modules.context import (
    BONDED_POOL,
    ESCROW,
    NOT_BONDED_POOL,
    STORES,
    BlockContext,
)
from veperf.workloads.transaction.modules.example_work import KINDS
from veperf.workloads.transaction.modules.gas import GasMeter
from veperf.workloads.transaction.modules.messages import pack_message
from veperf.workloads.transaction.modules.transactions import (
    decode_signed,
    encode_message_body,
    encode_signed,
    encode_signers,
)
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.state import balance_key, get_account, get_balance

ACCOUNTS = 4
TIME = 1_000_000
FEE = chain.example_fee(1_000_000)
_MAKERS: dict[str, Any] = {
    "transfer": lambda who, other, n: chain.example_send(who, other, n),
    "many": lambda who, other, n: chain.example_multi_send(who, [other, who, 0], n),
    "delegate": lambda who, _, n: chain.delegation(who, n),
    "undelegate": lambda who, _, n: chain.undelegation(who, n),
    "order": lambda who, _, n: virtengine.example_deployment(who, 1 + n % 2),
    "end of order": lambda who, _, n: virtengine.end_of_deployment(who, 1 + n % 2),
    "bid": lambda who, other, n: virtengine.example_bid(other, who, 1 + n % 2),
    "accept": lambda who, other, n: virtengine.acceptance(who, other, 1 + n % 2),
    "end of lease": lambda who, other, n: virtengine.end_of_lease(who, other, 1 + n % 2),
    "take back": lambda who, other, n: virtengine.withdrawal(other, who, 1 + n % 2),
    "upload": lambda who, _, n: virtengine.example_upload(who, n % 3, 16),
    "request": lambda who, _, n: virtengine.verification(who, n % 3),
    "score": lambda who, other, n: virtengine.example_score(who, other, n % 110),
}
STEP = st.tuples(
    st.sampled_from(list(_MAKERS)),
    st.integers(0, ACCOUNTS - 1),
    st.integers(1, ACCOUNTS - 1),
    st.integers(1, 3 * 10**11),
)


def contents(stores: MultiStore) -> dict[str, dict[bytes, bytes]]:
    return {name: dict(tree.iterate()) for name, tree in stores.trees.items()}


def make(step: tuple[str, int, int, int]) -> Any:
    kind, who, distance, number = step
    return _MAKERS[kind](who, (who + distance) % ACCOUNTS, number)


def sequence(stores: MultiStore, who: int) -> int:
    account = get_account(stores.trees["acc"], chain.example_address(who).data)
    assert account is not None
    return account.sequence


@given(st.lists(st.lists(STEP, max_size=6), max_size=4))
@settings(max_examples=25, deadline=None)
def test_no_coin_is_made_or_lost(blocks: Sequence[Any]) -> None:
    """The supply stays, and the pools have what validators, entries and deposits say."""
    stores = chain.genesis(ACCOUNTS)
    for height, steps in enumerate(blocks):
        sequences = {index: sequence(stores, index) for index in range(ACCOUNTS)}
        raws = []
        for step in steps:
            who = step[1]
            raws.append(chain.signed([make(step)], who, sequences[who], fee=FEE))
            sequences[who] += 1
        time = TIME + height * staking.UNBONDING_SECONDS // 2
        results = deliver_block(stores, raws, CHAIN, time).results
        assert all(0 < result.gas_used for result in results)
        assert all(result.paid for result in results)
    state = contents(stores)
    records = state["staking"]
    validators = [wire.Validator.FromString(v) for k, v in records.items() if k[:1] == b"\x21"]
    shares = [staking.shares_of(v) for k, v in records.items() if k[:1] == b"\x31"]
    entries = [
        int(entry.balance)
        for key, value in records.items()
        if key[:1] == b"\x32"
        for entry in wire.UnbondingDelegation.FromString(value).entries
    ]
    held = [
        int(balance.amount)
        for key, value in state["escrow"].items()
        for balance in (
            own.AccountState.FromString(value).funds
            if key[:2] == b"\x11\0"
            else [own.PaymentState.FromString(value).balance]
        )
    ]

    assert (ACCOUNTS + 1) * BALANCE == sum(map(int, state["bank"].values()))
    assert sum(int(validator.tokens) for validator in validators) == pool(stores, BONDED_POOL)
    assert sum(int(validator.delegator_shares) for validator in validators) == sum(shares)
    assert sum(entries) == pool(stores, NOT_BONDED_POOL)
    assert sum(held) == pool(stores, ESCROW) * 10**18


def pool(stores: MultiStore, address: Any) -> int:
    return get_balance(stores.trees["bank"], address.data, CHAIN.fee_denom)


@given(st.lists(STEP, max_size=4), st.lists(STEP, min_size=1, max_size=3), st.integers(1, 10**6))
@settings(max_examples=20, deadline=None)
def test_what_fails_changes_the_fee_and_the_sequence_alone(
    before: Sequence[Any], steps: Sequence[Any], limit: int
) -> None:
    """By its messages or for lack of gas, which is never less than that of the bytes."""
    stores = chain.genesis(ACCOUNTS)
    who = steps[0][1]
    for step in before:
        raw = chain.signed([make(step)], step[1], sequence(stores, step[1]), fee=FEE)
        deliver_block(stores, [raw], CHAIN, TIME)
    messages = [make((kind, who, other, number)) for kind, _, other, number in steps]
    fee = chain.example_fee(limit)
    raw = chain.signed(messages, who, sequence(stores, who), fee=fee)
    old = contents(stores)
    (result,) = deliver_block(stores, [raw], CHAIN, TIME).results
    new = contents(stores)

    assert result.gas_used >= 10 * len(raw)
    if result.code is Code.OK:
        return
    if not result.paid:
        assert Code.OUT_OF_GAS is result.code
        assert old == new
        return
    payer, denom = chain.example_address(who).data, CHAIN.fee_denom
    changed = {
        (name, key)
        for name in STORES
        for key in old[name].keys() | new[name].keys()
        if old[name].get(key) != new[name].get(key)
    }
    paid = int(old["bank"][balance_key(payer, denom)]) - int(
        new["bank"].get(balance_key(payer, denom), b"0")
    )
    assert {"acc", "bank"} >= {name for name, _ in changed}
    assert 2 >= len([name for name, _ in changed if name == "bank"])
    assert 1 == len([name for name, _ in changed if name == "acc"])
    assert sum(coin.amount for coin in fee.amount) == paid


class RecordingMeter(GasMeter):
    """Keeps what was used after each charge."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.charges: list[int] = []

    def consume(self, amount: int, purpose: str) -> None:
        super().consume(amount, purpose)
        self.charges.append(self.consumed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_gas_can_run_out_at_every_point(kind: str) -> None:
    """At each charge: in the checks nothing changes, later the fee and the sequence alone."""
    stores = chain.genesis(110)
    *before, raws = KINDS[kind]()
    for block in before:
        assert all(r.code is Code.OK for r in deliver_block(stores, block, CHAIN, TIME).results)
    transaction = decode_signed(raws[0])
    context = BlockContext(CHAIN, stores.version + 1, TIME)

    def run(meter: GasMeter) -> tuple[list[Code], list[dict[str, dict[bytes, bytes]]], int]:
        """Return the codes of both steps, the state after each, and the gas of the first."""
        limited = replace(transaction, fee=replace(transaction.fee, gas_limit=meter.limit))
        caches = open_caches(stores)
        codes, states, paid_gas = [], [], 0
        for step in (partial(run_ante_handler, verify=False), run_messages):
            codes.append(step(caches, limited, context, meter)[0])
            states.append({name: dict(cache.iterate()) for name, cache in caches.items()})
            paid_gas = paid_gas or meter.consumed
            if codes[-1] is not Code.OK:
                break
        return codes, states, paid_gas

    whole = RecordingMeter(transaction.fee.gas_limit)
    codes, (paid, _), gas_of_checks = run(whole)
    assert [Code.OK, Code.OK] == codes
    untouched = contents(stores)
    changed = [
        name
        for name in STORES
        for key in untouched[name].keys() | paid[name].keys()
        if untouched[name].get(key) != paid[name].get(key)
    ]
    assert ["acc", "bank", "bank"] == changed
    for used in set(whole.charges):
        codes, states, _ = run(GasMeter(used - 1))
        assert Code.OUT_OF_GAS is codes[-1]
        assert (untouched if used <= gas_of_checks else paid) == states[-1]


RAWS = [KINDS[kind]()[-1][0] for kind in KINDS]


@given(st.sampled_from(RAWS), st.data())
@settings(max_examples=80, deadline=None)
def test_a_changed_transaction_is_refused_with_a_code_or_is_another(
    raw: bytes, data: st.DataObject
) -> None:
    """Any bytes changed, cut or put in: nothing but a refusal is raised, and no one pays."""
    place = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(place, min(len(raw), place + 8)))
    other = raw[:place] + data.draw(st.binary(max_size=8)) + raw[end:]
    if other == raw:
        return
    with suppress(TransactionRefused):
        decode_signed(other)
    stores = chain.genesis(ACCOUNTS)
    old = contents(stores)
    (result,) = deliver_block(stores, [other], CHAIN, TIME).results

    assert not result.paid
    assert old == contents(stores)


@given(st.sampled_from(RAWS))
@settings(max_examples=len(RAWS), deadline=None)
def test_what_is_decoded_is_encoded_again(raw: bytes) -> None:
    """To the last byte, by kind: the messages, the signers and the whole."""
    decoded = decode_signed(raw)
    body = encode_message_body(decoded.messages, decoded.memo, decoded.timeout_height)
    auth = encode_signers(decoded.infos, decoded.fee)

    assert decoded.body_bytes == body
    assert decoded.auth_info_bytes == auth
    assert raw == encode_signed(body, auth, [info.signature for info in decoded.infos])


@given(st.lists(STEP, min_size=1, max_size=3), st.text(max_size=8), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_messages_of_any_kind_go_together(
    steps: Sequence[Any], memo: str, timeout_height: int
) -> None:
    """In one body, in their order."""
    messages = tuple(make(step) for step in steps)
    body = wire.TxBody.FromString(encode_message_body(messages, memo, timeout_height))

    assert [pack_message(message) for message in messages] == list(body.messages)
    assert (memo, timeout_height) == (body.memo, body.timeout_height)
