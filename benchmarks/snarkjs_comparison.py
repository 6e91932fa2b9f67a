"""The same circuit proved and verified by snarkjs and by veperf, in one run.

    npm install --prefix FOLDER snarkjs
    python -m benchmarks.snarkjs_comparison FOLDER

veperf writes its circuit of age and a witness as .r1cs and .wtns. One node process makes keys of
its own from them (powers of tau and phase 2 in memory) and then, warm, proves and verifies again
and again; this process does the same with keys and tables made beforehand. Each verifies a proof
that the other made, so that both are known to do the work. Printed: the least CPU time of a call,
all threads of a process together, and the least time by the clock, with the ratios.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from veperf.workloads.zk import example_data
from veperf.workloads.zk.circuits.credential import AGE_CIRCUIT, credential_witness
from veperf.workloads.zk.groth16.verify import verify_proof
from veperf.workloads.zk.snarkjs.circom_files import write_r1cs, write_wtns
from veperf.workloads.zk.snarkjs.json_files import (
    proof_from_json,
    proof_to_json,
    public_from_json,
    public_to_json,
    verifying_key_from_json,
    verifying_key_to_json,
)

PROOFS = 20
VERIFICATIONS = 40
WARM_UPS = 3

# Takes the folder with our files; prints one JSON object.
NODE = """
const snarkjs = require("snarkjs");
const fs = require("fs");
const [folder, proofs, verifications, warmUps] = process.argv.slice(1);
const read = (name) => JSON.parse(fs.readFileSync(`${folder}/${name}.json`));

async function least(call, count) {
    for (let i = 0; i < warmUps; i++) await call();
    let cpu = Infinity, clock = Infinity;
    for (let i = 0; i < count; i++) {
        const used = process.cpuUsage(), start = process.hrtime.bigint();
        await call();
        clock = Math.min(clock, Number(process.hrtime.bigint() - start) / 1e6);
        const { user, system } = process.cpuUsage(used);
        cpu = Math.min(cpu, (user + system) / 1e3);
    }
    return { cpu, clock };
}

(async () => {
    const curve = await snarkjs.curves.getCurveFromName("bn128");
    const mem = () => ({ type: "mem" });
    const [start, tau, ready, key, final] = [mem(), mem(), mem(), mem(), mem()];
    await snarkjs.powersOfTau.newAccumulator(curve, 10, start);
    await snarkjs.powersOfTau.contribute(start, tau, "one", "entropy");
    await snarkjs.powersOfTau.preparePhase2(tau, ready);
    await snarkjs.zKey.newZKey(`${folder}/age.r1cs`, ready, key);
    await snarkjs.zKey.contribute(key, final, "two", "entropy");
    const verifier = await snarkjs.zKey.exportVerificationKey(final);
    const witness = { type: "mem", data: new Uint8Array(fs.readFileSync(`${folder}/age.wtns`)) };
    const { proof, publicSignals } = await snarkjs.groth16.prove(final, witness);
    const took = {
        prove: await least(() => snarkjs.groth16.prove(final, witness), proofs),
        verify: await least(
            () => snarkjs.groth16.verify(verifier, publicSignals, proof), verifications),
    };
    const takes = await snarkjs.groth16.verify(read("key"), read("public"), read("proof"));
    console.log(JSON.stringify({ took, takes, key: verifier, public: publicSignals, proof }));
    process.exit(0);
})();
"""


def least(call: Callable[[], object], count: int) -> dict[str, float]:
    """The least CPU time and time by the clock of ``count`` calls, in ms."""
    for _ in range(WARM_UPS):
        call()
    cpu, clock = [], []
    for _ in range(count):
        used, start = process_time(), perf_counter()
        call()
        clock.append((perf_counter() - start) * 1e3)
        cpu.append((process_time() - used) * 1e3)
    return {"cpu": min(cpu), "clock": min(clock)}


def compare(packages: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What snarkjs took and what veperf took, each for "prove" and "verify"."""
    compiled = AGE_CIRCUIT.compile()
    witness = credential_witness(compiled, example_data.CREDENTIAL, example_data.AGE_STATEMENT)
    public = example_data.AGE_STATEMENT.public_inputs()
    prover = example_data.example_prover(compiled.r1cs)
    key = prover.key.verifying_key
    proof = prover.prove(witness)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "age.r1cs").write_bytes(write_r1cs(compiled.r1cs))
        (folder / "age.wtns").write_bytes(write_wtns(witness))
        (folder / "key.json").write_bytes(verifying_key_to_json(key))
        (folder / "public.json").write_bytes(public_to_json(public))
        (folder / "proof.json").write_bytes(proof_to_json(proof))
        counts = [str(count) for count in (PROOFS, VERIFICATIONS, WARM_UPS)]
        command = ["node", "-e", NODE, str(folder), *counts]
        output = subprocess.run(command, cwd=packages, check=True, capture_output=True).stdout
    snarkjs = json.loads(output)
    if not snarkjs["takes"]:
        sys.exit("snarkjs refuses a proof of veperf's")
    their_key, their_public, their_proof = (
        json.dumps(snarkjs[part]) for part in ("key", "public", "proof")
    )
    if not verify_proof(
        verifying_key_from_json(their_key),
        public_from_json(their_public),
        proof_from_json(their_proof),
    ):
        sys.exit("veperf refuses a proof of snarkjs's")
    own = {
        "prove": least(lambda: prover.prove(witness), PROOFS),
        "verify": least(lambda: verify_proof(key, public, proof), VERIFICATIONS),
    }
    return snarkjs["took"], own


def main() -> None:
    parser = argparse.ArgumentParser(description="The same circuit by snarkjs and by veperf.")
    parser.add_argument("packages", type=Path, help="folder in which snarkjs is installed")
    snarkjs, own = compare(parser.parse_args().packages)
    print(f"{'':14}{'snarkjs':>12}{'veperf':>12}{'veperf/snarkjs':>17}")
    for what in ("prove", "verify"):
        for kind, label in (("cpu", "CPU"), ("clock", "clock")):
            a, b = snarkjs[what][kind], own[what][kind]
            print(f"{what + ', ' + label:14}{a:9.2f} ms{b:9.2f} ms{b / a:17.2f}")


if __name__ == "__main__":
    main()
