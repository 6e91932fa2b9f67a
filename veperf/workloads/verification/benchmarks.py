"""The benchmarks of the verification suite."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import GENERATOR, Search
from veperf.core.registry import LoadTask, Task, benchmark
from veperf.core.remote_load import RemoteLoad
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.tree_store import Store
from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope.sealing import (
    check_envelope,
    decrypt_envelope,
    open_envelope,
    seal_envelope,
)
from veperf.workloads.verification.envelope.wire_format import (
    Envelope,
    decode_envelope,
    encode_envelope,
)
from veperf.workloads.verification.example_data import KIB, SCOPES, EvidenceSpec
from veperf.workloads.verification.features.builder import FeatureBuilder, extract_features
from veperf.workloads.verification.features.vector import feature_hash, input_hash
from veperf.workloads.verification.identity.keeper import (
    create_record,
    get_record,
    record_upload,
    require_record,
    set_status,
    update_score,
)
from veperf.workloads.verification.identity.record import Status, decode_identity, encode_record
from veperf.workloads.verification.load import (
    CAPACITY,
    VerificationSystem,
    VerificationTarget,
    encoded_requests,
    example_verifier_settings,
)
from veperf.workloads.verification.parallel.pool import IdentityVerifierPool, verify_many
from veperf.workloads.verification.pipeline import (
    BlockInfo,
    IdentityVerifier,
    VerificationRequest,
    VerificationResult,
    decrypt_scope,
    update_identity,
    verify_identity,
)
from veperf.workloads.verification.scope import DecryptedScope, ScopeMetadata
from veperf.workloads.verification.scoring.registry import available_engines, load_engine

_ACCOUNTS = 10_000
_BATCH = 1_000
_PARALLEL_BATCH = 16
_PAYLOADS_KIB = (32, 1, 8, 128, 512, 2_048)
_SLOW_PAYLOADS = (
    "payload_kib=8",
    "payload_kib=512",
)  # the curve is drawn without them in a quick run
_TREE_SIZES = (_ACCOUNTS, 1_000, 100_000)
_MODEL_HASH = bytes(32)
_HEIGHT = 2
_BLOCK = BlockInfo(_HEIGHT, example_data.NOW_S)


# Made once a process: every benchmark leaves them unchanged, and takes branches of trees.
_make_envelopes = cache(example_data.example_envelopes)
_payload = cache(example_data.evidence_payload)


def _envelopes(
    pieces: tuple[EvidenceSpec, ...], index: int = 0, validators: int = example_data.VALIDATORS
) -> tuple[bytes, ...]:
    return _make_envelopes(pieces, index, validators)


@cache
def _unsaved_identities(accounts: int) -> Tree:
    return example_data.identity_tree(accounts)


def _verifier() -> IdentityVerifier:
    return IdentityVerifier(
        example_data.validator_key(0), example_data.CLIENTS, load_engine("exact")
    )


def _request(pieces: tuple[EvidenceSpec, ...], index: int = 0) -> VerificationRequest:
    return VerificationRequest(example_data.account_address(index), _envelopes(pieces, index))


def _decrypted_scopes(pieces: tuple[EvidenceSpec, ...]) -> list[DecryptedScope]:
    metadata = ScopeMetadata(3_600)
    return [DecryptedScope(piece.type, _payload(piece), metadata) for piece in pieces]


class _IdentityStore:
    """A state of identities on disk, to which the same version is committed each time."""

    def __init__(self, accounts: int) -> None:
        self._folder = Path(mkdtemp(prefix="veperf-identities-"))
        self._store = Store(self._folder)
        self.tree = _unsaved_identities(accounts).branch()
        self._store.commit(self.tree)

    def commit(self, tree: Tree) -> bytes:
        root_hash, _ = self._store.commit(tree)
        return root_hash

    def close(self) -> None:
        self._store.close()
        rmtree(self._folder)


# ---------------------------------------------------------------- a whole verification


@benchmark(
    "verification/latency",
    level=Level.INTEGRATION,
    params={"scopes": (SCOPES, 1, 2, 5, 10), "payload_kib": _PAYLOADS_KIB},
    targets={"time": "verification/latency", "memory_peak": "memory/per_verification"},
    slow=("scopes=2", *_SLOW_PAYLOADS),
)
def latency(scopes: int, payload_kib: int) -> Task:
    """Verify one account: decrypt, extract, score, update, committed to disk.

    Scopes of equal size, in a state of 10,000 identities. Each stage takes all scopes at once; the
    whole verification goes scope by scope, to hold one payload in the clear at a time.
    """
    return _verification(example_data.evidence_specs(scopes, payload_kib * KIB))


@benchmark("verification/latency_realistic", level=Level.INTEGRATION)
def latency_realistic() -> Task:
    """Verify one account by five scopes from 1 KiB to 2 MiB, committed to disk."""
    return _verification(example_data.REALISTIC)


def _verification(pieces: tuple[EvidenceSpec, ...]) -> Task:
    request, verifier, store = _request(pieces), _verifier(), _IdentityStore(_ACCOUNTS)

    def decrypt(_: object) -> tuple[list[Envelope], list[DecryptedScope]]:
        envelopes = [decode_envelope(raw) for raw in request.envelopes]
        for envelope in envelopes:
            check_envelope(envelope, request.account, verifier.clients, _BLOCK.time_s)
        return envelopes, [decrypt_scope(envelope, verifier.key, _BLOCK) for envelope in envelopes]

    def extract(
        decrypted: tuple[list[Envelope], list[DecryptedScope]],
    ) -> tuple[list[Envelope], FeatureBuilder]:
        envelopes, scopes = decrypted
        builder = FeatureBuilder()
        for scope in scopes:
            builder.add(scope)
        return envelopes, builder

    def score(extracted: tuple[list[Envelope], FeatureBuilder]) -> tuple[list[Envelope], int]:
        envelopes, builder = extracted
        features = builder.vector()
        input_hash(features)
        feature_hash(features)
        return envelopes, verifier.engine.score(features).value

    def update(scored: tuple[list[Envelope], int]) -> bytes:
        envelopes, value = scored
        tree = store.tree.branch()
        state = Cache(tree)
        for envelope in envelopes:
            record_upload(state, envelope.header, _HEIGHT)
        update_identity(state, request.account, value, verifier.engine.model_hash, _BLOCK)
        state.write()
        return store.commit(tree)

    def call() -> VerificationResult:
        tree = store.tree.branch()
        state = Cache(tree)
        result = verify_identity(state, request, verifier, _BLOCK)
        state.write()
        store.commit(tree)
        return result

    stages = {"decrypt": decrypt, "extract": extract, "score": score, "update": update}
    return Task(call, close=store.close, stages=stages)


@benchmark(
    "verification/parallel",
    level=Level.INTEGRATION,
    params={"workers": (2, 1, 4)},
    slow=("workers=4",),
)
def parallel(workers: int) -> Task:
    """Verify 16 accounts, in several processes at once.

    The time is wall time, since several processors work at once.
    """
    requests = [_request(example_data.evidence_specs(), index) for index in range(_PARALLEL_BATCH)]
    tree = Tree()
    pool = IdentityVerifierPool(workers, example_verifier_settings())
    return Task(
        lambda: verify_many(pool, Cache(tree), requests, _BLOCK),
        operations=_PARALLEL_BATCH,
        close=pool.close,
    )


# ---------------------------------------------------------------- envelopes


@benchmark(
    "verification/decryption",
    level=Level.COMPONENT,
    params={"payload_kib": _PAYLOADS_KIB, "validators": (example_data.VALIDATORS, 1, 100)},
    targets={"time": "verification/decryption"},
    slow=_SLOW_PAYLOADS,
)
def decryption(payload_kib: int, validators: int) -> Task:
    """Open the envelopes of three scopes: decode, verify both signatures, decrypt.

    As the validator whose wrapped data key comes last.
    """
    raws = _envelopes(example_data.evidence_specs(SCOPES, payload_kib * KIB), validators=validators)
    key, account = example_data.validator_key(validators - 1), example_data.account_address(0)

    def call() -> list[bytearray]:
        return [
            open_envelope(raw, key, account, example_data.CLIENTS, example_data.NOW_S)
            for raw in raws
        ]

    return Task(call)


@benchmark("verification/decryption_only", level=Level.COMPONENT)
def decryption_only() -> Task:
    """Decrypt the payloads of three envelopes whose signatures have been verified."""
    envelopes = [decode_envelope(raw) for raw in _envelopes(example_data.evidence_specs())]
    key = example_data.validator_key(0)
    return Task(lambda: [decrypt_envelope(envelope, key) for envelope in envelopes])


@benchmark("verification/sealing", level=Level.COMPONENT)
def sealing() -> Task:
    """Seal one scope of 32 KiB to four validators, signed by client and user, as on a phone."""
    scope = example_data.example_scopes(example_data.evidence_specs(1))[0]
    recipients = [example_data.validator_key(i).public_key for i in range(example_data.VALIDATORS)]

    def call() -> bytes:
        random = example_data.SeededBytes(b"sealing")
        envelope = seal_envelope(
            scope, example_data.user_key(0), example_data.CLIENT, recipients, random
        )
        return encode_envelope(envelope)

    return Task(call)


# ---------------------------------------------------------------- features and score


@benchmark("verification/extraction", level=Level.COMPONENT, params={"payload_kib": _PAYLOADS_KIB})
def extraction(payload_kib: int) -> Task:
    """Extract the 768 features from the payloads of three scopes."""
    scopes = _decrypted_scopes(example_data.evidence_specs(SCOPES, payload_kib * KIB))
    return Task(lambda: extract_features(scopes).tobytes())


@benchmark(
    "verification/scoring",
    level=Level.COMPONENT,
    params={"engine": available_engines()},
    targets={"time": "verification/scoring"},
)
def scoring(engine: str) -> Task:
    """Score one vector of features with the model of 570,113 parameters."""
    loaded = load_engine(engine)
    features = extract_features(_decrypted_scopes(example_data.evidence_specs()))
    return Task(partial(loaded.score, features), close=loaded.close)


@benchmark(
    "verification/scoring_batch",
    level=Level.COMPONENT,
    params={"engine": available_engines(), "rows": (64, 8, 1_024)},
    multithreaded=True,
)
def scoring_batch(engine: str, rows: int) -> Task:
    """Score many vectors at once; the time is that of one."""
    loaded = load_engine(engine)
    features = np.tile(
        extract_features(_decrypted_scopes(example_data.evidence_specs())), (rows, 1)
    )
    return Task(partial(loaded.score_many, features), operations=rows, close=loaded.close)


@benchmark("verification/input_hash", level=Level.MICRO)
def hash_input() -> Task:
    """Compute SHA-256 of the features in fixed point, which validators compare."""
    return Task(
        partial(input_hash, extract_features(_decrypted_scopes(example_data.evidence_specs())))
    )


@benchmark("verification/feature_hash", level=Level.MICRO)
def hash_features() -> Task:
    """Compute SHA-256 of the features as float32, to the last bit."""
    return Task(
        partial(feature_hash, extract_features(_decrypted_scopes(example_data.evidence_specs())))
    )


# ---------------------------------------------------------------- identity records


@benchmark(
    "verification/state_update",
    level=Level.COMPONENT,
    params={"accounts": _TREE_SIZES},
    targets={"time": "verification/state_update"},
    slow=("accounts=100000",),
)
def state_update(accounts: int) -> Task:
    """Update one identity's score, status and tier, and commit to disk.

    Root hash and a synced LMDB transaction included, in the folder for temporary files; if that is
    in memory, syncing costs nothing.
    """
    store = _IdentityStore(accounts)
    account = example_data.keyless_account(0)

    def call() -> bytes:
        tree = store.tree.branch()
        state = Cache(tree)
        update_identity(state, account, 90, _MODEL_HASH, _BLOCK)
        state.write()
        return store.commit(tree)

    return Task(call, close=store.close)


def _for_each_account(work: Callable[[Cache, bytes], object], first: int = 0) -> Task:
    """Return a task of ``work`` on 1,000 accounts from ``first`` on; writes stay in a cache."""
    tree = _unsaved_identities(_ACCOUNTS).branch()
    tree.save_version()
    accounts = [example_data.keyless_account(i) for i in range(first, first + _BATCH)]

    def call() -> None:
        state = Cache(tree)
        for account in accounts:
            work(state, account)

    return Task(call, operations=_BATCH)


@benchmark(
    "verification/identity_record_create",
    level=Level.COMPONENT,
    targets={"time": "verification/identity_record_create"},
)
def identity_record_create() -> Task:
    """Create the record of an account that has none, in a state of 10,000."""
    return _for_each_account(
        lambda state, account: create_record(state, account, _HEIGHT), _ACCOUNTS
    )


@benchmark(
    "verification/identity_record_get",
    level=Level.COMPONENT,
    targets={"time": "verification/identity_record_get"},
)
def identity_record_get() -> Task:
    """Read and decode the record of one account of 10,000."""
    return _for_each_account(require_record)


@benchmark(
    "verification/score_update",
    level=Level.COMPONENT,
    targets={"time": "verification/score_update"},
)
def score_update() -> Task:
    """Give one account of 10,000 another score, from which its tier follows."""
    return _for_each_account(
        lambda state, account: update_score(state, account, 70, _MODEL_HASH, _HEIGHT)
    )


@benchmark("verification/tier_transition", level=Level.COMPONENT)
def tier_transition() -> Task:
    """Let the verification of one account of 10,000 expire, which ends its tier."""
    return _for_each_account(
        lambda state, account: set_status(state, account, Status.EXPIRED, _HEIGHT)
    )


def _full_record() -> bytes:
    """Return an encoded record with the longest history and three scopes."""
    state = Cache(Tree())
    request = _request(example_data.evidence_specs())
    for raw in request.envelopes:
        record_upload(state, decode_envelope(raw).header, _HEIGHT)
    for score in range(60, 70):
        update_score(state, request.account, score, _MODEL_HASH, _HEIGHT)
    record = get_record(state, request.account)
    assert record is not None
    return encode_record(record)


@benchmark("verification/record_encode", level=Level.MICRO)
def record_encode() -> Task:
    """Encode an identity's record, of three scopes and eight scores."""
    return Task(partial(encode_record, decode_identity(_full_record())))


@benchmark("verification/record_decode", level=Level.MICRO)
def record_decode() -> Task:
    """Decode an identity's record, of three scopes and eight scores, and check that it is sound."""
    return Task(partial(decode_identity, _full_record()))


# ---------------------------------------------------------------- under load

_STAGE_METRICS = tuple(
    Metric(f"cpu_{s}", "µs") for s in (GENERATOR, "verify", "transport", "commit")
)


def _load_task(rate: float | Search) -> LoadTask:
    @cache
    def genesis() -> Tree:
        """Make the state when it is needed; a process that only sends requests needs none."""
        return example_data.identity_tree(_ACCOUNTS)

    return LoadTask(
        lambda items: VerificationSystem(genesis(), items),
        rate,
        remote=RemoteLoad(lambda: VerificationTarget(genesis()), encoded_requests, CAPACITY),
    )


@benchmark(
    "verification/load",
    level=Level.LOAD,
    params={"rate": (50, 10, 25, 100)},
    metrics=(Metric("achieved", "1/s", "higher"), *LATENCY_METRICS, *_STAGE_METRICS),
    targets={
        "latency_p95": "verification/latency_p95",
        "latency_p99": "verification/latency_p99",
    },
    slow=("rate=10", "rate=25", "rate=100"),
)
def load(rate: int) -> LoadTask:
    """Verify requests that arrive at random (Poisson) at a fixed rate; latency is until commit.

    Three scopes of 32 KiB each, verified in child processes, committed to disk. The targets of
    latency are judged at 50 a second, five times the published minimum throughput.
    """
    return _load_task(rate)


@benchmark(
    "verification/throughput",
    level=Level.LOAD,
    metrics=(Metric("throughput", "1/s", "higher"), Metric("capacity", "1/s", "higher")),
    targets={"throughput": "verification/throughput"},
)
def throughput() -> LoadTask:
    """Find the highest rate at which requests are verified and committed within the limits."""
    search = Search(
        latency_p95_ms=150,
        latency_p99_ms=250,
        error_percent=0.1,
        start=50,
        highest=2_000,
        published=(10,),
    )
    return _load_task(search)
