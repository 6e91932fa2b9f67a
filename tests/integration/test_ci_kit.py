"""The workflows and recipes: what they may do, and that their scripts do it."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helpers import plausible_run
from veperf.archive.store import Archive
from veperf.core.run import Run
from veperf.formats.markdown import MARKER
from veperf.report.markdown_writer import MOST_COMMENT_BYTES, MarkdownPart, write_markdown
from veperf.report.tables.table import Cell, Table, columns

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "veperf" / "cli" / "starter"  # of `veperf init`, and of its --go
WORKFLOWS = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    *sorted(STARTER.rglob("*.yml")),
]
GITLAB = ROOT / "docs" / "ci" / "gitlab-ci.yml"
GITLAB_GO = ROOT / "docs" / "ci" / "gitlab-ci-go.yml"
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")
BENCHMARKS = '''
from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


@benchmark("mine/work", level=Level.MICRO)
def work() -> Task:
    """Adds up."""
    numbers = list(range(20_000))
    return Task(lambda: sum(numbers))
'''


def workflow(name: str | Path) -> dict[Any, Any]:
    path = ROOT / ".github" / "workflows" / name  # a whole path stays what it is
    actual: dict[Any, Any] = yaml.safe_load(path.read_text())
    return actual


def triggers(document: dict[Any, Any]) -> dict[str, Any]:
    """YAML 1.1 takes the key ``on`` for true."""
    return document[True] or {}


def steps(document: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_workflow_is_safe_by_its_form(path: Path):
    """Actions pinned by commit, little allowed, nothing of an event pasted into a script."""
    actual = workflow(path)

    assert actual["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in triggers(actual)
    assert not re.search(r"\$\{\{[^}]*secrets", path.read_text())
    for step in steps(actual):
        assert "uses" not in step or PINNED.fullmatch(step["uses"]), step
        assert "${{" not in step.get("run", ""), step["name"]
    for job in actual["jobs"].values():
        assert job["timeout-minutes"] <= 120


def test_what_runs_a_forks_code_can_only_read():
    """Jobs of a pull request have no rights of their own and keep no credentials on disk."""
    for path in WORKFLOWS:
        actual = workflow(path)
        if "pull_request" not in triggers(actual):
            continue
        for job in actual["jobs"].values():
            if "permissions" in job:
                assert "push" in job["if"]
                assert "pull_request" not in job["if"]
                assert not any("veperf" in step.get("run", "") for step in job["steps"])
                continue
            (checkout,) = (s for s in job["steps"] if "checkout" in s.get("uses", ""))
            assert checkout["with"]["persist-credentials"] is False
            assert not any("github.token" in str(step) for step in job["steps"])


def test_what_may_comment_runs_no_code_of_a_fork():
    """It checks nothing out and uses no action at all."""
    actual = workflow("performance-comment.yml")

    assert {"workflow_run"} == triggers(actual).keys()
    assert ["performance"] == triggers(actual)["workflow_run"]["workflows"]
    assert workflow("performance.yml")["name"] == "performance"
    assert all("uses" not in step for step in steps(actual))
    (job,) = actual["jobs"].values()
    assert {"actions": "read", "pull-requests": "write"} == job["permissions"]


def test_artifacts_are_kept_whatever_the_verdict():
    """And `veperf ci` is what every kind of event calls."""
    github = workflow("performance.yml")["jobs"]["performance"]["steps"]
    uploads = [step for step in github if "upload-artifact" in step.get("uses", "")]
    assert 2 == len(uploads)
    assert all("!cancelled()" in step["if"] for step in uploads)
    assert any(".venv/bin/veperf ci" in step.get("run", "") for step in github)

    gitlab = yaml.safe_load(GITLAB.read_text())["performance"]
    assert "always" == gitlab["artifacts"]["when"]
    assert "performance/junit.xml" == gitlab["artifacts"]["reports"]["junit"]
    assert any("veperf ci" in line for line in gitlab["script"])
    assert ["performance-comment", "performance-archive"] == [
        name for name, job in yaml.safe_load(GITLAB.read_text()).items() if "needs" in job
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"BASE": "main", "PROFILE": "quick"},
            ["--against", "<base>", "--only-changed", "--budget", "30m"],
        ),
        ({"BASE": "", "PROFILE": "standard"}, []),
    ],
)
def test_the_workflows_measuring_step(event: dict[str, str], expected: list[str], tmp_path: Path):
    """A pull request is compared with where it left its base, a push with nothing."""
    _, clone = _origin(tmp_path)
    base = _git(clone, "rev-parse", "HEAD")
    _commit(clone, "change.txt")
    _script(clone / ".venv" / "bin" / "veperf", 'printf "%s\\n" "$@" >said')
    (step,) = (s for s in steps(workflow("performance.yml")) if "veperf ci" in s.get("run", ""))

    subprocess.run(["sh", "-e", "-c", step["run"]], cwd=clone, env=os.environ | event, check=True)

    output = (clone / "said").read_text().split()
    assert ["ci", "--profile", event["PROFILE"]] == output[:3]
    assert [word.replace("<base>", base) for word in expected] == output[3:-6]
    assert ["--export", "junit", "performance/junit.xml"] == output[-6:-3]


class TestGo:
    """The workflows of a repository without any Python."""

    GATE = STARTER / "go" / "performance.yml"

    def test_it_has_history_and_the_repositorys_own_go(self) -> None:
        """Both commits can be built, by the toolchain that go.mod asks for."""
        used = {
            step["uses"].partition("@")[0]: step.get("with", {})
            for step in steps(workflow(self.GATE))
            if "uses" in step
        }

        assert 0 == used["actions/checkout"]["fetch-depth"]
        assert "go.mod" == used["actions/setup-go"]["go-version-file"]
        assert "actions/setup-python" in used

    def test_the_comment_is_posted_as_that_of_a_python_project(self) -> None:
        """By the same workflow, which waits for this one and takes the artifact that it keeps."""
        comment = STARTER / "go" / "performance-comment.yml"
        original = ROOT / ".github" / "workflows" / "performance-comment.yml"
        uploads = [step["with"] for step in steps(workflow(self.GATE)) if "with" in step]

        assert original.read_text() == comment.read_text()
        assert [workflow(self.GATE)["name"]] == triggers(workflow(comment))["workflow_run"][
            "workflows"
        ]
        assert "performance/comment.md" in [
            upload["path"] for upload in uploads if upload.get("name") == "performance-comment"
        ]

    def test_the_comparing_step(self, tmp_path: Path) -> None:
        """All packages, with where the pull request left its base; JUnit XML and a comment."""
        _, clone = _origin(tmp_path)
        base = _git(clone, "rev-parse", "HEAD")
        _commit(clone, "change.txt")
        _script(tmp_path / "bin" / "veperf", 'printf "%s\\n" "$@" >said')
        environment = os.environ | {
            "BASE": "main",
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        }
        (script,) = [step["run"] for step in steps(workflow(self.GATE)) if "env" in step]

        subprocess.run(["sh", "-e", "-c", script], cwd=clone, env=environment, check=True)

        words = ["ci", "--go", "./...", "--against", base, "--budget", "30m"]
        words += ["--export", "junit", "performance/junit.xml"]
        assert [*words, "--export", "comment", "performance/comment.md"] == (
            (clone / "said").read_text().split()
        )
        assert (clone / "performance").is_dir()

    def test_gitlab_runs_the_same_command(self) -> None:
        """Whatever the verdict, its files are kept."""
        job = yaml.safe_load(GITLAB_GO.read_text())["performance"]

        (command,) = [line for line in job["script"] if "veperf ci" in line]
        assert "--go ./... --against" in command
        assert "0" == job["variables"]["GIT_DEPTH"]
        assert "always" == job["artifacts"]["when"]
        assert "performance/junit.xml" == job["artifacts"]["reports"]["junit"]


class TestComment:
    """The step that posts, with a stand-in for GitHub's ``gh``, which needs the network."""

    GH = """
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in
  "run download"*) [ -e "$ARTIFACT" ] || exit 1; mkdir found; cp -P "$ARTIFACT" found/comment.md ;;
  *"/pulls "*) printf '%s' "$NUMBER" ;;
  *"--paginate"*) printf '%s' "$COMMENT" ;;
  *) cp comment.md "$SENT" ;;
esac
"""

    def post(
        self, tmp_path: Path, content: str | None, number: str = "7", comment: str = ""
    ) -> tuple[int, list[str], str]:
        """Exit code, calls of ``gh``, and what was sent."""
        (tmp_path / "work").mkdir()
        _script(tmp_path / "bin" / "gh", self.GH)
        artifact, calls, sent = (tmp_path / n for n in ("artifact", "calls", "sent"))
        if content is not None:
            artifact.write_text(content)
        (step,) = steps(workflow("performance-comment.yml"))
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(calls), "ARTIFACT": str(artifact), "SENT": str(sent),
            "NUMBER": number, "COMMENT": comment, "GH_REPO": "o/r", "RUN": "99",
            "HEAD": "stranger:$(touch pwned)`touch pwned`", "SHA": "abc",
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=tmp_path / "work",
            env=os.environ | environment,
            check=False,
        )
        assert not (tmp_path / "work" / "pwned").exists()
        lines = calls.read_text().splitlines()
        return done.returncode, lines, sent.read_text() if sent.exists() else ""

    def test_a_first_comment_is_posted(self, tmp_path: Path):
        """On the pull request that has this commit as its head, as GitHub itself says."""
        code, calls, sent = self.post(tmp_path, f"{MARKER}\n### Pass")

        assert (0, True) == (code, "--method POST repos/o/r/issues/7/comments" in calls[-1])
        assert sent.startswith(MARKER)
        assert "### Pass" in sent

    def test_a_later_one_writes_over_the_first(self, tmp_path: Path):
        """The comment with the hidden marker is updated in place."""
        code, calls, _ = self.post(tmp_path, f"{MARKER}\n### Pass", comment="42\n43\n")

        assert 0 == code
        assert "--method PATCH repos/o/r/issues/comments/42 -F body=@comment.md" in calls[-1]

    def test_text_from_strangers_stays_small_and_mentions_nobody(self, tmp_path: Path):
        """Whatever the fork's code put into the artifact; the marker comes first all the same."""
        code, _, sent = self.post(tmp_path, "hello @maintainer @org/team " + "@é" * 100_000)

        assert 0 == code
        assert sent.startswith(MARKER)
        assert not re.search(r"@\w", sent)
        assert len(sent) < 65_536

    def test_veperfs_own_comment_is_posted_whole(self, tmp_path: Path):
        """At its largest, with mentions that are defused already."""
        names = tuple(Cell(f"@a{'@é' * 40}") for _ in range(2_000))
        table = Table("", columns("Name"), tuple((name,) for name in names), row_header=0)
        content = write_markdown([MARKER], [MarkdownPart("x", (table,))], most=MOST_COMMENT_BYTES)

        code, _, sent = self.post(tmp_path, content)

        assert (0, f"{MARKER}\n{content}") == (code, sent)

    @pytest.mark.parametrize(("content", "number"), [(None, "7"), ("x", "")])
    def test_nothing_to_say_or_nowhere(self, tmp_path: Path, content: str | None, number: str):
        """No artifact, or no open pull request with that head: quietly nothing."""
        code, calls, sent = self.post(tmp_path, content, number)

        assert (0, "") == (code, sent)
        assert not any("POST" in call or "PATCH" in call for call in calls)

    def test_a_link_is_refused(self, tmp_path: Path):
        """An artifact can't make the step read another file."""
        (tmp_path / "artifact").symlink_to("/etc/passwd")

        code, _, sent = self.post(tmp_path, None)

        assert (1, "") == (code, sent)


class TestArchive:
    """docs/ci/archive.sh with repositories on disk."""

    def append(self, clone: Path, folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run the script in ``clone``."""
        return subprocess.run(
            ["sh", str(ROOT / "docs" / "ci" / "archive.sh"), str(folder)],
            cwd=clone,
            capture_output=True,
            text=True,
            env=os.environ | more,
            check=False,
        )

    def kept(self, folder: Path, *runs: Run) -> Path:
        """An archive with ``runs``, each with a report."""
        for run in runs:
            Path(Archive(folder).save(run), "index.html").write_text("a report")
        return folder

    def test_runs_are_appended(self, tmp_path: Path):
        """To a branch of their own, run by run, without reports; twice is once."""
        origin, clone = _origin(tmp_path)
        first = self.kept(tmp_path / "a", plausible_run(seed=1))
        both = self.kept(tmp_path / "b", plausible_run(seed=1), plausible_run(seed=2))

        done = [self.append(clone, folder) for folder in (first, both, both)]

        assert [0, 0, 0] == [item.returncode for item in done], done
        assert "nothing new" in done[2].stdout
        branch = tmp_path / "branch"
        _git(tmp_path, "clone", "-q", "-b", "performance-archive", str(origin), str(branch))
        assert [plausible_run(seed=s) for s in (1, 2)] == [
            Archive(branch).load(i) for i in Archive(branch).ids()
        ]
        assert not list(branch.rglob("*.html"))
        assert "2" == _git(branch, "rev-list", "--count", "HEAD")
        assert "" == _git(clone, "status", "--porcelain")
        assert 1 == len(_git(clone, "worktree", "list").splitlines())

    def test_a_push_in_between_is_no_loss(self, tmp_path: Path):
        """What another job appended meanwhile stays, and ours comes on top."""
        origin, clone = _origin(tmp_path)
        assert 0 == self.append(clone, self.kept(tmp_path / "a", plausible_run(seed=1))).returncode
        own = self.kept(tmp_path / "b", plausible_run(seed=2))
        fetched = self.kept(tmp_path / "c", plausible_run(seed=3))
        other = tmp_path / "other"
        _git(tmp_path, "clone", "-q", str(origin), str(other))
        # A hook that runs before the first push lets the other job be faster.
        hook = f'[ -e "{tmp_path}/once" ] && exit 0\ntouch "{tmp_path}/once"\n'
        script = ROOT / "docs" / "ci" / "archive.sh"
        hook += (
            f'unset GIT_DIR GIT_INDEX_FILE GIT_PREFIX\ncd "{other}" && sh "{script}" "{fetched}"'
        )
        _script(clone / ".git" / "hooks" / "pre-push", hook)

        done = self.append(clone, own)

        assert 0 == done.returncode, done.stderr
        branch = tmp_path / "branch"
        _git(tmp_path, "clone", "-q", "-b", "performance-archive", str(origin), str(branch))
        assert 3 == len(Archive(branch).ids())

    def test_nothing_to_append_is_an_error(self, tmp_path: Path):
        """A folder without a complete run is a mistake of the caller's."""
        _, clone = _origin(tmp_path)

        done = self.append(clone, tmp_path)

        assert 2 == done.returncode
        assert "holds no complete run" in done.stderr


@pytest.mark.slow
def test_the_shell_recipe_gates(tmp_path: Path):
    """docs/ci/gate.sh on a small repository: a planted slowdown fails, and is in every file."""
    _, clone = _origin(tmp_path)
    (clone / "mine.py").write_text(BENCHMARKS)
    _git(clone, "add", "mine.py")
    _commit(clone, "base.txt")
    _git(clone, "branch", "base")
    (clone / "mine.py").write_text(BENCHMARKS.replace("20_000", "40_000"))
    _script(tmp_path / "bin" / "veperf", f'exec "{sys.executable}" -m veperf "$@"')
    environment = {k: v for k, v in os.environ.items() if k != "GITHUB_STEP_SUMMARY"} | {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        ["sh", str(ROOT / "docs" / "ci" / "gate.sh"), "base", "--module", "mine", "mine",
         "--archive", str(tmp_path / "archive"), "--time-budget", "60s"],
        cwd=clone, capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip

    assert 1 == done.returncode, done.stdout + done.stderr
    root = ET.parse(clone / "performance" / "junit.xml").getroot()
    assert "1" == root.get("failures")
    comment = (clone / "performance" / "comment.md").read_text()
    assert 1 == comment.count(MARKER)
    assert 1 == comment.count("### ")
    (page,) = (tmp_path / "archive").glob("*/index.html")
    assert "mine/work" in page.read_text()
    (pairs,) = (tmp_path / "archive").glob("ab-*/ab.json")
    assert "mine/work" == json.loads(pairs.read_text())["changes"][0]["case"]


def _script(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _commit(clone: Path, name: str) -> None:
    (clone / name).write_text(name)
    _git(clone, "add", name)
    _git(clone, "commit", "-q", "-m", name)


def _origin(folder: Path) -> tuple[Path, Path]:
    """A bare repository with one commit on main, and a clone of it."""
    origin, clone = folder / "origin.git", folder / "clone"
    _git(folder, "init", "-q", "--bare", "-b", "main", str(origin))
    _git(folder, "init", "-q", "-b", "main", str(clone))
    _git(clone, "remote", "add", "origin", str(origin))
    _commit(clone, "first.txt")
    _git(clone, "push", "-q", "-u", "origin", "main")
    return origin, clone
