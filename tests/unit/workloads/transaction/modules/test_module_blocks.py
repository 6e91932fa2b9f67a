"""Blocks of all messages: who pays, what is rolled back, what never changes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.workloads.transaction import example_data as transfers
from veperf.workloads.transaction import protobuf
from veperf.workloads.transaction.address import PREFIX, Address, address_from_bytes
from veperf.workloads.transaction.codec import Coin, Send, encode_sign_doc
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import BALANCE, CHAIN, account_signer
from veperf.workloads.transaction.execution import FEE_COLLECTOR, process_block
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import staking, wire
from veperf.workloads.transaction.modules.blocks import (
    STORES,
    DeliveredTransaction,
    deliver_block,
)
from veperf.workloads.transaction.modules.fee_grants import allowance_key, grant_allowance
from veperf.workloads.transaction.modules.messages import (
    Message,
    MultiSend,
    Output,
    pack_message,
    unpack_message,
)
from veperf.workloads.transaction.modules.multisig import SingleSignature
from veperf.workloads.transaction.modules.transactions import (
    Fee,
    SignerInfo,
    encode_message_body,
    encode_signed,
    encode_signers,
)
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.state import Account, get_account, get_balance

ACCOUNTS = 4
DENOM = CHAIN.fee_denom
AMINO = wire.SIGN_MODE_LEGACY_AMINO_JSON
FEE = chain.example_fee().amount[0].amount
TIME = 1_000_000


@pytest.fixture
def stores() -> MultiStore:
    return chain.genesis(ACCOUNTS)


def deliver(stores: MultiStore, *raws: bytes, time: int = TIME) -> list[DeliveredTransaction]:
    return list(deliver_block(stores, raws, CHAIN, time).results)


def codes(stores: MultiStore, *raws: bytes, time: int = TIME) -> list[Code]:
    return [result.code for result in deliver(stores, *raws, time=time)]


def balance(stores: MultiStore, owner: int | Address) -> int:
    address = chain.example_address(owner) if isinstance(owner, int) else owner
    return get_balance(stores.trees["bank"], address.data, DENOM)


def account(stores: MultiStore, index: int) -> Account:
    record = get_account(stores.trees["acc"], chain.example_address(index).data)
    assert record is not None
    return record


def contents(stores: MultiStore) -> dict[str, list[tuple[bytes, bytes]]]:
    return {name: list(tree.iterate()) for name, tree in stores.trees.items()}


def coins(amount: int) -> tuple[Coin, ...]:
    return (Coin(DENOM, amount),)


def test_plain_transfers_are_what_they_are_in_the_pipeline() -> None:
    """The same bytes as in the fast path: same codes, same balances, same accounts."""
    work = transfers.workload(accounts=6, transactions=6)
    raws = [*work.transactions, work.transactions[0], b"", work.transactions[1][:-1]]
    stores = chain.genesis(6)
    expected = process_block(work.tree, raws, CHAIN)

    assert [result.code for result in expected.results] == codes(stores, *raws)
    for index in range(6):
        address = chain.example_address(index).data
        assert get_account(work.tree, address) == get_account(stores.trees["acc"], address)
        assert get_balance(work.tree, address, DENOM) == balance(stores, index)


@pytest.mark.parametrize("mode", [wire.SIGN_MODE_DIRECT, AMINO])
def test_each_message_does_what_it_says(stores: MultiStore, mode: int) -> None:
    """In either sign mode, several in a transaction."""
    messages: list[Message] = [
        chain.example_send(0, 1, 5),
        chain.example_multi_send(0, [1, 2, 2], 10),
        chain.delegation(0, 1_000),
        chain.undelegation(0, 400),
    ]
    (result,) = deliver(stores, chain.signed(messages, 0, mode=mode))

    assert (Code.OK, True) == (result.code, result.paid)
    assert 0 < result.gas_used <= result.gas_wanted == chain.GAS_LIMIT
    assert BALANCE - FEE - 5 - 30 - 1_000 == balance(stores, 0)
    assert [15, 20] == [balance(stores, index) - BALANCE for index in (1, 2)]
    assert [600, 400] == [
        balance(stores, pool) for pool in (staking.BONDED_POOL, staking.NOT_BONDED_POOL)
    ]
    shares = staking.get_shares(stores.trees["staking"], chain.example_address(0), chain.VALIDATOR)
    assert 600 * 10**18 == shares
    assert FEE == balance(stores, FEE_COLLECTOR)
    assert 1 == account(stores, 0).sequence


def test_all_messages_take_effect_or_none(stores: MultiStore) -> None:
    """The second fails, and the first is undone; the fee is gone and the sequence used."""
    messages: list[Message] = [chain.delegation(0, 10), chain.undelegation(0, 11)]
    (result,) = deliver(stores, chain.signed(messages, 0))

    assert (Code.INVALID_REQUEST, True) == (result.code, result.paid)
    assert BALANCE - FEE == balance(stores, 0)
    assert 0 == balance(stores, staking.BONDED_POOL)
    assert 1 == account(stores, 0).sequence


def test_out_of_gas_rolls_back_and_pays(stores: MultiStore) -> None:
    """Whatever the limit: too little for the checks changes nothing, for the messages it pays."""
    raw = chain.signed([chain.example_send(0, 1, 5)], 0)
    (whole,) = deliver(chain.genesis(ACCOUNTS), raw)
    outcomes = set()
    for limit in range(1_000, whole.gas_used + 2_000, 1_000):
        stores = chain.genesis(ACCOUNTS)
        before = contents(stores)
        fee = Fee(coins(FEE), limit)
        (result,) = deliver(stores, chain.signed([chain.example_send(0, 1, 5)], 0, fee=fee))
        outcomes.add((result.code, result.paid))
        assert (result.code is Code.OUT_OF_GAS) is (result.gas_used > result.gas_wanted == limit)
        if not result.paid:
            assert before == contents(stores)
        else:
            assert FEE == balance(stores, FEE_COLLECTOR)
            assert 1 == account(stores, 0).sequence
            sent = 5 if result.code is Code.OK else 0
            assert BALANCE + sent == balance(stores, 1)

    assert {(Code.OUT_OF_GAS, False), (Code.OUT_OF_GAS, True), (Code.OK, True)} == outcomes


def test_gas_is_that_of_the_accesses_the_signatures_and_the_bytes(stores: MultiStore) -> None:
    """A second signer costs 1,000 more for its signature, and each byte costs 10."""
    (one,) = deliver(chain.genesis(ACCOUNTS), chain.signed([chain.example_send(0, 1, 5)], 0))
    (memo,) = deliver(stores, chain.signed([chain.example_send(0, 1, 5)], 0, memo="m" * 100))

    assert 10 * 102 <= memo.gas_used - one.gas_used <= 10 * 104


@pytest.mark.parametrize("mode", [wire.SIGN_MODE_DIRECT, AMINO])
def test_a_fee_payer_pays_and_signs(stores: MultiStore, mode: int) -> None:
    """The payer's sequence is used, too; without the payer's signature it is refused."""
    raw = chain.signed([chain.example_send(0, 1, 5)], 0, payer=2, mode=mode)
    unsigned = chain.signed(
        [chain.example_send(1, 0, 5)], 1, fee=chain.example_fee(payer=chain.example_address(1))
    )
    fee = protobuf.TxRaw.FromString(raw)
    del fee.signatures[1]

    assert [Code.OK, Code.OK] == codes(stores, raw, unsigned)
    assert [BALANCE - FEE, 1] == [balance(stores, 2), account(stores, 2).sequence]
    assert [Code.WRONG_SIGNATURE] == codes(stores, fee.SerializeToString())


def granted(granter: int, sequence: int = 0) -> bytes:
    fee = chain.example_fee(granter=chain.example_address(granter))
    return chain.signed([chain.example_send(0, 1, 5)], 0, sequence, fee=fee)


def test_a_fee_granter_pays_within_the_allowance(stores: MultiStore) -> None:
    """Until the limit is used up, when the allowance is gone; the granter doesn't sign."""
    granter, grantee = chain.example_address(3), chain.example_address(0)
    grant_allowance(stores.trees["feegrant"], granter, grantee, coins(2 * FEE + 1))

    assert [Code.OK, Code.OK, Code.FEE_ALLOWANCE_EXCEEDED] == codes(
        stores, granted(3), granted(3, 1), granted(3, 2)
    )
    assert [2 * FEE, 0] == [BALANCE - balance(stores, 3), account(stores, 3).sequence]
    assert BALANCE - 10 == balance(stores, 0)
    grant_allowance(stores.trees["feegrant"], granter, grantee, coins(FEE))
    assert [Code.OK, Code.NO_FEE_ALLOWANCE] == codes(stores, granted(3, 2), granted(3, 3))
    assert stores.trees["feegrant"].get(allowance_key(granter, grantee)) is None


def test_allowances_end(stores: MultiStore) -> None:
    """At their time, and there may be none of another granter; any amount without a limit."""
    granter, grantee = chain.example_address(3), chain.example_address(0)
    grant_allowance(stores.trees["feegrant"], granter, grantee, expires=TIME)

    assert [Code.OK] == codes(stores, granted(3), time=TIME)
    assert [Code.FEE_ALLOWANCE_EXPIRED] == codes(stores, granted(3, 1), time=TIME + 1)
    assert [Code.NO_FEE_ALLOWANCE] == codes(stores, granted(2, 1))


def test_a_multisig_account_sends(stores: MultiStore) -> None:
    """Two of three in Amino JSON; one is too few, and so is anybody else's."""
    key = chain.multisig_key()
    address = address_from_bytes(key.address())
    send = Send(address, chain.example_address(1), coins(5))

    assert [Code.WRONG_SIGNATURE, Code.OK, Code.REPLAY, Code.OK, Code.WRONG_SEQUENCE] == codes(
        stores,
        chain.multisigned([send], ACCOUNTS, [1]),
        chain.multisigned([send], ACCOUNTS, [0, 2]),
        chain.multisigned([send], ACCOUNTS, [0, 2]),
        chain.multisigned([send], ACCOUNTS, [0, 1, 2], sequence=1),
        chain.multisigned([send], ACCOUNTS, [0, 1], sequence=3),
    )
    assert BALANCE - 2 * (FEE + 5) == balance(stores, address)


def without_key(raw: bytes) -> bytes:
    outer = protobuf.TxRaw.FromString(raw)
    auth = wire.AuthInfo.FromString(outer.auth_info_bytes)
    auth.signer_infos[0].ClearField("public_key")
    outer.auth_info_bytes = auth.SerializeToString()
    return bytes(outer.SerializeToString())


def test_the_chain_knows_the_keys_of_accounts_that_have_signed(stores: MultiStore) -> None:
    """A transaction may leave its key out then; Amino JSON doesn't sign it."""
    raws = [
        chain.signed([chain.example_send(0, 1, 5)], 0, index, mode=AMINO) for index in (0, 0, 1)
    ]
    address = address_from_bytes(chain.multisig_key().address())
    group = Send(address, chain.example_address(1), coins(5))
    grouped = [chain.multisigned([group], ACCOUNTS, [0, 1], index) for index in (0, 1)]

    assert [Code.INVALID_PUBLIC_KEY, Code.OK, Code.OK] == codes(
        stores, without_key(raws[0]), raws[1], without_key(raws[2])
    )
    assert [Code.OK, Code.OK] == codes(stores, grouped[0], without_key(grouped[1]))


def with_option(field: str, mode: int) -> bytes:
    """Return a transaction with an extension option, signed again."""
    body = wire.TxBody.FromString(encode_message_body([chain.example_send(0, 1, 5)]))
    getattr(body, field).add(type_url="/ethermint.types.v1.ExtensionOptionsEthereumTx")
    single = SingleSignature(mode, b"")
    signer = account_signer(0)
    auth = encode_signers([SignerInfo(signer.public_key, 0, single)], chain.example_fee())
    document = encode_sign_doc(body.SerializeToString(), auth, CHAIN.id, 0)
    signature = SingleSignature(mode, signer.sign(document))
    return encode_signed(body.SerializeToString(), auth, [signature])


@pytest.mark.parametrize(
    ("field", "mode", "expected"),
    [
        ("extension_options", wire.SIGN_MODE_DIRECT, Code.UNKNOWN_EXTENSION),
        ("non_critical_extension_options", wire.SIGN_MODE_DIRECT, Code.OK),
        ("non_critical_extension_options", AMINO, Code.INVALID_REQUEST),
    ],
)
def test_extension_options_are_refused_where_they_matter(
    stores: MultiStore, field: str, mode: int, expected: Code
) -> None:
    """Critical ones always; others can be ignored, but not be shown in Amino JSON."""
    assert [expected] == codes(stores, with_option(field, mode))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: chain.signed([chain.example_send(0, 1, 5)], 0, timeout_height=1), Code.OK),
        (
            lambda: chain.signed([chain.example_send(0, 1, 5)], 0, memo="é" * 129),
            Code.MEMO_TOO_LARGE,
        ),
        (lambda: chain.signed([chain.example_send(0, 1, 5)], 0, 1), Code.WRONG_SEQUENCE),
        (lambda: in_textual(chain.signed([chain.example_send(0, 1, 5)], 0)), Code.UNSUPPORTED),
        (lambda: chain.signed([chain.undelegation(0, 5)], 0), Code.NO_DELEGATION),
        (lambda: chain.signed([chain.delegation(0, 10**18)], 0), Code.INSUFFICIENT_FUNDS),
        (
            lambda: chain.signed([chain.example_send(0, 1, 5)], 0, fee=Fee(coins(1), 200_000)),
            Code.INSUFFICIENT_FEE,
        ),
        (
            lambda: chain.signed(
                [chain.example_send(0, 1, 5), chain.example_send(0, 1, BALANCE)], 0
            ),
            Code.INSUFFICIENT_FUNDS,
        ),
    ],
)
def test_codes_are_those_of_the_sdk(
    stores: MultiStore, make: Callable[[], bytes], expected: Code
) -> None:
    """For what is late, too large, out of order, not there or too little."""
    assert [expected] == codes(stores, make())


def in_textual(raw: bytes) -> bytes:
    outer = protobuf.TxRaw.FromString(raw)
    auth = wire.AuthInfo.FromString(outer.auth_info_bytes)
    auth.signer_infos[0].mode_info.single.mode = 2
    outer.auth_info_bytes = auth.SerializeToString()
    return bytes(outer.SerializeToString())


def output(index: int, amount: int) -> Output:
    return Output(chain.example_address(index), coins(amount))


@pytest.mark.parametrize(
    ("total", "outputs"),
    [(9, (output(1, 5), output(2, 5))), (0, ()), (5, ()), (5, (output(1, 5), output(2, 0)))],
)
def test_sums_that_differ_are_refused(total: int, outputs: tuple[Output, ...]) -> None:
    """A transfer to many sends what they get, and each gets something."""
    message = MultiSend(chain.example_address(0), coins(total), outputs)
    with pytest.raises(TransactionRefused) as caught:
        unpack_message(pack_message(message), PREFIX)

    assert caught.value.code in (Code.INVALID_REQUEST, Code.INVALID_COINS)


def test_a_timeout_is_the_last_block(stores: MultiStore) -> None:
    """In block 2, a transaction for block 1 is late, whatever its mode."""
    late = [
        chain.signed([chain.example_send(0, 1, 5)], 0, timeout_height=1, mode=mode)
        for mode in (wire.SIGN_MODE_DIRECT, AMINO)
    ]
    deliver(stores)

    assert [Code.TIMEOUT_HEIGHT] * 2 == codes(stores, *late)


def test_a_sender_of_many_has_all_of_it_first(stores: MultiStore) -> None:
    """Also where a part comes back to the sender."""
    total = BALANCE - FEE + 1
    message = MultiSend(
        chain.example_address(0), coins(total), (output(0, total - 1), output(1, 1))
    )

    assert [Code.INSUFFICIENT_FUNDS] == codes(stores, chain.signed([message], 0))


def test_tokens_come_back_after_21_days(stores: MultiStore) -> None:
    """Neither earlier nor twice; two entries of one time come back together."""
    messages: list[Message] = [
        chain.delegation(0, 100),
        chain.undelegation(0, 30),
        chain.undelegation(0, 20),
    ]
    due = TIME + staking.UNBONDING_SECONDS
    deliver(stores, chain.signed(messages, 0))
    before = balance(stores, 0)
    deliver(stores, time=due - 1)
    early = balance(stores, 0)
    deliver(stores, time=due)
    then = balance(stores, 0)
    deliver(stores, time=due + 1)

    assert (before, before + 50, before + 50) == (early, then, balance(stores, 0))
    assert [50, 0] == [
        balance(stores, pool) for pool in (staking.BONDED_POOL, staking.NOT_BONDED_POOL)
    ]


def test_there_are_seven_entries_at_most(stores: MultiStore) -> None:
    """The eighth of a delegator with a validator is refused, until one has come back."""
    fee = chain.example_fee(1_000_000)
    deliver(stores, chain.signed([chain.delegation(0, 100)], 0))
    many = [chain.undelegation(0, 1)] * 8

    assert [Code.TOO_MANY_UNBONDINGS] == codes(stores, chain.signed(many, 0, 1, fee=fee))
    assert [Code.OK] == codes(stores, chain.signed(many[:7], 0, 2, fee=fee))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["transfer", "many", "delegate", "undelegate"]),
        st.integers(0, ACCOUNTS - 1),
        st.integers(0, ACCOUNTS - 1),
        st.integers(1, 3 * 10**11),
    ),
    max_size=6,
)


def message_of(kind: str, sender: int, other: int, amount: int) -> Any:
    if kind == "transfer":
        return chain.example_send(sender, other, amount)
    if kind == "many":
        return chain.example_multi_send(sender, [other, sender, 0], amount)
    return (chain.delegation if kind == "delegate" else chain.undelegation)(sender, amount)


@given(st.lists(STEPS, max_size=4))
@settings(max_examples=25, deadline=None)
def test_no_coin_is_made_or_lost(blocks: Sequence[Any]) -> None:
    """The supply stays, and the pools have what validators and entries say."""
    stores = chain.genesis(ACCOUNTS)
    for height, steps in enumerate(blocks):
        sequences = {index: account(stores, index).sequence for index in range(ACCOUNTS)}
        raws = []
        for kind, sender, other, amount in steps:
            message = message_of(kind, sender, other, amount)
            raws.append(chain.signed([message], sender, sequences[sender]))
            sequences[sender] += 1
        deliver(stores, *raws, time=TIME + height * staking.UNBONDING_SECONDS // 2)
    bank = dict(stores.trees["bank"].iterate())
    records = dict(stores.trees["staking"].iterate())
    validators = [wire.Validator.FromString(v) for k, v in records.items() if k[:1] == b"\x21"]
    shares = [staking.shares_of(v) for k, v in records.items() if k[:1] == b"\x31"]
    entries = [
        int(entry.balance)
        for key, value in records.items()
        if key[:1] == b"\x32"
        for entry in wire.UnbondingDelegation.FromString(value).entries
    ]

    assert (ACCOUNTS + 1) * BALANCE == sum(map(int, bank.values()))
    assert int(validators[0].tokens) == balance(stores, staking.BONDED_POOL)
    assert int(validators[0].delegator_shares) == sum(shares)
    assert sum(entries) == balance(stores, staking.NOT_BONDED_POOL)


RAW = chain.signed([chain.example_send(0, 1, 5), chain.delegation(0, 5)], 0, payer=2)
GROUPED = chain.multisigned([chain.example_send(0, 1, 5)], 0, [0, 1])


@given(st.sampled_from([RAW, GROUPED]), st.integers(0, 8 * len(RAW)), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_changed_transaction_changes_nothing(raw: bytes, place: int, cut: bool) -> None:
    """With any bit changed or any end cut off it is refused with a code, and nobody pays."""
    place %= 8 * len(raw)
    number = int.from_bytes(raw, "big") ^ 1 << place
    other = raw[: place // 8] if cut else number.to_bytes(len(raw), "big")
    stores = chain.genesis(ACCOUNTS)
    before = contents(stores)
    (result,) = deliver(stores, other)

    assert (False, Code.OK) != (result.paid, result.code)
    assert not result.paid
    assert before == contents(stores)
    assert set(STORES) == set(stores.trees)
