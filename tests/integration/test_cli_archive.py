"""The commands `veperf history`, `veperf archive` and `veperf baseline`."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.ground import make_older
from tests.support.archives import archive_of, dated_run, stepped
from veperf.archive.baselines import load_baselines, load_retired
from veperf.archive.store import Archive
from veperf.cli.main import main
from veperf.progress.output import print_status


@dataclass(frozen=True)
class Done:
    """Output and exit code of a command."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def veperf(monkeypatch, capsys) -> Command:
    """The command in this process, from its arguments to its exit code."""

    def run(*words: object, text: str = "") -> Done:
        monkeypatch.setattr("sys.argv", ["veperf", *map(str, words)])
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return Done(int(ended.value.code or 0), output.out, output.err)

    return run


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """An archive of forty runs in which demo/a gets slower on the 21st."""
    folder: Path = tmp_path_factory.mktemp("archive")
    archive_of(folder, stepped(40, step_at=20))
    return folder


def test_history_blames_the_commits(veperf: Command, archive: Path):
    """One benchmark shows its runs, step and commits; all are sorted by their latest change."""
    item = veperf("history", "demo/a", "--archive", archive)
    everything = veperf("history", "--archive", archive)

    assert 0 == item.returncode, item.stderr
    assert "slower" in item.stdout
    assert f"{'0' * 10}..{'0' * 10}" in item.stdout
    assert "The last 20 of 40 runs" in item.stdout
    lines = everything.stdout.splitlines()
    assert ["demo/a", "demo/b"] == [line.split()[0] for line in lines if line.startswith("demo/")]


def test_history_as_json_and_csv(veperf: Command, archive: Path):
    """Every run with its value, as data; the change point with both whole commits."""
    actual = json.loads(veperf("history", "demo/a", "--json", "--archive", archive).stdout)
    rows = list(
        csv.DictReader(
            io.StringIO(veperf("history", "demo/a", "--csv", "--archive", archive).stdout)
        )
    )

    assert ("demo/a", "time", "ns", "box-4c") == tuple(
        actual[key] for key in ("case", "metric", "unit", "machine")
    )
    (point,) = actual["change_points"]
    assert (20, f"{19:040x}..{20:040x}") == (point["index"], point["blame"])
    assert [run["value"] for run in actual["runs"]] == [float(row["value"]) for row in rows]
    assert [run["commit"] for run in actual["runs"]] == [f"{day:040x}" for day in range(40)]
    assert ["True"] == [row["change_point"] for row in rows if row["run"] == point["bad"]["run"]]
    overview = json.loads(veperf("history", "--json", "--archive", archive).stdout)
    assert ["demo/a", "demo/b"] == [item["case"] for item in overview]


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_history_as_data_says_what_it_lacks(veperf: Command, tmp_path: Path, form: str):
    """On standard error: the data alone would pass for all of it."""
    runs = [dated_run(day) for day in range(2)]
    folder = archive_of(tmp_path, runs).folder
    (folder / runs[0].id / "run.json").write_bytes(b"{")

    item = veperf("history", "demo/a", form, "--archive", folder)

    assert 0 == item.returncode
    assert runs[0].id not in item.stdout
    assert runs[1].id in item.stdout
    assert f"▲ left out: {folder / runs[0].id}" in item.stderr


def test_history_of_what_does_not_exist(veperf: Command, archive: Path, tmp_path: Path):
    """Unknown names end with exit code 2 and the known ones; an empty archive is no error."""
    wrong = veperf("history", "demo/c", "--archive", archive)
    none = veperf("history", "--archive", tmp_path)

    assert (2, "") == (wrong.returncode, wrong.stdout)
    assert "there are demo/a, demo/b" in wrong.stderr
    assert (0, True) == (none.returncode, "No complete run" in none.stdout)


def test_verify_names_the_damaged_file_and_ends_with_3(veperf: Command, tmp_path: Path):
    """An intact archive exits with 0; changed and missing files are named."""
    archive_of(tmp_path, [dated_run(day) for day in range(3)])
    first, second, _ = Archive(tmp_path).ids()
    good = veperf("archive", "verify", "--archive", tmp_path)
    assert (0, True) == (good.returncode, "3 of 3" in good.stdout)
    (tmp_path / first / "samples.parquet").write_bytes(b"x")
    (tmp_path / second / "run.json").unlink()

    bad = veperf("archive", "verify", "--archive", tmp_path)

    assert 3 == bad.returncode
    assert f"{first}/samples.parquet has changed since it was written" in bad.stdout
    assert f"can't read {tmp_path / second}/run.json" in bad.stdout
    assert "1 of 3" in bad.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("archive", "verify"),
        ("archive", "migrate"),
        ("archive", "compact"),
        ("archive", "prune", "--keep", "1", "--yes"),
        ("list", "--runs"),
        ("history",),
        ("history", "demo/a"),
        ("site",),
        ("report",),
    ],
    ids=" ".join,
)
def test_an_archive_that_is_not_there_is_no_empty_one(veperf: Command, tmp_path: Path, words):
    """A wrong name, and a file in the place of a folder, are errors that name it."""
    (tmp_path / "file").write_text("")
    for name in ("none", "file"):
        done = veperf(*words, "--archive", tmp_path / name)
        assert done.returncode in (2, 3), done
        assert str(tmp_path / name) in done.stderr
        assert "" == done.stdout
    assert ["file"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("words", [("list", "--runs"), ("history",), ("site",), ("report",)])
def test_an_archive_of_a_later_veperf_is_no_empty_one(veperf: Command, tmp_path: Path, words):
    """The error says to update veperf."""
    archive = archive_of(tmp_path, [dated_run(0)])
    folder = archive.at(dated_run(0).id)
    manifest = json.loads(folder.read("complete.json")) | {"format": 9}
    folder.write("complete.json", json.dumps(manifest).encode())

    done = veperf(*words, "--archive", tmp_path)

    assert (2, True) == (done.returncode, "update veperf" in done.stderr), done


def test_compact_says_what_it_left(veperf: Command, tmp_path: Path):
    """What is kept, and what a later version wrote, which ends with 3 and stays whole."""
    archive = archive_of(tmp_path, [dated_run(day) for day in range(3)])
    folder = archive.at(dated_run(1).id)
    manifest = json.dumps(json.loads(folder.read("complete.json")) | {"format": 9}).encode()
    folder.write("complete.json", manifest)

    kept = veperf("archive", "compact", "--archive", tmp_path)
    done = veperf("archive", "compact", "--keep", "0", "--archive", tmp_path)

    assert (0, "packed 0 runs; the last 3 stay as they are\n") == (
        kept.returncode,
        kept.stdout.replace("\u202f", " "),
    )
    left, packed = done.stdout.replace("\u202f", " ").splitlines()
    assert (3, "packed 2 runs") == (done.returncode, packed)
    assert f"▲ left as it is: {folder.where('complete.json')} has format 9" in left
    assert manifest == folder.read("complete.json")


def test_migrate_says_what_it_did(veperf: Command, tmp_path: Path):
    """What was up to date, what was not, and what is damaged, which ends with 3."""
    archive_of(tmp_path, [dated_run(day) for day in range(3)])
    make_older(tmp_path)
    (tmp_path / dated_run(1).id / "samples.parquet").write_bytes(b"")

    first, second = (veperf("archive", "migrate", "--archive", tmp_path) for _ in range(2))

    assert "brought 2 files up to date, 0 were so already" in first.stdout
    assert "brought 0 files up to date, 2 were so already" in second.stdout
    assert (3, 3) == (first.returncode, second.returncode)
    assert f"▲ left as it is: {tmp_path / dated_run(1).id}/samples.parquet" in first.stdout


def test_compact_prune_and_import(veperf: Command, tmp_path: Path):
    """Pack, prune after a prompt, keep what baselines need, and import another archive."""
    mine, others = tmp_path / "mine", tmp_path / "theirs"
    runs = [dated_run(day) for day in range(6)]
    archive_of(mine, runs)
    archive_of(others, [*runs[:1], *(dated_run(day) for day in range(10, 12))])
    (others / "20260111-box-4c" / "run.json").write_text("{")
    where = ["--archive", mine, "--baselines", tmp_path / "baselines"]
    assert 0 == veperf("baseline", "record", runs[1].id, *where).returncode

    packed = veperf("archive", "compact", "--keep", "2", *where[:2])
    assert (0, "packed 4") == (packed.returncode, packed.stdout.replace("\u202f", " ")[:8])
    dry = veperf("archive", "prune", "--keep", "1", "--dry-run", *where)
    assert (0, 6) == (dry.returncode, len(Archive(mine).ids()))
    refused = veperf("archive", "prune", "--keep", "1", *where, text="n\n")
    assert (True, 6) == (refused.returncode != 0, len(Archive(mine).ids()))
    done = veperf("archive", "prune", "--keep", "1", "--yes", *where)
    assert 0 == done.returncode, done.stderr
    assert [runs[1].id, runs[5].id] == Archive(mine).ids()
    assert 2 == veperf("archive", "prune", *where).returncode

    taken = veperf("archive", "import", others, *where[:2])
    assert 0 == taken.returncode, taken.stderr
    assert "▲ skipped 20260111-box-4c" in taken.stdout
    assert [runs[0].id, runs[1].id, runs[5].id, "20260112-box-4c"] == Archive(mine).ids()
    assert 2 == veperf("archive", "import", tmp_path / "none", *where[:2]).returncode


def test_a_baseline_of_sessions_and_its_history(veperf: Command, tmp_path: Path):
    """Three runs make one baseline; an update keeps it, with the reason, and shows both."""
    runs = [dated_run(day) for day in range(4)]
    archive_of(tmp_path / "runs", runs)
    where = ["--archive", tmp_path / "runs", "--baselines", tmp_path / "baselines"]

    three = veperf("baseline", "record", *(run.id for run in runs[:3]), *where)
    assert 0 == three.returncode, three.stderr
    (pooled,) = load_baselines(tmp_path / "baselines", ["demo"])
    assert tuple(run.id for run in runs[:3]) == pooled.sessions
    assert 2 == veperf("baseline", "update", "last", *where).returncode
    updated = veperf("baseline", "update", "last", "--reason", "does | more\x1b[31m", *where)
    assert 0 == updated.returncode, updated.stderr

    (retired,) = load_retired(tmp_path / "baselines", ["demo"])
    assert (pooled, "does | more\x1b[31m") == (retired.baseline, retired.reason)
    (now,) = load_baselines(tmp_path / "baselines", ["demo"])
    assert runs[3].id == now.run
    output = veperf("baseline", "history", *where[2:]).stdout
    assert "does | more" in output
    assert "\x1b" not in output
    assert "box-4c" in veperf("baseline", "show", *where[2:]).stdout


@pytest.mark.slow
def test_a_command_that_waits_for_another_says_so(
    veperf: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A long wait is reported once on standard error, then the command does its work."""
    archive = archive_of(tmp_path, [dated_run(0)])
    lock = archive.storage.lock()

    def tell(line: str) -> None:
        print_status(line)
        lock.release()

    monkeypatch.setattr("veperf.archive.store.print_status", tell)
    done = veperf("archive", "compact", "--keep", "0", "--archive", tmp_path)

    assert f"waiting for another process that holds the lock of {tmp_path}\n" == done.stderr
    assert "packed 1" in done.stdout
