"""Zero-knowledge proofs: Groth16 over BN254, and circuits for claims about a person.

Nothing is handed on here, so that a part can be had without importing all of them: ``groth16`` for
keys, proofs and verification, ``circuits`` for what is proven, ``r1cs`` to write circuits,
``interop`` for circom's and snarkjs's files, ``poseidon`` for the hash; beneath them ``field``,
``curve``, ``pairing``, ``msm`` and ``ntt``. ``sample`` has examples.

A proof that somebody is of age, as snarkjs takes it:

>>> from veperf.workloads.zk.circuits import age
>>> from veperf.workloads.zk.circuits.circuit import verify
>>> from veperf.workloads.zk.groth16 import Prover, setup
>>> from veperf.workloads.zk.snarkjs import proof_from_json, proof_to_json
>>> from veperf.workloads.zk.example_data import AGE, CREDENTIAL
>>> compiled = age.CIRCUIT.compile()
>>> prover = Prover(compiled.r1cs, setup(compiled.r1cs))
>>> file = proof_to_json(prover.prove(age.witness(compiled, CREDENTIAL, AGE)))
>>> verify(prover.key.verifying_key, AGE, proof_from_json(file))
True

A circuit of one's own, x^2 + x = y:

>>> from veperf.workloads.zk.r1cs import Builder
>>> builder = Builder()
>>> y, x = builder.public("y"), builder.private("x")
>>> builder.assert_equal(builder.product("x^2", x, x) + x, y, "the equation")
>>> r1cs, program = builder.build()
>>> r1cs.check(program.solve({"y": 13, "x": 3}))  # doctest: +ELLIPSIS
Traceback (most recent call last):
veperf.workloads.zk.r1cs.system.UnsatisfiedError: constraint 1 (the equation) is broken: ...
"""
