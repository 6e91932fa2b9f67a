"""Groth16 by veperf, snarkjs and arkworks side by side: CPU time in one run.

    python -m benchmarks.zk_peers --install      # once: npm and pip, into the user's cache folder
    python -m benchmarks.zk_peers

veperf makes a witness of each circuit, and two keys: one in its own form, one as snarkjs's .zkey.
In each round, every program gets them in a process of its own, proves and verifies again and again,
and verifies a proof of veperf's; veperf verifies theirs. Printed is the median over rounds of the
least CPU time of a call, all threads of the process together, with ratios: below 1, veperf is
quicker. snarkjs reads the key anew for each proof, and has no step of its own for that. groth16py,
a binding of arkworks, is under the GPL: it runs in an environment of its own, and nothing of it is
part of veperf.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from veperf._native.core import CORES, NATIVE, OFF, VARIABLE
from veperf.core.paths import user_cache_folder
from veperf.workloads.zk import example_data
from veperf.workloads.zk.circuits.credential import AGE_CIRCUIT, credential_witness
from veperf.workloads.zk.groth16.files import prover_from_bytes, prover_to_bytes
from veperf.workloads.zk.groth16.keys import KeyForm
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.snarkjs.circom_files import read_r1cs, read_wtns, write_r1cs, write_wtns
from veperf.workloads.zk.snarkjs.json_files import (
    proof_from_json,
    proof_to_json,
    public_from_json,
    public_to_json,
    verifying_key_from_json,
    verifying_key_to_json,
)
from veperf.workloads.zk.snarkjs.zkey import write_zkey, zkey_of

CALLS = 5
STEPS = ("prove", "verify", "first proof", "load key")
CIRCUITS = {"age": 420, "squarings": 1_936}
"""The circuits, with their constraints."""

# Both take the folder of a circuit's files and the number of calls, and print one JSON object.
SNARKJS = """
const snarkjs = require("snarkjs"), fs = require("fs");
const [folder, calls] = process.argv.slice(1);
const read = (name) => JSON.parse(fs.readFileSync(`${folder}/${name}.json`));
async function cpu(call) {
    const used = process.cpuUsage();
    await call();
    const { user, system } = process.cpuUsage(used);
    return (user + system) / 1e3;
}
async function least(call) {
    let best = Infinity;
    for (let i = 0; i < calls; i++) best = Math.min(best, await cpu(call));
    return best;
}
(async () => {
    const prove = () => snarkjs.groth16.prove(`${folder}/key.zkey`, `${folder}/witness.wtns`);
    const took = { "first proof": await cpu(prove), prove: await least(prove) };
    const { proof, publicSignals } = await prove();
    const check = (p) => snarkjs.groth16.verify(read("key"), publicSignals, p);
    took.verify = await least(() => check(proof));
    console.log(JSON.stringify({ took, proof, accepts: await check(read("proof")) }));
    process.exit(0);
})();
"""
ARKWORKS = """
import json, sys
from pathlib import Path
from time import process_time
import groth16py
folder, calls = Path(sys.argv[1]), int(sys.argv[2])
read = lambda name: (folder / name).read_text()
def cpu(call):
    start = process_time()
    call()
    return (process_time() - start) * 1e3
zkey, wtns = str(folder / "key.zkey"), str(folder / "witness.wtns")
load = lambda: groth16py.import_zkey(zkey)
took = {"load key": min(cpu(load) for _ in range(calls))}
proving, verifying = load()
prove = lambda: groth16py.prove_wtns(proving, wtns)
took["first proof"] = cpu(prove)
took["prove"] = min(cpu(prove) for _ in range(calls))
verifier, public = groth16py.Verifier(verifying), [int(n) for n in json.loads(read("public.json"))]
blob = prove()
took["verify"] = min(cpu(lambda: verifier.verify(blob, public)) for _ in range(calls))
accepts = verifier.verify_snarkjs(read("proof.json"), read("public.json"))
n = [str(int.from_bytes(blob[i:i + 32], "big")) for i in range(0, 256, 32)]
proof = {"pi_a": [n[0], n[1], "1"], "pi_b": [[n[3], n[2]], [n[5], n[4]], ["1", "0"]],
         "pi_c": [n[6], n[7], "1"]}
print(json.dumps({"took": took, "proof": proof, "accepts": accepts}))
"""


def write_circuits(folder: Path) -> None:
    """Write key, witness, public inputs and a proof of each circuit, in a folder of its own."""
    age = AGE_CIRCUIT.compile()
    squarings = example_data.compile_squarings(CIRCUITS["squarings"])
    witnesses = {
        "age": credential_witness(age, example_data.CREDENTIAL, example_data.AGE_STATEMENT),
        "squarings": squarings.witness(example_data.squarings_inputs(CIRCUITS["squarings"])),
    }
    for name, compiled in {"age": age, "squarings": squarings}.items():
        r1cs, witness, place = compiled.r1cs, witnesses[name], folder / name
        place.mkdir()
        shared = Prover(r1cs, setup(r1cs, form=KeyForm.SNARKJS))
        files = {
            "circuit.r1cs": write_r1cs(r1cs),
            "witness.wtns": write_wtns(witness),
            "key.zkey": write_zkey(zkey_of(shared.key, r1cs)),
            "key.json": verifying_key_to_json(shared.key.verifying_key),
            "public.json": public_to_json(witness[1 : r1cs.public_count + 1]),
            "proof.json": proof_to_json(shared.prove(witness)),
            "prover.bin": prover_to_bytes(Prover(r1cs, setup(r1cs))),
        }
        for file, data in files.items():
            (place / file).write_bytes(data)


def measure_veperf(place: Path, calls: int) -> dict[str, float]:
    """Return the CPU time in ms of veperf's steps, in the core of this process."""

    def cpu(call: Callable[[], object]) -> float:
        start = process_time()
        call()
        return (process_time() - start) * 1e3

    r1cs, data = read_r1cs((place / "circuit.r1cs").read_bytes()), place / "prover.bin"
    witness = read_wtns((place / "witness.wtns").read_bytes())
    loaded = prover_from_bytes(data.read_bytes(), r1cs, is_trusted=True)
    fresh = Prover(r1cs, loaded.key)
    key, public = loaded.key.verifying_key, witness[1 : r1cs.public_count + 1]
    proof = loaded.prove(witness)
    verify(key, public, proof)
    return {
        "first proof": cpu(lambda: fresh.prove(witness)),
        "prove": min(cpu(lambda: loaded.prove(witness)) for _ in range(calls)),
        "verify": min(cpu(lambda: verify(key, public, proof)) for _ in range(calls)),
        "load key": min(
            cpu(lambda: prover_from_bytes(data.read_bytes(), r1cs)) for _ in range(calls)
        ),
    }


def commands(peers: Path) -> dict[str, list[str]]:
    """Return the command of each program, veperf's cores first; say which peers are missing."""
    found = {
        f"veperf {core}": [sys.executable, "-m", "benchmarks.zk_peers", "--measure"]
        for core in CORES
    }
    if (peers / "node_modules" / "snarkjs").is_dir() and shutil.which("node"):
        found["snarkjs"] = ["node", "-e", SNARKJS]
    else:
        print("missing: snarkjs, by `npm install snarkjs` (--install does it)")
    python = peers / "venv" / "bin" / "python"
    if python.exists():
        found["arkworks"] = [str(python), "-c", ARKWORKS]
    else:
        print("missing: arkworks, by `pip install groth16py` (--install does it)")
    return found


def run_program(name: str, command: list[str], place: Path, peers: Path) -> dict[str, float]:
    """Return the CPU time in ms of a program's steps; peers and veperf must accept each other's."""
    environment = os.environ | ({} if name == f"veperf {NATIVE}" else {VARIABLE: OFF})
    folder = peers if name == "snarkjs" else None
    output = subprocess.run(
        [*command, str(place), str(CALLS)], cwd=folder, env=environment, check=True,
        stdout=subprocess.PIPE,
    ).stdout  # fmt: skip
    answer: dict[str, Any] = json.loads(output)
    if "proof" in answer:
        key = verifying_key_from_json((place / "key.json").read_bytes())
        public = public_from_json((place / "public.json").read_bytes())
        result = verify(key, public, proof_from_json(json.dumps(answer["proof"])))
        if not (result and answer["accepts"]):
            sys.exit(f"{name} and veperf don't accept each other's proofs: {result}")
    took: dict[str, float] = answer["took"]
    return took


def print_table(constraints: int, medians: dict[str, dict[str, float]]) -> None:
    """Print each program's CPU time, and veperf's quickest as a ratio of it."""
    print(f"\n{constraints:,} constraints{'':3}" + "".join(f"{step:>15}" for step in STEPS))
    base = medians[f"veperf {CORES[0]}"]
    for name, took in medians.items():
        cells = [f"{took[step]:.1f} ms" if step in took else "-" for step in STEPS]
        print(f"{name:20}" + "".join(f"{cell:>15}" for cell in cells))
        if name != f"veperf {CORES[0]}":
            ratios = [f"{base[step] / took[step]:.2f}" if step in took else "-" for step in STEPS]
            print(f"{'  ratio to it':20}" + "".join(f"{ratio:>15}" for ratio in ratios))


def install(peers: Path) -> None:
    """Install both peers in ``peers``."""
    if not shutil.which("npm"):
        sys.exit("npm is missing: it comes with Node.js, which snarkjs runs in")
    peers.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--prefix", str(peers), "snarkjs"], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(peers / "venv")], check=True)
    pip = peers / "venv" / "bin" / "pip"
    subprocess.run([str(pip), "install", "--quiet", "groth16py"], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Groth16 by veperf, snarkjs and arkworks.")
    parser.add_argument("--peers", type=Path, default=user_cache_folder() / "zk_peers")
    parser.add_argument("--install", action="store_true", help="install the peers there first")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "CALLS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        folder, calls = options.measure
        print(json.dumps({"took": measure_veperf(Path(folder), int(calls))}))
        return
    if options.install:
        install(options.peers)
    programs = commands(options.peers)
    with TemporaryDirectory() as name:
        write_circuits(Path(name))
        for circuit, constraints in CIRCUITS.items():
            rounds = [
                {
                    program: run_program(program, command, Path(name) / circuit, options.peers)
                    for program, command in programs.items()
                }
                for _ in range(options.rounds)
            ]
            print_table(
                constraints,
                {
                    program: {
                        step: median(took[program][step] for took in rounds)
                        for step in rounds[0][program]
                    }
                    for program in programs
                },
            )


if __name__ == "__main__":
    main()
