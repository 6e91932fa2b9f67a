"""Selection by level and by expression, held against what Python and pytest make of the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.runs import case
from veperf.core.case import Case, Level
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.registry import DEFAULT_SUITES, NAMED_SUITES, SUITES, select_cases
from veperf.core.selection import fits_word, narrow_cases, parse_expression, require_words

CASES = [
    case("tx/hash"),
    case("tx/nonce_load"),
    replace(case("tx/execute[size=10]"), level=Level.COMPONENT),
    replace(case("zk/load"), level=Level.LOAD),
]
WORDS = ["hash", "NONCE", "load", "tx/", "size=10", "micro", "zk", "android", "nothing"]


def expressions() -> st.SearchStrategy[str]:
    """Expressions of any shape, with more or fewer spaces."""

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            inner.map(lambda text: f"not  {text}"),
            inner.map(lambda text: f"({text} )"),
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        )

    return st.recursive(st.sampled_from(WORDS), grow, max_leaves=8)


@given(expressions())
def test_an_expression_means_what_python_makes_of_it(text: str):
    """With each word replaced by whether it fits: ``not`` binds closest, then ``and``, ``or``."""
    for each in CASES:

        def truth(match: re.Match[str], each: Case = each) -> str:
            word = match[0]
            return word if word in ("and", "or", "not") else str(fits_word(each, word))

        expected = eval(re.sub(r"[^\s()]+", truth, text))

        assert expected == parse_expression(text).fits(each)


@given(st.text(alphabet="()ahnotrd &'\n\x00é", max_size=40))
def test_any_text_is_read_or_refused(text: str):
    """Nothing but a usage error comes of it, and that points into the text or to its end."""
    try:
        parse_expression(text)
    except UsageError as error:
        *_, pointer = str(error).split("\n")
        assert pointer.index("^") - 2 <= len(text)


@pytest.mark.parametrize(
    ("text", "expected", "at"),
    [
        ("hash or", "a word, `not` or `(`, not the end", 7),
        ("(hash", "`and`, `or` or `)`, not the end", 5),
        ("hash nonce", "`and`, `or` or the end, not 'nonce'", 5),
        ("hash) or x", "`and`, `or` or the end, not ')'", 4),
        ("and hash", "a word, `not` or `(`, not 'and'", 0),
        ("hash & x", "a word, not '&'", 5),
        ("(" * 31 + "x", "at most 30 parentheses in each other, not 'x'", 31),
    ],
)
def test_an_error_points_to_its_place(text: str, expected: str, at: int):
    """Below the text, as a compiler does."""
    with pytest.raises(UsageError) as caught:
        parse_expression(text)

    assert f"-k: expected {expected}\n  {text}\n  {' ' * at}^" == str(caught.value)


@pytest.mark.parametrize(
    ("levels", "expression", "expected"),
    [
        ((), "", [0, 1, 2, 3]),
        (("micro", "load"), "", [0, 1, 3]),
        (("micro",), "not load", [0]),
        ((), "load and not micro", [3]),
        ((), "TX and (hash or size=10)", [0, 2]),
    ],
)
def test_levels_and_expression_narrow_together(
    levels: tuple[str, ...], expression: str, expected: list[int]
):
    """A word is a part of an id, in any case of letters, or a level."""
    assert [CASES[i] for i in expected] == [*narrow_cases(CASES, levels, expression)]


def test_what_leaves_nothing_says_what_there_is():
    """By level, by name; and a word that is nowhere, though others would do."""
    with pytest.raises(UnknownBenchmarkError, match="they are of level micro, component and load"):
        narrow_cases(CASES, ["integration"], "")
    with pytest.raises(UnknownBenchmarkError, match="there are tx/hash and tx/nonce_load"):
        narrow_cases(CASES, ["micro"], "zk")
    with pytest.raises(UnknownBenchmarkError, match="'nonec' of -k in it; did you mean nonce"):
        require_words("hash or nonec", CASES)


def test_slow_benchmarks_are_not_lost_without_a_word():
    """The quick profile leaves them out of an expression, and says so where nothing else fits."""
    with pytest.raises(
        UnknownBenchmarkError, match="name zk_proof/pairing_py_ecc, or take another"
    ):
        select_cases(expression="pairing_py_ecc", quick=True)
    (actual,) = select_cases(expression="pairing_py_ecc")

    assert "zk_proof/pairing_py_ecc" == actual.id


def test_named_suites_are_measured_only_where_they_are_named():
    """The main job measures those of the published targets; any name or pattern may add others."""
    own = SUITES.keys() | {"memory"}  # other tests register suites, too
    suites = {case.suite for case in select_cases()}

    assert DEFAULT_SUITES.keys() | {"memory"} == own & suites
    assert NAMED_SUITES.keys().isdisjoint(DEFAULT_SUITES)
    for suite in NAMED_SUITES:
        assert {suite} == {case.suite for case in select_cases([suite])}
    assert own <= {case.suite for case in select_cases(["*"])}
    assert {"market", "bidding"} <= {case.suite for case in select_cases(["*/*order*"])}


def test_a_word_that_only_a_named_suite_has_says_so():
    """Else an expression would measure less than it asks for."""
    with pytest.raises(UnknownBenchmarkError, match=r"'lease_close' of -k .* name market as well"):
        select_cases(expression="hash or lease_close")
    excluding = select_cases(expression="hash_compute and not market")
    actual = select_cases(["market"], expression="lease_close and not 0000")

    assert ["transaction/hash_compute"] == [case.id for case in excluding]
    assert ["market/lease_close"] == [case.id for case in actual]


@pytest.mark.parametrize(
    "text", ["not market", "not (market and block)", "hash and not (market or state_sync)"]
)
def test_a_word_that_is_only_negated_needs_no_name(text: str):
    """What a named suite has isn't measured anyway; one that is nowhere is still a mistake."""
    words = ("market", "state_sync", "inference", "validator_set")
    actual = select_cases(expression=text)
    hashes = [case for case in select_cases() if "hash" in case.id or text.startswith("not")]

    assert hashes == [*actual]
    assert not any(word in case.id for case in actual for word in words)
    with pytest.raises(UnknownBenchmarkError, match="'markt' of -k in it; did you mean market"):
        select_cases(expression="not markt")


@pytest.mark.parametrize("text", ["not not market", "not market or market", "not (not market)"])
def test_a_word_that_also_stands_without_not_asks_for_its_suite(text: str):
    """An even number of them is none."""
    with pytest.raises(UnknownBenchmarkError, match="name market as well"):
        select_cases(expression=text)
