"""Specifications of sweeps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.cluster import Spec, load_spec
from veperf.cluster.plan import make_plan
from veperf.cluster.spec import patterns
from veperf.errors import CorruptFileError, UsageError, VeperfError


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
