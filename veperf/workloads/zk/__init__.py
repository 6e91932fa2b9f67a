"""Zero-knowledge proofs: Groth16 over BN254, and circuits for claims about a person.

Nothing is handed on here, so that a part can be had without importing all of them: ``groth16`` for
keys, proofs and verification, ``circuits`` for what is proven, ``r1cs`` to write circuits,
``interop`` for circom's and snarkjs's files, ``poseidon`` for the hash; beneath them ``field``,
``curve``, ``pairing``, ``msm`` and ``ntt``. ``sample`` has examples.
"""
