"""Specifications of sweeps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.cluster.plan import Pairs, Ref, make_plan
from veperf.cluster.spec import AB, Spec, checked, load_spec, patterns
from veperf.core.errors import CorruptFileError, UsageError, VeperfError


def test_every_combination_is_a_task(tmp_path: Path) -> None:
    """Benchmarks and parameters by refs, classes and repeats; each task once."""
    path = tmp_path / "sweep.toml"
    path.write_text(
        """
        name = "nightly"
        benchmarks = ["transaction", "zk_proof/age_proof"]
        machine_classes = ["small", "large"]
        refs = ["main", "v1"]
        repeats = 3
        seed = 7

        [parameters."transaction/state_write"]
        accounts = [1000, 100000]
        """
    )

    spec = load_spec(path)
    plan = make_plan(spec, {"main": "a" * 40, "v1": "b" * 40}.__getitem__)

    assert 4 * 2 * 2 * 3 == len(plan.tasks) == len({task.id for task in plan.tasks})
    assert "transaction/state_write[accounts=1000]" in patterns(spec)
    assert {7, 8, 9} == {task.seed for task in plan.tasks}
    assert {"veperf": 1, "class:small": 0.001} in [task.resources for task in plan.tasks]
    assert [0] * 16 + [1] * 16 + [2] * 16 == [task.repeat for task in plan.tasks]


def test_a_task_keeps_its_id() -> None:
    """The same work has the same id, other work another: only so can a sweep go on."""
    spec = Spec("a", benchmarks=("x", "y"), repeats=2)

    def ids(of: Spec) -> list[str]:
        return [task.id for task in make_plan(of, str).tasks]

    assert ids(spec) == ids(spec)
    assert not set(ids(spec)) & set(ids(Spec("a", benchmarks=("x", "y"), profile="standard")))


def test_a_comparison_is_a_task_a_class_and_repeat(tmp_path: Path) -> None:
    """All its benchmarks are in one; commits are the same for all, and so is what it is among."""
    path = tmp_path / "sweep.toml"
    path.write_text(
        """
        name = "release"
        benchmarks = ["transaction", "zk_proof"]
        machine_classes = ["small", "large", "small"]
        repeats = 2

        [ab]
        base = "v1"
        head = "main"
        threshold = 10
        time_budget = "1.5h"
        """
    )

    plan = make_plan(load_spec(path), {"main": "a" * 40, "v1": "b" * 40}.__getitem__)

    jobs = {task.job for task in plan.tasks}
    assert [("small", 0), ("large", 0), ("small", 1), ("large", 1)] == [
        (task.machine_class, task.repeat) for task in plan.tasks
    ]
    assert {
        Pairs(
            ("transaction", "zk_proof"), Ref("v1", "b" * 40), Ref("main", "a" * 40),
            max_pairs=48, fail_percent=10, time_budget_s=5400, among=4,
        )
    } == jobs  # fmt: skip


def test_a_spec_of_a_program_is_checked_too() -> None:
    """As is one that was read."""
    assert Spec("a", ab=AB("x")) == checked(Spec("a", ab=AB("x")))
    with pytest.raises(CorruptFileError, match=r"\$\.name"):
        checked(Spec("../a", benchmarks=("x",)))
    with pytest.raises(UsageError, match="names no benchmarks"):
        checked(Spec("a"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "a"', "names no benchmarks"),
        ('benchmarks = ["x"]', "name"),
        ('name = "../a"\nbenchmarks = ["x"]', "$.name"),
        ('name = "a"\nbenchmarks = "x"', "$.benchmarks"),
        ('name = "a"\nbenchmarks = ["x"]\nrepeats = 0', "$.repeats"),
        ('name = "a"\nbenchmarks = ["x"]\nprofile = "fast"', "$.profile"),
        ('name = "a"\nbenchmarks = ["x"]\nspeed = 1', "speed"),
        ('name = "a"\nbenchmarks = ["x"]\nrefs = ["--upload-pack=x"]', "no name of a commit"),
        ('name = "a\\n"\nbenchmarks = ["x"]', "$.name"),
        ('name = "a"\n[ab]', "base"),
        ('name = "a"\n[ab]\nbase = "--output=x"', "no name of a commit"),
        ('name = "a"\n[ab]\nbase = "x"\nhead = "a b"', "no name of a commit"),
        ('name = "a"\n[ab]\nbase = "x"\nthreshold = 0.5', "$.ab.threshold"),
        ('name = "a"\n[ab]\nbase = "x"\nthreshold = nan', "$.ab.threshold"),
        ('name = "a"\n[ab]\nbase = "x"\nmax_pairs = 5', "$.ab.max_pairs"),
        ('name = "a"\n[ab]\nbase = "x"\ntime_budget = "soon"', "`time_budget`: 'soon'"),
        ('name = "a"\n[ab]\nbase = "x"\ntime_budget = 10', "$.ab.time_budget"),
        ('name = "a"\nprofile = "standard"\n[ab]\nbase = "x"', "are of runs"),
        ('name = "a"\nrefs = ["v1"]\n[ab]\nbase = "x"', "are of runs"),
        ("name = ", "no TOML"),
        ("\x00", "no TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    """With the file and the field."""
    path = tmp_path / "sweep.toml"
    path.write_text(text)

    with pytest.raises((UsageError, CorruptFileError)) as caught:
        load_spec(path)

    assert said in str(caught.value)
    assert "sweep.toml" in str(caught.value)


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Nothing but errors of ours comes out."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with pytest.raises(VeperfError):
        load_spec(path)
