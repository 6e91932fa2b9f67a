"""The commands `veperf upstream` and `veperf gate`, from their arguments to their exit codes."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from tests.support.go_clone import FILES, MAPPING, commit, published_targets, targets_file
from veperf.cli.main import main

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "interop"
_SLOS = """package slo

import "time"

type SLODefinition struct { Name string }

func One() ResilienceBaseline {
	return ResilienceBaseline{
		Name:                "one",
		Description:         "answers {always}, they say", // not "never"
		MTTR:                2 * time.Minute,
		AvailabilityTarget:  0.995,
		ErrorBudgetMinutes:  216,
	}
}

func Two() SLODefinition {
	return SLODefinition{
		Name:   "SLO-2",
		Target: 300.0,
		Window: 24 * time.Hour,
		Probes: []Probe{{
			Query:           "histogram_quantile(0.95, sum(rate(x_seconds_bucket[24h])) by (le))",
			Interval:        5 * time.Minute,
			SuccessCriteria: "value <= 300",
		}},
	}
}
"""


@dataclass(frozen=True)
class Done:
    """Output and exit code of a command."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def veperf(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in this process."""

    def run(*words: object) -> Done:
        monkeypatch.setattr("sys.argv", ["veperf", *map(str, words)])
        monkeypatch.setattr("sys.stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return Done(int(ended.value.code or 0), output.out, output.err)

    return run


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A repository, and a folder of baselines with targets that mean its first commit."""
    clone, baselines = tmp_path / "chain", tmp_path / "baselines"
    revision = commit(clone, dict(FILES) | {"pkg/chaos/slo/baselines.go": _SLOS})
    baselines.mkdir()
    (baselines / "targets.json").write_bytes(targets_file(published_targets(revision)).data)
    (baselines / "go_benchmarks.json").write_bytes(msgspec.json.encode(MAPPING))
    return clone, baselines


def test_record_then_check(veperf: Command, folders: tuple[Path, Path]) -> None:
    """What was recorded has not drifted: 0. A changed function and a new one have: 1."""
    clone, baselines = folders
    where = ("--baselines", baselines)

    recorded = veperf("upstream", "record", clone, *where)
    same = veperf("upstream", "check", clone, *where)
    name = "x/kyc/keeper/keeper_test.go"
    text = str(FILES[name]).replace("k.Store", "_ = k; k.Store")
    long = "BenchmarkOfANameThatIsLongerThanWhatAnybodyWouldEverWriteInALineOfATerminal"
    commit(clone, {name: f"{text}func {long}(b *testing.B) {{}}\n", "a\nb\x1b[31m_test.go": "x"})
    drifted = veperf("upstream", "check", clone, *where)

    assert 0 == recorded.returncode, recorded.stderr
    assert "recorded 2 benchmark functions" in recorded.stdout
    assert (0, True) == (same.returncode, same.stdout.startswith("✓")), same.stderr
    assert 1 == drifted.returncode, drifted.stderr
    assert "changed      kyc/commit: since" in drifted.stdout
    assert "\x1b" not in drifted.stdout
    assert all(len(line) <= 80 or long in line for line in drifted.stdout.splitlines())


def test_a_check_as_data_and_as_markdown(veperf: Command, folders: tuple[Path, Path]) -> None:
    """The same drift in each form, with the same exit code."""
    clone, baselines = folders
    where = ("--baselines", baselines)
    veperf("upstream", "record", clone, *where)
    commit(clone, {"x/kyc/types/types.go": "package types\n"})

    data = veperf("upstream", "check", clone, *where, "--format", "json")
    page = veperf("upstream", "check", clone, *where, "--format", "markdown")
    before = veperf("upstream", "check", clone, *where, "--revision", "HEAD~1")

    content = json.loads(data.stdout)
    assert [1, 1, 0] == [data.returncode, page.returncode, before.returncode]
    assert content["has_drifted"] is True
    assert [("kyc/commit", ["x/kyc/types.Commitment"])] == [
        (item["name"], item["functions"]) for item in content["drift"]
    ]
    assert "| changed | kyc/commit | since" in page.stdout


@pytest.mark.parametrize("words", [("none",), (".", "--revision", "none"), ("chain/x",), ()])
def test_a_check_of_nothing(
    veperf: Command,
    folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    """Wrong usage ends with 2, and says what to do."""
    monkeypatch.chdir(folders[0].parent)

    done = veperf("upstream", "check", *words, "--baselines", folders[1])

    assert 2 == done.returncode
    assert "" == done.stdout
    assert done.stderr


def test_service_levels_of_a_clone(
    veperf: Command, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Out of Go's source into an SLO file, by which a load is judged."""
    done = veperf("upstream", "slos", folders[0])
    slos = tmp_path / "slo.json"
    slos.write_text(done.stdout)

    judged = veperf("gate", VECTORS / "k6_summary.json", "--slo", slos)

    assert 0 == done.returncode, done.stderr
    assert {
        "slos": [
            {
                "name": "one",
                "what": "answers {always}, they say",
                "window": "30 d",
                "objectives": {
                    "availability": ">= 99.5 %",
                    "error_budget": "<= 12960 s",
                    "mttr": "<= 120 s",
                },
            },
            {
                "name": "SLO-2",
                "what": "",
                "window": "1 d",
                "objectives": {"latency_p95": "<= 300 s"},
            },
        ]
    } == json.loads(done.stdout)
    assert 3 == judged.returncode  # nobody measured how long a recovery takes
    assert "one: mttr: not measured" in judged.stdout
    assert "one: availability: missed (k6/http_req_failed)" in judged.stdout


def test_service_levels_that_are_no_constants(veperf: Command, folders: tuple[Path, Path]) -> None:
    """What takes a compiler to read is refused, not guessed; and none at all is said."""
    clone, _ = folders
    path = "pkg/chaos/slo/baselines.go"
    commit(clone, {path: _SLOS.replace("0.995", "1 - budget")})
    unreadable = veperf("upstream", "slos", clone)
    commit(clone, {path: None})
    none = veperf("upstream", "slos", clone)

    assert [2, 2] == [unreadable.returncode, none.returncode]
    assert "AvailabilityTarget is no constant" in unreadable.stderr
    assert "no service levels" in none.stderr


@pytest.mark.parametrize(
    ("objectives", "code"),
    [
        ('latency_p95 = "<= 1 s"', 0),
        ('latency_p95 = "<= 1 ms"', 1),
        ('latency_p99 = "<= 1 s"', 3),
        ('latency_p95 = "<= one s"', 2),
    ],
)
def test_the_gate_ends_with_what_it_decides(
    veperf: Command, tmp_path: Path, objectives: str, code: int
) -> None:
    """0 met, 1 missed, 2 a broken file, 3 not answered."""
    (tmp_path / "slo.toml").write_text(f'[[slos]]\nname = "a"\nobjectives = {{{objectives}}}\n')
    words = ("gate", VECTORS / "k6_summary.json", "--slo", tmp_path / "slo.toml")

    done = veperf(*words)
    data = veperf(*words, "--output", "json")

    assert [code, code] == [done.returncode, data.returncode], done.stderr
    if code != 2:
        assert code == json.loads(data.stdout)["exit_code"]
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_several_results_answer_together(veperf: Command, tmp_path: Path) -> None:
    """What one of them lacks another has; by nothing at all nothing is judged."""
    objectives = '{latency_p95 = "<= 1 s", latency_p99 = "<= 10 s"}'
    (tmp_path / "slo.toml").write_text(f'[[slos]]\nname = "a"\nobjectives = {objectives}\n')
    report = {"Name": "orders", "TotalRequests": 10, "SuccessCount": 10, "FailureCount": 0}
    report |= {"P95Latency": 5_000_000, "P99Latency": 9_000_000}
    (tmp_path / "load.json").write_text(json.dumps(report))
    files = (VECTORS / "k6_summary.json", tmp_path / "load.json")

    alone = veperf("gate", files[0], "--slo", tmp_path / "slo.toml")
    together = veperf("gate", *files, "--slo", tmp_path / "slo.toml")
    nothing = veperf("gate", files[0])

    assert [3, 0, 2] == [alone.returncode, together.returncode, nothing.returncode]
