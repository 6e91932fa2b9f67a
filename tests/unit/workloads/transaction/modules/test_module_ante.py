"""The ante handler: who signs and pays, and what is refused before anything happens."""

from collections.abc import Callable, Sequence
from itertools import chain as chained

import pytest

from tests.support.module_chain import (
    ACCOUNTS,
    FEE,
    TIME,
    account,
    balance,
    codes,
    coins,
    deliver,
)
from veperf.workloads.transaction import protobuf
from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.codec import Send, encode_sign_doc
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import BALANCE, CHAIN, account_signer
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.ante import run_ante_handler, signature_checks
from veperf.workloads.transaction.modules.blocks import (
    open_caches,
)
from veperf.workloads.transaction.modules.context import (
    BlockContext,
)
from veperf.workloads.transaction.modules.example_work import KINDS
from veperf.workloads.transaction.modules.fee_grants import allowance_key, grant_allowance
from veperf.workloads.transaction.modules.gas import GasMeter
from veperf.workloads.transaction.modules.messages import (
    Message,
)
from veperf.workloads.transaction.modules.multisig import SingleSignature
from veperf.workloads.transaction.modules.transactions import (
    Fee,
    SignerInfo,
    decode_signed,
    encode_message_body,
    encode_signed,
    encode_signers,
)
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.signature import verify_signature

AMINO = wire.SIGN_MODE_LEGACY_AMINO_JSON


@pytest.fixture
def stores() -> MultiStore:
    return chain.genesis(ACCOUNTS)


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


def test_amino_json_shows_the_fee_payer_as_it_is_written(stores: MultiStore) -> None:
    """In upper case where the transaction says so, as in the SDK: another text isn't signed."""
    payer = chain.example_address(0).text
    body = encode_message_body([chain.example_send(0, 1, 5)])
    unsigned = SingleSignature(AMINO, b"")
    auth = wire.AuthInfo.FromString(
        encode_signers([SignerInfo(account_signer(0).public_key, 0, unsigned)], chain.example_fee())
    )
    auth.fee.payer = payer.upper()
    encoded = auth.SerializeToString()
    document = decode_signed(encode_signed(body, encoded, [unsigned])).sign_bytes(
        AMINO, CHAIN.id, 0, 0
    )
    raws = [
        encode_signed(body, encoded, [SingleSignature(AMINO, account_signer(0).sign(signed))])
        for signed in (document.replace(payer.upper().encode(), payer.encode()), document)
    ]

    assert f'"payer":"{payer.upper()}"' in document.decode()
    assert [Code.WRONG_SIGNATURE, Code.OK] == codes(stores, *raws)


def test_a_refusal_quotes_little_of_a_large_transaction(stores: MultiStore) -> None:
    """Results are kept and sent: a MB of a denomination or of an address isn't in their logs."""
    for field in ("denom", "address"):
        body = wire.TxBody.FromString(encode_message_body([chain.example_send(0, 1, 5)]))
        send = wire.MsgSend.FromString(body.messages[0].value)
        if field == "denom":
            send.amount[0].denom = "a" * 10**6
        else:
            send.to_address = "a" * 10**6
        body.messages[0].value = send.SerializeToString()
        auth = encode_signers(
            [SignerInfo(None, 0, SingleSignature(wire.SIGN_MODE_DIRECT, b""))], chain.example_fee()
        )
        raw = encode_signed(
            body.SerializeToString(), auth, [SingleSignature(wire.SIGN_MODE_DIRECT, b"")]
        )
        (result,) = deliver(stores, raw)

        assert 20 < len(result.log) < 400


def test_a_timeout_is_the_last_block(stores: MultiStore) -> None:
    """In block 2, a transaction for block 1 is late, whatever its mode."""
    late = [
        chain.signed([chain.example_send(0, 1, 5)], 0, timeout_height=1, mode=mode)
        for mode in (wire.SIGN_MODE_DIRECT, AMINO)
    ]
    deliver(stores)

    assert [Code.TIMEOUT_HEIGHT] * 2 == codes(stores, *late)


def with_field(number: int, mode: int, *, in_message: bool) -> bytes:
    """Return a transaction with an unknown field, signed again."""
    body = wire.TxBody.FromString(encode_message_body([chain.example_send(0, 1, 5)]))
    unknown = bytes([number << 3 & 0x7F | 0x80, number >> 4 & 0x7F, 1])  # a varint of 1
    if in_message:
        body.messages[0].value += unknown
        unknown = b""
    encoded = body.SerializeToString() + unknown
    signer = account_signer(0)
    auth = encode_signers(
        [SignerInfo(signer.public_key, 0, SingleSignature(mode, b""))], chain.example_fee()
    )
    signature = signer.sign(encode_sign_doc(encoded, auth, CHAIN.id, 0))
    return encode_signed(encoded, auth, [SingleSignature(mode, signature)])


@pytest.mark.parametrize("in_message", [False, True])
@pytest.mark.parametrize(
    ("number", "mode", "expected"),
    # testdata.Customer2 of codec/unknownproto/unknown_fields_test.go: its fields 6 and 1047.
    [
        (1047, wire.SIGN_MODE_DIRECT, Code.OK),
        (1047, AMINO, Code.INVALID_REQUEST),
        (1023, wire.SIGN_MODE_DIRECT, Code.MALFORMED),
        (30, wire.SIGN_MODE_DIRECT, Code.MALFORMED),
    ],
)
def test_unknown_fields_are_refused_where_they_matter(
    stores: MultiStore, number: int, mode: int, in_message: bool, expected: Code
) -> None:
    """Critical ones always, also 1023, which the body has with another wire type."""
    assert [expected] == codes(stores, with_field(number, mode, in_message=in_message))


def test_every_signer_signs_pays_gas_and_uses_a_sequence(stores: MultiStore) -> None:
    """A transaction of two senders: both sequences go up, also when its messages fail."""
    mode = wire.SIGN_MODE_DIRECT
    messages: list[Message] = [chain.example_send(0, 2, 5), chain.example_send(1, 2, BALANCE + 1)]
    body = encode_message_body(messages)
    signers = [account_signer(0), account_signer(1)]
    infos = [SignerInfo(key.public_key, 0, SingleSignature(mode, b"")) for key in signers]
    auth = encode_signers(infos, chain.example_fee())
    signatures = [
        SingleSignature(mode, key.sign(encode_sign_doc(body, auth, CHAIN.id, number)))
        for number, key in enumerate(signers)
    ]
    (result,) = deliver(stores, encode_signed(body, auth, signatures))

    assert (Code.INSUFFICIENT_FUNDS, True) == (result.code, result.paid)
    assert [1, 1, 0] == [account(stores, index).sequence for index in (0, 1, 2)]
    assert [BALANCE - FEE, BALANCE, BALANCE] == [balance(stores, index) for index in (0, 1, 2)]


def of_all(signers: Sequence[int], sequence: int, *, with_keys: bool) -> bytes:
    """Return a transaction with a transfer by each of ``signers``."""
    mode = wire.SIGN_MODE_DIRECT
    body = encode_message_body([chain.example_send(index, 0, 1) for index in signers])
    keys = [account_signer(index) for index in signers]
    empty = SingleSignature(mode, b"")
    infos = [SignerInfo(key.public_key if with_keys else None, sequence, empty) for key in keys]
    auth = encode_signers(infos, chain.example_fee(10**6))
    signatures = [
        SingleSignature(mode, key.sign(encode_sign_doc(body, auth, CHAIN.id, index)))
        for index, key in zip(signers, keys, strict=True)
    ]
    return encode_signed(body, auth, signatures)


def test_a_transaction_has_seven_keys_at_most() -> None:
    """The SDK's TxSigLimit; keys that the chain knows, and that are left out, don't count."""
    stores = chain.genesis(9)
    first, second = range(1, 8), range(1, 9)

    assert [Code.TOO_MANY_SIGNATURES, Code.OK, Code.OK, Code.OK] == codes(
        stores,
        of_all(second, 0, with_keys=True),
        of_all(first, 0, with_keys=True),
        chain.signed([chain.example_send(8, 0, 1)], 8),
        of_all(first, 1, with_keys=False),
    )
    deliver(stores, of_all(first, 2, with_keys=False))
    again = of_all(second, 3, with_keys=False)
    assert [Code.WRONG_SEQUENCE] == codes(stores, again)  # the last one's is 1: its keys are fine


@pytest.mark.parametrize("kind", ["send", "send_amino", "send_multisig"])
def test_signatures_can_be_verified_elsewhere(kind: str) -> None:
    """What is left out of the checks is what has to verify, in any order of an account's."""
    stores = chain.genesis(1_000)
    raws = KINDS[kind]()[-1][:3]
    decoded = [decode_signed(raw) for raw in raws]
    accounts = stores.trees["acc"]
    checks = [signature_checks(accounts, item, CHAIN.id) for item in reversed(decoded)]
    other = decode_signed(raws[0][:-1] + bytes([raws[0][-1] ^ 1]))
    block = BlockContext(CHAIN, 1, TIME)
    outcomes = [
        run_ante_handler(
            open_caches(stores), other, block, GasMeter(other.fee.gas_limit), verify=verify
        )[0]
        for verify in (False, True)
    ]

    assert [2 if kind == "send_multisig" else 1] * 3 == [len(parts) for parts in checks]
    for key, document, signature in chained.from_iterable(checks):
        verify_signature(key, document, signature)
    assert [Code.OK, Code.WRONG_SIGNATURE] == outcomes
    with pytest.raises(TransactionRefused):
        verify_signature(*signature_checks(accounts, other, CHAIN.id)[-1])
