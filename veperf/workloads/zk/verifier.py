"""A verifier of presentations: asks, keeps what it asked, and accepts each answer once.

Requests and nullifiers are kept in a SQLite file. An answer is accepted by one transaction, on disk
before the caller learns of it: of any number of threads and processes with the same answer one gets
it accepted, and after a crash it either was, and is refused, or was not, and can be given again.
"""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from time import time
from urllib.parse import quote

import msgspec

from veperf.core.errors import CorruptFileError, NewerFormatError, StorageError, UsageError
from veperf.workloads.zk.babyjubjub.curve import BabyPoint, baby_point, is_low_order
from veperf.workloads.zk.circuits.claims import check_text, check_type
from veperf.workloads.zk.circuits.hashing import new_nonce
from veperf.workloads.zk.circuits.presentation import Claims, Presentation, Request
from veperf.workloads.zk.field import PointError
from veperf.workloads.zk.groth16.keys import VerifyingKey
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.verification import VALID, Refusal, Verification

LIFETIME_S = 300
_KEPT_S = 86_400
"""Seconds for which a request is kept after it expired, so that the reason can be told."""
_LOCK_TIMEOUT_S = 30
_APPLICATION_ID = 0x5650_5A4B  # "VPZK"
_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS requests (
    nonce BLOB PRIMARY KEY, request BLOB NOT NULL, expires INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS expiries ON requests (expires);
CREATE TABLE IF NOT EXISTS nullifiers (nullifier TEXT PRIMARY KEY) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
COMMIT;
"""


class Verifier:
    """Asks holders for proofs; any number of verifiers, in any processes, can share a file.

    The answers are about requests that were made under the same name and file.
    """

    def __init__(
        self,
        name: str,
        file: Path,
        *,
        issuers: Iterable[BabyPoint],
        keys: Mapping[str, VerifyingKey],
        allow_test_keys: bool = False,
        clock: Callable[[], float] = time,
    ) -> None:
        """Open or create the file.

        Args:
            name: The verifier's name; a presentation for another one is refused.
            file: Where requests and nullifiers are kept, readable to its owner alone.
            issuers: Public keys of the issuers that are trusted.
            keys: Verifying keys by the names of circuits (``Claims.circuit``).
            allow_test_keys: Accept keys under which anybody can forge proofs.
            clock: The time in seconds since 1970.

        Raises:
            ClaimError: the name is no text.
            UsageError: an issuer's key is no point of the curve, or of low order.
            TestKeyError: a key is a test key, and these are not allowed.
            CorruptFileError: the file is a link, or another kind of file.
            NewerFormatError: a later version wrote it.
            StorageError: it can't be written.
        """
        check_text("the name of a verifier", name)
        self.name = name
        # What happens to the process's folder later is none of its business.
        self._file = file.absolute()
        self._issuers = frozenset(_issuer(*key) for key in issuers)
        self._keys = dict(keys)
        for key in self._keys.values():
            key.require_secret(allow_test_keys=allow_test_keys)
        self._clock = clock
        self._create()

    def ask(self, claims: Claims, lifetime_s: int = LIFETIME_S) -> Request:
        """Return a new request, with a nonce of its own; it is kept until a day after it expires.

        Raises:
            ClaimError: the lifetime is no integer.
            UsageError: there is no key for these claims, or that of another circuit; or a request
                would expire before it is answered.
            StorageError: the request can't be kept.
        """
        self._key(claims)
        check_type("the lifetime", lifetime_s, int)
        if lifetime_s < 1:
            raise UsageError(f"a request lives for 1 second or more, not {lifetime_s}")
        now = int(self._clock())
        request = Request(
            verifier=self.name, nonce=new_nonce(), expires=now + lifetime_s, claims=claims
        )
        request.inputs()
        with self._transaction() as database:
            database.execute("DELETE FROM requests WHERE expires < ?", (now - _KEPT_S,))
            row = (request.nonce, msgspec.json.encode(request), request.expires)
            database.execute("INSERT INTO requests VALUES (?, ?, ?, 0)", row)
        return request

    def accept(self, presentation: Presentation) -> Verification:
        """Accept a presentation that answers a request of this verifier, once; say why if not.

        What was asked for is what was kept, not what the presentation says. A presentation that is
        refused leaves its request open.

        Raises:
            UsageError: there is no key for what was asked.
            CorruptFileError: the file was damaged.
            StorageError: the answer can't be kept; nothing is accepted.
        """
        with self._connection() as database:
            row = database.execute(
                "SELECT request, used FROM requests WHERE nonce = ?", (presentation.nonce,)
            ).fetchone()
        if row is None:
            return Verification(Refusal.UNKNOWN_NONCE)
        if row[1]:
            return Verification(Refusal.USED_NONCE)
        request = self._decode(row[0])
        if request.verifier != self.name:
            return Verification(Refusal.UNKNOWN_NONCE, "it was given out under another name")
        if refusal := self._refusal(request, presentation):
            return Verification(refusal)
        key = self._key(request.claims)
        if not (result := verify(key, presentation.public_inputs(request), presentation.proof)):
            return result
        return self._record(presentation)

    def _refusal(self, request: Request, presentation: Presentation) -> Refusal | None:
        """Return what is wrong with a presentation beside its proof."""
        if self._clock() > request.expires:
            return Refusal.EXPIRED
        if tuple(presentation.issuer) not in self._issuers:
            return Refusal.UNKNOWN_ISSUER
        if (presentation.nullifier is not None) != request.claims.nullifier:
            return Refusal.NULLIFIER
        return None

    def _record(self, presentation: Presentation) -> Verification:
        """Mark the nonce as used and keep the nullifier, or find that one of them was."""
        with self._transaction() as database:
            marked = database.execute(
                "UPDATE requests SET used = 1 WHERE nonce = ? AND used = 0", (presentation.nonce,)
            )
            if marked.rowcount != 1:
                return Verification(Refusal.USED_NONCE)
            if presentation.nullifier is not None:
                kept = database.execute(
                    "INSERT OR IGNORE INTO nullifiers VALUES (?)", (f"{presentation.nullifier:x}",)
                )
                if kept.rowcount != 1:
                    database.execute("ROLLBACK")
                    return Verification(Refusal.USED_NULLIFIER)
        return VALID

    def _key(self, claims: Claims) -> VerifyingKey:
        name = claims.circuit().name
        if name not in self._keys:
            raise UsageError(f"this verifier has no key for the circuit {name}")
        key, expected = self._keys[name], claims.public_count()
        if key.public_count != expected:
            raise UsageError(
                f"the key for the circuit {name} is another circuit's: it has {key.public_count} "
                f"public inputs, the circuit {expected}"
            )
        return key

    def _decode(self, data: bytes) -> Request:
        try:
            return msgspec.json.decode(data, type=Request)
        except (msgspec.DecodeError, ValueError) as error:
            raise self._corrupt("a request in it can't be read") from error

    def _create(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        try:
            handle = os.open(self._file, flags, 0o600)
            is_file = stat.S_ISREG(os.fstat(handle).st_mode)
            os.close(handle)
        except OSError as error:
            if self._file.is_symlink() or self._file.is_dir():
                raise self._corrupt("it is a link or a folder") from error
            raise StorageError(error.errno, f"can't open {self._file}: {error.strerror}") from error
        if not is_file:
            raise self._corrupt("it is no regular file")
        with self._connection() as database:
            # In one transaction: another process may just be creating the tables.
            database.execute("BEGIN")
            (identity,) = database.execute("PRAGMA application_id").fetchone()
            (version,) = database.execute("PRAGMA user_version").fetchone()
            (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            database.execute("COMMIT")
            if identity == _APPLICATION_ID and version > _VERSION:
                raise NewerFormatError(f"{self._file}: version {version}, only {_VERSION} is known")
            if tables and identity != _APPLICATION_ID:
                raise self._corrupt("it is another application's database")
            if not tables:
                database.executescript(_SCHEMA)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a transaction that is on disk at the end, or did not happen."""
        with self._connection() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            if database.in_transaction:
                database.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # Each has its own, so that threads share none; what is not committed is rolled back. A file
        # that was removed is not made anew, as its nullifiers would be forgotten.
        try:
            connection = sqlite3.connect(
                f"file:{quote(os.fsencode(self._file))}?mode=rw",
                timeout=_LOCK_TIMEOUT_S,
                isolation_level=None,
                uri=True,
            )
            with closing(connection) as database:
                database.execute("PRAGMA synchronous = EXTRA")
                yield database
        except sqlite3.OperationalError as error:
            raise StorageError(f"can't use {self._file}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise self._corrupt(str(error)) from error

    def _corrupt(self, why: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self._file} does not hold a verifier's requests: {why}; move it away, and know that "
            "nullifiers in it are forgotten then"
        )


def _issuer(x: int, y: int) -> BabyPoint:
    try:
        point = baby_point(x, y)
    except PointError as error:
        raise UsageError(f"the key of an issuer: {error}") from error
    if is_low_order(point):
        raise UsageError("the key of an issuer is of low order: anybody could sign under it")
    return point
