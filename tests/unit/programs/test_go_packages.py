"""Which packages and benchmarks of a checkout are asked for, without running Go."""

from pathlib import Path

import pytest

from veperf.programs import go_packages
from veperf.programs.go_binaries import exact_pattern
from veperf.programs.go_packages import GoSelection, find_packages
from veperf.programs.go_toolchain import GoToolchain

LISTED = """{
\t"Dir": "%s",
\t"ImportPath": "example.com/market",
\t"TestGoFiles": ["a_test.go"],
\t"XTestGoFiles": ["b_test.go"]
}
{
\t"Dir": "%s/none",
\t"ImportPath": "example.com/market/none"
}
{
\t"Dir": "%s/broken",
\t"ImportPath": "example.com/market/broken",
\t"Error": {"Err": "expected 'package', found 'EOF'"}
}
"""


class Listing:
    """`go list` that notes where it is asked for what."""

    def __init__(self, answer: str = "") -> None:
        self.answer = answer
        self.calls: list[tuple[Path, tuple[str, ...]]] = []
        self.returncode, self.stderr = 0, ""

    def __call__(self, _program: str, words: list[str], folder: Path) -> "Listing":
        self.calls.append((folder, tuple(words[words.index("--") + 1 :])))
        return self

    @property
    def stdout(self) -> str:
        return self.answer


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Listing:
    """The calls of `go list`, which find nothing."""
    listing = Listing()
    monkeypatch.setattr(go_packages, "run_go", listing)
    return listing


def listed(tree: Path, *patterns: str, current: str = "", bench: str = ".") -> set[str]:
    """The packages that are found, by import path."""
    toolchain = GoToolchain("go", tree, ())
    selection = GoSelection(patterns, bench, "")
    return set(find_packages(toolchain, tree, tree / current, selection))


def test_benchmark_functions_are_found_as_go_finds_them(tmp_path: Path, listing: Listing) -> None:
    """By their names, in both kinds of test files; a package that can't be loaded is no loss."""
    (tmp_path / "go.mod").write_text("module example.com/market\n")
    (tmp_path / "a_test.go").write_text(
        "package market\nfunc BenchmarkMatch(b *testing.B) {}\nfunc Benchmarks() {}\n"
        "func Benchmarked() {}\n// func BenchmarkOld(b *testing.B) {}\n"
    )
    (tmp_path / "b_test.go").write_text("func Benchmark_query (b *testing.B) {}\n")
    listing.answer = LISTED % (tmp_path, tmp_path, tmp_path)
    toolchain = GoToolchain("go", tmp_path, ())

    actual = find_packages(toolchain, tmp_path, tmp_path, GoSelection(("./...",), ".", ""))

    assert ["example.com/market", "example.com/market/broken"] == list(actual)
    assert ("BenchmarkMatch", "Benchmark_query") == actual["example.com/market"].functions
    assert "EOF" in actual["example.com/market/broken"].problem


@pytest.mark.parametrize(
    ("patterns", "current", "expected"),
    [
        (("./...",), "", [("", "./...")]),
        (("./x/market/...", "./app"), "", [("", "./x/market/..."), ("", "./app")]),
        (("./...",), "x", [("", "./x/...")]),
        (("../app",), "x", [("", "./app")]),
        (("./tools/...",), "", [("tools", "./...")]),
        (("./tools/lint",), "", [("tools", "./lint")]),
        (("example.com/market/...",), "x", [("", "example.com/market/...")]),
        (("./gone/...",), "", []),
        (("../../elsewhere/...",), "", []),
    ],
)
def test_patterns_are_listed_in_their_module(
    tmp_path: Path,
    listing: Listing,
    patterns: tuple[str, ...],
    current: str,
    expected: list[tuple[str, str]],
) -> None:
    """Relative to the current folder; one of a module in a sub-folder is listed in that module."""
    for folder in ("x/market", "app", "tools/lint"):
        (tmp_path / folder).mkdir(parents=True)
    for module in ("go.mod", "tools/go.mod"):
        (tmp_path / module).write_text("module example.com/m\n")

    listed(tmp_path, *patterns, current=current)

    actual = [(folder, name) for folder, names in listing.calls for name in names]
    assert [(tmp_path / folder, name) for folder, name in expected] == actual


def test_modules_below_are_found_where_there_is_none_above(
    tmp_path: Path, listing: Listing
) -> None:
    """Each is listed, but for what Go passes over."""
    for module in ("chain", "daemon/cmd", "vendor/dep", "testdata/m", "_old", ".cache/m"):
        (tmp_path / module).mkdir(parents=True)
        (tmp_path / module / "go.mod").write_text("module example.com/m\n")

    listed(tmp_path, "./...")

    expected = [(tmp_path / "chain", ("./...",)), (tmp_path / "daemon/cmd", ("./...",))]
    assert expected == listing.calls


@pytest.mark.parametrize(
    ("bench", "expected"),
    [
        (".", True),
        ("Match|Query", True),
        ("^BenchmarkMatch$", True),
        ("Query", False),
        ("Query/size=10", True),
        ("(?i:match)", True),
        ("[", True),
    ],
)
def test_packages_are_built_only_where_a_benchmark_may_fit(bench: str, expected: bool) -> None:
    """Where the expression isn't plain, Go itself decides later."""
    assert expected is GoSelection(("./...",), bench, "").may_run("BenchmarkMatch")


def test_a_name_is_matched_part_by_part() -> None:
    """Each part of a sub-benchmark's name is matched whole, and no character of it is special."""
    expected = r"^BenchmarkTree$/^size=1\.5$/^a\|b$|^BenchmarkMix$"
    assert expected == exact_pattern(["BenchmarkTree/size=1.5/a|b", "BenchmarkMix"])
