"""Mixes: what users write, and what is drawn from it."""

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import UsageError
from veperf.core.mix import draw_kinds, format_mix, kind_metrics, known_kinds, parse_mix

KINDS = ["send", "bid", "score"]


@given(st.dictionaries(st.sampled_from(KINDS), st.floats(0.01, 1e6), min_size=1))
def test_a_mix_is_read_as_written(shares: dict[str, float]) -> None:
    """The shares add up to 1, in the proportions and the kinds' order; its text is the same mix."""
    mix = parse_mix(",".join(f" {kind} = {share!r}" for kind, share in shares.items()), KINDS)
    total = sum(shares.values())

    assert [kind for kind in KINDS if kind in shares] == list(mix)
    assert mix == pytest.approx({kind: share / total for kind, share in shares.items()})
    again = parse_mix(format_mix(mix))
    assert again == pytest.approx(mix, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "written as"),
        ("send", "written as"),
        ("=5", "written as"),
        ("send=1,", "written as"),
        ("send=1,send=2", "twice"),
        ("send=0", "more than 0"),
        ("send=-1", "more than 0"),
        ("send=inf", "more than 0"),
        ("send=nan", "more than 0"),
        ("send=half", "more than 0"),
        ("send=1,stake=2", "there are send, bid, score"),
    ],
)
def test_a_mistake_is_named(text: str, fault: str) -> None:
    """In one sentence, with what may stand there."""
    with pytest.raises(UsageError, match=fault):
        parse_mix(text, KINDS)


def test_no_mix_is_without_end() -> None:
    """A text of any length is refused soon, and shortened in the message."""
    with pytest.raises(UsageError, match="101 kinds"):
        parse_mix(",".join(f"k{n}=1" for n in range(101)))
    with pytest.raises(UsageError) as refused:
        parse_mix("x" * 10_000)
    assert len(str(refused.value)) < 300


def test_kinds_are_drawn_with_their_shares() -> None:
    """10,000 drawings are within 6 standard deviations, and the same again."""
    mix = parse_mix("send=60,bid=30,score=10")
    drawn = list(islice(draw_kinds(mix, 3), 10_000))
    counts = Counter(drawn)

    for kind, share in mix.items():
        deviation = (10_000 * share * (1 - share)) ** 0.5
        assert abs(counts[kind] - 10_000 * share) < 6 * deviation
    assert drawn == list(islice(draw_kinds(mix, 3), 10_000))


def test_each_kind_has_metrics() -> None:
    """Those of all mixes that a benchmark names are what it knows."""
    assert KINDS == known_kinds(["send=1,bid=1", "bid=1,score=2"])
    names = [metric.name for metric in kind_metrics(["send"])]
    assert ["latency_p50_send", "latency_p95_send", "latency_p99_send"] == names
