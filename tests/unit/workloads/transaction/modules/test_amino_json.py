"""Amino JSON is that of the Cosmos SDK, of cosmjs and of Trust Wallet."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from veperf.workloads.transaction.errors import TransactionRefused
from veperf.workloads.transaction.modules import example_virtengine as virtengine
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.amino_json import (
    AminoFee,
    amino_message,
    amino_sign_bytes,
    encode_amino_json,
)
from veperf.workloads.transaction.modules.example_data import example_address
from veperf.workloads.transaction.modules.messages import Message, pack_message, unpack_message
from veperf.workloads.transaction.modules.transactions import decode_signed
from veperf.workloads.transaction.signature import PublicKey, verify_signature

VECTORS = json.loads((Path(__file__).parents[4] / "vectors" / "wallet_core.json").read_text())
WHO = "cosmos1pkptre7fdkl6gfrzlesjjvhxhlc3r4gmmk8rs6"
ATOM = (("atom", "150"),)
# TestStdSignBytes of cosmos-sdk, x/auth/migrations/legacytx/stdtx_test.go: arguments and result.
FEE = '"fee":{"amount":[{"amount":"150","denom":"atom"}],"gas":"100000"}'
DOCUMENTS = [
    (AminoFee(ATOM, 100_000), 10, FEE, ',"timeout_height":"10"'),
    (AminoFee(ATOM, 100_000), 0, FEE, ""),
    (AminoFee((), 0), 0, '"fee":{"amount":[],"gas":"0"}', ""),
    (AminoFee(ATOM, 100_000, granter=WHO), 0, FEE[:-1] + f',"granter":"{WHO}"}}', ""),
    (AminoFee(ATOM, 100_000, payer=WHO), 0, FEE[:-1] + f',"payer":"{WHO}"}}', ""),
    (
        AminoFee(ATOM, 100_000, WHO, WHO),
        0,
        FEE[:-1] + f',"granter":"{WHO}","payer":"{WHO}"}}',
        "",
    ),
]


@pytest.mark.parametrize(("fee", "timeout_height", "fee_text", "end"), DOCUMENTS)
def test_sign_documents_are_those_of_the_sdk(
    fee: AminoFee, timeout_height: int, fee_text: str, end: str
) -> None:
    """Empty fields are left out, but for the fee's amount; all numbers are strings."""
    messages: Any = [[WHO]]  # the SDK's test message is just that
    document = amino_sign_bytes(messages, fee, "1234", 3, 6, "memo", timeout_height)

    assert (
        f'{{"account_number":"3","chain_id":"1234",{fee_text},"memo":"memo",'
        f'"msgs":[["{WHO}"]],"sequence":"6"{end}}}'
    ) == document.decode()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"aaa": True, "aa": True, "a": True}, '{"a":true,"aa":true,"aaa":true}'),
        ([1, 2, {"x": {"y": {"z": None}}}, 4], '[1,2,{"x":{"y":{"z":null}}},4]'),
        ({"m": "with all: &<>"}, '{"m":"with all: \\u0026\\u003c\\u003e"}'),
        ({"m": "with gt: >>"}, '{"m":"with gt: \\u003e\\u003e"}'),
        ({"m": "ä €\u2028"}, '{"m":"ä €\\u2028"}'),  # Go's encoding/json escapes the last, too
    ],
)
def test_json_is_sorted_and_escaped_as_in_cosmjs(document: Any, expected: str) -> None:
    """Vectors of cosmjs, packages/amino/src/signdoc.spec.ts."""
    assert expected == encode_amino_json(document).decode()


def test_messages_are_those_of_cosmjs() -> None:
    """The JSON of MsgMultiSend and MsgDelegate in its aminomessages.spec.ts files."""
    coins = [wire.Coin(denom="ucosm", amount="1234")]
    fields = [{"denom": "ucosm", "amount": "1234"}]
    multi_send = wire.MsgMultiSend()
    multi_send.inputs.add(address=WHO, coins=coins)
    multi_send.outputs.add(address=WHO, coins=coins)
    message = wire.MsgDelegate(delegator_address=WHO, validator_address=WHO, amount=coins[0])

    assert {
        "type": "cosmos-sdk/MsgMultiSend",
        "value": {
            "inputs": [{"address": WHO, "coins": fields}],
            "outputs": [{"address": WHO, "coins": fields}],
        },
    } == amino_message("cosmos-sdk/MsgMultiSend", multi_send)
    assert {
        "type": "cosmos-sdk/MsgDelegate",
        "value": {"delegator_address": WHO, "validator_address": WHO, "amount": fields[0]},
    } == amino_message("cosmos-sdk/MsgDelegate", message)


def quantity(amount: int) -> dict[str, str]:
    return {"val": b64encode(b"%d" % amount).decode()}


TENANT, PROVIDER = example_address(0).text, example_address(1).text
RESOURCES = {
    "id": 1,
    "cpu": {"units": quantity(500)},
    "memory": {"quantity": quantity(1 << 30)},
    "storage": [{"name": "default", "quantity": quantity(10 << 30)}],
    "gpu": {"units": quantity(0)},
    "endpoints": [{}],
}
COINS = {"amount": {"denom": "uve", "amount": "500000"}, "sources": [1]}
BID = {"owner": TENANT, "dseq": "1", "gseq": 1, "oseq": 1, "provider": PROVIDER}
OWN: list[tuple[Message, str, dict[str, Any]]] = [
    (
        virtengine.example_deployment(0),
        "/virtengine.deployment.v1beta4.MsgCreateDeployment",
        {
            "id": {"owner": TENANT, "dseq": "1"},
            "groups": [
                {
                    "name": "group-0",
                    "requirements": {
                        "signed_by": {},
                        "attributes": [
                            {"key": "region", "value": "eu-west"},
                            {"key": "tier", "value": "community"},
                        ],
                    },
                    "resources": [
                        {
                            "resource": RESOURCES,
                            "count": 2,
                            "price": {"denom": "uve", "amount": "1.000000000000000000"},
                        }
                    ],
                }
            ],
            "hash": b64encode(virtengine.example_deployment(0).hash).decode(),
            "deposit": COINS,
        },
    ),
    (
        virtengine.example_bid(0, 1),
        "/virtengine.market.v1beta5.MsgCreateBid",
        {
            "id": BID,
            "price": {"denom": "uve", "amount": "0.900000000000000000"},
            "deposit": COINS,
            "resources_offer": [{"resources": RESOURCES, "count": 2}],
        },
    ),
    (
        virtengine.withdrawal(0, 1),
        "/virtengine.market.v1beta5.MsgCloseBid",
        {"id": BID, "reason": 10_000},
    ),
    (
        virtengine.acceptance(0, 1),
        "/virtengine.market.v1beta5.MsgCreateLease",
        {"bid_id": BID},
    ),
    (
        virtengine.verification(0),
        "veid/MsgRequestVerification",
        {"sender": TENANT, "scope_id": "scope-0"},
    ),
    (
        virtengine.example_score(0, 1, 7),
        "veid/MsgUpdateScore",
        {
            "sender": TENANT,
            "account_address": PROVIDER,
            "new_score": 7,
            "score_version": virtengine.MODEL,
        },
    ),
]


@pytest.mark.parametrize(("message", "name", "value"), OWN, ids=[name for _, name, _ in OWN])
def test_virtengines_messages_have_the_names_of_its_proto_files(
    message: Message, name: str, value: dict[str, Any]
) -> None:
    """Names and types of sdk/proto/node/virtengine by the rules of x/tx/aminojson.

    A decimal is one with 18 places only where ``cosmos.Dec`` says so; an ``Int`` in bytes stays
    bytes, as the option ``gogoproto.customtype`` is none of Amino's.
    """
    _, actual_name, encoded, _ = unpack_message(pack_message(message), "virtengine")

    assert {"type": name, "value": value} == amino_message(actual_name, encoded)


@pytest.mark.parametrize("vector", VECTORS["transactions"], ids=lambda vector: vector["type"])
def test_signatures_of_a_wallet_verify_in_both_modes(vector: dict[str, Any]) -> None:
    """Trust Wallet signed each message in DIRECT and in Amino JSON: for its sequence only."""
    transaction = decode_signed(b64decode(vector["tx_bytes"]), "cosmos")
    (info,) = transaction.infos
    key, direct = info.key, info.signature
    amino = bytes.fromhex(vector["amino_json_signature"])
    chain_id, number = VECTORS["chain_id"], VECTORS["account_number"]

    def document(mode: int, sequence: int = vector["sequence"]) -> bytes:
        return transaction.sign_bytes(mode, chain_id, number, sequence)

    assert isinstance(key, PublicKey)
    assert vector["type"] == transaction.encoded_messages[0][0]
    verify_signature(key, document(wire.SIGN_MODE_DIRECT), direct.signature)  # type: ignore[union-attr]  # a single one
    verify_signature(key, document(wire.SIGN_MODE_LEGACY_AMINO_JSON), amino)
    with pytest.raises(TransactionRefused):
        verify_signature(key, document(wire.SIGN_MODE_LEGACY_AMINO_JSON, 99), amino)
