"""Specifications of sweeps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.cluster.spec import ABSpec, SweepSpec, load_spec, spec_patterns, validate_spec
from veperf.cluster.sweep_plan import ABJob, Ref, plan_sweep, upgrade_plan
from veperf.core.errors import CorruptFileError, UsageError, VeperfError
from veperf.core.options import ABOptions


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
    plan = plan_sweep(spec, {"main": "a" * 40, "v1": "b" * 40}.__getitem__)

    assert 4 * 2 * 2 * 3 == len(plan.tasks) == len({task.id for task in plan.tasks})
    assert "transaction/state_write[accounts=1000]" in spec_patterns(spec)
    assert {7, 8, 9} == {task.seed for task in plan.tasks}
    assert {"veperf": 1, "class:small": 0.001} in [task.resources for task in plan.tasks]
    assert [0] * 16 + [1] * 16 + [2] * 16 == [task.repeat for task in plan.tasks]


def test_a_task_keeps_its_id() -> None:
    """The same work has the same id, other work another: only so can a sweep go on."""
    spec = SweepSpec("a", benchmarks=("x", "y"), repeats=2)

    def ids(of: SweepSpec) -> list[str]:
        return [task.id for task in plan_sweep(of, str).tasks]

    assert ids(spec) == ids(spec)
    assert not set(ids(spec)) & set(ids(SweepSpec("a", benchmarks=("x", "y"), profile="standard")))


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
        fail_over = "10%"
        time_budget = "1.5h"
        """
    )

    plan = plan_sweep(load_spec(path), {"main": "a" * 40, "v1": "b" * 40}.__getitem__)

    jobs = {task.job for task in plan.tasks}
    assert [("small", 0), ("large", 0), ("small", 1), ("large", 1)] == [
        (task.machine_class, task.repeat) for task in plan.tasks
    ]
    assert {
        ABJob(
            ("transaction", "zk_proof"), Ref("v1", "b" * 40), Ref("main", "a" * 40),
            ABOptions(fail_over=0.1, time_budget_s=5400, comparisons=4),
        )
    } == jobs  # fmt: skip


def test_a_spec_of_a_program_is_checked_too() -> None:
    """As is one that was read."""
    assert SweepSpec("a", ab=ABSpec("x")) == validate_spec(SweepSpec("a", ab=ABSpec("x")))
    with pytest.raises(CorruptFileError, match=r"\$\.name"):
        validate_spec(SweepSpec("../a", benchmarks=("x",)))
    with pytest.raises(UsageError, match="names no benchmarks"):
        validate_spec(SweepSpec("a"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "a"', "names no benchmarks"),
        ('benchmarks = ["x"]', "name"),
        ('name = "../a"\nbenchmarks = ["x"]', "$.name"),
        ('name = "a"\nbenchmarks = "x"', "$.benchmarks"),
        ('name = "a"\nbenchmarks = ["x"]\nrepeats = 0', "$.repeats"),
        (
            'name = "a"\nbenchmarks = ["x"]\nprofile = "fast"',
            "$.profile must be quick, standard or thorough, not 'fast'",
        ),
        ('name = "a"\nbenchmarks = ["x"]\nspeed = 1', "speed"),
        (
            'name = "a"\nbenchmarks = ["x"]\nrefs = ["--upload-pack=x"]',
            "not a valid name of a commit",
        ),
        ('name = "a\\n"\nbenchmarks = ["x"]', "$.name"),
        ('name = "a"\n[ab]', "base"),
        ('name = "a"\n[ab]\nbase = "--output=x"', "not a valid name of a commit"),
        ('name = "a"\n[ab]\nbase = "x"\nhead = "a b"', "not a valid name of a commit"),
        ('name = "a"\n[ab]\nbase = "x"\nfail_over = 0.0005', "$.ab.fail_over"),
        ('name = "a"\n[ab]\nbase = "x"\nfail_over = nan', "$.ab.fail_over"),
        (
            'name = "a"\n[ab]\nbase = "x"\nfail_over = 5',
            "$.ab.fail_over is a ratio: write 5% or 0.05, not 5",
        ),
        (
            'name = "a"\n[ab]\nbase = "x"\nthreshold = 5',
            "$.ab.threshold is no option; it is now fail_over, a ratio: 5% or 0.05",
        ),
        (
            'name = "a"\n[ab]\nbase = "x"\ntime_budget = "5m"\ntime_budget_s = 300',
            "$.ab.time_budget_s and $.ab.time_budget are the same: write one of them",
        ),
        ('name = "a"\n[ab]\nbase = "x"\nmax_pairs = 5', "$.ab.max_pairs"),
        (
            'name = "a"\n[ab]\nbase = "x"\ntime_budget = "soon"',
            "$.ab.time_budget is 'soon', not a duration such as 90s, 10m or 1.5h",
        ),
        ('name = "a"\n[ab]\nbase = "x"\ntime_budget = 10', "$.ab.time_budget"),
        ('name = "a"\nprofile = "standard"\n[ab]\nbase = "x"', "are for runs"),
        ('name = "a"\nrefs = ["v1"]\n[ab]\nbase = "x"', "are for runs"),
        ("name = ", "no TOML"),
        ("\x00", "no TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    """With the file and the field."""
    path = tmp_path / "sweep.toml"
    path.write_text(text)

    with pytest.raises((UsageError, CorruptFileError)) as caught:
        load_spec(path)

    assert message in str(caught.value)
    assert "sweep.toml" in str(caught.value)


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Nothing but errors of ours comes out."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with pytest.raises(VeperfError):
        load_spec(path)


def test_a_plan_of_an_earlier_format_goes_on() -> None:
    """Its percents become ratios, and its tasks keep their ids."""
    table = {
        "spec": {
            "name": "release", "benchmarks": [], "parameters": {}, "profile": "quick",
            "machine_classes": ["small"], "refs": [], "repeats": 2, "seed": 7, "timeout_s": 90.0,
            "modules": ["mine"], "memory": False,
            "ab": {
                "base": "v1", "head": "v2", "threshold": 10, "max_pairs": 24, "time_budget": "90m",
            },
        },
        "tasks": [
            {
                "id": "c6a39287ed256a51",
                "job": {
                    "type": "ab", "patterns": [], "base": {"name": "v1", "commit": "a"},
                    "head": {"name": "v2", "commit": "b"}, "max_pairs": 24, "fail_percent": 10,
                    "time_budget_s": 5400.0, "among": 2,
                },
                "modules": ["mine"], "seed": 7, "timeout_s": 90.0, "repeat": 0,
                "machine_class": "small",
            }
        ],
    }  # fmt: skip

    plan = upgrade_plan(table)

    (task,) = plan.tasks
    assert "c6a39287ed256a51" == task.id
    assert ABSpec("v1", "v2", fail_over=0.1, max_pairs=24, time_budget_s=5400) == plan.spec.ab
    assert ABOptions(
        modules=("mine",), timeout_s=90, fail_over=0.1, max_pairs=24, time_budget_s=5400,
        comparisons=2,
    ) == task.job.options  # fmt: skip
