"""Zero-knowledge proofs: Groth16 over BN254, and circuits for claims about a person.

Nothing is exported here, so that a part can be imported without the others: ``groth16`` for keys,
proofs and verification, ``circuits`` for the statements, ``r1cs`` to define circuits, ``snarkjs``
for circom's and snarkjs's files, ``poseidon`` for the hash; beneath them ``field``, ``curve``,
``pairing``, ``msm``, ``ntt`` and ``bigint``. ``example_data`` has examples.

A proof that a person is of age, in snarkjs's format:

>>> from veperf.workloads.zk.circuits.credential import AGE_CIRCUIT, credential_witness
>>> from veperf.workloads.zk.example_data import AGE_STATEMENT, CREDENTIAL
>>> from veperf.workloads.zk.groth16.prove import Prover
>>> from veperf.workloads.zk.groth16.setup import setup
>>> from veperf.workloads.zk.groth16.verify import verify
>>> from veperf.workloads.zk.snarkjs.json_files import proof_from_json, proof_to_json
>>> compiled = AGE_CIRCUIT.compile()
>>> prover = Prover(compiled.r1cs, setup(compiled.r1cs))
>>> witness = credential_witness(compiled, CREDENTIAL, AGE_STATEMENT)
>>> proof = proof_from_json(proof_to_json(prover.prove(witness)))
>>> bool(verify(prover.key.verifying_key, AGE_STATEMENT.public_inputs(), proof))
True

A custom circuit, x^2 + x = y:

>>> from veperf.workloads.zk.r1cs.builder import Builder
>>> builder = Builder()
>>> y, x = builder.public("y"), builder.private("x")
>>> builder.assert_equal(builder.product("x^2", x, x) + x, y, "the equation")
>>> r1cs, program = builder.build()
>>> r1cs.check(program.compute_witness({"y": 13, "x": 3}))  # doctest: +ELLIPSIS
Traceback (most recent call last):
veperf.workloads.zk.r1cs.system.UnsatisfiedError: constraint 1 (the equation) is broken: ...
"""
