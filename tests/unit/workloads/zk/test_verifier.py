"""A verifier accepts each answer once, whoever else asks and whatever dies; it says why not."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError, NewerFormatError, StorageError, UsageError
from veperf.workloads.zk import example_data, verifier
from veperf.workloads.zk.babyjubjub.curve import IDENTITY
from veperf.workloads.zk.babyjubjub.eddsa import SigningKey
from veperf.workloads.zk.circuits.claims import ClaimError
from veperf.workloads.zk.circuits.presentation import (
    Claims,
    Presentation,
    Request,
    holder_of,
    issue_credential,
    present,
)
from veperf.workloads.zk.curve.g1 import G1
from veperf.workloads.zk.curve.g2 import G2
from veperf.workloads.zk.groth16.keys import Proof, TestKeyError, VerifyingKey
from veperf.workloads.zk.verification import VALID, Refusal, Verification
from veperf.workloads.zk.verifier import Verifier

ISSUER = SigningKey(bytes(range(32)))
SCORE = Claims(score=80)
ONCE = Claims(score=80, nullifier=True)
PROOF = Proof(G1, G2, G1)
KEYS = {
    claims.circuit().name: VerifyingKey(G1, G2, G2, G2, (G1,) * (1 + claims.public_count()))
    for claims in (SCORE, ONCE)
}
NOW = 1_800_000_000


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(tmp_path: Path, clock: Clock) -> Verifier:
    return open_shop(tmp_path, clock)


def open_shop(folder: Path, clock: Any = None, name: str = "shop") -> Verifier:
    return Verifier(
        name,
        folder / "shop.db",
        issuers=[ISSUER.public_key],
        keys=KEYS,
        allow_test_keys=True,
        clock=clock or Clock(),
    )


@pytest.fixture
def valid_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any proof passes: the tests that ask for this are about what is beside it."""
    monkeypatch.setattr(verifier, "verify", lambda *_: VALID)


def answer(request: Request, **changes: Any) -> Presentation:
    nullifier = 5 if request.claims.nullifier else None
    made = Presentation(
        nonce=request.nonce,
        issuer=ISSUER.public_key,
        commitment=1,
        nullifier=nullifier,
        proof=PROOF,
    )
    return replace(made, **changes)


@pytest.mark.usefixtures("valid_proofs")
def test_an_answer_is_accepted_once(shop: Verifier) -> None:
    """And so is that to the next request."""
    for _ in range(2):
        request = shop.ask(SCORE)
        first, second = shop.accept(answer(request)), shop.accept(answer(request))
        assert (first, second) == (VALID, Verification(Refusal.USED_NONCE))
        assert bool(first)
        assert not second
        assert ("valid", "the nonce was used before") == (str(first), str(second))


@pytest.mark.usefixtures("valid_proofs")
def test_every_refusal_has_its_reason(shop: Verifier, clock: Clock, tmp_path: Path) -> None:
    """Typed, and a refused answer leaves the request open."""
    request = shop.ask(ONCE)
    bank = open_shop(tmp_path, name="bank")
    refused = {
        Refusal.UNKNOWN_NONCE: answer(request, nonce=bytes(32)),
        Refusal.UNKNOWN_ISSUER: answer(request, issuer=SigningKey(bytes(32)).public_key),
        Refusal.NULLIFIER: answer(request, nullifier=None),
    }
    assert refused.keys() == {shop.accept(given).reason for given in refused.values()}
    assert Refusal.UNKNOWN_NONCE is bank.accept(answer(request)).reason
    assert Refusal.NULLIFIER is shop.accept(answer(shop.ask(SCORE), nullifier=5)).reason

    assert shop.accept(answer(request))
    assert Refusal.USED_NULLIFIER is shop.accept(answer(again := shop.ask(ONCE))).reason
    assert shop.accept(answer(again, nullifier=6))
    late = shop.ask(SCORE, lifetime_s=10)
    clock.now += 10
    assert shop.accept(answer(late))
    late = shop.ask(SCORE, lifetime_s=10)
    clock.now += 11
    assert Refusal.EXPIRED is shop.accept(answer(late)).reason


def test_proofs_are_verified(shop: Verifier) -> None:
    """One that shows nothing is refused by its equation, one of other points by these."""
    request = shop.ask(SCORE)
    off_curve = Proof(G1, G2, (1, 1))

    assert Refusal.EQUATION is shop.accept(answer(request)).reason
    assert Refusal.POINT is shop.accept(answer(request, proof=off_curve)).reason
    assert Refusal.INPUT_RANGE is shop.accept(answer(request, commitment=-1)).reason


@pytest.mark.usefixtures("valid_proofs")
def test_what_was_kept_survives(tmp_path: Path, clock: Clock) -> None:
    """Another object, another process: nonces and nullifiers are those of the file."""
    first = open_shop(tmp_path, clock)
    used, still_open = first.ask(ONCE), first.ask(SCORE)
    assert first.accept(answer(used))
    second = open_shop(tmp_path, clock)

    assert Refusal.USED_NONCE is second.accept(answer(used)).reason
    assert Refusal.USED_NULLIFIER is second.accept(answer(second.ask(ONCE))).reason
    assert second.accept(answer(still_open))


@pytest.mark.usefixtures("valid_proofs")
def test_expired_requests_are_forgotten_after_a_day(shop: Verifier, clock: Clock) -> None:
    """Nullifiers never are."""
    old = shop.ask(ONCE)
    assert shop.accept(answer(old))
    clock.now += 100_000
    new = shop.ask(ONCE)

    assert Refusal.UNKNOWN_NONCE is shop.accept(answer(old)).reason
    assert Refusal.USED_NULLIFIER is shop.accept(answer(new)).reason


@pytest.mark.usefixtures("valid_proofs")
def test_of_many_threads_one_is_accepted(tmp_path: Path) -> None:
    """With verifiers of their own on one file, for one nonce and for one nullifier."""
    shops = [open_shop(tmp_path) for _ in range(8)]
    request = shops[0].ask(SCORE)
    requests = [shop.ask(ONCE) for shop in shops]
    with ThreadPoolExecutor(len(shops)) as pool:
        same_nonce = list(pool.map(lambda shop: shop.accept(answer(request)), shops))
        same_holder = list(
            pool.map(
                lambda pair: pair[0].accept(answer(pair[1])), zip(shops, requests, strict=True)
            )
        )

    assert 1 == sum(map(bool, same_nonce)) == sum(map(bool, same_holder))
    assert {None, Refusal.USED_NONCE} == {result.reason for result in same_nonce}
    assert {None, Refusal.USED_NULLIFIER} == {result.reason for result in same_holder}


_ASKING = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_verifier as t
from veperf.workloads.zk import verifier
verifier.verify = lambda *_: t.VALID
print("ready", flush=True)
nonce = bytes.fromhex(sys.stdin.readline())
shop = t.open_shop(Path({folder!r}))
shared = t.Request(verifier="shop", nonce=nonce, expires=t.NOW, claims=t.SCORE)
for request in (shared, shop.ask(t.ONCE)):
    print(repr(shop.accept(t.answer(request)).reason))
"""


def test_of_several_processes_one_is_accepted(tmp_path: Path) -> None:
    """They start at once, with one request of a process before them, and are one holder's."""
    code = _ASKING.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
    nonce = open_shop(tmp_path).ask(SCORE).nonce.hex()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{nonce}\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120)[0].splitlines() for process in processes]
    for results, refusal in zip(
        zip(*answers, strict=True), (Refusal.USED_NONCE, Refusal.USED_NULLIFIER), strict=True
    ):
        assert sorted(["None", *[repr(refusal)] * 2]) == sorted(results)


_DYING = """
import os, signal, sqlite3, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_verifier as t
from veperf.workloads.zk import verifier
verifier.verify = lambda *_: t.VALID
shop = t.open_shop(Path({folder!r}))
request = shop.ask(t.SCORE)
print(request.nonce.hex(), flush=True)
if {at}:
    class Dying(sqlite3.Connection):
        def execute(self, sql, *arguments):
            if sql.startswith({at}):
                os.kill(os.getpid(), signal.SIGKILL)
            return super().execute(sql, *arguments)
    connect = sqlite3.connect
    sqlite3.connect = lambda *a, **k: connect(*a, factory=Dying, **k)
shop.accept(t.answer(request))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.usefixtures("valid_proofs")
@pytest.mark.parametrize("at", ["UPDATE", "COMMIT", ""])
def test_a_killed_verifier_accepts_nothing_twice(tmp_path: Path, at: str) -> None:
    """Killed before its answer is on disk, the request is open; after it, the nonce is used."""
    code = _DYING.format(tests=str(Path(__file__).parent), folder=str(tmp_path), at=repr(at))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert -signal.SIGKILL == done.returncode, done.stderr
    given = Presentation(
        nonce=bytes.fromhex(done.stdout),
        issuer=ISSUER.public_key,
        commitment=1,
        nullifier=None,
        proof=PROOF,
    )
    results = [open_shop(tmp_path).accept(given).reason for _ in range(2)]

    assert [None if at else Refusal.USED_NONCE, Refusal.USED_NONCE] == results


@pytest.mark.usefixtures("valid_proofs")
def test_a_clock_that_goes_back_accepts_nothing_twice(shop: Verifier, clock: Clock) -> None:
    """Nor what was forgotten while it was ahead."""
    used, still_open = shop.ask(SCORE), shop.ask(SCORE)
    assert shop.accept(answer(used))
    clock.now -= 1_000_000
    assert Refusal.USED_NONCE is shop.accept(answer(used)).reason
    clock.now += 2_000_000
    shop.ask(SCORE)
    clock.now = NOW

    for request in (used, still_open):
        assert Refusal.UNKNOWN_NONCE is shop.accept(answer(request)).reason


def test_a_locked_file_is_told(
    shop: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a typed error, by which nothing is accepted."""
    monkeypatch.setattr(verifier, "_LOCK_TIMEOUT_S", 0)
    request = shop.ask(SCORE)
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for use in (lambda: shop.ask(SCORE), lambda: shop.accept(answer(request))):
            with pytest.raises(StorageError, match=r"shop\.db.*locked"):
                use()


def test_a_file_that_was_removed_is_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its nullifiers would be forgotten; and another working folder makes no other file."""
    monkeypatch.chdir(tmp_path)
    shop = open_shop(Path())
    monkeypatch.chdir("/")
    request = shop.ask(SCORE)
    (tmp_path / "shop.db").unlink()
    for use in (lambda: shop.ask(SCORE), lambda: shop.accept(answer(request))):
        with pytest.raises(StorageError, match=r"shop\.db"):
            use()

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["shop?mode=memory.db", "50%25 #1.db"])
def test_any_name_of_a_file_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    """SQLite's URIs give some characters a meaning; names have none."""
    Verifier("shop", tmp_path / name, issuers=[], keys={})

    assert [name] == [file.name for file in tmp_path.iterdir()]


def test_files_that_are_none_of_a_verifier_are_refused(tmp_path: Path) -> None:
    """Links, folders, text, other databases, later versions; none of them is changed."""
    file = tmp_path / "shop.db"
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptFileError, match="link"):
        open_shop(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
    file.unlink()
    file.mkdir()
    with pytest.raises(CorruptFileError, match="folder"):
        open_shop(tmp_path)
    file.rmdir()
    file.write_bytes(text := b"something else, longer than a header of SQLite's\n" * 40)
    with pytest.raises(CorruptFileError, match="not a database"):
        open_shop(tmp_path)
    assert text == file.read_bytes()
    file.unlink()
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE other (x)")
    with pytest.raises(CorruptFileError, match="another application"):
        open_shop(tmp_path)
    database.close()
    file.unlink()
    open_shop(tmp_path)
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(NewerFormatError, match="version 2"):
        open_shop(tmp_path)


def test_a_file_is_its_owners(shop: Verifier, tmp_path: Path) -> None:
    """Nobody else reads who was asked for what."""
    shop.ask(SCORE)

    assert 0o600 == (tmp_path / "shop.db").stat().st_mode & 0o777


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """By a typed error with the file's name."""
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match=r"shop\.db"):
        open_shop(tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """By a typed error with the file's name."""
    with pytest.raises(StorageError, match=r"shop\.db"):
        open_shop(tmp_path / "missing")


def test_senseless_verifiers_are_refused(shop: Verifier, tmp_path: Path) -> None:
    """Issuers under whose key anybody signs, or that are no points; claims without a key."""
    for key in (IDENTITY, (1, 1)):
        with pytest.raises(UsageError, match="issuer"):
            Verifier("shop", tmp_path / "other.db", issuers=[key], keys={})
    with pytest.raises(UsageError, match="presentation-age"):
        shop.ask(Claims(years=18, today=date(2026, 1, 15)))
    with pytest.raises(ClaimError, match="name"):
        Verifier(5, tmp_path / "other.db", issuers=[], keys={})  # type: ignore[arg-type]
    with pytest.raises(TestKeyError, match="test key"):
        Verifier("shop", tmp_path / "other.db", issuers=[], keys=KEYS)
    assert not (tmp_path / "other.db").exists()


def test_a_key_of_another_circuit_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    """Otherwise each holder would be told that the proof has too few inputs."""
    keys = {ONCE.circuit().name: KEYS[SCORE.circuit().name]}
    shop = Verifier("shop", tmp_path / "shop.db", issuers=[], keys=keys, allow_test_keys=True)

    with pytest.raises(UsageError, match="7 public inputs, the circuit 8"):
        shop.ask(ONCE)


@pytest.mark.parametrize("lifetime", [0, -1, 0.5, "5", None, True, 1 << 40])
def test_requests_that_nobody_could_answer_are_not_made(shop: Verifier, lifetime: Any) -> None:
    """Without any time, or with one that is no whole number; nothing of them is kept."""
    with pytest.raises((UsageError, ClaimError, ValueError)):
        shop.ask(SCORE, lifetime)


@pytest.mark.slow
def test_a_holder_answers_a_verifier(tmp_path: Path) -> None:
    """With real keys and proofs, sent as JSON: accepted once, by that verifier."""
    compiled = ONCE.circuit().compile()
    prover = example_data.make_prover(compiled.r1cs)
    key = prover.key.verifying_key
    shop, bank = (
        Verifier(
            name,
            tmp_path / f"{name}.db",
            issuers=[ISSUER.public_key],
            keys={compiled.name: key},
            allow_test_keys=True,
            clock=Clock(),
        )
        for name in ("shop", "bank")
    )
    issued = issue_credential(ISSUER, example_data.CREDENTIAL, holder_of(42), NOW + 1000)
    request = shop.ask(ONCE)
    sent = present(prover, compiled, issued, 42, request).to_json()

    assert Refusal.UNKNOWN_NONCE is bank.accept(Presentation.from_json(sent)).reason
    assert shop.accept(Presentation.from_json(sent))
    assert Refusal.USED_NONCE is shop.accept(Presentation.from_json(sent)).reason
    again = present(prover, compiled, issued, 42, shop.ask(ONCE))
    assert Refusal.USED_NULLIFIER is shop.accept(again).reason


@pytest.mark.slow
def test_the_example_of_the_docs_works(tmp_path: Path) -> None:
    """The block of docs/zk.md prints what it says."""
    text = (Path(__file__).parents[4] / "docs" / "zk.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text.partition("## Credentials")[2], re.DOTALL)[:1]
    expected = re.findall(r"print\(.*?\)  # (.*)", code)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert expected == done.stdout.splitlines()
    assert ["valid", "the nonce was used before"] == expected
