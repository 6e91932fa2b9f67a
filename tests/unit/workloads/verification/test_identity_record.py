"""Identity records have one encoding, and only what makes sense is read."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.verification.identity.errors import CorruptRecordError
from veperf.workloads.verification.identity.record import (
    MAX_HISTORY,
    IdentityRecord,
    ScopeRecord,
    ScopeRef,
    ScoreEntry,
    Status,
    Tier,
    decode_identity,
    decode_scope,
    encode_record,
)
from veperf.workloads.verification.scope import ScopeType

HASHES = st.binary(min_size=32, max_size=32)
HEIGHTS = st.integers(0, 2**63 - 1)
IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
ENTRIES = st.lists(st.builds(ScoreEntry, HEIGHTS, st.integers(0, 100), HASHES), max_size=8)
REFS = st.lists(
    st.builds(ScopeRef, IDS, st.sampled_from(ScopeType)), max_size=50, unique_by=lambda s: s.id
)


@st.composite
def records(draw: st.DrawFn) -> IdentityRecord:
    history = tuple(draw(ENTRIES))
    created, updated = sorted([draw(HEIGHTS), draw(HEIGHTS)])
    return IdentityRecord(
        account=draw(st.binary(min_size=20, max_size=20)),
        created_height=created,
        updated_height=updated,
        status=draw(st.sampled_from(Status)),
        tier=draw(st.sampled_from(Tier)),
        score=history[-1].score if history else 0,
        locked=draw(st.booleans()),
        scopes=tuple(draw(REFS)),
        history=history,
    )


SCOPES = st.builds(
    ScopeRecord,
    IDS,
    st.sampled_from(ScopeType),
    HEIGHTS,
    st.integers(0, 2**40 - 1),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=128),
    HASHES,
    HASHES,
    st.booleans(),
)
ENTRY = ScoreEntry(7, 90, bytes(32))
RECORD = IdentityRecord(
    account=bytes(range(20)),
    created_height=3,
    updated_height=7,
    status=Status.VERIFIED,
    tier=Tier.PREMIUM,
    score=90,
    locked=False,
    scopes=(ScopeRef("passport", ScopeType.ID_DOCUMENT),),
    history=(ENTRY,),
)


@given(records())
def test_identities_come_back(record: IdentityRecord) -> None:
    """Decoding is the inverse of encoding."""
    assert record == decode_identity(encode_record(record))


@given(SCOPES)
def test_scopes_come_back(record: ScopeRecord) -> None:
    """Decoding is the inverse of encoding."""
    assert record == decode_scope(encode_record(record))


def test_the_encoding_is_fixed() -> None:
    """Part of the state's root hash: plain MessagePack of these arrays, for good."""
    entry = [7, 90, bytes(32)]
    scopes = [["passport", "id_document"]]
    fields = [bytes(range(20)), 3, 7, "verified", 3, 90, False, scopes, [entry]]

    assert msgspec.msgpack.encode(fields) == encode_record(RECORD)


@pytest.mark.parametrize(
    "changes",
    [
        {"account": bytes(19)},
        {"created_height": -1},
        {"created_height": 8},
        {"created_height": 3.0},
        {"status": "unknown"},
        {"tier": 4},
        {"score": 89},
        {"score": 101, "history": (replace(ENTRY, score=101),)},
        {"locked": 1},
        {"scopes": RECORD.scopes * 2},
        {"scopes": tuple(ScopeRef(str(i), ScopeType.SELFIE) for i in range(51))},
        {"history": (ENTRY,) * (MAX_HISTORY + 1)},
        {"history": ()},
        {"history": (replace(ENTRY, model_hash=b""),)},
    ],
)
def test_nonsense_is_not_read(changes: dict[str, object]) -> None:
    """Wrong lengths, ranges, types, and fields that contradict each other."""
    fields = msgspec.to_builtins(RECORD, builtin_types=(bytes,))
    names = RECORD.__struct_fields__
    for name, value in changes.items():
        fields[names.index(name)] = value
    with pytest.raises(CorruptRecordError):
        decode_identity(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize("change", [b"", b"\0", b"\xc0"])
def test_other_encodings_are_not_read(change: bytes) -> None:
    """Nothing at all, trailing bytes, a longer form of the same number."""
    raw = encode_record(RECORD)
    longer = raw.replace(b"\x03\x07", b"\xcc\x03\x07", 1)
    for wrong in (change, raw + b"\0" + change, longer):
        with pytest.raises(CorruptRecordError):
            decode_identity(wrong)


@given(st.integers(0, len(encode_record(RECORD)) - 1), st.binary(max_size=5))
def test_no_change_crashes(place: int, new: bytes) -> None:
    """Any bytes: read as themselves, or refused."""
    raw = encode_record(RECORD)
    changed = raw[:place] + new + raw[place + 1 :]
    try:
        record = decode_identity(changed)
    except CorruptRecordError:
        return
    assert changed == encode_record(record)
