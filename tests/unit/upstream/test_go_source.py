"""Go source: what are tokens, functions and calls, whatever the text looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.upstream.go_source import GoCall, go_tokens, parse_go_file

_PLAIN = st.text(st.sampled_from("abz019_+-*(){}[];:=,.<>&|! \t\n"), max_size=60)


def _digest(body: str) -> str:
    (function,) = parse_go_file(f"package p\n\nfunc Work(n int) int {body}\n").functions
    return function.digest


@pytest.mark.parametrize(
    "body",
    [
        "{\n\t// says much\n\tx := n + 1\n\treturn x\n}",
        "{ x := n + 1; return x }",
        "{ x := n /* one\nmore */ + 1; return x; }",
        '{\n\n\n  x   :=n+1   // {{{ "\n  return x\n}',
    ],
)
def test_layout_and_comments_are_no_difference(body: str) -> None:
    """The compiler sees the same tokens, the semicolons of newlines among them."""
    if "/*" in body:  # a comment with a newline in it is a newline, which ends no statement here
        body = body.replace("n /* one\nmore */ +", "n + /* one\nmore */")

    assert _digest("{\n\tx := n + 1\n\treturn x\n}") == _digest(body)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{ return f() }", "{ return\nf() }"),
        ('{ s := "a b" }', '{ s := "a  b" }'),
        ('{ s := "// x" }', '{ s := "// y" }'),
        ("{ s := `a\n b` }", "{ s := `a\n  b` }"),
        ("{ c := '\\'' }", "{ c := '\"' }"),
        ("{ x := a &^ b }", "{ x := a & ^b }"),
    ],
)
def test_what_the_compiler_tells_apart_differs(one: str, other: str) -> None:
    """Texts are compared to the last blank, and a newline after return is a semicolon."""
    assert _digest(one) != _digest(other)


def test_brackets_in_texts_end_nothing() -> None:
    """Functions are those at the top level, whatever stands in texts and runes."""
    text = """package p

const s = "func BenchmarkNone(b *testing.B) {"
const r = `
func BenchmarkRaw(b *testing.B) { }
`
/* func BenchmarkComment(b *testing.B) {} */
func One() { _ = '{'; _ = "}" }
func Two() map[string]struct{} { return nil }
func Three() interface{ Close() } { return nil }
func External(x int) int
func (k Keeper) Four() {}
func (k *Store[K, V]) Five() {}
func (Keeper) Six() {}
func Seven[T any](x T) (n int, err error) { return }
"""

    names = [function.key for function in parse_go_file(text).functions]

    expected = "One Two Three External Keeper.Four Store.Five Keeper.Six Seven"
    assert expected.split() == names


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("BenchmarkOne(b *testing.B)", True),
        ("Benchmark(b *testing.B)", True),
        ("Benchmark_one(bench *testing.B)", True),
        ("Benchmarkone(b *testing.B)", False),
        ("BenchmarkOne(b *testing.B, n int)", False),
        ("BenchmarkOne(b *testing.T)", False),
        ("benchmarkOne(b *testing.B)", False),
        ("(s Suite) BenchmarkOne(b *testing.B)", False),
    ],
)
def test_benchmarks_are_those_of_go_test(head: str, expected: bool) -> None:
    """By `go help testfunc`: the name goes on with no lower-case letter, one parameter."""
    (function,) = parse_go_file(f"package p\nfunc {head} {{}}\n").functions

    assert expected == function.is_benchmark


def test_calls_are_by_name() -> None:
    """Functions, functions of packages, and methods; none of the benchmark's own parameter."""
    text = """package p
import (
	"fmt"
	kyc "example.org/chain/x/kyc/v2"
	_ "embed"
)
func BenchmarkA(b *testing.B) {
	k := setup(b)
	b.Run("x", func(b *testing.B) { k.Store(kyc.New()) })
	if ok := a.b.Deep(); ok { return }
}
"""
    file = parse_go_file(text)

    assert {
        GoCall("setup"),
        GoCall("Store", "k", is_selector=True),
        GoCall("New", "kyc", is_selector=True),
        GoCall("Deep", "", is_selector=True),
    } == file.functions[0].calls
    assert {"fmt": "fmt", "kyc": "example.org/chain/x/kyc/v2"} == file.imports


@given(_PLAIN)
def test_no_token_is_lost(text: str) -> None:
    """Without comments and quotes, the tokens are the text without its blanks."""
    tokens = [t for t in go_tokens(text.replace(";", "")) if t != ";"]

    assert "".join(text.replace(";", "").split()) == "".join(tokens)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """Nothing that isn't Go raises, not even what never ends."""
    parse_go_file(text)
    parse_go_file(f"package p\nfunc BenchmarkA(b *testing.B) {{ {text}")


@pytest.mark.parametrize("text", ["/*", '\\"', "`", "'\\", "([{", "func(", "//"])
def test_what_never_ends_takes_no_longer(text: str) -> None:
    """Hundreds of thousands of openings without an end are read in one go."""
    repeated = text * (300_000 // len(text))

    assert len(repeated) >= len("".join(go_tokens(repeated)).replace(";", ""))
