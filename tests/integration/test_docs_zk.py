"""Every command of docs/zk_files.md runs, in order, on files of circom's, snarkjs's and gnark's."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "zk_files.md"
VECTORS = ROOT / "tests" / "vectors" / "zk"
FILES = {
    "circuit.r1cs": "circom/fixture.r1cs",
    "circuit.wtns": "circom/fixture.wtns",
    "powers.ptau": "snarkjs/powers.ptau",
    "gnark_pk.bin": "gnark/cubic_pk.bin",
    "gnark_vk.bin": "gnark/cubic_vk.bin",
    "gnark.r1cs": "gnark/cubic.r1cs",
    "gnark.wtns": "gnark/cubic.wtns",
}


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path):
    """Each ends with 0, and leaves the files that the next takes."""
    for name, source in FILES.items():
        shutil.copy(VECTORS / source, tmp_path / name)
    (tmp_path / "circuit.sym").write_text("1,1,0,main.product\n")
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]

    assert len(lines) > 15
    for line in lines:
        command = line.replace("veperf", f'"{sys.executable}" -m veperf', 1)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120,
            env=environment,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert "contract AgeVerifier {" in (tmp_path / "AgeVerifier.sol").read_text()
