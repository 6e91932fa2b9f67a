"""The protobuf messages of a Cosmos SDK transaction, made from one table.

Field numbers and types are those of the SDK's ``cosmos/tx/v1beta1/tx.proto``,
``cosmos/base/v1beta1/coin.proto``, ``cosmos/bank/v1beta1/tx.proto`` and
``cosmos/crypto/*/keys.proto``. Only they are on the wire, so the messages can all live in one
package. Fields that are left out (tips, multi-signatures, extension options) are refused as
unknown.
"""

from veperf.workloads.transaction.protobuf import message_classes

SIGN_MODE_DIRECT = 1
MSG_SEND_URL = "/cosmos.bank.v1beta1.MsgSend"

_CLASSES = message_classes(
    "veperf.cosmos",
    {
        "Any": "type_url string 1, value bytes 2",
        "Coin": "denom string 1, amount string 2",
        "MsgSend": "from_address string 1, to_address string 2, amount *Coin 3",
        "PubKey": "key bytes 1",
        "TxBody": "messages *Any 1, memo string 2, timeout_height uint64 3",
        "Single": "mode int32 1",
        "ModeInfo": "single Single 1",
        "SignerInfo": "public_key Any 1, mode_info ModeInfo 2, sequence uint64 3",
        "Fee": "amount *Coin 1, gas_limit uint64 2, payer string 3, granter string 4",
        "AuthInfo": "signer_infos *SignerInfo 1, fee Fee 2",
        "TxRaw": "body_bytes bytes 1, auth_info_bytes bytes 2, signatures *bytes 3",
        "SignDoc": "body_bytes bytes 1, auth_info_bytes bytes 2, chain_id string 3, "
        "account_number uint64 4",
    },
)

AnyMessage = _CLASSES["Any"]
Coin = _CLASSES["Coin"]
MsgSend = _CLASSES["MsgSend"]
PubKey = _CLASSES["PubKey"]
TxBody = _CLASSES["TxBody"]
Single = _CLASSES["Single"]
ModeInfo = _CLASSES["ModeInfo"]
SignerInfo = _CLASSES["SignerInfo"]
Fee = _CLASSES["Fee"]
AuthInfo = _CLASSES["AuthInfo"]
TxRaw = _CLASSES["TxRaw"]
SignDoc = _CLASSES["SignDoc"]
