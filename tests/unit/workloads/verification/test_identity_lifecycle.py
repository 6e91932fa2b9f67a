"""Status, score and tier of an identity change only as allowed, and together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from veperf.workloads.verification.identity.errors import LockedError, TransitionError
from veperf.workloads.verification.identity.lifecycle import (
    begin_verification,
    change_score,
    change_status,
    complete_verification,
    lock_record,
    new_record,
    tier_for_score,
    unlock_record,
)
from veperf.workloads.verification.identity.record import (
    MAX_HISTORY,
    IdentityRecord,
    Status,
    Tier,
    decode_identity,
    encode_record,
)

ACCOUNT = bytes(range(20))
MODEL = bytes(32)
ALLOWED = {
    ("pending", "in_progress"),
    ("pending", "rejected"),
    ("pending", "expired"),
    ("in_progress", "verified"),
    ("in_progress", "rejected"),
    ("in_progress", "pending"),
    ("verified", "expired"),
    ("verified", "pending"),
    ("rejected", "pending"),
    ("expired", "pending"),
}


def verified(score: int = 90) -> IdentityRecord:
    return complete_verification(begin_verification(new_record(ACCOUNT, 1), 2), score, MODEL, 3)


def with_status(status: Status) -> IdentityRecord:
    """A record that got there on an allowed way, with a score that could be verified."""
    record = change_score(new_record(ACCOUNT, 1), 60, MODEL, 1)
    ways = {
        Status.PENDING: [],
        Status.IN_PROGRESS: [Status.IN_PROGRESS],
        Status.VERIFIED: [Status.IN_PROGRESS, Status.VERIFIED],
        Status.REJECTED: [Status.REJECTED],
        Status.EXPIRED: [Status.EXPIRED],
    }
    for step in ways[status]:
        record = change_status(record, step, 1)
    return record


@pytest.mark.parametrize("old", Status)
@pytest.mark.parametrize("new", Status)
def test_transitions(old: Status, new: Status) -> None:
    """The transitions of the table, and no others, are possible."""
    record = with_status(old)
    if (old, new) in ALLOWED:
        assert new is change_status(record, new, 5).status
    else:
        with pytest.raises(TransitionError):
            change_status(record, new, 5)


@pytest.mark.parametrize(
    ("score", "tier", "status"),
    [
        (0, Tier.UNVERIFIED, Status.REJECTED),
        (49, Tier.UNVERIFIED, Status.REJECTED),
        (50, Tier.BASIC, Status.VERIFIED),
        (69, Tier.BASIC, Status.VERIFIED),
        (70, Tier.STANDARD, Status.VERIFIED),
        (84, Tier.STANDARD, Status.VERIFIED),
        (85, Tier.PREMIUM, Status.VERIFIED),
        (100, Tier.PREMIUM, Status.VERIFIED),
    ],
)
def test_thresholds(score: int, tier: Tier, status: Status) -> None:
    """x/veid's: basic from 50, standard from 70, premium from 85."""
    record = verified(score)
    assert (tier, status, score) == (record.tier, record.status, record.score)


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.REJECTED])
def test_a_tier_ends_with_its_verification(status: Status) -> None:
    """An expired or rejected identity has none."""
    record = begin_verification(verified(), 4) if status is Status.REJECTED else verified()
    assert Tier.UNVERIFIED is change_status(record, status, 5).tier


def test_a_tier_stays_while_it_is_verified_again() -> None:
    """And is given anew by the score."""
    again = begin_verification(verified(90), 5)

    assert Tier.PREMIUM is again.tier
    assert Tier.STANDARD is complete_verification(again, 70, MODEL, 6).tier
    assert Tier.UNVERIFIED is complete_verification(again, 20, MODEL, 6).tier


def test_the_tier_follows_the_score() -> None:
    """The tier of a verified identity follows; below the minimum score it is rejected."""
    assert Tier.BASIC is change_score(verified(90), 55, MODEL, 4).tier
    fallen = change_score(verified(90), 49, MODEL, 4)
    assert (Tier.UNVERIFIED, Status.REJECTED) == (fallen.tier, fallen.status)
    waiting = change_score(new_record(ACCOUNT, 1), 90, MODEL, 2)
    assert (Tier.UNVERIFIED, Status.PENDING) == (waiting.tier, waiting.status)


def test_nobody_is_verified_with_too_low_a_score() -> None:
    """Not by a bare transition either."""
    with pytest.raises(TransitionError):
        change_status(begin_verification(new_record(ACCOUNT, 1), 2), Status.VERIFIED, 3)


def test_completing_needs_a_beginning() -> None:
    """A score for a verification that nobody began is refused."""
    with pytest.raises(TransitionError):
        complete_verification(new_record(ACCOUNT, 1), 90, MODEL, 2)


@pytest.mark.parametrize("score", [-1, 101])
def test_scores_have_a_range(score: int) -> None:
    """0 to 100, in every way to give one."""
    with pytest.raises(ValueError, match="0 to 100"):
        change_score(verified(), score, MODEL, 4)
    with pytest.raises(ValueError, match="0 to 100"):
        complete_verification(begin_verification(new_record(ACCOUNT, 1), 2), score, MODEL, 3)


def test_a_lock_holds_everything() -> None:
    """Until it is opened."""
    locked = lock_record(verified(), 4)
    with pytest.raises(LockedError):
        change_status(locked, Status.EXPIRED, 5)
    with pytest.raises(LockedError):
        change_score(locked, 1, MODEL, 5)
    with pytest.raises(LockedError):
        begin_verification(locked, 5)
    assert Status.EXPIRED is change_status(unlock_record(locked, 5), Status.EXPIRED, 6).status


def test_time_does_not_go_back() -> None:
    """A change at a height before the last is the caller's mistake."""
    with pytest.raises(ValueError, match="before the last change"):
        change_status(verified(), Status.EXPIRED, 2)


@given(st.integers(0, 100))
def test_tiers_rise_with_scores(score: int) -> None:
    """A higher score never gives a lower tier."""
    assert tier_for_score(score) <= tier_for_score(min(score + 1, 100))


class Life(RuleBasedStateMachine):
    """Any life of a record: it stays readable, and its tier fits its status and score."""

    def __init__(self) -> None:
        super().__init__()
        self.record = new_record(ACCOUNT, 0)
        self.height = 0

    @rule(status=st.sampled_from(Status))
    def move(self, status: Status) -> None:
        self.height += 1
        try:
            self.record = change_status(self.record, status, self.height)
        except (TransitionError, LockedError):
            return

    @rule(score=st.integers(0, 100))
    def verify(self, score: int) -> None:
        self.height += 1
        try:
            self.record = complete_verification(
                begin_verification(self.record, self.height), score, MODEL, self.height
            )
        except LockedError:
            assert self.record.locked

    @rule(score=st.integers(0, 100))
    def rescore(self, score: int) -> None:
        try:
            self.record = change_score(self.record, score, MODEL, self.height)
        except LockedError:
            assert self.record.locked

    @rule()
    def lock(self) -> None:
        self.record = lock_record(self.record, self.height)

    @rule()
    def unlock(self) -> None:
        self.record = unlock_record(self.record, self.height)

    @invariant()
    def is_sound(self) -> None:
        record = self.record
        assert record == decode_identity(encode_record(record))
        assert len(record.history) <= MAX_HISTORY
        if record.status is Status.VERIFIED:
            assert Tier.UNVERIFIED is not record.tier is tier_for_score(record.score)
        if record.status in (Status.REJECTED, Status.EXPIRED):
            assert Tier.UNVERIFIED is record.tier


TestLife = Life.TestCase
