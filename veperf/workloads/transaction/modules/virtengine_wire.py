"""Protobuf messages of VirtEngine's own modules, as far as transactions touch them.

Field numbers and types are those of ``sdk/proto/node/virtengine`` (virtengine/virtengine, commit
4954b9cc): ``deployment/v1``, ``deployment/v1beta4``, ``market/v1``, ``market/v1beta5``,
``escrow/types/v1``, ``base/deposit/v1``, ``base/resources/v1beta4``, ``base/attributes/v1``,
``provider/v1beta4`` and ``veid/v1``. An enum is an int32 on the wire, a map a list of entries. The
amount of a ``DecCoin`` is a whole number of 1e-18, and a quantity its decimal digits.
"""

from veperf.workloads.transaction.protobuf import message_classes

_BID_ID = (
    "owner string 1, dseq uint64 2, gseq uint32 3, oseq uint32 4, provider string 5, bseq uint32 6"
)

_CLASSES = message_classes(
    "veperf.virtengine",
    {
        "Coin": "denom string 1, amount string 2",
        "DecCoin": "denom string 1, amount string 2",
        "Attribute": "key string 1, value string 2",
        # Resources and what is asked of providers
        "Value": "val bytes 1",
        "Units": "units Value 1, attributes *Attribute 2",
        "Memory": "quantity Value 1, attributes *Attribute 2",
        "Storage": "name string 1, quantity Value 2, attributes *Attribute 3",
        "Endpoint": "kind int32 1, sequence_number uint32 2",
        "Resources": "id uint32 1, cpu Units 2, memory Memory 3, storage *Storage 4, "
        "gpu Units 5, endpoints *Endpoint 6",
        "ResourceUnit": "resource Resources 1, count uint32 2, price DecCoin 3",
        "SignedBy": "all_of *string 1, any_of *string 2",
        "Requirements": "signed_by SignedBy 1, attributes *Attribute 2",
        "GroupSpec": "name string 1, requirements Requirements 2, resources *ResourceUnit 3",
        "ResourceOffer": "resources Resources 1, count uint32 2",
        # Messages of deployments and the market
        "Deposit": "amount Coin 1, sources *int32 5",
        "DeploymentID": "owner string 1, dseq uint64 2",
        "BidID": _BID_ID,
        "MsgCreateDeployment": "id DeploymentID 1, groups *GroupSpec 2, hash bytes 3, "
        "deposit Deposit 4",
        "MsgCloseDeployment": "id DeploymentID 1",
        "MsgCreateBid": "id BidID 1, price DecCoin 2, deposit Deposit 3, "
        "resources_offer *ResourceOffer 4",
        "MsgCloseBid": "id BidID 1, reason int32 2",
        "MsgCreateLease": "bid_id BidID 1",
        "MsgCloseLease": "id BidID 1, reason int32 2",
        # Messages of identities
        "Metadata": "key string 1, value string 2",
        "EncryptedPayloadEnvelope": "version uint32 1, algorithm_id string 2, "
        "algorithm_version uint32 3, recipient_key_ids *string 4, recipient_public_keys *bytes 5, "
        "encrypted_keys *bytes 6, nonce bytes 7, ciphertext bytes 8, sender_signature bytes 9, "
        "sender_pub_key bytes 10, metadata *Metadata 11",
        "MsgUploadScope": "sender string 1, scope_id string 2, scope_type int32 3, "
        "encrypted_payload EncryptedPayloadEnvelope 4, salt bytes 5, device_fingerprint string 6, "
        "client_id string 7, client_signature bytes 8, user_signature bytes 9, "
        "payload_hash bytes 10, capture_timestamp int64 11, geo_hint string 12",
        "MsgRequestVerification": "sender string 1, scope_id string 2",
        "MsgUpdateScore": "sender string 1, account_address string 2, new_score uint32 3, "
        "score_version string 4",
        # State
        "Deployment": "id DeploymentID 1, state int32 2, hash bytes 3, created_at int64 4",
        "GroupID": "owner string 1, dseq uint64 2, gseq uint32 3",
        "Group": "id GroupID 1, state int32 2, group_spec GroupSpec 3, created_at int64 4",
        "Provider": "owner string 1, host_uri string 2, attributes *Attribute 3",
        "Balance": "denom string 1, amount string 2",
        "Depositor": "owner string 1, height int64 2, source int32 3, balance DecCoin 4",
        "AccountState": "owner string 1, state int32 2, transferred *DecCoin 3, "
        "settled_at int64 4, funds *Balance 5, deposits *Depositor 6",
        "PaymentState": "owner string 1, state int32 2, rate DecCoin 3, balance DecCoin 4, "
        "unsettled DecCoin 5, withdrawn Coin 6",
    },
)

Coin = _CLASSES["Coin"]
Deposit = _CLASSES["Deposit"]
DeploymentID = _CLASSES["DeploymentID"]
MsgCreateDeployment = _CLASSES["MsgCreateDeployment"]
MsgCloseDeployment = _CLASSES["MsgCloseDeployment"]
MsgCreateBid = _CLASSES["MsgCreateBid"]
MsgCloseBid = _CLASSES["MsgCloseBid"]
MsgCreateLease = _CLASSES["MsgCreateLease"]
MsgCloseLease = _CLASSES["MsgCloseLease"]
EncryptedPayloadEnvelope = _CLASSES["EncryptedPayloadEnvelope"]
MsgUploadScope = _CLASSES["MsgUploadScope"]
MsgRequestVerification = _CLASSES["MsgRequestVerification"]
MsgUpdateScore = _CLASSES["MsgUpdateScore"]
Deployment = _CLASSES["Deployment"]
Group = _CLASSES["Group"]
Provider = _CLASSES["Provider"]
AccountState = _CLASSES["AccountState"]
PaymentState = _CLASSES["PaymentState"]
