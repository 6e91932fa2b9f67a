"""Deterministic examples of VirtEngine's own messages, by the example accounts.

Every example account is a provider and may be a tenant; what orders ask for is that of the example
market. Uploads come through one approved client, with evidence that nobody can open.
"""

from hashlib import sha256, shake_256

from msgspec.structs import replace

from veperf.workloads.market.example_data import offer, price, spec
from veperf.workloads.market.records import BidId
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.example_data import CHAIN, account_signer
from veperf.workloads.transaction.modules.example_data import (
    CLIENT,
    CLIENT_ID,
    example_address,
)
from veperf.workloads.transaction.modules.identity_messages import (
    Payload,
    RequestVerification,
    UpdateScore,
    UploadScope,
)
from veperf.workloads.transaction.modules.market import MINIMUM_DEPOSIT
from veperf.workloads.transaction.modules.market_messages import (
    UNSTABLE,
    CloseBid,
    CloseDeployment,
    CloseLease,
    CreateBid,
    CreateDeployment,
    CreateLease,
)
from veperf.workloads.verification.envelope.wire_format import UploadMetadata
from veperf.workloads.verification.scope import ScopeType

DEPOSIT = Coin(CHAIN.fee_denom, MINIMUM_DEPOSIT)
CIPHERTEXT_BYTES = 4_096
MODEL = "veperf-1"
_CAPTURED_AT_S = 1_000_000


def example_deployment(tenant: int, dseq: int = 1, shape: int = 0) -> CreateDeployment:
    """Return a deployment with one order, of one of sixteen shapes."""
    manifest_hash = sha256(b"manifest %d %d" % (tenant, dseq)).digest()
    return CreateDeployment(
        example_address(tenant), dseq, (spec(shape % 16),), manifest_hash, DEPOSIT
    )


def end_of_deployment(tenant: int, dseq: int = 1) -> CloseDeployment:
    """Return the end of a tenant's deployment."""
    return CloseDeployment(example_address(tenant), dseq)


def example_bid_id(tenant: int, provider: int, dseq: int = 1, oseq: int = 1) -> BidId:
    """Return the id of a provider's bid on an order of the only group of a deployment."""
    return BidId(example_address(tenant).text, dseq, 1, oseq, example_address(provider).text)


def example_bid(
    tenant: int, provider: int, dseq: int = 1, shape: int = 0, cents: int = 90
) -> CreateBid:
    """Return a bid on the first order of a tenant's deployment of this shape."""
    id = example_bid_id(tenant, provider, dseq)
    return CreateBid(example_address(provider), id, price(cents), DEPOSIT, offer(shape % 16))


def withdrawal(tenant: int, provider: int, dseq: int = 1) -> CloseBid:
    """Return the end of a bid, or of the lease that it became, by its provider."""
    return CloseBid(example_address(provider), example_bid_id(tenant, provider, dseq), UNSTABLE)


def acceptance(tenant: int, provider: int, dseq: int = 1) -> CreateLease:
    """Return a tenant's acceptance of a bid."""
    return CreateLease(example_address(tenant), example_bid_id(tenant, provider, dseq))


def end_of_lease(tenant: int, provider: int, dseq: int = 1) -> CloseLease:
    """Return the end of a lease by its tenant."""
    return CloseLease(example_address(tenant), example_bid_id(tenant, provider, dseq))


def example_upload(account: int, number: int = 0, size: int = CIPHERTEXT_BYTES) -> UploadScope:
    """Return an account's upload of ``size`` encrypted bytes, signed by the client and by it."""
    seed = b"upload %d %d" % (account, number)
    ciphertext = shake_256(seed).digest(size)
    upload = UploadMetadata(
        salt=sha256(seed).digest(),
        client_id=CLIENT_ID,
        device_fingerprint=f"device-{account}",
        captured_at_s=_CAPTURED_AT_S,
        payload_hash=sha256(ciphertext).digest(),
    )
    key = shake_256(b"key " + seed).digest(32)
    payload = Payload(
        recipients=("validator-0", "validator-1"),
        encrypted_keys=(key * 2, key * 2),
        nonce=key[:24],
        ciphertext=ciphertext,
        sender_key=key,
        sender_signature=key * 2,
    )
    types = tuple(ScopeType)
    unsigned = UploadScope(
        example_address(account),
        f"scope-{number}",
        types[number % len(types)],
        payload,
        upload,
        client_signature=b"",
        user_signature=b"",
    )
    approved = replace(unsigned, client_signature=CLIENT.sign(unsigned.client_document))
    signature = account_signer(account).sign(approved.user_document)
    return replace(approved, user_signature=signature)


def verification(account: int, number: int = 0) -> RequestVerification:
    """Return a request to verify an upload."""
    return RequestVerification(example_address(account), f"scope-{number}")


def example_score(validator: int, account: int, score: int) -> UpdateScore:
    """Return a score of an account by the validator that an example account operates."""
    return UpdateScore(example_address(validator), example_address(account), score, MODEL)
