"""The benchmarks of the zero-knowledge suite."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import zk_peers
from veperf._native.core import CORES, PYTHON, active_core
from veperf.core.registry import Task, load_registry, matching_cases
from veperf.workloads.cores import in_core
from veperf.workloads.zk import benchmarks, example_data
from veperf.workloads.zk.circuits import disclosure
from veperf.workloads.zk.circuits.presentation import presentation_inputs
from veperf.workloads.zk.groth16.files import prover_to_bytes
from veperf.workloads.zk.groth16.keys import Proof
from veperf.workloads.zk.groth16.verify import verify

REGISTRY = load_registry(["veperf.workloads.zk.benchmarks"])
CASES = [case for case in matching_cases(REGISTRY, ["zk_proof"]) if "[" not in case.id]
QUICK = ["commitment", "commitment_poseidon", "proof_id", "pairing", "multiply"]


def test_ids_and_targets() -> None:
    """Every published target of the suite is answered by the benchmark of that name."""
    root = Path(__file__).parents[4]
    published = json.loads((root / "data" / "baselines" / "targets.json").read_text())["targets"]
    targets = {t["id"] for t in published if t["id"].startswith("zk_proof/")}
    answered = {case.targets["time"]: case.id for case in CASES if case.targets}

    assert {target: target for target in targets} == answered
    ids = {case.id for case in CASES}
    for entry in published:
        if entry["id"] in targets:
            assert entry["protocol"]
            assert entry.get("successor", {"benchmark": entry["id"]})["benchmark"] in ids
    assert all(case.what for case in CASES)


@pytest.mark.parametrize("name", QUICK)
def test_a_call_can_be_repeated(name: str) -> None:
    """Each call gives what the first gave."""
    bench = REGISTRY.benchmarks[f"zk_proof/{name}"]
    task = bench.setup(**bench.cases()[0].params)
    assert isinstance(task, Task)
    results = [task.call() for _ in range(3)]

    assert [results[0]] * 3 == results


def test_cached_provers_are_the_made_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made or read, with the set-up cache or without: the same key, tables and proof."""
    compiled = example_data.compile_squarings(5)
    witness = compiled.witness(example_data.squarings_inputs(5))
    maker = example_data.make_prover(compiled.r1cs)
    expected = prover_to_bytes(maker), maker.prove(witness, Random(2).randrange)
    for place in (str(tmp_path / "cache"), str(tmp_path / "cache"), "off"):
        monkeypatch.setenv("VEPERF_SETUP_CACHE", place)
        prover = example_data.example_prover(compiled.r1cs)
        assert expected == (prover_to_bytes(prover), prover.prove(witness, Random(2).randrange))
    assert 1 == len(list((tmp_path / "cache").iterdir()))


def test_a_core_is_in_use_in_its_own_case_alone() -> None:
    """Set-up, calls and stages run in it; what comes after runs in the default again."""
    seen = []

    def look(*_: object) -> None:
        seen.append(active_core())

    def set_up() -> Task:
        look()
        return Task(look, stages={"first": look})

    task = in_core(PYTHON, set_up)
    task.call()
    task.stages["first"](None)
    look()

    assert [PYTHON] * 3 + [CORES[0]] == seen


def test_nonces_differ() -> None:
    """Two calls never give the same nonce."""
    task = benchmarks.nonce()

    assert task.call() != task.call()


def test_circuits_are_counted_and_slow_ones_left_out() -> None:
    """Constraints of each, exact; what takes seconds is in no quick run."""
    sizes = {
        circuit: benchmarks.circuit_size(circuit).read()["constraints"]
        for circuit in ("age", "residency", "score", "disclosure")
    }
    quick = {case.id for case in matching_cases(REGISTRY, ["zk_proof"], quick=False)}
    quick &= {case.id for case in matching_cases(REGISTRY, ["*"], quick=True)}

    assert {"age": 420, "residency": 368, "score": 366, "disclosure": 554} == sizes
    assert not {i for i in quick if "presentation" in i}


@pytest.mark.slow
def test_measured_presentations_are_valid() -> None:
    """The timed call proves what it says, for the request."""
    task: Any = benchmarks.presentation("score")
    asked = example_data.example_request(["score"])
    compiled = asked.claims.circuit().compile()
    issued, secret = example_data.issued_credential()
    blind = example_data.CREDENTIAL.salt
    inputs = presentation_inputs(compiled, issued, secret, asked, blind)
    public = [inputs[name] for name in compiled.r1cs.wire_names[1 : compiled.r1cs.public_count + 1]]
    key = example_data.example_prover(compiled.r1cs).key.verifying_key

    assert verify(key, public, task.call())


@pytest.mark.slow
def test_measured_proofs_are_valid() -> None:
    """The timed call makes proofs that verify, and so do the stages, one after the other."""
    key = example_data.example_prover(
        disclosure.disclosure_circuit(1).compile().r1cs
    ).key.verifying_key
    public = example_data.example_claims(1).disclose([0], example_data.NONCE).public_inputs()
    task = benchmarks.selective_disclosure(claims=1)
    whole: Any = task.call()
    *stages, last = task.stages.values()
    value: Any = None
    for stage in stages:
        value = stage(value)
    *_, a, b = value

    assert verify(key, public, whole)
    assert verify(key, public, Proof(a, b, last(value)))


@pytest.mark.parametrize("core", CORES)
def test_measured_squarings_are_proven(core: str) -> None:
    """The chain of squarings has as many constraints as it says, and its proof verifies."""
    compiled = example_data.compile_squarings(20)
    proof: Any = benchmarks.proof_by_constraints(constraints=20, core=core).call()

    assert 20 == len(compiled.r1cs.constraints)
    assert verify(
        example_data.example_prover(compiled.r1cs).key.verifying_key,
        [example_data.squarings_inputs(20)["y"]],
        proof,
    )


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_measured_verifications_succeed(core: str) -> None:
    """The timed calls accept a proof, as a whole, in stages and in batches."""
    task = benchmarks.proof_verification(core)
    value: Any = None
    for stage in task.stages.values():
        value = stage(value)
    batch = benchmarks.batch_verification(proofs=3)

    assert task.call()
    assert value is True
    assert batch.call()
    assert 3 == batch.operations


def test_missing_peers_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """veperf is measured without them."""
    programs = zk_peers.commands(tmp_path)

    assert [f"veperf {core}" for core in CORES] == list(programs)
    assert "snarkjs, by `npm install snarkjs`" in capsys.readouterr().out
