"""Protobuf messages of transactions with any messages, signers and signatures.

Field numbers and types are those of the SDK's ``cosmos/tx/v1beta1/tx.proto``,
``cosmos/crypto/multisig/*``, ``cosmos/bank/v1beta1/tx.proto``, ``cosmos/staking/v1beta1`` and
``cosmos/feegrant/v1beta1/feegrant.proto``. A oneof is several fields, of which a reader must find
exactly one. Of a Validator only the fields that delegations touch are there.
"""

from veperf.workloads.transaction.protobuf import message_classes

SIGN_MODE_DIRECT = 1
SIGN_MODE_LEGACY_AMINO_JSON = 127

_CLASSES = message_classes(
    "veperf.modules",
    {
        "Any": "type_url string 1, value bytes 2",
        "Coin": "denom string 1, amount string 2",
        "Timestamp": "seconds int64 1, nanos int32 2",
        # Transactions
        "TxBody": "messages *Any 1, memo string 2, timeout_height uint64 3, "
        "extension_options *Any 1023, non_critical_extension_options *Any 2047",
        "Single": "mode int32 1",
        "CompactBitArray": "extra_bits_stored uint32 1, elems bytes 2",
        "Multi": "bitarray CompactBitArray 1, mode_infos *ModeInfo 2",
        "ModeInfo": "single Single 1, multi Multi 2",
        "SignerInfo": "public_key Any 1, mode_info ModeInfo 2, sequence uint64 3",
        "Fee": "amount *Coin 1, gas_limit uint64 2, payer string 3, granter string 4",
        "AuthInfo": "signer_infos *SignerInfo 1, fee Fee 2",
        "LegacyAminoPubKey": "threshold uint32 1, public_keys *Any 2",
        "MultiSignature": "signatures *bytes 1",
        # Messages
        "MsgSend": "from_address string 1, to_address string 2, amount *Coin 3",
        "Input": "address string 1, coins *Coin 2",
        "Output": "address string 1, coins *Coin 2",
        "MsgMultiSend": "inputs *Input 1, outputs *Output 2",
        "MsgDelegate": "delegator_address string 1, validator_address string 2, amount Coin 3",
        "MsgUndelegate": "delegator_address string 1, validator_address string 2, amount Coin 3",
        # State
        "Validator": "operator_address string 1, status int32 4, tokens string 5, "
        "delegator_shares string 6",
        "Delegation": "delegator_address string 1, validator_address string 2, shares string 3",
        "UnbondingDelegationEntry": "creation_height int64 1, completion_time Timestamp 2, "
        "initial_balance string 3, balance string 4",
        "UnbondingDelegation": "delegator_address string 1, validator_address string 2, "
        "entries *UnbondingDelegationEntry 3",
        "DVPair": "delegator_address string 1, validator_address string 2",
        "DVPairs": "pairs *DVPair 1",
        "BasicAllowance": "spend_limit *Coin 1, expiration Timestamp 2",
        "Grant": "granter string 1, grantee string 2, allowance Any 3",
    },
)

AnyMessage = _CLASSES["Any"]
Coin = _CLASSES["Coin"]
Timestamp = _CLASSES["Timestamp"]
TxBody = _CLASSES["TxBody"]
CompactBitArray = _CLASSES["CompactBitArray"]
ModeInfo = _CLASSES["ModeInfo"]
AuthInfo = _CLASSES["AuthInfo"]
LegacyAminoPubKey = _CLASSES["LegacyAminoPubKey"]
MultiSignature = _CLASSES["MultiSignature"]
MsgSend = _CLASSES["MsgSend"]
MsgMultiSend = _CLASSES["MsgMultiSend"]
MsgDelegate = _CLASSES["MsgDelegate"]
MsgUndelegate = _CLASSES["MsgUndelegate"]
Validator = _CLASSES["Validator"]
Delegation = _CLASSES["Delegation"]
UnbondingDelegation = _CLASSES["UnbondingDelegation"]
DVPairs = _CLASSES["DVPairs"]
BasicAllowance = _CLASSES["BasicAllowance"]
Grant = _CLASSES["Grant"]
