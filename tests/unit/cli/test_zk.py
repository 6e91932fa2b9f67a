"""``veperf zk``: exit codes, errors that name the file and the next step, files that stay."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from veperf.cli.main import veperf
from veperf.core.errors import VeperfError

VECTORS = Path(__file__).parents[2] / "vectors" / "zk"
FILES = {
    "circuit.r1cs": "circom/fixture.r1cs",
    "circuit.wtns": "circom/fixture.wtns",
    "key.zkey": "snarkjs/final.zkey",
    "first.zkey": "snarkjs/first.zkey",
    "powers.ptau": "snarkjs/powers.ptau",
    "vk.json": "circom/verification_key.json",
    "public.json": "circom/public.json",
    "proof.json": "circom/proof.json",
    "plonk_vk.json": "snarkjs/plonk_vk.json",
    "plonk.json": "snarkjs/plonk_proof.json",
    "cubic.r1cs": "gnark/cubic.r1cs",
    "cubic.wtns": "gnark/cubic.wtns",
    "pk.bin": "gnark/cubic_pk.bin",
    "vk.bin": "gnark/cubic_vk.bin",
    "sound.r1cs": "audit/sound.r1cs",
    "faulty.r1cs": "audit/faulty.r1cs",
    "faulty.sym": "audit/faulty.sym",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with files of others."""
    for name, source in FILES.items():
        shutil.copy(VECTORS / source, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(words: str) -> Result:
    return CliRunner().invoke(veperf, ["zk", *words.split()])


def failure(words: str) -> tuple[int, str]:
    """The exit code and the message, which the outermost command makes of veperf's errors."""
    done = run(words)
    if isinstance(done.exception, VeperfError):
        return done.exception.exit_code, str(done.exception)
    return done.exit_code, done.output


def test_a_proof_is_verified():
    """0 if it is valid, 1 and the reason if not."""
    assert (0, "valid\n") == failure("verify vk.json public.json proof.json")
    code, said = failure("verify key.zkey public.json proof.json")
    assert (1, True) == (code, said.startswith("invalid: "))
    Path("other.json").write_text('["1", "2", "3"]')
    assert 1 == failure("verify vk.json other.json proof.json")[0]
    Path("other.json").write_text('["1"]')
    assert 1 == failure("verify vk.json other.json proof.json")[0]


def test_proofs_are_made_and_converted(folder):
    """By snarkjs's key and by gnark's; each form is read back as the same proof."""
    assert 0 == run("prove key.zkey circuit.wtns -o p.json --public q.json").exit_code
    for form in ("gnark", "calldata", "json"):
        assert 0 == run(f"convert p.json --public q.json --to {form} -o r.{form}").exit_code
        assert 0 == run(f"verify key.zkey q.json r.{form}").exit_code
        assert 0 == run(f"convert r.{form} --to json -o p2.json --force").exit_code
        assert (folder / "p.json").read_bytes() == (folder / "p2.json").read_bytes()
    words = "prove pk.bin cubic.wtns --r1cs cubic.r1cs --vk vk.bin -o g.json --public h.json"
    assert 0 == run(words).exit_code
    assert 0 == run("verify vk.bin h.json g.json").exit_code
    Path("zero.json").write_text('["0", "0", "0"]')
    assert 1 == run("verify key.zkey zero.json r.calldata").exit_code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("verify plonk_vk.json public.json proof.json", "a PLONK verifying key; only Groth16"),
        (
            "verify vk.json public.json plonk.json",
            "plonk.json: a PLONK proof; only Groth16 on bn128",
        ),
        ("verify circuit.r1cs public.json proof.json", "a constraint system (.r1cs), not a verif"),
        ("verify proof.json public.json proof.json", "a proof, not a verifying key"),
        ("verify vk.json public.json vk.json", "a verifying key, not a proof"),
        ("verify vk.json proof.json proof.json", "proof.json: "),
        ("verify none.json public.json proof.json", "no such file: none.json"),
        ("verify . public.json proof.json", "not a regular file"),
        ("prove first.zkey circuit.wtns -o x.json", "a test key"),
        ("prove key.zkey cubic.wtns -o x.json", "cubic.wtns: not a witness of it"),
        ("prove key.zkey circuit.wtns --r1cs cubic.r1cs -o x.json", "another circuit"),
        ("prove pk.bin cubic.wtns -o x.json", "name its .r1cs file"),
        ("prove pk.bin cubic.wtns --r1cs cubic.r1cs -o x.json", "verifying key: name that file"),
        ("prove vk.json circuit.wtns -o x.json", "not a proving key"),
        ("prove key.zkey circuit.r1cs -o x.json", "does not begin with 'wtns'"),
        ("setup circuit.wtns -o x.zkey", "does not begin with 'r1cs'"),
        ("setup circuit.r1cs --ptau key.zkey -o x.zkey", "does not begin with 'ptau'"),
        ("setup circuit.r1cs --ptau powers.ptau --seed 1 -o x.zkey", "no --seed"),
        ("convert circuit.wtns --to json", "a witness (.wtns)"),
        ("convert proof.json --to calldata", "the public inputs, too: name their file"),
        ("convert proof.json --to gnark", "--output"),
        ("convert vk.json --to gnark -o x.bin", "only a proving key has"),
        ("prove key.zkey circuit.wtns -o x.json --public ./x.json --force", "can't have both"),
        ("convert proof.json --to json -o . --force", "a folder or a device"),
        ("convert proof.json --to json -o /dev/null --force", "a folder or a device"),
        ("convert plonk_full.json --to json", "a PLONK proof; only Groth16 on bn128"),
        ("verify vk.json public.json large.json", "large.json: [0]: not below the order"),
        ("export-verifier vk.json --name 1x -o x.sol", "no name of a contract"),
        ("export-verifier first.zkey -o x.sol", "a test key"),
        ("ceremony beacon first.zkey --value 00 -o x.zkey", "nobody contributed"),
        ("ceremony beacon key.zkey --value xyz -o x.zkey", "hexadecimal"),
        ("audit cubic.r1cs --input 99", "no wire 99"),
        ("audit sound.r1cs --witness cubic.wtns", "none of this circuit"),
        ("audit sound.r1cs --sym sound.r1cs", "sound.r1cs: sym file"),
    ],
)
def test_what_is_wrong_is_said(words, said, folder):
    """With exit code 2, the file and what to do; nothing is written."""
    proofs = {name: Path(name).read_text() for name in ("plonk.json", "proof.json")}
    full = '{{"proof": {}, "publicSignals": ["{}"]}}'
    Path("plonk_full.json").write_text(full.format(proofs["plonk.json"], 1))
    Path("large.json").write_text(full.format(proofs["proof.json"], 1 << 254))
    public = "" if "--public" in words or words[:5] != "prove" else " --public x.public"
    code, message = failure(words + public)

    assert said in message
    assert 2 == code
    assert not [path for path in folder.iterdir() if path.name.startswith("x.")]


def test_names_that_are_too_long_are_said():
    """As what can't be written: not as a bug."""
    code, said = failure(f"export-verifier vk.json -o {'x' * 300}")

    assert (3, True) == (code, said.startswith("can't write xxx"))


def test_files_that_are_there_stay(folder):
    """Without --force; and a link is replaced, not followed."""
    assert 2 == failure("prove key.zkey circuit.wtns -o vk.json")[0]
    (folder / "target").write_text("kept")
    (folder / "link").symlink_to(folder / "target")
    assert 2 == failure("export-verifier vk.json -o link")[0]
    assert 0 == run("export-verifier vk.json -o link --force").exit_code
    assert "kept" == (folder / "target").read_text()
    assert not (folder / "link").is_symlink()


def test_test_keys_are_allowed_by_name():
    """A seed makes the same key each time, whose mark stays in JSON."""
    for name in ("a", "b"):
        assert 0 == run(f"setup circuit.r1cs --seed 7 -o {name}.zkey").exit_code
    assert Path("a.zkey").read_bytes() == Path("b.zkey").read_bytes()
    allowed = "--allow-test-keys"
    assert 0 == run(f"prove a.zkey circuit.wtns -o p.json --public q.json {allowed}").exit_code
    assert 0 == run(f"convert a.zkey --to json -o a.json {allowed}").exit_code
    assert json.loads(Path("a.json").read_bytes())["veperf_test_key"]
    for key in ("a.zkey", "a.json"):
        assert 2 == failure(f"verify {key} q.json p.json")[0]
        assert 0 == run(f"verify {key} q.json p.json {allowed}").exit_code


def test_a_ceremony():
    """The first key is no valid end; contributions and a beacon make one; another circuit's not."""
    files = "--r1cs circuit.r1cs --ptau powers.ptau"
    assert 1 == run(f"ceremony verify first.zkey {files}").exit_code
    assert 0 == run("ceremony contribute first.zkey -o one.zkey --name A\x1b[31m").exit_code
    long = "a" * 100
    done = run(f"ceremony beacon one.zkey -o two.zkey --value 0xc0ffee --name {long}")
    assert 0 == done.exit_code
    assert max(map(len, done.output.splitlines())) <= 80
    done = run(f"ceremony verify two.zkey {files}")
    assert 0 == done.exit_code
    assert "\x1b" not in done.output
    assert "a beacon of 2^10 iterations" in done.output
    assert done.output.endswith("\nvalid\n")
    assert 2 == failure("ceremony beacon first.zkey --value 00 -o x.zkey")[0]
    done = run("ceremony verify two.zkey --r1cs cubic.r1cs --ptau powers.ptau")
    assert 1 == done.exit_code
    assert "another circuit" in done.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("sound.r1cs", 0),
        ("faulty.r1cs --sym faulty.sym", 1),
        ("cubic.r1cs", 4),
        ("cubic.r1cs --input 3 --input 4", 0),
    ],
)
def test_an_audit_ends_with_its_verdict(words, code):
    """0 sound, 1 faulty, 4 undecided; JSON says the same."""
    done = run(f"audit {words}")
    assert code == done.exit_code
    assert max(map(len, done.output.splitlines())) <= 80
    document = json.loads(run(f"audit {words} --format json").output)
    assert {0: "sound", 1: "faulty", 4: "undecided"}[code] == document["verdict"]
