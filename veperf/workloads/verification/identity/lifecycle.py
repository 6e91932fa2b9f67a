"""Life cycle of an identity's status, score and tier: pure functions from record to new record.

The statuses and their transitions are those of ``x/veid``, plus one: a verified identity may be
verified again (in the original only its scopes expire and come back), keeping its tier meanwhile.
The tiers' minimum scores are the original's, too.
"""

from msgspec.structs import replace

from veperf.workloads.verification.identity.errors import LockedError, TransitionError
from veperf.workloads.verification.identity.record import (
    MAX_HISTORY,
    IdentityRecord,
    ScopeRef,
    ScoreEntry,
    Status,
    Tier,
)

MINIMUM_SCORES = {Tier.PREMIUM: 85, Tier.STANDARD: 70, Tier.BASIC: 50, Tier.UNVERIFIED: 0}
"""Highest tier first."""

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.IN_PROGRESS, Status.REJECTED, Status.EXPIRED}),
    Status.IN_PROGRESS: frozenset({Status.VERIFIED, Status.REJECTED, Status.PENDING}),
    Status.VERIFIED: frozenset({Status.EXPIRED, Status.PENDING}),
    Status.REJECTED: frozenset({Status.PENDING}),
    Status.EXPIRED: frozenset({Status.PENDING}),
}


def new_record(account: bytes, height: int) -> IdentityRecord:
    """Return the first record of an account.

    Raises:
        ValueError: ``account`` is not 20 bytes, or ``height`` is below 0.
    """
    if len(account) != 20:
        raise ValueError(f"an account has 20 bytes, not {len(account)}")
    if height < 0:
        raise ValueError(f"a height is not negative, unlike {height}")
    return IdentityRecord(
        account=account,
        created_height=height,
        updated_height=height,
        status=Status.PENDING,
        tier=Tier.UNVERIFIED,
        score=0,
        locked=False,
        scopes=(),
        history=(),
    )


def tier_for_score(score: int) -> Tier:
    """Return the tier of a verified identity with ``score``.

    Raises:
        ValueError: the score is not 0 to 100.
    """
    if not 0 <= score <= 100:
        raise ValueError(f"a score is 0 to 100, not {score}")
    return next(tier for tier, minimum in MINIMUM_SCORES.items() if score >= minimum)


def change_status(record: IdentityRecord, status: Status, height: int) -> IdentityRecord:
    """Return ``record`` with another status, and the tier that goes with it.

    A verified identity has the tier of its score; a rejected or expired one has none; between one
    verification and the next it keeps its tier.

    Raises:
        LockedError: the record is locked.
        TransitionError: the transition is not one of ``TRANSITIONS``, or the score is too low to
            be verified.
        ValueError: ``height`` is before the last change.
    """
    require_unlocked(record)
    if status not in TRANSITIONS[record.status]:
        raise TransitionError(f"the status can't change from {record.status} to {status}")
    tier = record.tier
    if status is Status.VERIFIED:
        tier = tier_for_score(record.score)
        if tier is Tier.UNVERIFIED:
            raise TransitionError(f"a score of {record.score} is too low to be verified")
    elif status in (Status.REJECTED, Status.EXPIRED):
        tier = Tier.UNVERIFIED
    return replace(record, status=status, tier=tier, updated_height=_checked_height(record, height))


def begin_verification(record: IdentityRecord, height: int) -> IdentityRecord:
    """Return ``record`` with its verification in progress, from any status.

    Raises:
        LockedError: the record is locked.
        ValueError: ``height`` is before the last change.
    """
    require_unlocked(record)
    if record.status is Status.IN_PROGRESS:
        return record
    if record.status is not Status.PENDING:
        record = change_status(record, Status.PENDING, height)
    return change_status(record, Status.IN_PROGRESS, height)


def complete_verification(
    record: IdentityRecord, score: int, model_hash: bytes, height: int
) -> IdentityRecord:
    """Return ``record`` after a verification with ``score``: verified with a tier, or rejected.

    Raises:
        LockedError: the record is locked.
        TransitionError: no verification is in progress.
        ValueError: the score is not 0 to 100, the hash not 32 bytes, or ``height`` is before the
            last change.
    """
    require_unlocked(record)
    if record.status is not Status.IN_PROGRESS:
        raise TransitionError(f"no verification is in progress: the status is {record.status}")
    status = Status.REJECTED if tier_for_score(score) is Tier.UNVERIFIED else Status.VERIFIED
    return change_status(change_score(record, score, model_hash, height), status, height)


def change_score(
    record: IdentityRecord, score: int, model_hash: bytes, height: int
) -> IdentityRecord:
    """Return ``record`` with another score, which is added to its history.

    If the identity is verified its tier follows; with a score too low for any tier it is rejected,
    by way of the statuses in between.

    Raises:
        LockedError: the record is locked.
        ValueError: the score is not 0 to 100, the hash not 32 bytes, or ``height`` is before the
            last change.
    """
    require_unlocked(record)
    tier = tier_for_score(score)
    if len(model_hash) != 32:
        raise ValueError(f"a model's hash has 32 bytes, not {len(model_hash)}")
    entry = ScoreEntry(height, score, model_hash)
    history = (*record.history, entry)[-MAX_HISTORY:]
    height = _checked_height(record, height)
    scored = replace(record, score=score, history=history, updated_height=height)
    if record.status is not Status.VERIFIED:
        return scored
    if tier is Tier.UNVERIFIED:
        return change_status(begin_verification(scored, height), Status.REJECTED, height)
    return replace(scored, tier=tier)


def change_scopes(
    record: IdentityRecord, scopes: tuple[ScopeRef, ...], height: int
) -> IdentityRecord:
    """Return ``record`` with other scopes in force.

    Raises:
        LockedError: the record is locked.
        ValueError: ``height`` is before the last change.
    """
    require_unlocked(record)
    return replace(record, scopes=scopes, updated_height=_checked_height(record, height))


def lock_record(record: IdentityRecord, height: int) -> IdentityRecord:
    """Return ``record`` locked against all changes except ``unlock_record``.

    Raises:
        ValueError: ``height`` is before the last change.
    """
    return replace(record, locked=True, updated_height=_checked_height(record, height))


def unlock_record(record: IdentityRecord, height: int) -> IdentityRecord:
    """Return ``record`` unlocked.

    Raises:
        ValueError: ``height`` is before the last change.
    """
    return replace(record, locked=False, updated_height=_checked_height(record, height))


def require_unlocked(record: IdentityRecord) -> None:
    """Check that ``record`` may be changed.

    Raises:
        LockedError: it is locked.
    """
    if record.locked:
        raise LockedError("the record is locked")


def _checked_height(record: IdentityRecord, height: int) -> int:
    if height < record.updated_height:
        raise ValueError(f"height {height} is before the last change at {record.updated_height}")
    return height
