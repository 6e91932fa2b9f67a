"""The verification suite: which pieces of identity verification are measured, and how."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np
from msgspec import Struct

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import Search
from veperf.core.registry import Apart, LoadTask, Task, benchmark
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.store import Store
from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope import (
    Envelope,
    check_envelope,
    decode_envelope,
    decrypt,
    encode_envelope,
    open_envelope,
    seal,
)
from veperf.workloads.verification.example_data import KIB, SCOPES, Evidence
from veperf.workloads.verification.features import (
    FeatureBuilder,
    extract,
    feature_hash,
    input_hash,
)
from veperf.workloads.verification.identity import (
    Status,
    create_record,
    decode_identity,
    encode_record,
    get_record,
    record_upload,
    require_record,
    set_status,
    update_score,
)
from veperf.workloads.verification.load import (
    CAPACITY,
    LoadedVerification,
    VerificationTarget,
    requests,
    settings,
)
from veperf.workloads.verification.parallel import Pool, verify_many
from veperf.workloads.verification.pipeline import (
    Moment,
    Request,
    Result,
    Verifier,
    open_scope,
    update,
    verify,
)
from veperf.workloads.verification.scope import DecryptedScope, ScopeMetadata
from veperf.workloads.verification.scoring import available_engines, load_engine

_ACCOUNTS = 10_000
_BATCH = 1_000
_PARALLEL_BATCH = 16
_PAYLOADS_KIB = (32, 1, 8, 128, 512, 2_048)
_SLOW_PAYLOADS = ("payload_kib=8", "payload_kib=512")  # the curve can do without in a hurry
_TREE_SIZES = (_ACCOUNTS, 1_000, 100_000)
_MODEL_HASH = bytes(32)
_HEIGHT = 2
_MOMENT = Moment(_HEIGHT, example_data.NOW_S)


def _verifier() -> Verifier:
    return Verifier(example_data.validator(0), example_data.CLIENTS, load_engine("exact"))


def _request(pieces: tuple[Evidence, ...], index: int = 0) -> Request:
    return Request(example_data.account(index), example_data.envelopes(pieces, index))


def _in_the_clear(pieces: tuple[Evidence, ...]) -> list[DecryptedScope]:
    metadata = ScopeMetadata(3_600)
    return [DecryptedScope(piece.type, example_data.payload(piece), metadata) for piece in pieces]


class _Disk:
    """A state of identities that is on disk, to which the same version is committed each time."""

    def __init__(self, accounts: int) -> None:
        self._folder = Path(mkdtemp(prefix="veperf-identities-"))
        self._store = Store(self._folder)
        self.tree = example_data.identities(accounts)
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

    Evidence of the same size each, in a state of 10,000 identities. The stages are of all scopes at
    a time, where the whole goes scope by scope, so as to hold one payload in the clear.
    """
    return _verification(example_data.evidence(scopes, payload_kib * KIB))


@benchmark("verification/latency_realistic", level=Level.INTEGRATION)
def latency_realistic() -> Task:
    """Verify one account by five scopes from 1 KiB to 2 MiB, committed to disk."""
    return _verification(example_data.REALISTIC)


class _Opened(Struct, frozen=True):
    envelopes: list[Envelope]
    scopes: list[DecryptedScope]


class _Extracted(Struct, frozen=True):
    envelopes: list[Envelope]
    builder: FeatureBuilder


class _Scored(Struct, frozen=True):
    envelopes: list[Envelope]
    score: int


class _Stages:
    """The stages of one verification, one after the other."""

    def __init__(self, request: Request, verifier: Verifier, disk: _Disk) -> None:
        self._request = request
        self._verifier = verifier
        self._disk = disk

    def decrypt(self, _: object) -> _Opened:
        envelopes = [decode_envelope(raw) for raw in self._request.envelopes]
        for envelope in envelopes:
            check_envelope(envelope, self._request.account, self._verifier.clients, _MOMENT.time_s)
        scopes = [open_scope(envelope, self._verifier.key, _MOMENT) for envelope in envelopes]
        return _Opened(envelopes, scopes)

    def extract(self, opened: _Opened) -> _Extracted:
        builder = FeatureBuilder()
        for scope in opened.scopes:
            builder.add(scope)
        return _Extracted(opened.envelopes, builder)

    def score(self, extracted: _Extracted) -> _Scored:
        features = extracted.builder.vector()
        input_hash(features)
        feature_hash(features)
        return _Scored(extracted.envelopes, self._verifier.engine.score(features).value)

    def update(self, scored: _Scored) -> bytes:
        tree = self._disk.tree.branch()
        state = Cache(tree)
        for envelope in scored.envelopes:
            record_upload(state, envelope.header, _HEIGHT)
        model_hash = self._verifier.engine.model_hash
        update(state, self._request.account, scored.score, model_hash, _MOMENT)
        state.write()
        return self._disk.commit(tree)


def _verification(pieces: tuple[Evidence, ...]) -> Task:
    request, verifier, disk = _request(pieces), _verifier(), _Disk(_ACCOUNTS)
    stages = _Stages(request, verifier, disk)

    def call() -> Result:
        tree = disk.tree.branch()
        state = Cache(tree)
        result = verify(state, request, verifier, _MOMENT)
        state.write()
        disk.commit(tree)
        return result

    return Task(
        call,
        close=disk.close,
        stages={
            "decrypt": stages.decrypt,
            "extract": stages.extract,
            "score": stages.score,
            "update": stages.update,
        },
    )


@benchmark(
    "verification/parallel",
    level=Level.INTEGRATION,
    params={"workers": (2, 1, 4)},
    slow=("workers=4",),
)
def parallel(workers: int) -> Task:
    """Verify 16 accounts, in several processes at once.

    The time is that of the clock on the wall: the processor works in several places.
    """
    requests = [_request(example_data.evidence(), index) for index in range(_PARALLEL_BATCH)]
    tree = Tree()
    pool = Pool(workers, settings())
    return Task(
        lambda: verify_many(pool, Cache(tree), requests, _MOMENT),
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

    By the validator to whom the data key is wrapped last.
    """
    raws = example_data.envelopes(
        example_data.evidence(SCOPES, payload_kib * KIB), validators=validators
    )
    key, account = example_data.validator(validators - 1), example_data.account(0)

    def call() -> list[bytearray]:
        return [
            open_envelope(raw, key, account, example_data.CLIENTS, example_data.NOW_S)
            for raw in raws
        ]

    return Task(call)


@benchmark("verification/decryption_only", level=Level.COMPONENT)
def decryption_only() -> Task:
    """Decrypt the payloads of three envelopes whose signatures have been verified."""
    envelopes = [decode_envelope(raw) for raw in example_data.envelopes(example_data.evidence())]
    key = example_data.validator(0)
    return Task(lambda: [decrypt(envelope, key) for envelope in envelopes])


@benchmark("verification/sealing", level=Level.COMPONENT)
def sealing() -> Task:
    """Seal one scope of 32 KiB to four validators, signed by client and user, as on a phone."""
    scope = example_data.scopes(example_data.evidence(1))[0]
    recipients = [example_data.validator(i).public_key for i in range(example_data.VALIDATORS)]

    def call() -> bytes:
        random = example_data.SeededBytes(b"sealing")
        envelope = seal(scope, example_data.user(0), example_data.CLIENT, recipients, random)
        return encode_envelope(envelope)

    return Task(call)


# ---------------------------------------------------------------- features and score


@benchmark("verification/extraction", level=Level.COMPONENT, params={"payload_kib": _PAYLOADS_KIB})
def extraction(payload_kib: int) -> Task:
    """Extract the 768 features from the payloads of three scopes."""
    scopes = _in_the_clear(example_data.evidence(SCOPES, payload_kib * KIB))
    return Task(lambda: extract(scopes).tobytes())


@benchmark(
    "verification/scoring",
    level=Level.COMPONENT,
    params={"engine": available_engines()},
    targets={"time": "verification/scoring"},
)
def scoring(engine: str) -> Task:
    """Score one vector of features with the model of 570,113 parameters."""
    loaded = load_engine(engine)
    features = extract(_in_the_clear(example_data.evidence()))
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
    features = np.tile(extract(_in_the_clear(example_data.evidence())), (rows, 1))
    return Task(partial(loaded.score_many, features), operations=rows, close=loaded.close)


@benchmark("verification/input_hash", level=Level.MICRO)
def hash_input() -> Task:
    """SHA-256 of the features at fixed precision, which validators compare."""
    return Task(partial(input_hash, extract(_in_the_clear(example_data.evidence()))))


@benchmark("verification/feature_hash", level=Level.MICRO)
def hash_features() -> Task:
    """SHA-256 of the features as they are, to the last bit."""
    return Task(partial(feature_hash, extract(_in_the_clear(example_data.evidence()))))


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

    Root hash and a synced LMDB transaction included, in the folder for temporary files: where that
    is memory, syncing costs nothing.
    """
    disk = _Disk(accounts)
    account = example_data.keyless_account(0)

    def call() -> bytes:
        tree = disk.tree.branch()
        state = Cache(tree)
        update(state, account, 90, _MODEL_HASH, _MOMENT)
        state.write()
        return disk.commit(tree)

    return Task(call, close=disk.close)


def _for_each(work: Callable[[Cache, bytes], object], first: int = 0) -> Task:
    """``work`` on a thousand accounts from number ``first`` on, the writes left in a cache."""
    tree = example_data.identities(_ACCOUNTS)
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
    return _for_each(lambda state, account: create_record(state, account, _HEIGHT), _ACCOUNTS)


@benchmark(
    "verification/identity_record_get",
    level=Level.COMPONENT,
    targets={"time": "verification/identity_record_get"},
)
def identity_record_get() -> Task:
    """Read and decode the record of one account of 10,000."""
    return _for_each(require_record)


@benchmark(
    "verification/score_update",
    level=Level.COMPONENT,
    targets={"time": "verification/score_update"},
)
def score_update() -> Task:
    """Give one account of 10,000 another score, from which its tier follows."""
    return _for_each(lambda state, account: update_score(state, account, 70, _MODEL_HASH, _HEIGHT))


@benchmark("verification/tier_transition", level=Level.COMPONENT)
def tier_transition() -> Task:
    """Let the verification of one account of 10,000 expire, which ends its tier."""
    return _for_each(lambda state, account: set_status(state, account, Status.EXPIRED, _HEIGHT))


def _full_record() -> bytes:
    """An encoded record with as much history as it keeps, and three scopes."""
    state = Cache(Tree())
    request = _request(example_data.evidence())
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

_STAGE_METRICS = tuple(Metric(f"cpu_{s}", "µs") for s in ("verify", "transport", "commit"))


def _loaded(rate: float | Search) -> LoadTask:
    @cache
    def genesis() -> Tree:
        """The state, for who needs it: who only sends requests does not."""
        return example_data.identities(_ACCOUNTS)

    return LoadTask(
        lambda items: LoadedVerification(genesis(), items),
        rate,
        apart=Apart(lambda: VerificationTarget(genesis()), requests, CAPACITY),
    )


@benchmark(
    "verification/load",
    level=Level.LOAD,
    params={"rate": (25, 10, 50, 100)},
    metrics=(Metric("achieved", "1/s", "higher"), *LATENCY_METRICS, *_STAGE_METRICS),
    targets={
        "latency_p95": "verification/latency_p95",
        "latency_p99": "verification/latency_p99",
    },
    slow=("rate=10", "rate=50", "rate=100"),
)
def load(rate: int) -> LoadTask:
    """Latency from arrival to commit, requests arriving at random (Poisson) at a fixed rate.

    Three scopes of 32 KiB each, verified in processes of their own, committed to disk. The targets
    of latency are judged at 25 a second, more than twice the published least of throughput.
    """
    return _loaded(rate)


@benchmark(
    "verification/throughput",
    level=Level.LOAD,
    metrics=(Metric("throughput", "1/s", "higher"),),
    targets={"throughput": "verification/throughput"},
    slow=("*",),
)
def throughput() -> LoadTask:
    """The highest rate of requests that is verified and committed within the latencies."""
    search = Search(
        latency_p95_ms=150, latency_p99_ms=250, error_percent=0.1, start=50, highest=2_000
    )
    return _loaded(search)
